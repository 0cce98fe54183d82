"""The record of storage commitment transactions in the database; notifications are checked against it (PS3.4 J.3.3).

A result is in the database before it is answered, and wakes the job that asked.
"""

from __future__ import annotations

import logging

from openmodality.device.site.site import Site
from openmodality.dimse.channel import PeerInfo
from openmodality.jobs.listing import get_job, list_jobs, read_instances
from openmodality.jobs.queue import Queue
from openmodality.services.commitment import CommitmentResult, Known, Missing
from openmodality.store.rows.commitments import (
    RequestRecord,
    find_request,
    read_answers,
    read_asked_title,
    read_references,
    read_result,
    record_result,
)
from openmodality.store.rows.jobs import describe_wait
from openmodality.store.states import InstanceCommitment, JobKind, JobState
from openmodality.store.transaction import Snapshot

_log = logging.getLogger(__name__)


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
            if request is not None and self._is_from(request, peer):
                if request.is_over(self._database.clock()):
                    return Missing.EXPIRED
                return Known(read_references(snapshot, request), read_result(snapshot, request))
        if request is not None:
            self._note_stranger(request, peer)
        return Missing.UNKNOWN

    def keep_result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        """Keep a result and wake the job."""
        with self._database.write() as transaction:
            request = find_request(transaction, result.transaction_uid)
            if request is None:
                return
            record_result(transaction, request, result)
            self._queue.tell_peer_is_there(transaction, request.destination)
            if request.job_id is not None:
                is_complete = _is_all_committed(transaction, request.job_id)
                self._queue.wake(transaction, request.job_id, even_failed=is_complete)

    def note_refused(self, calling: str) -> None:
        """Say in the jobs that wait for a report of this AE that an association of it was rejected just now."""
        with self._database.write() as transaction:
            for job in list_jobs(transaction, states=[JobState.WAITING], kinds=[JobKind.COMMIT]):
                if calling in self._list_titles(job.destination, read_asked_title(transaction, job.id)):
                    what = f"an association of {calling} was rejected, because others were open: its report may be lost"
                    words = f"{what}; openmodality jobs retry {job.id} asks anew"
                    describe_wait(transaction, job.id, _add_words(job.waiting_for, words))

    def _note_stranger(self, request: RequestRecord, peer: PeerInfo) -> None:
        """Note in the job that a report was refused because it came from another peer, and from which one."""
        calling = peer.calling_ae_title
        _log.warning("commitment.other_peer", extra={"calling": calling, "peer": request.destination})
        if request.job_id is None:
            return
        with self._database.write() as transaction:
            job = get_job(transaction, request.job_id)
            if job.state is JobState.WAITING:
                title = request.ae_title or request.destination
                words = f"a report came under the AE title {calling} and was refused: it was {title} that was asked"
                describe_wait(transaction, job.id, _add_words(job.waiting_for, words))

    def _is_from(self, request: RequestRecord, peer: PeerInfo) -> bool:
        """Whether the association is with the peer that was asked, whoever of the two opened it.

        It may have got another name in the site file since, or another AE title under the same name.
        """
        titles = self._list_titles(request.destination, request.ae_title)
        return not titles.isdisjoint((peer.calling_ae_title, peer.called_ae_title))

    def _list_titles(self, destination: str, asked_title: str) -> set[str]:
        known = self._site.peers.get(destination)
        return {title for title in (asked_title, known.ae_title if known else "") if title}


def _is_all_committed(snapshot: Snapshot, job_id: int) -> bool:
    answers = read_answers(snapshot, job_id)
    return all(
        (answer := answers.get(each.SOPInstanceUID)) is not None
        and answer.in_time
        and answer.result is InstanceCommitment.COMMITTED
        for each in read_instances(snapshot, job_id, outstanding=True)
    )


def _add_words(said: str, words: str) -> str:
    """The text of what a job waits for, with what has happened meanwhile added once."""
    return said if words in said else f"{said}; {words}"
