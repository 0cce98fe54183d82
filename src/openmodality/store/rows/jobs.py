"""Rows of the queue as it changes them; each change of state is an event too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from openmodality.store.schema import devices, instances, job_dependencies, job_instances, jobs, series
from openmodality.store.states import UNFINISHED_JOBS, InstanceResult, JobKind, JobState, Subject
from openmodality.store.transaction import Snapshot, Transaction

_AT_ONCE = 500


class KeptResult(NamedTuple):
    """What became of an instance; ``status`` is the DIMSE status, None where none came."""

    sop_instance_uid: str
    result: InstanceResult
    status: int | None
    comment: str


def insert_job(transaction: Transaction, values: Mapping[str, Any], instances: Sequence[tuple[str, str]]) -> int | None:
    """Insert a job that is to be done; returns its number, or None where one with the same unique key is unfinished.

    ``instances`` are pairs of SOP Class UID and SOP Instance UID.
    """
    now = transaction.now
    due_after_s = max(0.0, values["due_at"] - now)
    own = {"device_id": transaction.device_id, "state": JobState.TODO, "created_at": now, "due_after_s": due_after_s}
    statement = transaction.insert(jobs).values({**values, **own}).on_conflict_do_nothing().returning(jobs.c.id)
    job_id = transaction.execute(statement).scalar()
    if job_id is None:
        return None
    rows = [
        {"job_id": job_id, "SOPClassUID": sop_class_uid, "SOPInstanceUID": uid, "number": number}
        for number, (sop_class_uid, uid) in enumerate(dict.fromkeys(instances))
    ]
    if rows:
        transaction.execute(insert(job_instances), rows)
    transaction.add_event(Subject.JOB, job_id, JobState.TODO, "queued")
    return int(job_id)


def is_own(snapshot: Snapshot) -> ColumnElement[bool]:
    """Whether a job is of the device that asks: no other one does it, or counts it."""
    return jobs.c.device_id == snapshot.device_id


def insert_dependency(transaction: Transaction, job_id: int, after_id: int) -> None:
    """Let a job come after another."""
    transaction.execute(insert(job_dependencies).values(job_id=job_id, after_id=after_id))


def change_state(transaction: Transaction, job_id: int, state: JobState, **values: Any) -> None:
    """Put a job into a state. Columns that belong to the state before are emptied unless ``values`` has them."""
    row: dict[str, Any] = {**_STATELESS, **values, "state": state}
    now = transaction.now
    row["finished_at"] = now if state.finished else None
    row["due_after_s"] = max(0.0, (row["due_at"] or now) - now)
    transaction.execute(update(jobs).where(jobs.c.id == job_id).values(row))
    transaction.add_event(Subject.JOB, job_id, state, row["waiting_for"] or row.get("reason", ""))


def set_due(transaction: Transaction, job_id: int, at: float) -> None:
    """Note when a job runs again, without a change of its state."""
    delay_s = max(0.0, at - transaction.now)
    transaction.execute(update(jobs).where(jobs.c.id == job_id).values(due_at=at, due_after_s=delay_s))


def bring_forward(transaction: Transaction) -> int:
    """Let no job be due later than its delay from now on, as it is after the clock was set back; how many were."""
    latest = transaction.now + jobs.c.due_after_s
    late = jobs.c.state.in_((JobState.TODO, JobState.WAITING)) & (jobs.c.due_at > latest)
    return transaction.execute(update(jobs).where(is_own(transaction), late).values(due_at=latest)).rowcount


def read_away(snapshot: Snapshot, destination: str, *, all_retried: bool = False) -> list[int]:
    """The jobs that wait because nobody answered at their destination, oldest first.

    ``all_retried``: also those that failed there for another reason and will be tried again.
    """
    away = jobs.c.peer_away | (jobs.c.attempts > 0) if all_retried else jobs.c.peer_away
    waiting = (jobs.c.destination == destination, jobs.c.state == JobState.TODO, away)
    return list(snapshot.execute(select(jobs.c.id).where(is_own(snapshot), *waiting).order_by(jobs.c.id)).scalars())


def read_parameters_of(
    snapshot: Snapshot, kind: JobKind, series_uids: Sequence[str], since: float
) -> list[Mapping[str, Any]]:  # fmt: skip
    """The parameters of the jobs of a kind, queued since a moment, whose first instance is of one of these series."""
    own = select(instances.c.SOPInstanceUID).join(series).where(series.c.SeriesInstanceUID.in_(series_uids))
    first = (job_instances.c.job_id == jobs.c.id) & (job_instances.c.number == 0)
    statement = (
        select(jobs.c.parameters)
        .join(job_instances, first)
        .where(is_own(snapshot), jobs.c.kind == kind, jobs.c.created_at >= since)
        .where(job_instances.c.SOPInstanceUID.in_(own))
        .order_by(jobs.c.id)
    )
    return list(snapshot.execute(statement).scalars())


def set_parameters(transaction: Transaction, job_id: int, parameters: Mapping[str, Any]) -> None:
    """Give a job other parameters."""
    transaction.execute(update(jobs).where(jobs.c.id == job_id).values(parameters=dict(parameters)))


def describe_wait(transaction: Transaction, job_id: int, waiting_for: str) -> None:
    """Say in other words what a waiting job waits for."""
    transaction.execute(update(jobs).where(jobs.c.id == job_id).values(waiting_for=waiting_for))
    transaction.add_event(Subject.JOB, job_id, JobState.WAITING, waiting_for)


def request_cancellation(transaction: Transaction, job_id: int) -> None:
    """Note that a job which is being done is to end."""
    transaction.execute(update(jobs).where(jobs.c.id == job_id).values(cancel_requested=True))
    transaction.add_event(Subject.JOB, job_id, JobState.DOING, "the user asked to cancel")


def record_results(transaction: Transaction, job_id: int, results: Sequence[KeptResult]) -> None:
    """Keep results of instances of a job as they come."""
    rows = [
        {
            "of_job": job_id,
            "of_uid": each.sop_instance_uid,
            "new_result": each.result,
            "new_status": each.status,
            "new_comment": each.comment,
            "new_at": transaction.now,
            "new_attempts": int(each.result is not InstanceResult.PENDING),
        }
        for each in results
    ]
    if rows:
        transaction.execute(_RECORD, rows)


def reset_failures(transaction: Transaction, job_id: int) -> None:
    """Make the instances of a job that failed pending again."""
    failed = (job_instances.c.job_id == job_id) & (job_instances.c.result == InstanceResult.FAILURE)
    transaction.execute(update(job_instances).where(failed).values(result=InstanceResult.PENDING))


def move_job(transaction: Transaction, job_id: int, destination: str) -> None:
    """Give a job another destination, which has had none of its instances."""
    transaction.execute(update(jobs).where(jobs.c.id == job_id).values(destination=destination))
    fresh = {"result": InstanceResult.PENDING, "status": None, "comment": ""}
    transaction.execute(update(job_instances).where(job_instances.c.job_id == job_id).values(fresh))


def find_unfinished(snapshot: Snapshot, unique_key: str) -> int:
    """The unfinished job with a unique key."""
    same = select(jobs.c.id).where(jobs.c.unique_key == unique_key, jobs.c.state.in_(UNFINISHED_JOBS))
    return int(snapshot.execute(same.where(is_own(snapshot))).scalar_one())


def find_rival(snapshot: Snapshot, job_id: int) -> int | None:
    """Another unfinished job with the unique key of a job."""
    key = select(jobs.c.unique_key).where(jobs.c.id == job_id).scalar_subquery()
    same = select(jobs.c.id).where(jobs.c.unique_key == key, jobs.c.state.in_(UNFINISHED_JOBS), jobs.c.id != job_id)
    return snapshot.execute(same.where(is_own(snapshot))).scalar()


def read_orphans(snapshot: Snapshot, worker: str, now: float) -> list[int]:
    """The jobs of this device that nobody does any more, oldest first: those of a worker, who has just started and does
    none, and those whose lease is over.
    """
    is_over = (jobs.c.worker == worker) | jobs.c.lease_until.is_(None) | (jobs.c.lease_until <= now)
    return _read_doing(snapshot, is_over)


def read_expired(snapshot: Snapshot, worker: str, now: float) -> list[int]:
    """The jobs of this device that another worker was doing until its lease was over, oldest first."""
    return _read_doing(snapshot, (jobs.c.worker != worker) & (jobs.c.lease_until <= now))


def _read_doing(snapshot: Snapshot, condition: ColumnElement[bool]) -> list[int]:
    doing = select(jobs.c.id).where(is_own(snapshot), jobs.c.state == JobState.DOING, condition).order_by(jobs.c.id)
    return list(snapshot.execute(doing).scalars())


def extend_leases(transaction: Transaction, worker: str, until: float) -> int:
    """Let a worker keep the jobs that it is doing; how many."""
    own = (is_own(transaction), jobs.c.state == JobState.DOING, jobs.c.worker == worker)
    return transaction.execute(update(jobs).where(*own).values(lease_until=until)).rowcount


def extend_device_lease(transaction: Transaction, worker: str, until: float) -> None:
    """Say that a worker does the jobs of this device, where others share the database."""
    own = devices.c.id == transaction.device_id
    transaction.execute(update(devices).where(own).values(worker=worker, lease_until=until))


def is_worked_by(snapshot: Snapshot, job_id: int, worker: str) -> bool:
    """Whether a worker has a job."""
    return snapshot.execute(select(jobs.c.worker).where(jobs.c.id == job_id)).scalar() == worker


def read_dependents(snapshot: Snapshot, job_id: int) -> list[int]:
    """The jobs that come after a job and are neither done nor cancelled."""
    after = job_dependencies.c
    later = select(jobs.c.id).join(job_dependencies, after.job_id == jobs.c.id).where(after.after_id == job_id)
    return list(snapshot.execute(later.where(jobs.c.state.in_((*UNFINISHED_JOBS, JobState.FAILED)))).scalars())


def read_followers(snapshot: Snapshot, job_id: int) -> list[int]:
    """The jobs that ended because of a job, and go on when it does, oldest first.

    Those that its cancellation took along, and those behind it in its order that ran without it and failed.
    """
    order_key = select(jobs.c.order_key).where(jobs.c.id == job_id).scalar_subquery()
    behind = (jobs.c.order_key == order_key) & (jobs.c.id > job_id) & (jobs.c.state == JobState.FAILED)
    taken_along = (jobs.c.cancelled_after == job_id) & (jobs.c.state == JobState.CANCELLED)
    return list(snapshot.execute(select(jobs.c.id).where(behind | taken_along).order_by(jobs.c.id)).scalars())


def read_later_in_order(snapshot: Snapshot, job_id: int) -> list[int]:
    """The jobs behind a job in its order that are not done, oldest first."""
    order_key = select(jobs.c.order_key).where(jobs.c.id == job_id).scalar_subquery()
    behind = (jobs.c.order_key == order_key, jobs.c.id > job_id, jobs.c.state != JobState.DONE)
    return list(snapshot.execute(select(jobs.c.id).where(*behind).order_by(jobs.c.id)).scalars())


def find_remembered(snapshot: Snapshot, order_key: str, name: str) -> str:
    """What a job of an order remembers under a name in its parameters; empty where none does."""
    own = select(jobs.c.parameters).where(jobs.c.order_key == order_key).order_by(jobs.c.id.desc())
    return next((str(each[name]) for each in snapshot.execute(own).scalars() if name in each), "")


def find_cancelled_cause(snapshot: Snapshot, job_id: int) -> int | None:
    """A job that this one comes after and that is cancelled."""
    after = job_dependencies.c
    earlier = select(jobs.c.id).join(job_dependencies, after.after_id == jobs.c.id).where(after.job_id == job_id)
    return snapshot.execute(earlier.where(jobs.c.state == JobState.CANCELLED)).scalar()


def find_queued_uids(snapshot: Snapshot, destination: str, uids: Sequence[str]) -> set[str]:
    """Those of the instances that are in a send job to the destination, whatever its state."""
    columns = job_instances.c
    sending = select(jobs.c.id).where(is_own(snapshot), jobs.c.kind == JobKind.SEND, jobs.c.destination == destination)
    queued: set[str] = set()
    for start in range(0, len(uids), _AT_ONCE):
        part = columns.SOPInstanceUID.in_(uids[start : start + _AT_ONCE])
        queued.update(
            snapshot.execute(select(columns.SOPInstanceUID).where(part, columns.job_id.in_(sending))).scalars()
        )
    return queued


def find_sent_uids(snapshot: Snapshot, destination: str, uids: Sequence[str]) -> set[str]:
    """Those of the instances that the destination has stored."""
    columns = job_instances.c
    sending = select(jobs.c.id).where(is_own(snapshot), jobs.c.kind == JobKind.SEND, jobs.c.destination == destination)
    is_sent = columns.result.in_((InstanceResult.SUCCESS, InstanceResult.WARNING))
    sent: set[str] = set()
    for start in range(0, len(uids), _AT_ONCE):
        part = columns.SOPInstanceUID.in_(uids[start : start + _AT_ONCE])
        found = select(columns.SOPInstanceUID).where(part, is_sent, columns.job_id.in_(sending))
        sent.update(snapshot.execute(found).scalars())
    return sent


def replace_instances(
    transaction: Transaction, job_id: int, old: Sequence[str], new: Sequence[tuple[str, str]]
) -> None:
    """Let a job be about other instances (SOP Class UID, SOP Instance UID) than ``old``, where it is about those."""
    columns = job_instances.c
    for start in range(0, len(old), _AT_ONCE):
        part = columns.SOPInstanceUID.in_(old[start : start + _AT_ONCE])
        transaction.execute(delete(job_instances).where(columns.job_id == job_id, part))
    last = transaction.execute(select(func.max(columns.number)).where(columns.job_id == job_id)).scalar()
    known = set(transaction.execute(select(columns.SOPInstanceUID).where(columns.job_id == job_id)).scalars())
    first = 0 if last is None else last + 1
    rows = [
        {"job_id": job_id, "SOPClassUID": sop_class_uid, "SOPInstanceUID": uid, "number": number}
        for number, (sop_class_uid, uid) in enumerate(dict.fromkeys(new), first)
        if uid not in known
    ]
    if rows:
        transaction.execute(insert(job_instances), rows)


_STATELESS: Final[Mapping[str, Any]] = {
    "due_at": None,
    "worker": None,
    "lease_until": None,
    "waiting_for": "",
    "peer_away": False,
    "cancelled_after": None,
}
"""The columns that belong to one state of a job, empty."""

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
