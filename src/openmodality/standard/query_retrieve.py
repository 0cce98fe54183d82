"""The query/retrieve information models: levels, their order and unique keys, PS3.4 C.3, C.6."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self

from openmodality.errors import UsageError
from openmodality.standard.sop_classes import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)
from openmodality.standard.tags import PATIENT_ID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID


class Level(StrEnum):
    """(0008,0052) Query/Retrieve Level, from the top."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"

    @classmethod
    def _missing_(cls, value: object) -> Self:
        """Raises :class:`UsageError`, which names the levels, for what is none."""
        raise UsageError(f"{value!r} is no level", advice=f"the levels are {', '.join(cls)}")


UNIQUE_KEYS: Final = {
    Level.PATIENT: PATIENT_ID,
    Level.STUDY: STUDY_INSTANCE_UID,
    Level.SERIES: SERIES_INSTANCE_UID,
    Level.IMAGE: SOP_INSTANCE_UID,
}
"""The attribute that names an entity of each level, levels from the top."""

GET_BY_MOVE: Final = {PATIENT_ROOT_MOVE: PATIENT_ROOT_GET, STUDY_ROOT_MOVE: STUDY_ROOT_GET}
"""The SOP class of C-GET of the same model as one of C-MOVE."""

LEVELS_BY_KEY: Final = {tag: level for level, tag in UNIQUE_KEYS.items()}

FURTHER_KEYS: Final = {
    Level.PATIENT: (
        "TypeOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "SourcePatientGroupIdentificationSequence",
        "GroupOfPatientsIdentificationSequence",
        "ReferencedPatientSequence",
        "OtherPatientIDsSequence",
        "PatientBirthName",
        "PatientBreedDescription",
        "PatientSpeciesDescription",
        "EthnicGroupCodeSequence",
        "EthnicGroups",
        "ResponsiblePerson",
        "ResponsiblePersonRole",
        "ResponsibleOrganization",
        "QualityControlSubject",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
    ),
    Level.STUDY: (
        "IssuerOfAccessionNumberSequence",
        "ReferringPhysicianIdentificationSequence",
        "ConsultingPhysicianName",
        "PhysiciansOfRecord",
        "PhysiciansOfRecordIdentificationSequence",
        "NameOfPhysiciansReadingStudy",
        "PhysiciansReadingStudyIdentificationSequence",
        "RequestingService",
        "RequestingServiceCodeSequence",
        "ProcedureCodeSequence",
        "ReasonForVisit",
        "ReasonForVisitCodeSequence",
        "ReasonForPerformedProcedureCodeSequence",
        "AdmittingDiagnosesDescription",
        "AdmittingDiagnosesCodeSequence",
        "ReferencedStudySequence",
        "PatientAge",
        "PatientSize",
        "PatientWeight",
        "PatientBodyMassIndex",
        "MedicalAlerts",
        "Allergies",
        "SmokingStatus",
        "PregnancyStatus",
        "LastMenstrualDate",
        "PatientState",
        "PatientSexNeutered",
        "Occupation",
        "AdditionalPatientHistory",
        "AdmissionID",
        "IssuerOfAdmissionIDSequence",
        "ServiceEpisodeID",
        "ServiceEpisodeDescription",
        "OtherStudyNumbers",
    ),
    Level.SERIES: (
        "Laterality",
        "SeriesDescriptionCodeSequence",
        "PerformingPhysicianName",
        "PerformingPhysicianIdentificationSequence",
        "OperatorsName",
        "OperatorIdentificationSequence",
        "ReferencedPerformedProcedureStepSequence",
        "AnatomicalOrientationType",
        "PatientPosition",
        "TreatmentSessionUID",
        "RequestAttributesSequence",
        "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime",
        "PerformedProcedureStepEndDate",
        "PerformedProcedureStepEndTime",
        "PerformedProcedureStepDescription",
        "PerformedProtocolCodeSequence",
        "CommentsOnThePerformedProcedureStep",
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
        "Manufacturer",
        "ManufacturerModelName",
        "InstitutionName",
        "InstitutionAddress",
        "InstitutionCodeSequence",
        "InstitutionalDepartmentName",
        "StationName",
        "DeviceSerialNumber",
        "DeviceUID",
        "SoftwareVersions",
    ),
}
"""What PS3.4 Tables C.6-1 to C.6-3 have beside the keys that an index is searched by, and other attributes of the
modules of patient, study, series and equipment (PS3.3 C.7): of an entity its instances say the same.
"""

PATIENT_ROOT_LEVELS: Final = tuple(Level)
STUDY_ROOT_LEVELS: Final = (Level.STUDY, Level.SERIES, Level.IMAGE)

LEVELS: Final = {
    PATIENT_ROOT_FIND: PATIENT_ROOT_LEVELS,
    PATIENT_ROOT_MOVE: PATIENT_ROOT_LEVELS,
    PATIENT_ROOT_GET: PATIENT_ROOT_LEVELS,
    STUDY_ROOT_FIND: STUDY_ROOT_LEVELS,
    STUDY_ROOT_MOVE: STUDY_ROOT_LEVELS,
    STUDY_ROOT_GET: STUDY_ROOT_LEVELS,
}
"""The levels of each SOP Class."""

ONLINE: Final = "ONLINE"
"""(0008,0056) Instance Availability of what can be retrieved at once (PS3.3 C.4.23.1.1)."""
