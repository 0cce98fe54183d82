"""Finds faults in what the hospital receives, where the standard gives no reason to refuse it. Pure functions.

Findings name tags and UIDs, never values of patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydicom import Dataset

from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.reading import has_value, read_items, read_text
from openmodality.encoding.uid import is_valid_uid
from openmodality.hospital.items import ItemKey, PerformedStep, ScheduledItem
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.sop_classes import is_document
from openmodality.standard.tags import (
    ACCESSION_NUMBER,
    PATIENT_ID,
    REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
    REFERENCED_REQUEST_SEQUENCE,
    REFERENCED_SOP_INSTANCE_UID,
    REQUEST_ATTRIBUTES_SEQUENCE,
    REQUESTED_PROCEDURE_ID,
    SCHEDULED_PROCEDURE_STEP_ID,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
)

_UIDS: Final = (SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID)


def check_instance(header: Dataset, schedule: Sequence[ScheduledItem], steps: Sequence[PerformedStep]) -> Iterator[str]:
    """What is wrong with a stored instance: UIDs, and whether it agrees with worklist and performed step."""
    for tag in _UIDS:
        uid = read_text(header, tag)
        if not is_valid_uid(uid):
            yield f"{name_of(tag)} {'breaks PS3.5 9.1' if uid else 'is missing'}"
    yield from _find_request_faults(header, schedule)
    yield from _step_findings(header, steps)


def _find_request_faults(header: Dataset, schedule: Sequence[ScheduledItem]) -> Iterator[str]:
    """A document has no Request Attributes but may name requests of its own accord (PS3.3 C.17.1, C.17.2)."""
    study = read_text(header, STUDY_INSTANCE_UID)
    is_report = is_document(read_text(header, SOP_CLASS_UID))
    tag = REFERENCED_REQUEST_SEQUENCE if is_report else REQUEST_ATTRIBUTES_SEQUENCE
    requests = read_items(header, tag)
    procedure = [item for item in schedule if item.study_instance_uid == study]
    if procedure:
        if not requests and not is_report:
            yield f"{name_of(tag)} is missing in a scheduled study"
        yield from _find_identity_faults(header, procedure[0])
    for request in requests:
        step_id = read_text(request, SCHEDULED_PROCEDURE_STEP_ID)
        if (step_id or is_report) and not _fits(request, step_id, study, schedule):
            yield f"{name_of(tag)} names no step scheduled for this study"


def _fits(request: Dataset, step_id: str, study: str, schedule: Sequence[ScheduledItem]) -> bool:
    """Whether a request is that of the study, or one of a group that is stored in one study.

    A document names the requested procedure without a step.
    """
    in_study = {item.patient_id for item in schedule if item.study_instance_uid == study}
    procedure = read_text(request, REQUESTED_PROCEDURE_ID)
    return any(
        step_id in ("", item.step_id) and item.requested_procedure_id == procedure and item.patient_id in in_study
        for item in schedule
    )


def _find_identity_faults(attributes: Dataset, item: ScheduledItem) -> Iterator[str]:
    if read_text(attributes, PATIENT_ID) != item.patient_id:
        yield f"{name_of(PATIENT_ID)} is not that of the worklist item"
    accession = read_text(attributes, ACCESSION_NUMBER)
    if ACCESSION_NUMBER in attributes and accession and accession != item.accession_number:
        yield f"{name_of(ACCESSION_NUMBER)} is not that of the worklist item"


def _step_findings(header: Dataset, steps: Sequence[PerformedStep]) -> Iterator[str]:
    by_uid = {step.sop_instance_uid: step for step in steps}
    sop_instance_uid = read_text(header, SOP_INSTANCE_UID)
    for reference in read_items(header, REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE):
        step = by_uid.get(read_text(reference, REFERENCED_SOP_INSTANCE_UID))
        if step is None:
            named = name_of(REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE)
            yield f"{named} refers to a performed procedure step that the RIS does not know"
        elif step.status == StepStatus.COMPLETED and not _lists(step, sop_instance_uid):
            yield "the completed performed procedure step does not list this instance"


def _lists(step: PerformedStep, sop_instance_uid: str) -> bool:
    return any(reference.sop_instance_uid == sop_instance_uid for reference in step.instances)


def check_step(step: PerformedStep, schedule: Sequence[ScheduledItem]) -> Iterator[str]:
    """What is wrong with a performed step in the light of the worklist."""
    if not is_valid_uid(step.sop_instance_uid):
        yield "the SOP Instance UID of the step breaks PS3.5 9.1"
    by_key = {item.key: item for item in schedule}
    for key in step.scheduled:
        item = by_key.get(key)
        if item is not None:
            yield from _find_identity_faults(step.attributes, item)
        elif key.step_id:
            yield _stranger(key, schedule)
        if not is_valid_uid(key.study_instance_uid):
            yield f"{name_of(STUDY_INSTANCE_UID)} of the step breaks PS3.5 9.1"
    if not has_value(step.attributes, PATIENT_ID):
        yield f"{name_of(PATIENT_ID)} of the step is empty"


def _stranger(key: ItemKey, schedule: Sequence[ScheduledItem]) -> str:
    if any(item.study_instance_uid == key.study_instance_uid for item in schedule):
        return f"{name_of(SCHEDULED_PROCEDURE_STEP_ID)} is not scheduled for this study"
    return f"{name_of(STUDY_INSTANCE_UID)} is not that of a worklist item, though a step ID is named"


def check_listing(step: PerformedStep, stored: Sequence[Dataset]) -> Iterator[str]:
    """What a step that has just been completed leaves out of the instances that refer to it; ``stored`` are headers."""
    for header in stored:
        references = {
            read_text(item, REFERENCED_SOP_INSTANCE_UID)
            for item in read_items(header, REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE)
        }
        uid = read_text(header, SOP_INSTANCE_UID)
        if step.sop_instance_uid in references and not _lists(step, uid):
            yield f"Performed Series Sequence does not list the stored instance {uid}"
