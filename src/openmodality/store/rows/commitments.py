"""Requests for storage commitment (PS3.4 J), each with its Transaction UID: what was asked for, and what was answered.

A request is in the database before it is sent. Its answer may come before the N-ACTION response, days later, or
never; it is judged by what is stored here. A request that was asked anew is superseded: its job no longer waits for it,
but its Transaction UID stays valid, and what its report says is committed counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import func, insert, or_, select, update

from openmodality.services.commitment import CommitmentResult, Failure, Reference
from openmodality.store.schema import commitment_instances, commitments
from openmodality.store.states import InstanceCommitment, RequestState, Subject
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request. ``expires_at`` None: its answer may come at any time; ``job_id`` None: its job is gone.

    ``ae_title`` is that of the peer which was asked, whatever the site file calls it now; empty in old rows.
    """

    id: int
    transaction_uid: str
    destination: str
    job_id: int | None
    state: RequestState
    expires_at: float | None
    answered_at: float | None
    ae_title: str = ""

    def is_over(self, now: float) -> bool:
        """Whether an answer comes too late now."""
        if self.state is RequestState.NO_ANSWER:
            return True
        is_open = self.state in (RequestState.REQUESTED, RequestState.SENT)
        return is_open and self.expires_at is not None and self.expires_at <= now


class InstanceAnswer(NamedTuple):
    """What became of an instance in a request; ``in_time`` False: the time of the request is over."""

    result: InstanceCommitment
    failure_reason: int | None
    in_time: bool


class OpenRequest(NamedTuple):
    """A request that waits for its answer: since when, and until when; None: for ever."""

    created_at: float
    expires_at: float | None


def insert_request(
    transaction: Transaction,
    transaction_uid: str,
    destination: str,
    job_id: int,
    references: Sequence[Reference],
    *,
    ae_title: str = "",
) -> None:
    """Keep a request to a peer of this name and AE title before it is sent."""
    row = {
        "device_id": transaction.device_id,
        "TransactionUID": transaction_uid,
        "destination": destination,
        "ae_title": ae_title,
        "job_id": job_id,
        "state": RequestState.REQUESTED,
        "created_at": transaction.now,
    }
    number = transaction.execute(insert(commitments).values(row).returning(commitments.c.id)).scalar_one()
    rows = [
        {"commitment_id": number, "SOPInstanceUID": each.sop_instance_uid, "SOPClassUID": each.sop_class_uid}
        for each in references
    ]
    transaction.execute(insert(commitment_instances), rows)


def has_requests(snapshot: Snapshot, job_id: int) -> bool:
    """Whether a job has requests, in whatever state, that were not asked anew."""
    own = select(commitments.c.id).where(commitments.c.job_id == job_id, ~commitments.c.superseded)
    return snapshot.execute(own).first() is not None


def read_unsent_requests(snapshot: Snapshot, job_id: int) -> list[tuple[str, tuple[Reference, ...]]]:
    """The requests of a job that are not known to have been sent: Transaction UID and instances."""
    instances = commitment_instances.c
    statement = (
        select(commitments.c.TransactionUID, instances.SOPClassUID, instances.SOPInstanceUID)
        .join(commitment_instances, instances.commitment_id == commitments.c.id)
        .where(commitments.c.job_id == job_id, ~commitments.c.superseded)
        .where(commitments.c.state == RequestState.REQUESTED)
        .order_by(commitments.c.id)
    )
    grouped = groupby(snapshot.execute(statement).all(), key=lambda row: str(row[0]))
    return [(uid, tuple(Reference(row[1], row[2]) for row in group)) for uid, group in grouped]


def mark_sent(transaction: Transaction, transaction_uid: str, expires_at: float | None) -> None:
    """Note that the peer has taken a request; one that was answered already stays so."""
    own = commitments.c.TransactionUID == transaction_uid
    statement = update(commitments).where(own, commitments.c.state == RequestState.REQUESTED)
    transaction.execute(statement.values(state=RequestState.SENT, expires_at=expires_at))


def close_expired_requests(transaction: Transaction, job_id: int, limit_s: float | None = None) -> None:
    """Close those requests of a job whose time is over; none lasts longer from now on than ``limit_s``.

    The latter matters where the clock was set back after the request.
    """
    own = commitments.c.job_id == job_id
    if limit_s is not None:
        latest = transaction.now + limit_s
        transaction.execute(update(commitments).where(own, commitments.c.expires_at > latest).values(expires_at=latest))
    is_over = commitments.c.expires_at <= transaction.now
    statement = update(commitments).where(own, commitments.c.state == RequestState.SENT, is_over)
    transaction.execute(statement.values(state=RequestState.NO_ANSWER))


