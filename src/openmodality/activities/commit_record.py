"""The record of storage commitment transactions in the database, which notifications are checked against (PS3.4 J.3.3).

A result is in the database before it is answered, and wakes the job that asked.
"""

from __future__ import annotations

from sqlalchemy import RowMapping, select, update

from openmodality.device.site.site import Site
from openmodality.dimse.channel import PeerInfo
from openmodality.jobs.queue import Queue
from openmodality.services.commitment import CommitmentResult, Failure, Known, Missing, Reference
from openmodality.store.schema import commitment_instances, commitments
from openmodality.store.transaction import Snapshot, Transaction


class StoredCommitments:
    """Fulfils :class:`openmodality.services.commitment.CommitmentRecord`."""

    def __init__(self, queue: Queue, site: Site) -> None:
        self._queue = queue
        self._database = queue.database
        self._site = site

    def find(self, transaction_uid: str, peer: PeerInfo) -> Known | Missing:
        """What is on record; a transaction is known to the peer alone that was asked."""
        with self._database.read() as snapshot:
            row = _transaction(snapshot, transaction_uid)
            if row is None or not self._is_from(row, peer):
                return Missing.UNKNOWN
            if row["state"] == "no answer" or self._is_expired(row):
                return Missing.EXPIRED
            return _known(snapshot, row)

    def result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        """Keep a result and wake the job."""
        with self._database.write() as transaction:
            row = _transaction(transaction, result.transaction_uid)
            if row is None:
                return
            _keep(transaction, row["id"], result)
            has_failed = _has_failed(transaction, row["id"])
            transaction.execute(
                update(commitments)
                .where(commitments.c.id == row["id"])
                .values(state="failed" if has_failed else "committed", answered_at=self._database.clock())
            )
            detail = f"{len(result.committed)} committed, {len(result.failed)} failed"
            transaction.add_event("commitment", row["id"], "answered", detail)
            if row["job_id"] is not None:
                self._queue.wake(transaction, row["job_id"])

    def _is_from(self, row: RowMapping, peer: PeerInfo) -> bool:
        """Whether the association is with the peer that was asked, whoever of the two opened it."""
        asked = self._site.peers.get(row["destination"])
        return asked is not None and asked.ae_title in (peer.calling_ae_title, peer.called_ae_title)

    def _is_expired(self, row: RowMapping) -> bool:
        is_open = row["state"] in ("requested", "sent")
        return is_open and row["expires_at"] is not None and row["expires_at"] <= self._database.clock()


def _transaction(snapshot: Snapshot, transaction_uid: str) -> RowMapping | None:
    statement = select(commitments).where(commitments.c.TransactionUID == transaction_uid)
    return snapshot.execute(statement).mappings().first()


def _known(snapshot: Snapshot, row: RowMapping) -> Known:
    statement = select(commitment_instances).where(commitment_instances.c.commitment_id == row["id"])
    rows = snapshot.execute(statement).mappings().all()
    references = {_reference(each) for each in rows}
    if row["answered_at"] is None:
        return Known(frozenset(references))
    committed = tuple(_reference(each) for each in rows if each["result"] == "committed")
    failed = tuple(Failure(_reference(each), each["FailureReason"]) for each in rows if each["result"] == "failed")
    return Known(frozenset(references), CommitmentResult(row["TransactionUID"], committed, failed))


def _reference(row: RowMapping) -> Reference:
    return Reference(row["SOPClassUID"], row["SOPInstanceUID"])


def _keep(transaction: Transaction, commitment_id: int, result: CommitmentResult) -> None:
    columns = commitment_instances.c
    own = update(commitment_instances).where(columns.commitment_id == commitment_id)
    committed = [each.sop_instance_uid for each in result.committed]
    transaction.execute(own.where(columns.SOPInstanceUID.in_(committed)).values(result="committed", FailureReason=None))
    for failure in result.failed:
        one = own.where(columns.SOPInstanceUID == failure.reference.sop_instance_uid)
        transaction.execute(one.values(result="failed", FailureReason=failure.reason))


def _has_failed(snapshot: Snapshot, commitment_id: int) -> bool:
    """Whether any instance is not committed: one that the report does not mention is not."""
    own = commitment_instances.c.commitment_id == commitment_id
    statement = select(commitment_instances.c.SOPInstanceUID).where(own, commitment_instances.c.result != "committed")
    return snapshot.execute(statement).first() is not None
