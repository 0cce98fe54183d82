"""What comes after a job: how it follows, and what a retry does to it."""

from __future__ import annotations

from typing import Any

from openmodality.jobs.job import Job, NewJob
from openmodality.jobs.listing import get_job, list_jobs
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome
from openmodality.jobs.queue import Queue
from openmodality.store.states import JobKind, JobState


def add(queue: Queue, kind: JobKind = JobKind.SEND, **values: Any) -> Job:
    with queue.database.write() as transaction:
        return queue.enqueue(transaction, NewJob(kind, "PACS", **values))


def run(queue: Queue, outcome: JobOutcome) -> Job:
    """Do the next job with this outcome."""
    job = queue.claim("device", list(JobKind))
    assert job is not None
    return queue.finish(job.id, outcome)


def list_states(queue: Queue, *jobs: Job) -> list[JobState]:
    with queue.database.read() as snapshot:
        return [get_job(snapshot, job.id).state for job in jobs]


def test_what_follows_stays_cancelled_where_the_same_is_queued(queue: Queue) -> None:
    send = add(queue)
    commit = add(queue, JobKind.COMMIT, after=[send.id], unique_key="commit 1.2")
    queue.cancel(send.id)
    again = add(queue, JobKind.COMMIT, unique_key="commit 1.2")
    queue.retry(send.id)
    assert list_states(queue, send, commit, again) == [JobState.TODO, JobState.CANCELLED, JobState.TODO]


def test_a_job_that_was_cancelled_while_it_was_done_runs_to_its_end_when_it_is_retried(queue: Queue) -> None:
    job = add(queue)
    assert queue.claim("device", list(JobKind)) is not None
    queue.cancel(job.id)
    assert queue.finish(job.id, Continue()).state is JobState.CANCELLED
    queue.retry(job.id)
    assert run(queue, Continue()).state is JobState.TODO


def test_jobs_that_follow_come_one_after_the_other(queue: Queue) -> None:
    """The second waits for the first, also where that fails."""
    add(queue)
    run(queue, Done("sent", then=(NewJob(JobKind.SEND, "OTHER"), NewJob(JobKind.COMMIT, "PACS"))))
    assert run(queue, Fail("refused")).kind is JobKind.SEND
    assert queue.claim("device", list(JobKind)) is None
    with queue.database.read() as snapshot:
        [commit] = list_jobs(snapshot, kinds=[JobKind.COMMIT])
    assert commit.state is JobState.TODO