def read_open_requests(snapshot: Snapshot, job_id: int) -> list[OpenRequest]:
    """The requests of a job that have no answer yet and were not asked anew."""
    own = (commitments.c.job_id == job_id, ~commitments.c.superseded, commitments.c.state == RequestState.SENT)
    statement = select(commitments.c.created_at, commitments.c.expires_at).where(*own)
    return [OpenRequest(*row) for row in snapshot.execute(statement)]


def read_asked_title(snapshot: Snapshot, job_id: int) -> str:
    """The AE title that the newest request of a job went to."""
    own = select(commitments.c.ae_title).where(commitments.c.job_id == job_id).order_by(commitments.c.id.desc())
    return snapshot.execute(own).scalar() or ""


def read_answers(snapshot: Snapshot, job_id: int) -> dict[str, InstanceAnswer]:
    """What became of the instances of a job, by SOP Instance UID: the newest answer counts.

    Of requests that were asked anew only what is committed does.
    """
    columns = commitment_instances.c
    statement = (
        select(columns.SOPInstanceUID, columns.result, columns.FailureReason, commitments.c.state)
        .join(commitments, commitments.c.id == columns.commitment_id)
        .where(commitments.c.job_id == job_id)
        .where(or_(~commitments.c.superseded, columns.result == InstanceCommitment.COMMITTED))
        .order_by(func.coalesce(commitments.c.answered_at, 0.0), commitments.c.id)
    )
    return {
        uid: InstanceAnswer(InstanceCommitment(result), reason, state != RequestState.NO_ANSWER)
        for uid, result, reason, state in snapshot.execute(statement)
    }


def supersede_requests(transaction: Transaction, job_id: int) -> None:
    """Let the job ask anew: it waits no longer for the requests that it has made."""
    transaction.execute(update(commitments).where(commitments.c.job_id == job_id).values(superseded=True))


def find_request(snapshot: Snapshot, transaction_uid: str) -> RequestRecord | None:
    """A request of this device by its Transaction UID; None where it was never ours."""
    columns = commitments.c
    statement = select(
        columns.id,
        columns.TransactionUID,
        columns.destination,
        columns.job_id,
        columns.state,
        columns.expires_at,
        columns.answered_at,
        columns.ae_title,
    ).where(columns.TransactionUID == transaction_uid, columns.device_id == snapshot.device_id)
    row = snapshot.execute(statement).first()
    return None if row is None else RequestRecord(*row[:4], RequestState(row.state), *row[5:])


def read_references(snapshot: Snapshot, request: RequestRecord) -> frozenset[Reference]:
    """The instances that a request asks for."""
    columns = commitment_instances.c
    statement = select(columns.SOPClassUID, columns.SOPInstanceUID).where(columns.commitment_id == request.id)
    return frozenset(Reference(*row) for row in snapshot.execute(statement))


def read_result(snapshot: Snapshot, request: RequestRecord) -> CommitmentResult | None:
    """The answer to a request, where it has come."""
    if request.answered_at is None:
        return None
    own = select(commitment_instances).where(commitment_instances.c.commitment_id == request.id)
    committed, failed = [], []
    for row in snapshot.execute(own):
        reference = Reference(row.SOPClassUID, row.SOPInstanceUID)
        if row.result == InstanceCommitment.COMMITTED:
            committed.append(reference)
        elif row.result == InstanceCommitment.FAILED:
            failed.append(Failure(reference, row.FailureReason))
    return CommitmentResult(request.transaction_uid, tuple(committed), tuple(failed))


def record_result(transaction: Transaction, request: RequestRecord, result: CommitmentResult) -> None:
    """Keep the answer to a request; an instance that it does not mention is not committed."""
    columns = commitment_instances.c
    own = update(commitment_instances).where(columns.commitment_id == request.id)
    committed = own.where(columns.SOPInstanceUID.in_([each.sop_instance_uid for each in result.committed]))
    transaction.execute(committed.values(result=InstanceCommitment.COMMITTED, FailureReason=None))
    for failure in result.failed:
        one = own.where(columns.SOPInstanceUID == failure.reference.sop_instance_uid)
        transaction.execute(one.values(result=InstanceCommitment.FAILED, FailureReason=failure.reason))
    state = RequestState.FAILED if _has_failed(transaction, request) else RequestState.COMMITTED
    changed = update(commitments).where(commitments.c.id == request.id)
    transaction.execute(changed.values(state=state, answered_at=transaction.now))
    detail = f"{len(result.committed)} committed, {len(result.failed)} failed"
    transaction.add_event(Subject.COMMITMENT, request.id, "answered", detail)


def _has_failed(snapshot: Snapshot, request: RequestRecord) -> bool:
    columns = commitment_instances.c
    kept = select(columns.SOPInstanceUID).where(columns.commitment_id == request.id)
    return snapshot.execute(kept.where(columns.result != InstanceCommitment.COMMITTED)).first() is not None
