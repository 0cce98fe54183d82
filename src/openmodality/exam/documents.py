"""Key object documents and presentation states that a person asks for while an exam is in progress.

Each is a series of its own in the step that is in progress: the RIS is told of it, and archives get it as they get
images.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydicom import Dataset

from openmodality.errors import UsageError
from openmodality.exam.instances import keep_instance
from openmodality.exam.producers.key_objects import build_documents, plan_documents
from openmodality.exam.producers.presentation_states import build_state, describe_image, plan_state
from openmodality.exam.producers.producer import StepWork
from openmodality.exam.referenced_instances import find_references, read_header
from openmodality.exam.workflow import Workflow
from openmodality.objects.report.tid_2010 import Note
from openmodality.objects.state.presentation_state import Look
from openmodality.store.listing.exams import ExamRecord, StepRecord, read_exam
from openmodality.store.rows.exams import lock_exam_to_add_to
from openmodality.store.rows.steps import find_open_step
from openmodality.store.transaction import Transaction


def add_key_objects(
    workflow: Workflow, exam_id: int, instances: Sequence[str], series: Sequence[str], note: Note
) -> list[str]:
    """Store a key object document, and its like in each other study that it refers to; their SOP Instance UIDs.

    Raises :class:`UsageError` for what no document can say, :class:`NotFound` for what the local database does not
    have, and :class:`WrongState` where the exam is not in progress.
    """
    exam, step = _read(workflow, exam_id)
    references = find_references(workflow.store, exam, instances, series)
    plans = plan_documents(workflow.site, note, references, exam.study_instance_uid)
    first = {each.study_instance_uid: each.sop_instance_uid for each in reversed(references)}
    headers = {study: read_header(workflow.store, first[study]) for study in plans if study != exam.study_instance_uid}
    records = {study: workflow.new_series(exam_id, plan) for study, plan in plans.items()}
    documents = build_documents(workflow.site, StepWork(exam, step, ()), records, note, references, headers)
    return _keep(workflow, exam_id, documents, step)


def add_presentation_state(
    workflow: Workflow, exam_id: int, instances: Sequence[str], series: Sequence[str], look: Look
) -> str:
    """Store a presentation state for images of the exam's study; its SOP Instance UID.

    Raises what :func:`add_key_objects` raises, and :class:`UsageError` for images of another study.
    """
    exam, step = _read(workflow, exam_id)
    references = find_references(workflow.store, exam, instances, series)
    images = [describe_image(each, read_header(workflow.store, each.sop_instance_uid)) for each in references]
    others = [each.sop_instance_uid for each in references if each.study_instance_uid != exam.study_instance_uid]
    if others:
        raise UsageError(
            f"{others[0]} is not of the study of exam {exam_id}", advice="a state belongs to its images' study"
        )
    plan = plan_state(workflow.site, images, look)
    record = workflow.new_series(exam_id, plan)
    [uid] = _keep(workflow, exam_id, [build_state(workflow.site, exam, step, record, images, look)], step)
    return uid


def _read(workflow: Workflow, exam_id: int) -> tuple[ExamRecord, StepRecord | None]:
    """The exam and its step. Raises :class:`WrongState` where it is not in progress."""
    with workflow.store.write() as transaction:
        lock_exam_to_add_to(transaction, exam_id)
        return read_exam(transaction, exam_id), find_open_step(transaction, exam_id)


def _keep(workflow: Workflow, exam_id: int, documents: Sequence[Dataset], step: StepRecord | None) -> list[str]:
    check = partial(_check_open, exam_id=exam_id, step_uid=step.sop_instance_uid if step else "")
    for document in documents:
        keep_instance(workflow.site, workflow.store, document, check)
    workflow.deliver(exam_id)
    return [str(document.SOPInstanceUID) for document in documents]


def _check_open(transaction: Transaction, *, exam_id: int, step_uid: str) -> None:
    lock_exam_to_add_to(transaction, exam_id, step_uid)
