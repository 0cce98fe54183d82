"""The durable queue. A job is a row; each change of its state is one transaction and one row of ``events``.

Rules, each held by the schema or by ``selection``:
- a job is in the database before its work begins, in one transaction with what caused it;
- one job at a time per destination;
- jobs of one order run strictly one after the other; a job runs when all that it comes after are done;
- what is unfinished and has the same unique key is queued once;
- a job that was being done when the process died is done again, and leaves out the instances that have success.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from openmodality.errors import UsageError, WrongState
from openmodality.jobs.job import Job, JobInstance, Kind, NewJob, Result, State
from openmodality.jobs.listing import get_job, instances_of, job_of
from openmodality.jobs.outcome import Done, Outcome
from openmodality.jobs.policy import Next, decide
from openmodality.jobs.selection import next_due, runnable
from openmodality.store.database import ConstraintViolated, Database
from openmodality.store.schema import UNFINISHED, job_dependencies, job_instances, jobs
from openmodality.store.transaction import Snapshot, Transaction

BY_USER = "cancelled by the user"


class Queue:
    """The jobs of one database. Methods that take a transaction are a part of it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def enqueue(self, transaction: Transaction, new: NewJob) -> Job:
        """Queue a job, or return the unfinished one that has the same unique key."""
        now = self.database.clock()
        row = _row(new, now)
        statement = transaction.insert(jobs).values(row).on_conflict_do_nothing().returning(jobs.c.id)
        job_id = transaction.execute(statement).scalar()
        if job_id is None:
            same = select(jobs).where(jobs.c.unique_key == new.unique_key, jobs.c.state.in_(UNFINISHED))
            return job_of(transaction.execute(same).one()._asdict())
        self._add_dependencies(transaction, job_id, new.after)
        if new.instances:
            transaction.execute(insert(job_instances), _instance_rows(job_id, new.instances))
        self._event(transaction, job_id, State.TODO, "queued")
        return get_job(transaction, job_id)

    def claim(
        self,
        worker: str,
        kinds: Collection[Kind],
        *,
        entities: Sequence[Collection[Kind]] = (),
        served_last: str = "",
    ) -> Job | None:
        """Take the next job that may run, or None. It is the worker's until ``finish``.

        ``entities``: the kinds of job of each application entity that has at most one association. ``served_last``: a
        destination whose turn comes after all others.
        """
        now = self.database.clock()
        selected = runnable(kinds, now, entities=entities, served_last=served_last)
        with self.database.read() as snapshot:
            if snapshot.execute(selected).first() is None:
                return None
        try:
            with self.database.write() as transaction:
                job_id = transaction.execute(selected).scalar()
                if job_id is None:
                    return None
                self._change(transaction, job_id, State.DOING, worker=worker, started_at=now)
                return get_job(transaction, job_id)
        except ConstraintViolated:
            return None  # another process took the destination between our two statements

    def next_due(self, kinds: Collection[Kind]) -> float | None:
        """When the next job becomes due by the clock."""
        with self.database.read() as snapshot:
            return snapshot.execute(next_due(kinds, self.database.clock())).scalar()

    def record(self, job_id: int, results: Sequence[JobInstance]) -> bool:
        """Keep results of instances as they come; says whether the user wants the job to end."""
        with self.database.write() as transaction:
            if results:
                transaction.execute(_RECORD, [_result_row(job_id, result, self.database.clock()) for result in results])
            return get_job(transaction, job_id).cancel_requested

    def outstanding(self, job_id: int) -> list[JobInstance]:
        """The instances of a job that have no success yet: what is to be sent, again or for the first time."""
        with self.database.read() as snapshot:
            return instances_of(snapshot, job_id, outstanding=True)

    def finish(self, job_id: int, outcome: Outcome) -> Job:
        """End a run of a job that was claimed; the policy decides what comes next."""
        with self.database.write() as transaction:
            job = get_job(transaction, job_id)
            if job.state is not State.DOING:
                raise WrongState(f"job {job_id} is {job.state}, not being done")
            step = decide(outcome, job.attempts, job.retry, self.database.clock())
            if job.cancel_requested and step.state is not State.DONE:
                self._cancel(transaction, job_id, BY_USER)
            else:
                self._go(transaction, job, step)
            before: list[int] = []
            for new in outcome.then if isinstance(outcome, Done) else ():
                before = [self.enqueue(transaction, replace(new, after=[*new.after, *before])).id]
            return get_job(transaction, job_id)

    def wake(self, transaction: Transaction, job_id: int) -> None:
        """An answer for a waiting job has come: run it again. One that is about to wait will not."""
        job = get_job(transaction, job_id)
        now = self.database.clock()
        if job.state is State.WAITING:
            self._change(transaction, job_id, State.TODO, due_at=now, reason="the answer has come")
        elif job.state is State.DOING:
            transaction.execute(update(jobs).where(jobs.c.id == job_id).values(due_at=now))

    def retry(self, job_id: int) -> Job:
        """Run a job now: one that failed, was cancelled or waits. Instances that have success are not repeated."""
        with self.database.write() as transaction:
            job = get_job(transaction, job_id)
            if job.state in (State.DOING, State.DONE):
                raise WrongState(
                    f"job {job_id} is {job.state}; only a job that is neither doing nor done can be retried"
                )
            self._refuse_second(transaction, job_id)
            now = self.database.clock()
            values = {"due_at": now, "attempts": 0, "cancel_requested": False, "reason": "retried by the user"}
            failed = (job_instances.c.job_id == job_id) & (job_instances.c.result == Result.FAILURE)
            transaction.execute(update(job_instances).where(failed).values(result=Result.PENDING))
            self._change(transaction, job_id, State.TODO, **values)
            return get_job(transaction, job_id)

    def cancel(self, job_id: int) -> Job:
        """Cancel a job and those that come after it. One that is being done ends at the next instance."""
        with self.database.write() as transaction:
            job = get_job(transaction, job_id)
            if job.state in (State.DONE, State.CANCELLED):
                raise WrongState(f"job {job_id} is {job.state} already")
            if job.state is State.DOING:
                transaction.execute(update(jobs).where(jobs.c.id == job_id).values(cancel_requested=True))
                self._event(transaction, job_id, State.DOING, "the user asked to cancel")
            else:
                self._cancel(transaction, job_id, BY_USER)
            return get_job(transaction, job_id)

    def recover(self, worker: str) -> list[Job]:
        """To be called at the start: jobs that this worker was doing when its process died go back to the queue."""
        with self.database.write() as transaction:
            orphans = transaction.execute(select(jobs).where(jobs.c.state == State.DOING, jobs.c.worker == worker))
            lost = [job_of(row._asdict()) for row in orphans]
            for job in lost:
                if job.cancel_requested:
                    self._cancel(transaction, job.id, BY_USER)
                else:
                    reason = "interrupted by the end of the program"
                    self._change(transaction, job.id, State.TODO, due_at=self.database.clock(), reason=reason)
            return lost

    def _go(self, transaction: Transaction, job: Job, step: Next) -> None:
        woken = step.state is State.WAITING and job.due_at is not None
        values: dict[str, Any] = {"attempts": step.attempts, "due_at": step.due_at, "reason": step.reason}
        if woken:
            values["due_at"] = self.database.clock()
        else:
            values["waiting_for"] = step.waiting_for
        self._change(transaction, job.id, State.TODO if woken else step.state, **values)

    def _cancel(self, transaction: Transaction, job_id: int, reason: str) -> None:
        self._change(transaction, job_id, State.CANCELLED, reason=reason)
        after = job_dependencies.c
        later = select(jobs.c.id).join(job_dependencies, after.job_id == jobs.c.id).where(after.after_id == job_id)
        for later_id in transaction.execute(later.where(jobs.c.state.in_((*UNFINISHED, State.FAILED)))).scalars().all():
            self._cancel(transaction, later_id, f"job {job_id}, which it comes after, is cancelled")

    def _change(self, transaction: Transaction, job_id: int, state: State, **values: Any) -> None:
        row: dict[str, Any] = {"due_at": None, "worker": None, "waiting_for": "", **values, "state": state}
        row["finished_at"] = self.database.clock() if state.finished else None
        transaction.execute(update(jobs).where(jobs.c.id == job_id).values(row))
        self._event(transaction, job_id, state, row["waiting_for"] or row.get("reason", ""))

    def _event(self, transaction: Transaction, job_id: int, state: State, detail: str) -> None:
        transaction.add_event("job", job_id, state, detail)

    def _refuse_second(self, snapshot: Snapshot, job_id: int) -> None:
        key = select(jobs.c.unique_key).where(jobs.c.id == job_id).scalar_subquery()
        same = select(jobs.c.id).where(jobs.c.unique_key == key, jobs.c.state.in_(UNFINISHED), jobs.c.id != job_id)
        other = snapshot.execute(same).scalar()
        if other is not None:
            raise UsageError(f"the same is queued already as job {other}")

    def _add_dependencies(self, transaction: Transaction, job_id: int, after: Sequence[int]) -> None:
        for after_id in after:
            if get_job(transaction, after_id).state is State.CANCELLED:
                raise UsageError(f"job {after_id} is cancelled; nothing can come after it")
            transaction.execute(insert(job_dependencies).values(job_id=job_id, after_id=after_id))


