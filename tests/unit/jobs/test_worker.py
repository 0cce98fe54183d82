from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest
from sqlalchemy.engine import make_url

from openmodality.errors import AssociationRejected, StoreError, TransportError
from openmodality.jobs.job import Job, NewJob, RetryParameters
from openmodality.jobs.listing import get_job, read_instances
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome, Wait
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.jobs.worker import Worker
from openmodality.store.database import Database, open_database
from openmodality.store.states import InstanceResult, JobKind, JobState


class Clock(Protocol):
    now: float


class Does:
    """An executor that does what it is told."""

    def __init__(self, what: Callable[[Job, JobReport], JobOutcome]) -> None:
        self._what = what

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        return self._what(job, report)


@contextmanager
def working(queue: Queue, what: Callable[[Job, JobReport], JobOutcome], threads: int = 2) -> Iterator[Worker]:
    worker = Worker(queue, {JobKind.SEND: Does(what), JobKind.COMMIT: Does(what)}, threads=threads)
    worker.start()
    try:
        yield worker
    finally:
        assert worker.stop()


def add(queue: Queue, kind: JobKind = JobKind.SEND, destination: str = "PACS", uids: int = 0) -> Job:
    new = NewJob(
        kind, destination, instances=[("1.1", f"1.2.{number}") for number in range(uids)], retry=RetryParameters(1, 60)
    )
    with queue.database.write() as connection:
        return queue.enqueue(connection, new)


def test_a_job_that_gives_up_is_in_the_log(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    job = add(queue)
    with caplog.at_level(logging.WARNING, "openmodality"), working(queue, lambda job, report: Fail("refused")):
        wait_for(queue, job, JobState.FAILED)
    (failed,) = (record for record in caplog.records if record.message == "job.failed")
    fields = failed.__dict__
    assert (fields["job"], fields["destination"], fields["reason"]) == (job.id, "PACS", "refused")


def wait_for(queue: Queue, job: Job, *states: JobState) -> Job:
    """Wait until the job is in one of the states."""
    while True:
        seen = queue.database.changed.count
        with queue.database.read() as connection:
            found = get_job(connection, job.id)
        if found.state in states:
            return found
        assert queue.database.changed.wait(seen, 20.0) != seen, f"job {job.id} stays {found.state}: {found.reason}"


def done(job: Job, report: JobReport) -> JobOutcome:
    return Done()


def test_a_job_in_the_queue_is_done(queue: Queue) -> None:
    with working(queue, done):
        assert wait_for(queue, add(queue), JobState.DONE).reason == ""


def test_results_of_instances_are_kept_as_they_come(queue: Queue) -> None:
    def send(job: Job, report: JobReport) -> JobOutcome:
        for number, instance in enumerate(report.read_outstanding()):
            report.note_instance(instance.SOPInstanceUID, InstanceResult.SUCCESS, status=0, comment=str(number))
        return Done()

    with working(queue, send):
        job = wait_for(queue, add(queue, uids=150), JobState.DONE)
    with queue.database.read() as connection:
        found = read_instances(connection, job.id)
    assert [(instance.result, instance.status, instance.attempts) for instance in found] == [
        (InstanceResult.SUCCESS, 0, 1)
    ] * 150
    assert found[149].SOPClassUID == "1.1"


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (TransportError("no connection to PACS"), JobState.TODO, "no connection to PACS"),
        (AssociationRejected("PACS is busy", result=2, source=3, reason=1), JobState.TODO, "PACS is busy"),
        (AssociationRejected("PACS rejects", result=1, source=1, reason=7), JobState.FAILED, "PACS rejects"),
        (ValueError("Doe^Jane"), JobState.FAILED, "internal error: ValueError"),
    ],
)
def test_an_error_ends_the_run_and_its_reason_is_kept(
    queue: Queue, caplog: pytest.LogCaptureFixture, error: Exception, state: JobState, reason: str
) -> None:
    def fail(job: Job, report: JobReport) -> JobOutcome:
        raise error

    job = add(queue)
    with caplog.at_level(logging.INFO), working(queue, fail):
        while (found := wait_for(queue, job, JobState.TODO, JobState.FAILED)).attempts == 0:
            queue.database.changed.wait(queue.database.changed.count, 0.05)
    assert (found.state, found.reason) == (state, reason)
    assert not any("Doe" in str(vars(record)) for record in caplog.records)


