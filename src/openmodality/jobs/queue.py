"""The durable queue. A job is a row; each change of its state is one transaction and one row of ``events``.

Rules, each held by the schema or by ``store.rows.job_order``:
- a job is in the database before its work begins, in one transaction with what caused it;
- one job at a time per destination;
- jobs of one order run strictly one after the other; a job runs when all that it comes after are done;
- what is unfinished and has the same unique key is queued once;
- a job that was being done when the process died is done again, and leaves out the instances that have success;
- who does a job has a lease on it, and no transaction is open meanwhile; a job whose lease is over is done again;
- jobs that were cancelled because of another one are queued again with it;
- no job is due later than its delay from now, whatever was done to the clock;
- jobs that could not reach their destination run as soon as another one succeeds there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from openmodality.errors import UsageError, WrongState
from openmodality.jobs.job import Job, JobInstance, NewJob
from openmodality.jobs.listing import get_job, read_instances
from openmodality.jobs.outcome import Done, JobOutcome, Wait
from openmodality.jobs.policy import Next, decide_next
from openmodality.store.database import Database
from openmodality.store.database_errors import ConstraintViolated
from openmodality.store.rows.job_order import find_next_due, find_runnable
from openmodality.store.rows.jobs import (
    KeptResult,
    bring_forward,
    change_state,
    extend_device_lease,
    extend_leases,
    find_cancelled_cause,
    find_rival,
    find_unfinished,
    insert_dependency,
    insert_job,
    is_worked_by,
    move_job,
    read_away,
    read_dependents,
    read_expired,
    read_followers,
    read_later_in_order,
    read_orphans,
    record_results,
    request_cancellation,
    reset_failures,
    set_due,
    set_parameters,
)
from openmodality.store.states import JobKind, JobState
from openmodality.store.transaction import Transaction

BY_USER = "cancelled by the user"
LEASE_S = 60.0
"""How long a job is its worker's without a word of it."""

BeforeRetry = Callable[[Transaction, int], None]


