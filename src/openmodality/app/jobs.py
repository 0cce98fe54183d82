"""The queue as an operator sees and controls it (the statements' job control application)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.listing import (
    Change,
    count_results,
    find_blockers,
    get_job,
    list_jobs,
    read_history,
    read_instances,
)
from openmodality.jobs.queue import Queue
from openmodality.store.states import InstanceResult, JobKind, JobState


@dataclass(frozen=True, slots=True)
class JobDetails:
    """All there is to know of a job: its instances, its history, and the jobs that it waits for."""

    job: Job
    instances: tuple[JobInstance, ...]
    history: tuple[Change, ...]
    blockers: tuple[Job, ...]


class Jobs:
    """The jobs of this device."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def list(
        self,
        *,
        states: Iterable[JobState] | None = None,
        kinds: Iterable[JobKind] | None = None,
        destination: str | None = None,
        limit: int | None = None,
    ) -> list[Job]:
        """Jobs that fit all of the filters, newest first."""
        with self._queue.database.read() as snapshot:
            return list_jobs(snapshot, states=states, kinds=kinds, destination=destination, limit=limit)

    def show(self, job_id: int) -> JobDetails:
        """One job. Raises ``UsageError`` when there is none with this number."""
        with self._queue.database.read() as snapshot:
            job = get_job(snapshot, job_id)
            return JobDetails(
                job,
                tuple(read_instances(snapshot, job_id)),
                tuple(read_history(snapshot, job_id)),
                tuple(find_blockers(snapshot, job)),
            )

    def results(self, jobs: Iterable[Job]) -> dict[int, Mapping[InstanceResult, int]]:
        """How many instances of each job have which result."""
        with self._queue.database.read() as snapshot:
            return count_results(snapshot, [job.id for job in jobs])

    def waits_for(self, jobs: Iterable[Job]) -> dict[int, Sequence[Job]]:
        """What holds up each of the jobs that are yet to be done."""
        with self._queue.database.read() as snapshot:
            return {job.id: find_blockers(snapshot, job) for job in jobs if job.state is JobState.TODO}

    def retry(self, job_id: int) -> Job:
        """Run a job now: one that failed, was cancelled or waits. What has success is not repeated."""
        return self._queue.retry(job_id)

    def cancel(self, job_id: int) -> Job:
        """Cancel a job and those that come after it."""
        return self._queue.cancel(job_id)

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done, being done or waited for, but what another job that failed holds up."""
        open_ = self.list(states=(JobState.TODO, JobState.DOING, JobState.WAITING))
        with self._queue.database.read() as snapshot:
            return all(self._is_held(find_blockers(snapshot, job)) for job in open_)

    def _is_held(self, held_by: Iterable[Job]) -> bool:
        return any(job.state in (JobState.FAILED, JobState.CANCELLED) for job in held_by)
