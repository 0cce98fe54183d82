"""Directory records of a DICOMDIR: their types, their keys, and which record stands for which instance (PS3.3 F.5).

A table of keys says, per record type, what a record holds and whether it must have a value: type 1 must, 2 may be
empty, 1C and 3 are copied where the instance has them.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from openmodality.standard import tags
from openmodality.standard.sop_classes import (
    KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
    is_document,
    is_presentation_state,
)


class RecordType(StrEnum):
    """(0004,1430) Directory Record Type of the records that are written."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"
    SR_DOCUMENT = "SR DOCUMENT"
    KEY_OBJECT = "KEY OBJECT DOC"
    PRESENTATION = "PRESENTATION"


class RecordKey(NamedTuple):
    """An attribute of a directory record, of the instance's VR; ``kind`` is its type there: 1, 1C, 2 or 3."""

    tag: int
    vr: str
    kind: str


_CHARACTER_SET: Final = RecordKey(tags.SPECIFIC_CHARACTER_SET, "CS", "1C")

KEYS: Final = MappingProxyType(
    {
        RecordType.PATIENT: (
            _CHARACTER_SET,
            RecordKey(tags.PATIENT_NAME, "PN", "2"),
            RecordKey(tags.PATIENT_ID, "LO", "1"),
            RecordKey(tags.ISSUER_OF_PATIENT_ID, "LO", "1C"),
            RecordKey(tags.PATIENT_BIRTH_DATE, "DA", "2"),
            RecordKey(tags.PATIENT_SEX, "CS", "2"),
        ),
        RecordType.STUDY: (
            _CHARACTER_SET,
            RecordKey(tags.STUDY_DATE, "DA", "1"),
            RecordKey(tags.STUDY_TIME, "TM", "1"),
            RecordKey(tags.ACCESSION_NUMBER, "SH", "2"),
            RecordKey(tags.STUDY_DESCRIPTION, "LO", "2"),
            RecordKey(tags.STUDY_INSTANCE_UID, "UI", "1"),
            RecordKey(tags.STUDY_ID, "SH", "1"),
        ),
        RecordType.SERIES: (
            _CHARACTER_SET,
            RecordKey(tags.MODALITY, "CS", "1"),
            RecordKey(tags.INSTITUTION_NAME, "LO", "2"),
            RecordKey(tags.INSTITUTION_ADDRESS, "ST", "2"),
            RecordKey(tags.SERIES_DESCRIPTION, "LO", "3"),
            RecordKey(tags.PERFORMING_PHYSICIAN_NAME, "PN", "2"),
            RecordKey(tags.SERIES_INSTANCE_UID, "UI", "1"),
            RecordKey(tags.SERIES_NUMBER, "IS", "1"),
        ),
        RecordType.IMAGE: (
            _CHARACTER_SET,
            RecordKey(tags.IMAGE_TYPE, "CS", "3"),
            RecordKey(tags.REFERENCED_IMAGE_SEQUENCE, "SQ", "1C"),
            RecordKey(tags.INSTANCE_NUMBER, "IS", "1"),
            RecordKey(tags.IMAGE_POSITION_PATIENT, "DS", "1C"),
            RecordKey(tags.IMAGE_ORIENTATION_PATIENT, "DS", "1C"),
            RecordKey(tags.FRAME_OF_REFERENCE_UID, "UI", "1C"),
            RecordKey(tags.NUMBER_OF_FRAMES, "IS", "1C"),
            RecordKey(tags.ROWS, "US", "1C"),
            RecordKey(tags.COLUMNS, "US", "1C"),
            RecordKey(tags.PIXEL_SPACING, "DS", "1C"),
        ),
        RecordType.SR_DOCUMENT: (
            _CHARACTER_SET,
            RecordKey(tags.CONTENT_DATE, "DA", "1"),
            RecordKey(tags.CONTENT_TIME, "TM", "1"),
            RecordKey(tags.INSTANCE_NUMBER, "IS", "1"),
            RecordKey(tags.VERIFICATION_DATE_TIME, "DT", "1C"),
            RecordKey(tags.CONCEPT_NAME_CODE_SEQUENCE, "SQ", "1"),
            RecordKey(tags.COMPLETION_FLAG, "CS", "1"),
            RecordKey(tags.VERIFICATION_FLAG, "CS", "1"),
        ),
        RecordType.KEY_OBJECT: (
            _CHARACTER_SET,
            RecordKey(tags.CONTENT_DATE, "DA", "1"),
            RecordKey(tags.CONTENT_TIME, "TM", "1"),
            RecordKey(tags.INSTANCE_NUMBER, "IS", "1"),
            RecordKey(tags.CONCEPT_NAME_CODE_SEQUENCE, "SQ", "1"),
        ),
        RecordType.PRESENTATION: (
            _CHARACTER_SET,
            RecordKey(tags.REFERENCED_SERIES_SEQUENCE, "SQ", "1C"),
            RecordKey(tags.INSTANCE_NUMBER, "IS", "1"),
            RecordKey(tags.CONTENT_LABEL, "CS", "1"),
            RecordKey(tags.CONTENT_DESCRIPTION, "LO", "2"),
            RecordKey(tags.PRESENTATION_CREATION_DATE, "DA", "1"),
            RecordKey(tags.PRESENTATION_CREATION_TIME, "TM", "1"),
            RecordKey(tags.CONTENT_CREATOR_NAME, "PN", "2"),
        ),
    }
)
"""PS3.3 F.5.1 to F.5.35, with the additional keys of the CT and MR profiles (PS3.11 Table E.3-3), which do no harm in
others; each list in the order of tags."""


def record_type_of(sop_class_uid: str) -> RecordType:
    """The type of the record that stands for an instance of a SOP class (PS3.4 Annex I)."""
    if sop_class_uid == KEY_OBJECT_SELECTION_DOCUMENT_STORAGE:
        return RecordType.KEY_OBJECT
    if is_document(sop_class_uid):
        return RecordType.SR_DOCUMENT
    if is_presentation_state(sop_class_uid):
        return RecordType.PRESENTATION
    return RecordType.IMAGE