class Queue:
    """The jobs of one database. Methods that take a transaction are a part of it.

    ``before_retry`` has for a kind of job a function that forgets its earlier runs when a person retries it.
    """

    def __init__(self, database: Database, before_retry: Mapping[JobKind, BeforeRetry] | None = None) -> None:
        self.database = database
        self._before_retry = before_retry or {}

    def enqueue(self, transaction: Transaction, new: NewJob) -> Job:
        """Queue a job, or return the unfinished one that has the same unique key."""
        job_id = insert_job(transaction, _read_row(new, self.database.clock()), new.instances)
        if job_id is None:
            return get_job(transaction, find_unfinished(transaction, new.unique_key or ""))
        self._add_dependencies(transaction, job_id, new.after)
        return get_job(transaction, job_id)

    def claim(
        self,
        worker: str,
        kinds: Collection[JobKind],
        *,
        entities: Sequence[Collection[JobKind]] = (),
        served_last: str = "",
    ) -> Job | None:
        """Take the next job that may run, or None. It is the worker's until ``finish``.

        ``entities``: the kinds of job of each application entity that has at most one association. ``served_last``: a
        destination whose turn comes after all others.
        """
        now = self.database.clock()
        find = partial(find_runnable, kinds=kinds, now=now, entities=entities, served_last=served_last)
        with self.database.read() as snapshot:
            if find(snapshot) is None:
                return None
        try:
            with self.database.write() as transaction:
                job_id = find(transaction, takes=True)
                if job_id is None:
                    return None
                lease = {"worker": worker, "lease_until": now + LEASE_S}
                change_state(transaction, job_id, JobState.DOING, **lease, started_at=now)
                return get_job(transaction, job_id)
        except ConstraintViolated:
            return None  # another process took the destination between our two statements

    def find_next_due(self, kinds: Collection[JobKind]) -> float | None:
        """When the next job becomes due by the clock."""
        with self.database.read() as snapshot:
            return find_next_due(snapshot, kinds, self.database.clock())

    def record(self, job_id: int, results: Sequence[JobInstance]) -> bool:
        """Keep results of instances as they come; says whether the user has cancelled the job."""
        with self.database.write() as transaction:
            kept = [KeptResult(each.SOPInstanceUID, each.result, each.status, each.comment) for each in results]
            record_results(transaction, job_id, kept)
            return get_job(transaction, job_id).cancel_requested

    def read_outstanding(self, job_id: int) -> list[JobInstance]:
        """The instances of a job that have no success yet: what is to be sent, again or for the first time."""
        with self.database.read() as snapshot:
            return read_instances(snapshot, job_id, outstanding=True)

    def instances(self, job_id: int) -> list[JobInstance]:
        """All instances of a job in its order."""
        with self.database.read() as snapshot:
            return read_instances(snapshot, job_id)

    def remember(self, job_id: int, values: Mapping[str, Any]) -> None:
        """Put values into the parameters of a job, without a change of its state."""
        with self.database.write() as transaction:
            set_parameters(transaction, job_id, {**get_job(transaction, job_id).parameters, **values})

    def finish(self, job_id: int, outcome: JobOutcome, worker: str = "") -> Job:
        """End a run of a job that was claimed; the policy decides what comes next.

        Raises :class:`WrongState` where the job is no longer that of ``worker``, because its lease was over.
        """
        with self.database.write() as transaction:
            job = get_job(transaction, job_id)
            if job.state is not JobState.DOING:
                raise WrongState(f"job {job_id} is {job.state}, not being done")
            if worker and not is_worked_by(transaction, job_id, worker):
                raise WrongState(f"job {job_id} is being done by another process")
            step = decide_next(outcome, job.attempts, job.retry, self.database.clock())
            if job.cancel_requested and step.state is not JobState.DONE:
                self._cancel(transaction, job_id, BY_USER)
            else:
                self._advance(transaction, job, outcome, step)
                if step.state in (JobState.DONE, JobState.WAITING):
                    self.tell_peer_is_there(transaction, job.destination)
            before: list[int] = []
            for new in outcome.then if isinstance(outcome, Done) else ():
                before = [self.enqueue(transaction, replace(new, after=[*new.after, *before])).id]
            return get_job(transaction, job_id)

    def wake(self, transaction: Transaction, job_id: int, *, even_failed: bool = False) -> None:
        """Run a waiting job again, because its answer has come. A job that is about to wait runs again at once.

        ``even_failed``: the answer is the one that the job has failed for the want of.
        """
        job = get_job(transaction, job_id)
        now = self.database.clock()
        if job.state is JobState.WAITING or (even_failed and job.state is JobState.FAILED):
            change_state(transaction, job_id, JobState.TODO, due_at=now, reason="the answer has come")
        elif job.state is JobState.DOING:
            set_due(transaction, job_id, now)

    def tell_peer_is_there(self, transaction: Transaction, destination: str, *, all_retried: bool = False) -> None:
        """Run the jobs now that could not reach this destination, with ``all_retried`` all that are to be retried."""
        now = self.database.clock()
        for job_id in read_away(transaction, destination, all_retried=all_retried):
            change_state(transaction, job_id, JobState.TODO, due_at=now, reason=f"{destination} is there again")

    def retry(self, job_id: int, destination: str | None = None) -> Job:
        """Run a job now: one that failed, was cancelled or waits. Instances that have success are not repeated.

        What was cancelled because of it follows. ``destination`` moves the job and what comes after it to another one,
        where none of its instances counts as sent. Raises :class:`WrongState` where it is being done, is done, or comes
        after a cancelled job, and :class:`UsageError` where the same is queued.
        """
        with self.database.write() as transaction:
            job = get_job(transaction, job_id)
            if job.state in (JobState.DOING, JobState.DONE):
                raise WrongState(
                    f"job {job_id} is {job.state}; only a job that is neither doing nor done can be retried"
                )
            cause = find_cancelled_cause(transaction, job_id)
            if cause is not None:
                raise WrongState(
                    f"job {job_id} comes after job {cause}, which is cancelled",
                    advice=f"retry job {cause}; job {job_id} then follows",
                )
            rival = find_rival(transaction, job_id)
            if rival is not None:
                raise UsageError(f"the same is queued already as job {rival}")
            if destination is not None and destination != job.destination:
                self._move(transaction, job, destination)
            self._run_again(transaction, job, "retried by the user")
            return get_job(transaction, job_id)

    def cancel(self, job_id: int) -> Job:
        """Cancel a job and those that come after it. One that is being done ends at the next instance."""
        with self.database.write() as transaction:
            job = get_job(transaction, job_id)
            if job.state in (JobState.DONE, JobState.CANCELLED):
                raise WrongState(f"job {job_id} is {job.state} already")
            if job.state is JobState.DOING:
                request_cancellation(transaction, job_id)
            else:
                self._cancel(transaction, job_id, BY_USER)
            return get_job(transaction, job_id)

    def recover(self, worker: str) -> list[Job]:
        """Put the jobs back into the queue that this worker was doing when its process died; called at the start."""
        with self.database.write() as transaction:
            bring_forward(transaction)
            lost = read_orphans(transaction, worker, self.database.clock())
            return self._take_back(transaction, lost, "interrupted by the end of the program")

    def keep_leases(self, worker: str) -> list[Job]:
        """Let a worker keep its jobs, and put those back that another process of this device has let go of.

        Whoever does a job says so before its lease is over; one that is stopped or cut off cannot.
        """
        with self.database.write() as transaction:
            now = self.database.clock()
            extend_leases(transaction, worker, now + LEASE_S)
            if self.database.is_shared:
                extend_device_lease(transaction, worker, now + LEASE_S)
            expired = read_expired(transaction, worker, now)
            return self._take_back(transaction, expired, "the process that did it is not heard of any more")

    def follow_clock(self) -> None:
        """Make jobs due no later than their delay from now: called when the clock was set."""
        with self.database.write() as transaction:
            bring_forward(transaction)

    def _take_back(self, transaction: Transaction, job_ids: Sequence[int], reason: str) -> list[Job]:
        lost = [get_job(transaction, job_id) for job_id in job_ids]
        for job in lost:
            if job.cancel_requested:
                self._cancel(transaction, job.id, BY_USER)
            else:
                change_state(transaction, job.id, JobState.TODO, due_at=self.database.clock(), reason=reason)
        return lost

    def _run_again(self, transaction: Transaction, job: Job, reason: str) -> None:
        """Put a job back as new, and with it those that ended because of it."""
        before_retry = self._before_retry.get(job.kind)
        if before_retry is not None:
            before_retry(transaction, job.id)
        followers = read_followers(transaction, job.id)
        reset_failures(transaction, job.id)
        values = {"due_at": self.database.clock(), "attempts": 0, "cancel_requested": False, "reason": reason}
        change_state(transaction, job.id, JobState.TODO, **values)
        for follower in (get_job(transaction, each) for each in followers):
            cause = find_cancelled_cause(transaction, follower.id)
            if cause is not None:
                reason = _describe_cause(cause)
                change_state(transaction, follower.id, JobState.CANCELLED, reason=reason, cancelled_after=cause)
            elif follower.state.finished and find_rival(transaction, follower.id) is None:
                self._run_again(transaction, follower, f"follows job {job.id}")

    def _move(self, transaction: Transaction, job: Job, destination: str) -> None:
        move_job(transaction, job.id, destination)
        later_ids = {
            *read_dependents(transaction, job.id),
            *read_followers(transaction, job.id),
            *read_later_in_order(transaction, job.id),
        }
        for later_id in sorted(later_ids):
            later = get_job(transaction, later_id)
            if later.destination == job.destination:
                self._move(transaction, later, destination)

    def _advance(self, transaction: Transaction, job: Job, outcome: JobOutcome, step: Next) -> None:
        woken = step.state is JobState.WAITING and job.due_at is not None
        values: dict[str, Any] = {"attempts": step.attempts, "due_at": step.due_at, "reason": step.reason}
        values["peer_away"] = step.peer_away
        if isinstance(outcome, Done | Wait) and outcome.remember:
            values["parameters"] = {**job.parameters, **outcome.remember}
        if woken:
            values["due_at"] = self.database.clock()
        else:
            values["waiting_for"] = step.waiting_for
        change_state(transaction, job.id, JobState.TODO if woken else step.state, **values)

    def _cancel(self, transaction: Transaction, job_id: int, reason: str, cause: int | None = None) -> None:
        change_state(transaction, job_id, JobState.CANCELLED, reason=reason, cancelled_after=cause)
        for later_id in read_dependents(transaction, job_id):
            self._cancel(transaction, later_id, _describe_cause(job_id), job_id)

    def _add_dependencies(self, transaction: Transaction, job_id: int, after: Sequence[int]) -> None:
        for after_id in after:
            if get_job(transaction, after_id).state is JobState.CANCELLED:
                raise UsageError(f"job {after_id} is cancelled; nothing can come after it")
            insert_dependency(transaction, job_id, after_id)


def _describe_cause(job_id: int) -> str:
    return f"job {job_id}, which it comes after, is cancelled"


def _read_row(new: NewJob, now: float) -> dict[str, Any]:
    return {
        "kind": new.kind,
        "destination": new.destination,
        "parameters": dict(new.parameters),
        "unique_key": new.unique_key,
        "order_key": new.order_key,
        "max_retries": new.retry.max_retries,
        "retry_delay_s": new.retry.delay_s,
        "retry_permanent": new.retry.permanent,
        "due_at": now if new.due_at is None else new.due_at,
    }