def test_destinations_work_side_by_side_and_each_has_one_job(queue: Queue) -> None:
    both = threading.Barrier(2, timeout=20)
    busy: set[str] = set()
    wrong: list[str] = []

    def send(job: Job, report: JobReport) -> JobOutcome:
        if job.destination in busy:
            wrong.append(job.destination)
        busy.add(job.destination)
        both.wait()
        busy.discard(job.destination)
        return Done()

    jobs = [add(queue, destination=destination) for destination in ("A", "B", "A", "B", "A", "B")]
    with working(queue, send, threads=4):
        for job in jobs:
            wait_for(queue, job, JobState.DONE)
    assert wrong == []


def test_the_clock_makes_a_job_due(queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 3600.0)  # nothing but the due time wakes the worker
    with queue.database.write() as connection:
        job = queue.enqueue(connection, NewJob(JobKind.SEND, "PACS", due_at=clock.now + 0.2))
    with working(queue, done):
        threading.Timer(0.1, lambda: setattr(clock, "now", clock.now + 1)).start()
        assert wait_for(queue, job, JobState.DONE).started_at is not None


def test_a_clock_that_is_set_back_is_noticed(
    queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.05)
    with queue.database.write() as connection:
        job = queue.enqueue(connection, NewJob(JobKind.SEND, "PACS", due_at=clock.now + 0.2))
    with caplog.at_level(logging.WARNING, "openmodality"), working(queue, done):
        clock.now -= 86400
        threading.Timer(0.5, lambda: setattr(clock, "now", clock.now + 1)).start()
        wait_for(queue, job, JobState.DONE)
    first = next(record for record in caplog.records if record.message == "worker.clock_set")
    assert vars(first)["by_s"] == pytest.approx(-86400, abs=10)


def test_a_job_that_waits_goes_on_when_it_is_woken(queue: Queue) -> None:
    runs: list[int] = []

    def commit(job: Job, report: JobReport) -> JobOutcome:
        runs.append(job.id)
        return Wait("storage commitment result") if len(runs) == 1 else Done()

    with working(queue, commit):
        job = add(queue, JobKind.COMMIT)
        wait_for(queue, job, JobState.WAITING)
        with queue.database.write() as connection:
            queue.wake(connection, job.id)
        wait_for(queue, job, JobState.DONE)
    assert len(runs) == 2


def test_a_cancelled_job_ends_at_its_next_instance(queue: Queue, clock: Clock) -> None:
    started = threading.Event()

    def send(job: Job, report: JobReport) -> JobOutcome:
        started.set()
        while not report.stop_requested:
            clock.now += 0.1
        return Continue()

    with working(queue, send):
        job = add(queue)
        assert started.wait(20)
        queue.cancel(job.id)
        wait_for(queue, job, JobState.CANCELLED)


def test_stopping_lets_the_running_job_end_and_keeps_it(queue: Queue) -> None:
    started = threading.Event()

    def send(job: Job, report: JobReport) -> JobOutcome:
        started.set()
        while not report.stop_requested:
            pass
        return Continue()

    job = add(queue)
    with working(queue, send):
        assert started.wait(20)
    with queue.database.read() as connection:
        assert get_job(connection, job.id).state is JobState.TODO
    with working(queue, done):
        wait_for(queue, job, JobState.DONE)


def test_what_another_process_queues_is_noticed(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.05)
    url = make_url(queue.database.engine.url).render_as_string(hide_password=False)
    other = open_database(url, durability="os", clock=queue.database.clock)
    runs: list[int] = []

    def send(job: Job, report: JobReport) -> JobOutcome:
        runs.append(job.id)
        return Done()

    with working(queue, send):
        job = add(Queue(other))
        wait_for(queue, job, JobState.DONE)
    with other.read() as connection:
        assert get_job(connection, job.id).state is JobState.DONE, "as the other process sees it"
    other.close()
    assert runs == [job.id]


