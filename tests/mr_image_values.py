"""A value for each attribute of the classic MR Image that Annex A of the MR statement lists, as a caller gives it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

SPEC: Final = Path(__file__).parent / "data" / "spec" / "mr"


def list_rows() -> list[dict[str, str]]:
    """The rows of MR Image: those of its own and those that it has in common with other objects."""
    with (SPEC / "iod_modules.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["iod_scope"] in ("common", "MR")]


def code(value: str, scheme: str, meaning: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def reference(sop_class: str, number: int) -> dict[str, str]:
    return {"ReferencedSOPClassUID": sop_class, "ReferencedSOPInstanceUID": f"1.2.3.{number}"}


MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
STUDY: Final = "1.2.840.10008.3.1.2.3.1"

PERSON: Final = [
    {
        "PersonIdentificationCodeSequence": [code("4711", "99HOSPITAL", "Roe")],
        "InstitutionName": "General",
    }
]
GROUPS: Final[dict[str, Any]] = {
    "MRSpatialSaturationSequence": [
        {"SlabThickness": 40.0, "SlabOrientation": [0.0, 0.0, 1.0], "MidSlabPosition": [1.0, 2.0, 3.5]}
    ],
    "MRReceiveCoilSequence": [
        {"MultiCoilDefinitionSequence": [{"MultiCoilElementName": "H1", "MultiCoilElementUsed": "YES"}]}
    ],
    "MRModifierSequence": [
        {
            "Spoiling": "RF",
            "T2Preparation": "NO",
            "SpectrallySelectedExcitation": "NONE",
            "ParallelReductionFactorInPlane": 2.0,
            "ParallelAcquisition": "YES",
            "InversionTimes": [150.0],
            "ParallelReductionFactorOutOfPlane": 1.0,
        }
    ],
    "MRDiffusionSequence": [
        {
            "DiffusionDirectionality": "DIRECTIONAL",
            "DiffusionGradientDirectionSequence": [{"DiffusionGradientOrientation": [1.0, 0.0, 0.0]}],
            "DiffusionBValue": 1000.0,
            "DiffusionAnisotropyType": "FRACTIONAL",
        }
    ],
}
SHARED: Final = {**GROUPS}
SHARED["MRDiffusionSequence"] = [
    {
        **GROUPS["MRDiffusionSequence"][0],
        "DiffusionGradientDirectionSequence": [{"DiffusionGradientOrientation": [1.0, 0.0, 0.0], "MPGAxisNumber": "3"}],
    }
]

WITH_EXAM: Final[dict[str, Any]] = {
    "PatientName": "Doe^Jane", "PatientID": "4711", "IssuerOfPatientID": "HOSPITAL", "PatientBirthDate": "19700102",
    "PatientBirthTime": "103000", "PatientSex": "F", "OtherPatientIDs": ["A1", "B2"],
    "OtherPatientNames": ["Smith^Jane", "Miller^Jane"], "EthnicGroup": "none", "PatientComments": "two\r\nlines",
    "PatientMotherBirthName": "Roe^Ann", "MedicalRecordLocator": "R12", "AccessionNumber": "ACC1",
}  # fmt: skip
"""Who the patient is and what was asked for is said with the exam."""

WITH_IMAGE: Final[dict[str, Any]] = {
    "PatientAddress": "Main Street 1", "MilitaryRank": "Captain", "BranchOfService": "Navy",
    "CountryOfResidence": "DE", "RegionOfResidence": "North", "PatientTelephoneNumbers": ["1", "2"],
    "PatientReligiousPreference": "none", "MedicalAlerts": "pacemaker", "Allergies": "latex", "SmokingStatus": "NO",
    "PregnancyStatus": 1, "ReferringPhysicianName": "Roe^R", "ReferringPhysicianIdentificationSequence": PERSON,
    "StudyDescription": "Head", "ProcedureCodeSequence": [code("MR1", "99HOSPITAL", "MR of the head")],
    "PhysiciansOfRecord": ["A^B", "C^D"], "PhysiciansOfRecordIdentificationSequence": PERSON,
    "NameOfPhysiciansReadingStudy": "E^F", "PhysiciansReadingStudyIdentificationSequence": PERSON,
    "ReferencedStudySequence": [reference(STUDY, 1)], "PatientSize": 1.7, "PatientWeight": 70.5,
    "Occupation": "pilot", "AdditionalPatientHistory": "one\r\ntwo", "AdmittingDiagnosesDescription": ["headache"],
    "AdmittingDiagnosesCodeSequence": [code("R51", "I10", "Headache")], "PatientPosition": "HFS", "Laterality": "L",
    "SeriesDescription": "T1", "PerformingPhysicianName": "G^H", "OperatorsName": ["I^J"],
    "BodyPartExamined": "KNEE", "ProtocolName": "knee", "SmallestPixelValueInSeries": 0,
    "LargestPixelValueInSeries": 4000, "PerformedProcedureStepDescription": "Knee",
    "PerformedProtocolCodeSequence": [code("P1", "99HOSPITAL", "Protocol")],
    "RequestAttributesSequence": [{"ScheduledProcedureStepID": "S1", "RequestedProcedureID": "R1"}],
    "CommentsOnThePerformedProcedureStep": "good", "PositionReferenceIndicator": "ORBITAL",
    "SpatialResolution": 0.5, "DateOfLastCalibration": "20260101", "TimeOfLastCalibration": "120000",
    "PixelPaddingValue": 0, "PatientOrientation": ["L", "P"], "ImageType": ["ORIGINAL", "PRIMARY", "M"],
    "ReferencedImageSequence": [reference(MR_IMAGE, 2)], "AcquisitionDate": "20260102", "AcquisitionTime": "101112",
    "ImageComments": "text \\ with a backslash", "LossyImageCompression": "00", "PresentationLUTShape": "IDENTITY",
    "ImagePositionPatient": [-10, -20, 5], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1],
    "SliceThickness": 5, "SliceLocation": 5, "SmallestImagePixelValue": 0, "LargestImagePixelValue": 4000,
    "RedPaletteColorLookupTableDescriptor": [4, 0, 16], "GreenPaletteColorLookupTableDescriptor": [4, 0, 16],
    "BluePaletteColorLookupTableDescriptor": [4, 0, 16], "RedPaletteColorLookupTableData": [0, 1, 2, 65535],
    "GreenPaletteColorLookupTableData": [0, 9, 65535, 0], "BluePaletteColorLookupTableData": [65535, 9, 0, 0],
    "ContrastBolusAgent": "Gd", "ContrastBolusAgentSequence": [code("C-B0322", "SRT", "Gadolinium")],
    "ContrastBolusAdministrationRouteSequence": [code("G-D101", "SRT", "Intravenous route")],
    "AdditionalDrugSequence": [code("F-61080", "SRT", "Drug")], "ContrastBolusVolume": 10,
    "ContrastBolusStartTime": "101000", "ContrastBolusStopTime": "101100", "ContrastBolusTotalDose": 9,
    "ContrastFlowRate": [2], "ContrastFlowDuration": [5], "ContrastBolusIngredient": "GADOLINIUM",
    "ContrastBolusIngredientConcentration": 0.5, "WindowCenter": 100, "WindowWidth": 200,
    "WindowCenterWidthExplanation": "soft",
    "VOILUTSequence": [{"LUTDescriptor": [4, 0, 16], "LUTExplanation": "steps", "LUTData": [0, 20000, 40000, 65535]}],
    "ScanningSequence": ["SE", "IR"], "SequenceVariant": ["SK", "OSP"], "ScanOptions": ["CG", "FC"],
    "MRAcquisitionType": "2D", "RepetitionTime": 500, "EchoTime": 12.5, "EchoTrainLength": 4, "InversionTime": 150,
    "TriggerTime": 30, "SequenceName": "se2d", "AngioFlag": "N", "NumberOfAverages": 2, "ImagingFrequency": 63.87,
    "ImagedNucleus": "1H", "EchoNumbers": 1, "MagneticFieldStrength": 1.5, "SpacingBetweenSlices": 5.5,
    "NumberOfPhaseEncodingSteps": 256, "PercentSampling": 100, "PercentPhaseFieldOfView": 75, "PixelBandwidth": 130,
    "NominalInterval": 900, "BeatRejectionFlag": "N", "LowRRValue": 800, "HighRRValue": 1000,
    "IntervalsAcquired": 10, "IntervalsRejected": 1, "PVCRejection": "none", "SkipBeats": 0, "HeartRate": 66,
    "CardiacNumberOfImages": 20, "TriggerWindow": 10, "ReconstructionDiameter": 250, "ReceiveCoilName": "KNEE8",
    "TransmitCoilName": "BODY", "AcquisitionMatrix": [256, 0, 0, 192], "InPlanePhaseEncodingDirection": "ROW",
    "FlipAngle": 90, "SAR": 0.4, "VariableFlipAngleFlag": "N", "dBdt": 12.5, "TemporalPositionIdentifier": 1,
    "NumberOfTemporalPositions": 2, "TemporalResolution": 1000,
    "AnatomicRegionSequence": [code("T-D9200", "SRT", "Knee")],
    "PrimaryAnatomicStructureSequence": [code("T-12700", "SRT", "Patella")], "B1rms": 1.25,
    "ContentQualification": "PRODUCT", "NumberOfKSpaceTrajectories": 1, "SaturationRecovery": "NO",
    "GeometryOfKSpaceTraversal": "RECTILINEAR", "RectilinearPhaseEncodeReordering": "LINEAR", "NumberOfFrames": 1,
    "FrameIncrementPointer": "TriggerTime", "BurnedInAnnotation": "NO", "RescaleIntercept": 0, "RescaleSlope": 2,
    "RescaleType": "US", "SharedFunctionalGroupsSequence": [SHARED],
}  # fmt: skip

OF_FRAME: Final[dict[str, Any]] = {
    **{name: value for name, value in WITH_IMAGE.items() if name != "SharedFunctionalGroupsSequence"},
    "PerFrameFunctionalGroupsSequence": [GROUPS],
}
"""The same, with the functional groups of the frame; a group is shared or of a frame, never both."""

OF_DEVICE: Final = frozenset(
    (
        "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "PatientAge", "Modality", "SeriesInstanceUID",
        "SeriesNumber", "SeriesDate", "SeriesTime", "ReferencedPerformedProcedureStepSequence",
        "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime", "PerformedProcedureStepID",
        "FrameOfReferenceUID", "Manufacturer", "InstitutionName", "InstitutionAddress", "StationName",
        "InstitutionalDepartmentName", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions",
        "InstanceNumber", "ContentDate", "ContentTime", "AcquisitionNumber", "ImagesInAcquisition", "SamplesPerPixel",
        "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
        "PixelRepresentation", "PixelData", "SpecificCharacterSet", "InstanceCreationDate", "InstanceCreationTime",
        "SOPClassUID", "SOPInstanceUID",
    )
)  # fmt: skip
"""What the device fills from its site file, its clock and its pixels."""

ELSEWHERE: Final = {
    "PlanarConfiguration": "colour: a grey image may not have it (PS3.3 C.7.6.3.1.3)",
    "PixelAspectRatio": "Secondary Capture: an image with Pixel Spacing may not have it (PS3.3 C.7.6.3.1.7)",
}
"""Rows that the MR Image has in common with Secondary Capture, and which only that may have."""

CONFIGURED: Final = """
[device]
station_name = "MR1"
institution_name = "General"
institution_address = "Main Street 1"
department = "Radiology"
"""
"""The equipment, as its site file names it."""
