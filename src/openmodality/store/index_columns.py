"""The attributes that the local database keeps of each level: keyword and VR (PS3.6 6), in the order of the columns.

The schema makes its columns of them, an instance file is read as far as they need, and a query may have each of them
as a key. A list reads this module, so it imports no database library.
"""

from __future__ import annotations

from typing import Final

PATIENT_ATTRIBUTES: Final = {
    "PatientID": "LO",
    "IssuerOfPatientID": "LO",
    "PatientName": "PN",
    "PatientBirthDate": "DA",
    "PatientBirthTime": "TM",
    "PatientSex": "CS",
    "OtherPatientIDs": "LO",
    "OtherPatientNames": "PN",
    "EthnicGroup": "SH",
    "PatientComments": "LT",
}
STUDY_ATTRIBUTES: Final = {
    "StudyInstanceUID": "UI",
    "StudyDate": "DA",
    "StudyTime": "TM",
    "AccessionNumber": "SH",
    "StudyID": "SH",
    "StudyDescription": "LO",
    "ReferringPhysicianName": "PN",
}
SERIES_ATTRIBUTES: Final = {
    "SeriesInstanceUID": "UI",
    "Modality": "CS",
    "SeriesNumber": "IS",
    "SeriesDescription": "LO",
    "SeriesDate": "DA",
    "SeriesTime": "TM",
    "BodyPartExamined": "CS",
    "ProtocolName": "LO",
    "MRAcquisitionType": "CS",
    "ScanningSequence": "CS",
    "SequenceName": "SH",
    "ContrastBolusAgent": "LO",
    "PerformedProcedureStepID": "SH",
}
INSTANCE_ATTRIBUTES: Final = {
    "SOPInstanceUID": "UI",
    "SOPClassUID": "UI",
    "InstanceNumber": "IS",
    "NumberOfFrames": "IS",
    "Rows": "US",
    "Columns": "US",
    "ContentDate": "DA",
    "ContentTime": "TM",
    "TransferSyntaxUID": "UI",
}
"""(0002,0010) Transfer Syntax UID is of the file meta information, all else of the data set."""
