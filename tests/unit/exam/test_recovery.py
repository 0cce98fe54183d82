"""Exams that a process left in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
