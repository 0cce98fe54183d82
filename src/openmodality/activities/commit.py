"""Commit jobs ask an archive to keep instances and wait for its answer. RF-4.2.2, MR-3.2.4; DECISIONS 10 to 12.

A job asks for its outstanding instances in transactions of bounded size. A transaction is in the database before its
N-ACTION is sent, because the notification may overtake the response. Then the job waits; the notification, or the end
of its time, wakes it (``activities.commit_record``). A job that asks anew does so under new Transaction UIDs; a report
on an earlier one still counts. What follows from the answers is in ``activities.commit_settlement``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Final

from openmodality.activities.commit_jobs import ASKED_AFTER_SILENCE, ASKS_AT
from openmodality.activities.commit_record import StoredCommitments
from openmodality.activities.commit_settlement import find_wait, is_committed, settle
from openmodality.activities.connection import Connector, describe_report_address, find_response_timeout_s
from openmodality.counted import format_count
from openmodality.device.site.site import Peer
from openmodality.dimse.verdict import find_advice
from openmodality.errors import AssociationAborted, AssociationReleased, TransportError
from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.outcome import JobOutcome, Retry, Wait
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.network.association import Association
from openmodality.objects.identity import Uids
from openmodality.services.commitment import (
    Reference,
    commitment_result_service,
    request_commitment,
    share_out,
)
from openmodality.store.rows.commitments import (
    OpenRequest,
    close_expired_requests,
    has_requests,
    insert_request,
    mark_sent,
    read_answers,
    read_asked_title,
    read_open_requests,
    read_unsent_requests,
    supersede_requests,
)

MAX_REFERENCES: Final = 500
"""Instances in one request; some archives limit it (INTEROP trap 33)."""


class CommitExecutor:
    """Does the commit jobs. ``listen`` is called before a request goes out, so that its report finds somebody."""

    def __init__(self, queue: Queue, connections: Connector, uids: Uids, listen: Callable[[], None]) -> None:
        self._queue = queue
        self._database = queue.database
        self._connections = connections
        self._uids = uids
        self._listen = listen

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Ask for what was not asked yet, then wait; once all is answered, settle it."""
        outstanding = report.read_outstanding()
        is_known = job.destination in self._connections.site.peers
        if self._is_answered(job, outstanding) or (not is_known and self._has_open_requests(job)):
            return self._wait_or_settle(job, report, outstanding)
        peer = self._connections.get_peer_of(job)
        wait = find_wait(job, self._database.clock())
        if wait is not None:
            return wait  # a report that came while the job settled it has woken it
        remember = self._give_up_requests(job, peer)
        if not self._has_requests(job):
            self._record_requests(job, peer, outstanding)
        refusal = self._send_requests(job, peer)
        if refusal is not None:
            return refusal
        outcome = self._wait_or_settle(job, report, outstanding)
        return replace(outcome, remember={**remember, **outcome.remember}) if isinstance(outcome, Wait) else outcome

    def _wait_or_settle(self, job: Job, report: JobReport, outstanding: Sequence[JobInstance]) -> JobOutcome:
        waiting = self._read_open(job)
        if waiting and not self._is_answered(job, outstanding):
            return Wait(self._describe_wait(job, len(waiting)), self._find_next_look(job, waiting))
        with self._database.read() as snapshot:
            answers = read_answers(snapshot, job.id)
        return settle(self._connections.site, job, report, answers, self._database.clock())

    def _has_requests(self, job: Job) -> bool:
        with self._database.read() as snapshot:
            return has_requests(snapshot, job.id)

    def _has_open_requests(self, job: Job) -> bool:
        with self._database.read() as snapshot:
            return bool(read_open_requests(snapshot, job.id)) or bool(read_answers(snapshot, job.id))

    def _is_answered(self, job: Job, outstanding: Sequence[JobInstance]) -> bool:
        """Whether all instances are committed by the reports on any of the job's requests."""
        with self._database.read() as snapshot:
            answers = read_answers(snapshot, job.id)
        return bool(answers) and all(is_committed(answers.get(each.SOPInstanceUID)) for each in outstanding)

    def _give_up_requests(self, job: Job, peer: Peer) -> dict[str, int]:
        """Close the requests that are to be made anew; returns what the job is to remember of them."""
        asks_next = bool(job.parameters.get(ASKS_AT))
        limit_s = _find_patience_s(job, peer)
        is_late = limit_s and any(self._database.clock() >= each.created_at + limit_s for each in self._read_open(job))
        if not asks_next and not is_late:
            return {}
        with self._database.write() as transaction:
            supersede_requests(transaction, job.id)
        if asks_next:
            return {ASKS_AT: 0}
        return {ASKED_AFTER_SILENCE: int(job.parameters.get(ASKED_AFTER_SILENCE, 0)) + 1}

    def _record_requests(self, job: Job, peer: Peer, outstanding: Sequence[JobInstance]) -> None:
        """The transactions, before anything is sent."""
        references = [Reference(each.SOPClassUID, each.SOPInstanceUID) for each in outstanding]
        with self._database.write() as transaction:
            for chunk in share_out(references, MAX_REFERENCES):
                insert_request(transaction, self._uids(), job.destination, job.id, chunk, ae_title=peer.ae_title)

    def _send_requests(self, job: Job, peer: Peer) -> JobOutcome | None:
        """Send what is recorded and not sent; the outcome of the run where that fails."""
        with self._database.read() as snapshot:
            pending = read_unsent_requests(snapshot, job.id)
        if not pending:
            return None
        if not peer.settings.commitment_same_association:
            self._listen()
        service = commitment_result_service(StoredCommitments(self._queue, self._connections.site))
        with (
            self._connections.take_turn("storage_commitment"),
            self._connections.open("storage_commitment", peer, services=(service,)) as association,
        ):
            for transaction_uid, references in pending:
                refusal = self._request(association, peer, transaction_uid, references)
                if refusal is not None:
                    return refusal
            self._wait_on(association, job, peer)
        return None

    def _request(
        self, association: Association, peer: Peer, transaction_uid: str, references: Sequence[Reference]
    ) -> JobOutcome | None:
        timeout_s = find_response_timeout_s(peer, "storage_commitment.response_timeout_s")
        result = request_commitment(association, transaction_uid, references, timeout_s=timeout_s)
        verdict = self._connections.site.judge("storage_commitment", "N-ACTION", result.status, peer)
        if verdict.is_done:
            self._mark_sent(transaction_uid, peer)
            return None
        if verdict.must_abort:
            association.abort()
        return Retry(
            f"{peer.name} answered the commitment request with {verdict.describe()}; "
            f"{find_advice('storage_commitment', 'N-ACTION', result.status)}",
            transient=verdict.is_transient,
        )

    def _wait_on(self, association: Association, job: Job, peer: Peer) -> None:
        """Wait for the notification on the same association, where the site says so."""
        if not peer.settings.commitment_same_association:
            return
        delay_s = peer.parameters.number("storage_commitment.release_delay_s")
        deadline = monotonic() + (delay_s or peer.parameters.number("general.dimse_timeout_s"))
        try:
            while self._read_open(job) and (left_s := deadline - monotonic()) > 0:
                association.answer(association.receive(left_s))
        except (TransportError, AssociationReleased, AssociationAborted):
            return  # nothing came, or the peer has ended the association: its report comes on another one

    def _mark_sent(self, transaction_uid: str, peer: Peer) -> None:
        hours = peer.parameters.number("storage_commitment.notification_timeout_h")
        expires_at = self._database.clock() + hours * 3600 if hours else None
        with self._database.write() as transaction:
            mark_sent(transaction, transaction_uid, expires_at)

    def _read_open(self, job: Job) -> list[OpenRequest]:
        """The requests that are open; those whose time is over are closed."""
        peer = self._connections.site.peers.get(job.destination)
        hours = peer.parameters.number("storage_commitment.notification_timeout_h") if peer else 0
        with self._database.write() as transaction:
            close_expired_requests(transaction, job.id, hours * 3600 or None)
            return read_open_requests(transaction, job.id)

    def _find_next_look(self, job: Job, waiting: Sequence[OpenRequest]) -> float | None:
        """When a request expires, or is to be asked anew; None where only a report ends the wait."""
        times = [each.expires_at for each in waiting if each.expires_at is not None]
        peer = self._connections.site.peers.get(job.destination)
        limit_s = _find_patience_s(job, peer) if peer else 0
        return min([*times, *(each.created_at + limit_s for each in waiting if limit_s)], default=None)

    def _describe_wait(self, job: Job, count: int) -> str:
        """Who must call whom, at which address."""
        site = self._connections.site
        peer = site.peers.get(job.destination)
        with self._database.read() as snapshot:
            title = read_asked_title(snapshot, job.id) or (peer.ae_title if peer else "")
        what = format_count(count, "request")
        words = f"{job.destination} to report on {what} for storage commitment: {title} must call"
        words += f" {describe_report_address(site)}"
        if peer is None:
            again = f"openmodality jobs retry {job.id} --peer NAME asks another"
            words += f"; {site.path.name} has no peer {job.destination!r} any more: {again}"
        return words


def _find_patience_s(job: Job, peer: Peer) -> float:
    """How long a job waits for a report before it asks anew; 0: as long as it takes."""
    if int(job.parameters.get(ASKED_AFTER_SILENCE, 0)) >= peer.parameters.integer("storage_commitment.retries"):
        return 0
    return peer.parameters.number("storage_commitment.ask_again_min") * 60
