"""Reads the jobs of the queue, for the worker, the console and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from openmodality.errors import NotFound
from openmodality.jobs.job import Job, JobInstance, RetryParameters
from openmodality.store.listing.jobs import (
    count_job_results,
    read_blocking_rows,
    read_job_events,
    read_job_instance_rows,
    read_job_row,
    read_job_rows,
    read_left_rows,
    read_study_job_rows,
)
from openmodality.store.listing.reader import Reader, StoredRow
from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state: when, to what and why."""

    at: float
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class LeftJobs:
    """The jobs of another device of the database that no process serves."""

    device: str
    host: str
    folder: str
    jobs: int
    since: float


def list_left(reader: Reader, now: float) -> list[LeftJobs]:
    """The jobs of other devices that no process serves. This device cannot do them, since each has its own files."""
    rows = read_left_rows(reader, now)
    return [LeftJobs(row["name"], row["host"], row["folder"], row["jobs"], row["since"]) for row in rows]


def make_job(row: StoredRow) -> Job:
    """The value of a row of ``jobs``."""
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        destination=row["destination"],
        parameters=row["parameters"],
        retry=RetryParameters(row["max_retries"], row["retry_delay_s"], row["retry_permanent"]),
        order_key=row["order_key"],
        attempts=row["attempts"],
        due_at=row["due_at"],
        waiting_for=row["waiting_for"],
        reason=row["reason"],
        cancel_requested=row["cancel_requested"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        cancelled_after=row["cancelled_after"],
    )


def get_job(reader: Reader, job_id: int) -> Job:
    """One job. Raises :class:`NotFound` where there is none with this number."""
    row = read_job_row(reader, job_id)
    if row is None:
        raise NotFound(f"there is no job {job_id}", advice="openmodality jobs list shows all")
    return make_job(row)


def list_jobs(
    reader: Reader,
    *,
    states: Iterable[JobState] | None = None,
    kinds: Iterable[JobKind] | None = None,
    destination: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[Job]:
    """Jobs that fit all of the filters, newest first; only those with a number below ``before``."""
    rows = read_job_rows(
        reader,
        states=None if states is None else [state.value for state in states],
        kinds=None if kinds is None else [kind.value for kind in kinds],
        destination=destination,
        before=before,
        limit=limit,
    )
    return [make_job(row) for row in rows]


def list_study_jobs(reader: Reader, study_uid: str, states: Iterable[JobState]) -> list[Job]:
    """The jobs in one of the ``states`` that are about images of a study, oldest first."""
    return [make_job(row) for row in read_study_job_rows(reader, study_uid, [state.value for state in states])]


def read_instances(reader: Reader, job_id: int, *, outstanding: bool = False) -> list[JobInstance]:
    """The instances of a job in their order; ``outstanding``: only those without success so far."""
    results = (InstanceResult.PENDING.value, InstanceResult.FAILURE.value) if outstanding else None
    return [
        JobInstance(
            row["SOPClassUID"],
            row["SOPInstanceUID"],
            InstanceResult(row["result"]),
            row["status"],
            row["comment"],
            row["attempts"],
        )
        for row in read_job_instance_rows(reader, job_id, results)
    ]


def count_results(reader: Reader, job_ids: Sequence[int]) -> dict[int, Mapping[InstanceResult, int]]:
    """How many instances of each job have which result."""
    counted: dict[int, dict[InstanceResult, int]] = {job_id: dict.fromkeys(InstanceResult, 0) for job_id in job_ids}
    for job_id, result, number in count_job_results(reader, job_ids):
        counted[job_id][InstanceResult(result)] = number
    return dict(counted)


def find_blockers(reader: Reader, job: Job) -> list[Job]:
    """The jobs that this one waits for: what it comes after, and what is earlier in its order."""
    return [make_job(row) for row in read_blocking_rows(reader, job.id, job.order_key)]


def read_history(reader: Reader, job_id: int) -> list[Change]:
    """All changes of state of a job, oldest first."""
    return [Change(*change) for change in read_job_events(reader, job_id)]
