"""States of an exam and what goes on record with each change; no device, no peer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydicom import Dataset
from sqlalchemy import select

from openmodality.errors import UsageError, WrongState
from openmodality.exam.producers.producer import StepWork
from openmodality.exam.session import Exam
from openmodality.exam.workflow import Workflow
from openmodality.jobs.listing import list_jobs
from openmodality.standard.performed_step import StepStatus
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.exams import Ending, ExamRecord, SeriesRecord, read_steps
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import save_exam
from openmodality.store.rows.worklist import WorklistItem, keep_items, read_worklist
from openmodality.store.schema import events, patients
from openmodality.store.states import ExamState, JobKind, Subject
from tests.devices import add_image
from tests.stand_in import scheduled

BeginExam = Callable[..., Exam]
MakeWorkflow = Callable[[], Workflow]


def kinds_queued(store: LocalStore) -> list[JobKind]:
    with store.read() as snapshot:
        return [job.kind for job in reversed(list_jobs(snapshot))]


def items(store: LocalStore, *numbers: int) -> list[WorklistItem]:
    with store.write() as transaction:
        keep_items(transaction, "ris", [(scheduled(number), []) for number in numbers], whole=True)
    with store.read() as snapshot:
        return read_worklist(snapshot)


def test_the_step_begins_and_ends_with_the_exam(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    assert exam.state is ExamState.IN_PROGRESS
    assert kinds_queued(store) == [JobKind.MPPS_CREATE]
    add_image(exam.series("T1"))
    assert exam.complete().state is ExamState.COMPLETED
    (step,) = exam.steps
    assert step.state is StepStatus.COMPLETED
    assert kinds_queued(store).count(JobKind.MPPS_SET) == 1
    assert {JobKind.SEND, JobKind.COMMIT} <= set(kinds_queued(store))


def test_of_two_items_the_first_says_who_the_patient_is(make_workflow: MakeWorkflow, store: LocalStore) -> None:
    both = [scheduled(number, patient_id="4711") for number in (1, 2)]
    both[1].PatientSex, both[1].PatientBirthDate = "F", "19800101"
    with store.write() as transaction:
        keep_items(transaction, "ris", [(item, []) for item in both], whole=True)
    with store.read() as snapshot:
        kept = sorted(read_worklist(snapshot), key=lambda item: item["AccessionNumber"])
    make_workflow().register(kept, Dataset())
    with store.read() as snapshot:
        [row] = snapshot.execute(select(patients.c.PatientSex, patients.c.PatientBirthDate)).all()
    assert tuple(row) == ("O", "19700101")


def test_a_registered_exam_tells_nobody(make_workflow: MakeWorkflow, store: LocalStore) -> None:
    user = Dataset()
    user.PatientID = "1"
    exam = make_workflow().register([], user)
    assert (exam.state, kinds_queued(store)) == (ExamState.REGISTERED, [])
    assert exam.accession_number.startswith("L")


def test_an_appended_exam_has_a_further_step(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    exam.discontinue("110514")
    exam.begin()
    assert [step.step_id for step in exam.steps] == [str(exam.id), f"{exam.id}.2"]
    assert kinds_queued(store).count(JobKind.MPPS_CREATE) == 2
    assert exam.begin().state is ExamState.IN_PROGRESS
    assert len(exam.steps) == 2


def test_states_refuse_what_makes_no_sense(begin_exam: BeginExam) -> None:
    exam = begin_exam()
    with pytest.raises(WrongState, match="has no image"):
        exam.complete()
    with pytest.raises(UsageError, match="CID 9300"):
        exam.discontinue("999999")
    exam.discontinue()
    with pytest.raises(WrongState, match="DISCONTINUED already"):
        exam.complete()
    with pytest.raises(WrongState, match="is DISCONTINUED"):
        exam.series("T1")


def test_an_ending_is_not_replaced_by_another(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    add_image(exam.series("T1"))
    with store.write() as transaction:
        save_exam(transaction, replace(exam.record, ending=Ending(StepStatus.COMPLETED, 1.7e9)))
    with pytest.raises(WrongState, match="about to be COMPLETED"):
        exam.discontinue("110514")
    assert exam.complete().state is ExamState.COMPLETED


def test_one_patient_for_one_exam(make_workflow: MakeWorkflow, store: LocalStore) -> None:
    workflow = make_workflow()
    with pytest.raises(UsageError, match="Patient ID"):
        workflow.register([], Dataset())
    first, second = items(store, 1, 2)
    with pytest.raises(UsageError, match="several patients"):
        workflow.register([first, second], Dataset())
    exam = workflow.register([first], Dataset())
    assert exam.study_instance_uid == first["StudyInstanceUID"]
    with pytest.raises(WrongState, match=f"served by exam {exam.id}"):
        workflow.register([first], Dataset())


def test_a_step_that_ends_without_images_names_a_series(begin_exam: BeginExam) -> None:
    exam = begin_exam()
    exam.discontinue()
    (step,) = exam.steps
    assert step.n_set is not None
    (series,) = Dataset.from_json(step.n_set).PerformedSeriesSequence
    assert series.SeriesInstanceUID
    assert not series.ReferencedImageSequence


def test_an_ending_that_is_not_noted_or_was_carried_out_changes_nothing(
    begin_exam: BeginExam, make_workflow: MakeWorkflow
) -> None:
    exam, workflow = begin_exam(), make_workflow()
    assert workflow.carry_out(exam.id) == exam.record
    add_image(exam.series("T1"))
    ended = exam.complete()
    assert workflow.carry_out(exam.id) == ended.record


class Overtaken:
    """A producer during whose work another process carries out the same ending."""

    def __init__(self, carry_out: Callable[[int], ExamRecord]) -> None:
        self._carry_out = carry_out

    def describe_step(self, work: StepWork) -> Dataset:
        return Dataset()

    def plan_series_at_end(self, work: StepWork, at: float) -> None:
        self._carry_out(work.exam.id)

    def build_at_end(self, work: StepWork, series: SeriesRecord) -> list[Dataset]:
        return []


def test_an_ending_that_another_process_carries_out_meanwhile_is_not_done_twice(
    make_workflow: Callable[..., Workflow], store: LocalStore
) -> None:
    """An exam without a step: nothing but the ending tells that somebody was there."""
    user = Dataset()
    user.PatientID = "1"
    there = make_workflow()
    here = make_workflow([Overtaken(there.carry_out)])
    exam = here.register([], user)
    ended = here.end(exam.id, StepStatus.DISCONTINUED)
    assert ended.state is ExamState.DISCONTINUED
    with store.read() as snapshot:
        names = snapshot.execute(select(events.c.name).where(events.c.subject == Subject.EXAM)).scalars()
        assert list(names) == ["REGISTERED", "DISCONTINUED"]
    assert here.carry_out(exam.id) == ended


def test_what_a_ris_is_told_of_a_step_is_kept_with_it(begin_exam: BeginExam) -> None:
    (step,) = begin_exam().steps
    assert step.n_create["00080060"]["Value"] == ["MR"]


def test_an_exam_in_progress_is_begun_already(begin_exam: BeginExam, make_workflow: MakeWorkflow) -> None:
    exam = begin_exam()
    assert make_workflow().begin(exam.id) == exam.record
    assert len(exam.steps) == 1


def test_a_step_does_not_end_before_what_is_on_record_of_it(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    add_image(exam.series("T1"))
    begun = max(exam.record.created_at, *(series.started for series in exam.record.series))
    store.database.clock = lambda: begun - 86400.0  # the clock is set back by a day
    exam.complete()
    assert exam.record.ended_at == begun
    with store.read() as snapshot:
        [step] = read_steps(snapshot, exam.id)
    assert step.n_set is not None
    begin, end = from_json(step.n_create), from_json(step.n_set)
    assert end.PerformedProcedureStepEndDate >= begin.PerformedProcedureStepStartDate
