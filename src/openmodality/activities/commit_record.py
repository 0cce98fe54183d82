"""The record of storage commitment transactions in the database, which notifications are checked against (PS3.4 J.3.3).

A result is in the database before it is answered, and wakes the job that asked.
"""

from __future__ import annotations

from openmodality.device.site.site import Site
from openmodality.dimse.channel import PeerInfo
from openmodality.jobs.queue import Queue
from openmodality.services.commitment import CommitmentResult, Known, Missing
from openmodality.store.rows.commitments import (
    RequestRecord,
    find_request,
    read_references,
    read_result,
    record_result,
)


class StoredCommitments:
    """Fulfils :class:`openmodality.services.commitment.CommitmentRecord`."""

    def __init__(self, queue: Queue, site: Site) -> None:
        self._queue = queue
        self._database = queue.database
        self._site = site

    def find(self, transaction_uid: str, peer: PeerInfo) -> Known | Missing:
        """Find a transaction on record. Only the peer that was asked for it may know it."""
        with self._database.read() as snapshot:
            request = find_request(snapshot, transaction_uid)
            if request is None or not self._is_from(request, peer):
                return Missing.UNKNOWN
            if request.is_over(self._database.clock()):
                return Missing.EXPIRED
            return Known(read_references(snapshot, request), read_result(snapshot, request))

    def result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        """Keep a result and wake the job."""
        with self._database.write() as transaction:
            request = find_request(transaction, result.transaction_uid)
            if request is None:
                return
            record_result(transaction, request, result)
            if request.job_id is not None:
                self._queue.wake(transaction, request.job_id)

    def _is_from(self, request: RequestRecord, peer: PeerInfo) -> bool:
        """Whether the association is with the peer that was asked, whoever of the two opened it."""
        asked = self._site.peers.get(request.destination)
        return asked is not None and asked.ae_title in (peer.calling_ae_title, peer.called_ae_title)
