from __future__ import annotations

import pytest

from openmodality.errors import StoreError
from openmodality.standard.performed_step import StepStatus
from openmodality.store.database_errors import ConstraintViolated
from openmodality.store.listing.exams import read_step, read_steps
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import insert_exam
from openmodality.store.rows.patients import keep_patient
from openmodality.store.rows.steps import assign_uid, end_step, find_open_step, insert_step

CREATED = {"00400252": {"vr": "CS", "Value": ["IN PROGRESS"]}}


@pytest.fixture
def exam_id(store: LocalStore) -> int:
    with store.write() as transaction:
        exam = insert_exam(transaction, keep_patient(transaction, {"PatientID": "1"}), "1.2", {}, [])
        insert_step(transaction, exam.id, "1.2.3", "1", CREATED)
    return exam.id


def test_a_step_is_in_progress_until_it_ends(store: LocalStore, exam_id: int) -> None:
    with store.write() as transaction:
        step = find_open_step(transaction, exam_id)
        assert step is not None
        assert (step.state, step.n_create, step.n_set, step.started_at) == ("IN PROGRESS", CREATED, None, 1000.0)
        end_step(transaction, step, StepStatus.COMPLETED, 1500.0, {})
        assert find_open_step(transaction, exam_id) is None
        [ended] = read_steps(transaction, exam_id)
    assert (ended.state, ended.ended_at, ended.n_set) == (StepStatus.COMPLETED, 1500.0, {})


def test_a_uid_that_the_ris_assigns_holds_from_then_on(store: LocalStore, exam_id: int) -> None:
    with store.write() as transaction:
        assert read_step(transaction, "1.2.3").uid == "1.2.3"
        assign_uid(transaction, "1.2.3", "1.2.99")
        assert read_step(transaction, "1.2.3").uid == "1.2.99"


def test_a_step_is_on_record_once(store: LocalStore, exam_id: int) -> None:
    with pytest.raises(ConstraintViolated), store.write() as transaction:
        insert_step(transaction, exam_id, "1.2.3", "2", {})


def test_a_step_that_is_gone_is_said_to_be(store: LocalStore) -> None:
    with store.read() as snapshot, pytest.raises(StoreError, match="no longer in the database"):
        read_step(snapshot, "9.9")