_RECORD = (
    update(job_instances)
    .where(job_instances.c.job_id == bindparam("of_job"), job_instances.c.SOPInstanceUID == bindparam("of_uid"))
    .values(
        result=bindparam("new_result"),
        status=bindparam("new_status"),
        comment=bindparam("new_comment"),
        at=bindparam("new_at"),
        attempts=job_instances.c.attempts + bindparam("new_attempts"),
    )
)


def _result_row(job_id: int, result: JobInstance, at: float) -> dict[str, Any]:
    return {
        "of_job": job_id,
        "of_uid": result.SOPInstanceUID,
        "new_result": result.result,
        "new_status": result.status,
        "new_comment": result.comment,
        "new_at": at,
        "new_attempts": int(result.result is not Result.PENDING),
    }


def _row(new: NewJob, now: float) -> dict[str, Any]:
    return {
        "kind": new.kind,
        "state": State.TODO,
        "destination": new.destination,
        "parameters": dict(new.parameters),
        "unique_key": new.unique_key,
        "order_key": new.order_key,
        "max_retries": new.retry.max_retries,
        "retry_delay_s": new.retry.delay_s,
        "retry_permanent": new.retry.permanent,
        "due_at": now if new.due_at is None else new.due_at,
        "created_at": now,
    }


def _instance_rows(job_id: int, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"job_id": job_id, "SOPClassUID": sop_class_uid, "SOPInstanceUID": uid, "number": number}
        for number, (sop_class_uid, uid) in enumerate(dict.fromkeys(pairs))
    ]
