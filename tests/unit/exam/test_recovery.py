"""Exams that a process left in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from openmodality.exam.recovery import recover_exams
from openmodality.exam.session import Exam
from openmodality.exam.workflow import Workflow
from openmodality.jobs.listing import list_jobs
from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.exams import Ending
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import save_exam
from openmodality.store.states import ExamState, JobKind
from tests.devices import add_image

BeginExam = Callable[..., Exam]
PATIENT = "Doe^Jane"


def test_a_noted_ending_is_carried_out(
    begin_exam: BeginExam, make_workflow: Callable[[], Workflow], store: LocalStore
) -> None:
    exam = begin_exam()
    add_image(exam.series("T1"))
    with store.write() as transaction:
        save_exam(transaction, replace(exam.record, ending=Ending(StepStatus.COMPLETED, 1.7e9)))
    assert recover_exams(make_workflow()) == 1
    assert exam.state is ExamState.COMPLETED
    with store.read() as snapshot:
        assert len(list_jobs(snapshot, kinds=[JobKind.MPPS_SET])) == 1
    assert recover_exams(make_workflow()) == 0


def test_images_in_no_send_job_are_queued_and_the_exam_goes_on(
    begin_exam: BeginExam, make_workflow: Callable[[], Workflow], store: LocalStore
) -> None:
    exam = begin_exam()
    add_image(exam.series("T1"))
    for _ in range(2):
        assert recover_exams(make_workflow()) == 1
        assert exam.state is ExamState.IN_PROGRESS
        with store.read() as snapshot:
            assert len(list_jobs(snapshot, kinds=[JobKind.SEND])) == 2


def test_an_exam_with_a_fault_keeps_neither_the_others_nor_the_device_from_going_on(
    begin_exam: BeginExam,
    make_workflow: Callable[[], Workflow],
    store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    exams = [begin_exam(), begin_exam()]
    for exam in exams:
        add_image(exam.series("T1"))
        with store.write() as transaction:
            save_exam(transaction, replace(exam.record, ending=Ending(StepStatus.COMPLETED, 1.7e9)))
    workflow = make_workflow()
    carry_out, failing = workflow.carry_out, min(exam.id for exam in exams)

    def fail_at_one(exam_id: int) -> None:
        if exam_id == failing:
            raise KeyError(PATIENT)
        carry_out(exam_id)

    monkeypatch.setattr(workflow, "carry_out", fail_at_one)
    assert recover_exams(workflow) == 2
    assert {exam.id: exam.state.is_open for exam in exams} == {each.id: each.id == failing for each in exams}
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (record.message, vars(record)["exam"], vars(record)["error"]) == ("exam.not_recovered", failing, "KeyError")
    assert "Doe" not in str(vars(record))
