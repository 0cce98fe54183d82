"""The attributes that an SCU of Modality Performed Procedure Step has to send, PS3.4 Table F.7.2-1.

Conditions "required if the item is present" are types 1 and 2 here, because rules below a sequence hold for the items
that are there. Attributes that are not listed are type 3 in both operations.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from openmodality.standard import tags


class StepStatus(StrEnum):
    """(0040,0252) Performed Procedure Step Status, PS3.3 C.4.14."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


NOT_ALLOWED: Final = "-"


class StepRule(NamedTuple):
    """Types of one attribute: in N-CREATE, in N-SET (``-`` for not allowed) and when the final state is set."""

    path: tuple[int, ...]
    n_create: str
    n_set: str
    final: str


def _only_created(path: tuple[int, ...], n_create: str) -> StepRule:
    return StepRule(path, n_create, NOT_ALLOWED, "")


_SCHEDULED: Final = tags.SCHEDULED_STEP_ATTRIBUTES_SEQUENCE
_SERIES: Final = tags.PERFORMED_SERIES_SEQUENCE
_STUDY: Final = tags.REFERENCED_STUDY_SEQUENCE
_PROTOCOL_CODE: Final = tags.SCHEDULED_PROTOCOL_CODE_SEQUENCE
_PATIENT: Final = tags.REFERENCED_PATIENT_SEQUENCE
_PROCEDURE_CODE: Final = tags.PROCEDURE_CODE_SEQUENCE
_PERFORMED_PROTOCOL_CODE: Final = tags.PERFORMED_PROTOCOL_CODE_SEQUENCE
_IMAGES: Final = tags.REFERENCED_IMAGE_SEQUENCE

PERFORMED_STEP_RULES: Final = (
    # Performed Procedure Step Relationship
    _only_created((_SCHEDULED,), "1"),
    _only_created((_SCHEDULED, tags.STUDY_INSTANCE_UID), "1"),
    _only_created((_SCHEDULED, _STUDY), "2"),
    _only_created((_SCHEDULED, _STUDY, tags.REFERENCED_SOP_CLASS_UID), "1"),
    _only_created((_SCHEDULED, _STUDY, tags.REFERENCED_SOP_INSTANCE_UID), "1"),
    _only_created((_SCHEDULED, tags.ACCESSION_NUMBER), "2"),
    _only_created((_SCHEDULED, tags.PLACER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST), "3"),
    _only_created((_SCHEDULED, tags.FILLER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST), "3"),
    _only_created((_SCHEDULED, tags.REQUESTED_PROCEDURE_ID), "2"),
    _only_created((_SCHEDULED, tags.REQUESTED_PROCEDURE_DESCRIPTION), "2"),
    _only_created((_SCHEDULED, tags.SCHEDULED_PROCEDURE_STEP_ID), "2"),
    _only_created((_SCHEDULED, tags.SCHEDULED_PROCEDURE_STEP_DESCRIPTION), "2"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE), "2"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, tags.CODE_VALUE), "1"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, tags.CODING_SCHEME_DESIGNATOR), "1"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, tags.CODING_SCHEME_VERSION), "3"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, tags.CODE_MEANING), "3"),
    _only_created((tags.PATIENT_NAME,), "2"),
    _only_created((tags.PATIENT_ID,), "2"),
    _only_created((tags.PATIENT_BIRTH_DATE,), "2"),
    _only_created((tags.PATIENT_SEX,), "2"),
    _only_created((_PATIENT,), "2"),
    _only_created((_PATIENT, tags.REFERENCED_SOP_CLASS_UID), "1"),
    _only_created((_PATIENT, tags.REFERENCED_SOP_INSTANCE_UID), "1"),
    # Performed Procedure Step Information
    _only_created((tags.PERFORMED_PROCEDURE_STEP_ID,), "1"),
    _only_created((tags.PERFORMED_STATION_AE_TITLE,), "1"),
    _only_created((tags.PERFORMED_STATION_NAME,), "2"),
    _only_created((tags.PERFORMED_LOCATION,), "2"),
    _only_created((tags.PERFORMED_PROCEDURE_STEP_START_DATE,), "1"),
    _only_created((tags.PERFORMED_PROCEDURE_STEP_START_TIME,), "1"),
    StepRule((tags.PERFORMED_PROCEDURE_STEP_STATUS,), "1", "3", ""),
    StepRule((tags.PERFORMED_PROCEDURE_STEP_DESCRIPTION,), "2", "3", ""),
    StepRule((tags.PERFORMED_PROCEDURE_TYPE_DESCRIPTION,), "2", "3", ""),
    StepRule((_PROCEDURE_CODE,), "2", "3", ""),
    StepRule((_PROCEDURE_CODE, tags.CODE_VALUE), "1", "1", ""),
    StepRule((_PROCEDURE_CODE, tags.CODING_SCHEME_DESIGNATOR), "1", "1", ""),
    StepRule((_PROCEDURE_CODE, tags.CODING_SCHEME_VERSION), "3", "3", ""),
    StepRule((_PROCEDURE_CODE, tags.CODE_MEANING), "3", "3", ""),
    StepRule((tags.PERFORMED_PROCEDURE_STEP_END_DATE,), "2", "3", "1"),
    StepRule((tags.PERFORMED_PROCEDURE_STEP_END_TIME,), "2", "3", "1"),
    # Image Acquisition Results
    _only_created((tags.MODALITY,), "1"),
    _only_created((tags.STUDY_ID,), "2"),
    StepRule((_PERFORMED_PROTOCOL_CODE,), "2", "3", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, tags.CODE_VALUE), "1", "1", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, tags.CODING_SCHEME_DESIGNATOR), "1", "1", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, tags.CODING_SCHEME_VERSION), "3", "3", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, tags.CODE_MEANING), "3", "3", ""),
    StepRule((_SERIES,), "2", "3", "1"),
    StepRule((_SERIES, tags.PERFORMING_PHYSICIAN_NAME), "2", "2", "2"),
    StepRule((_SERIES, tags.PROTOCOL_NAME), "1", "1", "1"),
    StepRule((_SERIES, tags.OPERATORS_NAME), "2", "2", "2"),
    StepRule((_SERIES, tags.SERIES_INSTANCE_UID), "1", "1", "1"),
    StepRule((_SERIES, tags.SERIES_DESCRIPTION), "2", "2", "2"),
    StepRule((_SERIES, tags.RETRIEVE_AE_TITLE), "2", "2", "2"),
    StepRule((_SERIES, _IMAGES), "2", "2", ""),
    StepRule((_SERIES, _IMAGES, tags.REFERENCED_SOP_CLASS_UID), "1", "1", ""),
    StepRule((_SERIES, _IMAGES, tags.REFERENCED_SOP_INSTANCE_UID), "1", "1", ""),
    StepRule((_SERIES, tags.REFERENCED_NON_IMAGE_COMPOSITE_SOP_INSTANCE_SEQUENCE), "2", "2", ""),
)
