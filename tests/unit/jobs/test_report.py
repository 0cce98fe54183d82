from __future__ import annotations

import threading

import pytest

from openmodality.jobs.job import Job, NewJob
from openmodality.jobs.listing import read_instances
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.store.states import InstanceResult, JobKind
from tests.unit.jobs.conftest import Clock

CLASS = "1.2.840.10008.5.1.4.1.1.4"


@pytest.fixture
def job(queue: Queue) -> Job:
    """A job that is being done, with as many instances as are kept in two batches."""
    instances = [(CLASS, f"1.{number}") for number in range(100)]
    with queue.database.write() as transaction:
        queue.enqueue(transaction, NewJob(JobKind.SEND, "PACS", instances=instances))
    claimed = queue.claim("device", list(JobKind))
    assert claimed is not None
    return claimed


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def report(queue: Queue, job: Job, stopping: threading.Event) -> JobReport:
    return JobReport(queue, job, stopping)


def count_kept(queue: Queue, job: Job) -> int:
    with queue.database.read() as snapshot:
        return sum(each.result is InstanceResult.SUCCESS for each in read_instances(snapshot, job.id))


def test_results_are_kept_in_batches(queue: Queue, job: Job, report: JobReport) -> None:
    for number in range(70):
        report.note_instance(f"1.{number}", InstanceResult.SUCCESS, status=0)
        assert count_kept(queue, job) == (0 if number < 63 else 64)
    report.keep()
    assert count_kept(queue, job) == 70


def test_a_result_is_kept_after_a_quarter_of_a_second(queue: Queue, job: Job, report: JobReport, clock: Clock) -> None:
    clock.now += 0.25
    report.note_instance("1.0", InstanceResult.SUCCESS)
    assert count_kept(queue, job) == 1


def test_what_is_outstanding_has_no_success(report: JobReport) -> None:
    report.note_instance("1.0", InstanceResult.SUCCESS)
    report.note_instance("1.1", InstanceResult.FAILURE, status=0xA700, comment="full")
    outstanding = report.read_outstanding()
    assert (len(outstanding), outstanding[0].SOPInstanceUID, outstanding[0].comment) == (99, "1.1", "full")


def test_a_job_is_to_stop_when_it_is_cancelled(queue: Queue, job: Job, report: JobReport, clock: Clock) -> None:
    queue.cancel(job.id)
    assert not report.stop_requested  # looked at four times a second
    clock.now += 0.25
    assert report.stop_requested


def test_a_job_is_to_stop_when_the_program_ends(report: JobReport, stopping: threading.Event) -> None:
    assert not report.stop_requested
    stopping.set()
    assert report.stop_requested
