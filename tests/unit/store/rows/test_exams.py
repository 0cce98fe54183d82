from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.errors import NotFound, WrongState
from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.exams import Ending, ExamRecord, SeriesRecord, read_exam, read_exams
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import (
    ServedItem,
    add_series,
    find_exams_with_late_images,
    insert_exam,
    lock_exam,
    lock_exam_to_add_to,
    save_exam,
)
from openmodality.store.rows.jobs import insert_job
from openmodality.store.rows.patients import keep_patient
from openmodality.store.rows.steps import insert_step
from openmodality.store.rows.worklist import keep_items
from openmodality.store.states import ExamState, JobKind, Origin
from openmodality.store.transaction import Transaction
from tests.peers.objects import mr_image, save, worklist_item

SERIES = SeriesRecord("1.2.5", 1, "MR", "MR", "T1", 1000.0, "1.2.3")


def register(transaction: Transaction, *items: ServedItem, study: str = "1.2") -> ExamRecord:
    return insert_exam(transaction, keep_patient(transaction, {"PatientID": "1"}), study, {"a": 1}, items)


def begin(transaction: Transaction, study: str = "1.2") -> ExamRecord:
    exam = replace(register(transaction, study=study), state=ExamState.IN_PROGRESS)
    save_exam(transaction, exam)
    insert_step(transaction, exam.id, "1.2.3", "1", {})
    return exam


def test_an_exam_is_kept_with_the_items_that_it_serves(store: LocalStore) -> None:
    with store.write() as transaction:
        number = keep_items(transaction, "RIS", [(worklist_item(), [])], whole=True)[0].id
        exam = register(transaction, ServedItem(number, "SPS1", {"b": 2}))
    assert (exam.state, exam.scheduled, exam.user, exam.items) == (ExamState.REGISTERED, True, {"a": 1}, ({"b": 2},))
    with store.read() as snapshot:
        assert read_exam(snapshot, exam.id) == exam
        with pytest.raises(NotFound, match="no exam 99"):
            read_exam(snapshot, 99)


def test_what_is_saved_of_an_exam_is_read_again(store: LocalStore) -> None:
    with store.write() as transaction:
        exam = replace(
            register(transaction),
            state=ExamState.IN_PROGRESS,
            accession_number="A1",
            study_id="1",
            series=(SERIES,),
            notices=("worklist item 1 has changed: PatientName",),
            ending=Ending(StepStatus.DISCONTINUED, 1500.0, "110513"),
        )
        save_exam(transaction, exam)
        assert lock_exam(transaction, exam.id) == exam
        assert read_exams(transaction, [ExamState.IN_PROGRESS]) == [exam]
        assert read_exams(transaction, [ExamState.COMPLETED]) == []


def test_a_series_is_on_record_once(store: LocalStore) -> None:
    with store.write() as transaction:
        exam = register(transaction)
        assert add_series(transaction, exam.id, SERIES).series == (SERIES,)
        assert add_series(transaction, exam.id, replace(SERIES, number=2)).series == (SERIES,)


def test_only_an_exam_with_an_open_step_takes_images(store: LocalStore) -> None:
    with store.write() as transaction:
        registered = register(transaction, study="1.1")
        with pytest.raises(WrongState, match="is REGISTERED"):
            lock_exam_to_add_to(transaction, registered.id)
        exam = begin(transaction)
        assert lock_exam_to_add_to(transaction, exam.id, "1.2.3")[0] == exam
        with pytest.raises(WrongState, match="another performed step"):
            lock_exam_to_add_to(transaction, exam.id, "1.2.4")
        save_exam(transaction, replace(exam, ending=Ending(StepStatus.COMPLETED, 1500.0)))
        with pytest.raises(WrongState, match="about to be COMPLETED"):
            lock_exam_to_add_to(transaction, exam.id)


def test_images_after_the_end_are_found_until_a_send_job_has_them(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    store.add_file(save(image, tmp_path), Origin.ACQUIRED)
    with store.write() as transaction:
        exam = begin(transaction, study=image.StudyInstanceUID)
        assert find_exams_with_late_images(transaction) == []
        save_exam(transaction, replace(exam, state=ExamState.COMPLETED, ended_at=1000.0))
        assert find_exams_with_late_images(transaction) == [exam.id]
        values = {"kind": JobKind.SEND, "destination": "PACS", "parameters": {}, "due_at": 1000.0}
        retry = {"max_retries": 0, "retry_delay_s": 0.0, "retry_permanent": False}
        insert_job(transaction, {**values, **retry}, [(image.SOPClassUID, image.SOPInstanceUID)])
        assert find_exams_with_late_images(transaction) == []
