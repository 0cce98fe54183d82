"""What the queue holds, for the worker, the console and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, func, select

from openmodality.errors import NotFound
from openmodality.jobs.job import Job, JobInstance, Kind, Result, RetryParameters, State
from openmodality.store.schema import events, job_dependencies, job_instances, jobs
from openmodality.store.transaction import Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state: when, to what and why."""

    at: float
    state: str
    detail: str


def job_of(row: RowMapping) -> Job:
    """The value of a row of ``jobs``."""
    return Job(
        id=row["id"],
        kind=Kind(row["kind"]),
        state=State(row["state"]),
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
    )


def get_job(snapshot: Snapshot, job_id: int) -> Job:
    """One job. Raises ``UsageError`` when there is none with this number."""
    row = snapshot.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no job {job_id}", advice="openmodality jobs list shows all")
    return job_of(row)


def list_jobs(
    snapshot: Snapshot,
    *,
    states: Iterable[State] | None = None,
    kinds: Iterable[Kind] | None = None,
    destination: str | None = None,
    limit: int | None = None,
) -> list[Job]:
    """Jobs that fit all of the filters, newest first."""
    statement = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    if states is not None:
        statement = statement.where(jobs.c.state.in_(list(states)))
    if kinds is not None:
        statement = statement.where(jobs.c.kind.in_(list(kinds)))
    if destination is not None:
        statement = statement.where(jobs.c.destination == destination)
    return [job_of(row) for row in snapshot.execute(statement).mappings()]


def instances_of(snapshot: Snapshot, job_id: int, *, outstanding: bool = False) -> list[JobInstance]:
    """The instances of a job in their order; ``outstanding``: only those without success so far."""
    statement = select(job_instances).where(job_instances.c.job_id == job_id).order_by(job_instances.c.number)
    if outstanding:
        statement = statement.where(job_instances.c.result.in_((Result.PENDING, Result.FAILURE)))
    return [
        JobInstance(row.SOPClassUID, row.SOPInstanceUID, Result(row.result), row.status, row.comment, row.attempts)
        for row in snapshot.execute(statement)
    ]


def count_results(snapshot: Snapshot, job_ids: Sequence[int]) -> dict[int, Mapping[Result, int]]:
    """How many instances of each job have which result."""
    statement = (
        select(job_instances.c.job_id, job_instances.c.result, func.count())
        .where(job_instances.c.job_id.in_(job_ids))
        .group_by(job_instances.c.job_id, job_instances.c.result)
    )
    counted: dict[int, dict[Result, int]] = {job_id: dict.fromkeys(Result, 0) for job_id in job_ids}
    for job_id, result, number in snapshot.execute(statement):
        counted[job_id][Result(result)] = number
    return dict(counted)


def blockers(snapshot: Snapshot, job: Job) -> list[Job]:
    """The jobs that this one waits for: what it comes after, and what is earlier in its order."""
    after = select(job_dependencies.c.after_id).where(job_dependencies.c.job_id == job.id)
    held = jobs.c.id.in_(after) & (jobs.c.state != State.DONE)
    if job.order_key is not None:
        earlier = (jobs.c.order_key == job.order_key) & (jobs.c.id < job.id)
        held = held | (earlier & jobs.c.state.not_in((State.DONE, State.CANCELLED)))
    return [job_of(row) for row in snapshot.execute(select(jobs).where(held).order_by(jobs.c.id)).mappings()]


def history(snapshot: Snapshot, job_id: int) -> list[Change]:
    """All changes of state of a job, oldest first."""
    statement = select(events.c.at, events.c.name, events.c.detail).order_by(events.c.id)
    rows = snapshot.execute(statement.where(events.c.subject == "job", events.c.subject_id == str(job_id)))
    return [Change(*row) for row in rows]