def test_jobs_of_a_dead_process_are_done_again(queue: Queue) -> None:
    job = add(queue)
    claimed = queue.claim("device", [JobKind.SEND])
    assert claimed is not None
    runs: list[tuple[int, str]] = []

    def send(job: Job, report: JobReport) -> JobOutcome:
        runs.append((job.id, job.reason))
        return Done()

    with working(queue, send):
        found = wait_for(queue, job, JobState.DONE)
    assert runs == [(job.id, "interrupted by the end of the program")]
    assert (found.attempts, found.reason) == (0, ""), "that it was interrupted is no failure of the job"


def test_what_was_done_is_not_forgotten_while_the_disk_is_full(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = Queue.finish
    failed = threading.Event()

    def full(self: Queue, job_id: int, outcome: JobOutcome, worker: str = "") -> Job:
        if failed.is_set():
            return finish(self, job_id, outcome, worker)
        failed.set()
        raise StoreError("the database failed: disk is full")

    runs: list[int] = []

    def send(job: Job, report: JobReport) -> JobOutcome:
        runs.append(job.id)
        return Done()

    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.05)
    monkeypatch.setattr(Queue, "finish", full)
    with working(queue, send):
        wait_for(queue, add(queue), JobState.DONE)
    assert len(runs) == 1


def test_a_job_that_another_worker_took_back_is_left_to_it(queue: Queue) -> None:
    runs: list[int] = []

    def send(job: Job, report: JobReport) -> JobOutcome:
        runs.append(job.id)
        if len(runs) > 1:
            return Done()
        queue.recover("device")
        return Fail("of a run that no longer counts")

    with working(queue, send, threads=1):
        first, second = add(queue), add(queue)
        found = [wait_for(queue, job, JobState.DONE) for job in (first, second)]
    assert runs == [first.id, first.id, second.id]
    assert [(job.attempts, job.reason) for job in found] == [(0, ""), (0, "")]


def test_a_worker_says_again_and_again_that_it_has_its_jobs(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another process would take a job that takes longer than a lease."""
    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.01)
    real, said = queue.keep_leases, threading.Semaphore(0)

    def keep(worker: str) -> list[Job]:
        said.release()
        return real(worker)

    monkeypatch.setattr(queue, "keep_leases", keep)
    told: list[bool] = []

    def send(job: Job, report: JobReport) -> JobOutcome:
        told.extend(said.acquire(timeout=20) for _ in range(3))
        return Done()

    with working(queue, send, threads=1):
        wait_for(queue, add(queue), JobState.DONE)
    assert told == [True] * 3


def test_a_database_that_cannot_be_looked_at_is_in_the_log_with_the_reason(
    queue: Queue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    def fail() -> int:
        looked.set()
        raise StoreError("the disk is gone")

    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.01)
    monkeypatch.setattr(queue.database, "last_event", fail)
    with caplog.at_level(logging.ERROR, "openmodality"), working(queue, lambda job, report: Done()):
        assert looked.wait(10)
        monkeypatch.undo()
    (record, *_) = (each for each in caplog.records if each.message == "worker.store_failed")
    assert "the disk is gone" in str(vars(record)["reason"])


@pytest.mark.parametrize(("broken", "kept_from"), [("claim", Queue), ("last_event", Database)])
def test_no_fault_ends_a_thread(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str, kept_from: type
) -> None:
    """Whatever an error is: each thread reports it without its text, and goes on with its work."""
    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.05)
    real, failed, text = getattr(kept_from, broken), threading.Event(), "Doe^John"

    def fail_once(*given: object, **named: object) -> object:
        if not failed.is_set():
            failed.set()
            raise ValueError(text)
        return real(*given, **named)

    monkeypatch.setattr(kept_from, broken, fail_once)
    url = make_url(queue.database.engine.url).render_as_string(hide_password=False)
    other = open_database(url, durability="os", clock=queue.database.clock)
    with caplog.at_level(logging.ERROR, "openmodality"), working(queue, done, threads=1):
        assert failed.wait(20)
        wait_for(queue, add(Queue(other)), JobState.DONE)
    other.close()
    (record,) = (record for record in caplog.records if record.message == "worker.crashed")
    assert (vars(record)["error"], "Doe" in str(vars(record))) == ("ValueError", False)
