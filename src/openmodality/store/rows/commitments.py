"""Storage commitment transactions (PS3.4 J): kept before they are sent, and what the answers say.

An answer may come before the N-ACTION response, days later, in parts, or never; whatever order, it is judged by what
is stored here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select, update

from openmodality.store.schema import commitment_instances, commitments
from openmodality.store.transaction import Snapshot, Transaction

Reference = tuple[str, str]
"""SOP Class UID and SOP Instance UID."""


class CommitmentState(StrEnum):
    """``REQUESTED``: kept, not yet known to have been sent; ``FAILED``: refused, or not all instances are kept."""

    REQUESTED = "requested"
    SENT = "sent"
    COMMITTED = "committed"
    FAILED = "failed"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Commitment:
    """A transaction: what is committed, what failed with its (0008,1197) Failure Reason, what has no answer yet."""

    TransactionUID: str
    destination: str
    job_id: int | None
    state: CommitmentState
    created_at: float
    expires_at: float | None
    pending: tuple[Reference, ...]
    committed: tuple[Reference, ...]
    failed: Mapping[Reference, int]


def add_commitment(
    transaction: Transaction,
    transaction_uid: str,
    destination: str,
    references: Sequence[Reference],
    job_id: int | None = None,
) -> None:
    """Keep a transaction before it is sent."""
    row = {
        "TransactionUID": transaction_uid,
        "destination": destination,
        "job_id": job_id,
        "state": CommitmentState.REQUESTED,
        "created_at": transaction.now,
    }
    number = transaction.execute(insert(commitments).values(row).returning(commitments.c.id)).scalar_one()
    rows = [
        {"commitment_id": number, "SOPClassUID": sop_class_uid, "SOPInstanceUID": uid}
        for sop_class_uid, uid in dict.fromkeys(references)
    ]
    transaction.execute(insert(commitment_instances), rows)
    transaction.add_event("commitment", transaction_uid, CommitmentState.REQUESTED, f"{len(rows)} instances")


def mark_sent(transaction: Transaction, transaction_uid: str, expires_at: float | None) -> None:
    """The N-ACTION response was Success; ``expires_at`` None means that the answer may come at any time."""
    columns = commitments.c
    mine = columns.TransactionUID == transaction_uid
    transaction.execute(update(commitments).where(mine).values(expires_at=expires_at))
    _to(transaction, transaction_uid, CommitmentState.SENT, only_from=(CommitmentState.REQUESTED,))


def mark_failed(transaction: Transaction, transaction_uid: str, reason: str) -> None:
    """The request was refused or could not be sent."""
    open_states = (CommitmentState.REQUESTED, CommitmentState.SENT)
    _to(transaction, transaction_uid, CommitmentState.FAILED, only_from=open_states, detail=reason)


def expire(transaction: Transaction) -> list[str]:
    """Mark the transactions whose time is over "no answer"; returns their Transaction UIDs."""
    columns = commitments.c
    over = select(columns.TransactionUID).where(
        columns.state == CommitmentState.SENT, columns.expires_at <= transaction.now
    )
    uids = list(transaction.execute(over).scalars())
    for uid in uids:
        _to(transaction, uid, CommitmentState.NO_ANSWER, only_from=(CommitmentState.SENT,))
    return uids


def record_answer(
    transaction: Transaction,
    transaction_uid: str,
    committed: Sequence[str],
    failed: Mapping[str, int],
) -> Commitment | None:
    """Take an N-EVENT-REPORT: SOP Instance UIDs that are committed, and those that are not with their Failure Reason.

    Returns the transaction as it is now, or None if it was never ours. Instances that were not part of the request are
    ignored, and so is an answer after the time is over: whoever answers the report looks at both before.
    """
    found = get_commitment(transaction, transaction_uid)
    if found is None or found.state is CommitmentState.NO_ANSWER:
        return found
    _record(transaction, transaction_uid, committed, failed)
    answered = get_commitment(transaction, transaction_uid)
    if answered is not None and not answered.pending:
        state = CommitmentState.FAILED if answered.failed else CommitmentState.COMMITTED
        detail = f"{len(answered.committed)} instances committed, {len(answered.failed)} not"
        _to(transaction, transaction_uid, state, only_from=tuple(CommitmentState), detail=detail)
    return get_commitment(transaction, transaction_uid)


def get_commitment(snapshot: Snapshot, transaction_uid: str) -> Commitment | None:
    """A transaction by its UID, or None if it was never ours."""
    row = snapshot.execute(select(commitments).where(commitments.c.TransactionUID == transaction_uid)).first()
    if row is None:
        return None
    of_it = commitment_instances.c.commitment_id == row.id
    references: dict[str, list[Reference]] = {"pending": [], "committed": [], "failed": []}
    reasons: dict[Reference, int] = {}
    for instance in snapshot.execute(select(commitment_instances).where(of_it)):
        reference = (instance.SOPClassUID, instance.SOPInstanceUID)
        references[instance.result].append(reference)
        if instance.result == "failed":
            reasons[reference] = instance.FailureReason
    return Commitment(
        row.TransactionUID,
        row.destination,
        row.job_id,
        CommitmentState(row.state),
        row.created_at,
        row.expires_at,
        tuple(references["pending"]),
        tuple(references["committed"]),
        reasons,
    )


def _record(
    transaction: Transaction, transaction_uid: str, committed: Sequence[str], failed: Mapping[str, int]
) -> None:
    number = select(commitments.c.id).where(commitments.c.TransactionUID == transaction_uid).scalar_subquery()
    of_it = commitment_instances.c.commitment_id == number
    for uid, reason in [*((uid, None) for uid in committed), *failed.items()]:
        values = {"result": "committed" if reason is None else "failed", "FailureReason": reason}
        mine = of_it & (commitment_instances.c.SOPInstanceUID == uid)
        transaction.execute(update(commitment_instances).where(mine).values(values))


def _to(
    transaction: Transaction,
    transaction_uid: str,
    state: CommitmentState,
    *,
    only_from: Sequence[CommitmentState],
    detail: str = "",
) -> None:
    mine = (commitments.c.TransactionUID == transaction_uid) & commitments.c.state.in_(only_from)
    values: dict[str, object] = {"state": state}
    if state in (CommitmentState.COMMITTED, CommitmentState.FAILED):
        values["answered_at"] = transaction.now
    if transaction.execute(update(commitments).where(mine).values(values)).rowcount:
        transaction.add_event("commitment", transaction_uid, state, detail)
