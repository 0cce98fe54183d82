"""Commit jobs ask an archive to keep instances and wait for its answer. RF-4.2.2, MR-3.2.4; DECISIONS 10 to 12.

A job asks for its outstanding instances in transactions of bounded size. A transaction is in the database before its
N-ACTION is sent, because the notification may overtake the response. Then the job waits; the notification, or the end
of its time, wakes it (``activities.commit_record``). Instances that an archive did not commit are sent again and asked
for again, at most as often as a request may be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from openmodality.activities.commit_record import StoredCommitments
from openmodality.activities.connection import Connector, find_response_timeout_s
from openmodality.activities.send import make_send_job
from openmodality.device.site.site import Peer
from openmodality.dimse.status import describe
from openmodality.errors import AssociationAborted, AssociationReleased, TransportError
from openmodality.jobs.job import Job, JobInstance, NewJob, RetryParameters
from openmodality.jobs.outcome import Done, Fail, JobOutcome, Retry, Wait
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.network.association import Association
from openmodality.objects.identity import Uids
from openmodality.services.commitment import (
    FAILURES_EXIST,
    SUCCESSFUL,
    Reference,
    commitment_result_service,
    request_commitment,
    share_out,
)
from openmodality.standard.commitment import REASON_MEANINGS
from openmodality.store.rows.commitments import (
    InstanceAnswer,
    close_expired_requests,
    has_requests,
    insert_request,
    mark_sent,
    read_answers,
    read_expiries,
    read_unsent_requests,
    release_requests,
)
from openmodality.store.states import InstanceCommitment, InstanceResult, JobKind

MAX_REFERENCES: Final = 500
"""Instances in one request; some archives limit it (INTEROP trap 33)."""

_ROUND: Final = "round"
_NOT_MENTIONED: Final = InstanceAnswer(InstanceCommitment.PENDING, None, in_time=True)


def make_commit_job(
    peer: Peer, instances: Sequence[tuple[str, str]], *, after: Sequence[int] = (), round_: int = 0
) -> NewJob:
    """A job that asks a peer to commit itself to these instances (SOP Class UID, SOP Instance UID)."""
    return NewJob(
        JobKind.COMMIT, peer.name, {_ROUND: round_}, instances=instances, retry=make_commit_retry(peer), after=after
    )


def make_commit_retry(peer: Peer) -> RetryParameters:
    """A failed request is repeated as often as its parameter says, with the delay of send jobs (DECISIONS 10, 11)."""
    retries = peer.parameters.integer("storage_commitment.retries")
    delay_s = peer.parameters.number("storage.retry_delay_min") * 60
    return RetryParameters(retries, delay_s if retries else 0.0, permanent=True)


class CommitExecutor:
    """Does the commit jobs."""

    def __init__(self, queue: Queue, connections: Connector, uids: Uids) -> None:
        self._queue = queue
        self._database = queue.database
        self._connections = connections
        self._uids = uids

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Ask for what was not asked yet, then wait; once all is answered, settle it."""
        peer = self._connections.site.peer(job.destination)
        outstanding = report.outstanding()
        if not self._has_requests(job):
            self._record_requests(job, outstanding)
        refusal = self._send_requests(job, peer)
        if refusal is not None:
            return refusal
        waiting, until = self._count_unanswered(job)
        if waiting:
            return Wait(f"{peer.name} to report on {waiting} storage commitment requests", until)
        return self._settle(job, peer, report, outstanding)

    def _has_requests(self, job: Job) -> bool:
        with self._database.read() as snapshot:
            return has_requests(snapshot, job.id)

    def _record_requests(self, job: Job, outstanding: Sequence[JobInstance]) -> None:
        """The transactions, before anything is sent."""
        references = [Reference(each.SOPClassUID, each.SOPInstanceUID) for each in outstanding]
        with self._database.write() as transaction:
            for chunk in share_out(references, MAX_REFERENCES):
                insert_request(transaction, self._uids(), job.destination, job.id, chunk)

    def _send_requests(self, job: Job, peer: Peer) -> JobOutcome | None:
        """Send what is recorded and not sent; the outcome of the run where that fails."""
        with self._database.read() as snapshot:
            pending = read_unsent_requests(snapshot, job.id)
        if not pending:
            return None
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
            f"{peer.name} answered the commitment request with {describe(result.status)}: {verdict.meaning}",
            transient=verdict.is_transient,
        )

    def _wait_on(self, association: Association, job: Job, peer: Peer) -> None:
        """Wait for the notification on the same association, where the site says so."""
        if not peer.settings.commitment_same_association:
            return
        delay_s = peer.parameters.number("storage_commitment.release_delay_s")
        deadline = self._database.clock() + (delay_s or peer.parameters.number("general.dimse_timeout_s"))
        try:
            while self._count_unanswered(job)[0] and (left_s := deadline - self._database.clock()) > 0:
                association.answer(association.receive(left_s))
        except (TransportError, AssociationReleased, AssociationAborted):
            return  # nothing came, or the peer has ended the association: its report comes on another one

    def _mark_sent(self, transaction_uid: str, peer: Peer) -> None:
        hours = peer.parameters.number("storage_commitment.notification_timeout_h")
        expires_at = self._database.clock() + hours * 3600 if hours else None
        with self._database.write() as transaction:
            mark_sent(transaction, transaction_uid, expires_at)

    def _count_unanswered(self, job: Job) -> tuple[int, float | None]:
        """How many requests are open, and when the first of them expires; those whose time is over are closed."""
        with self._database.write() as transaction:
            close_expired_requests(transaction, job.id)
            expiries = read_expiries(transaction, job.id)
        return len(expiries), min((at for at in expiries if at is not None), default=None)

    def _settle(self, job: Job, peer: Peer, report: JobReport, outstanding: Sequence[JobInstance]) -> JobOutcome:
        with self._database.read() as snapshot:
            answers = read_answers(snapshot, job.id)
        failed: list[tuple[str, str]] = []
        reasons: Counter[str] = Counter()
        for instance in outstanding:
            answer = answers.get(instance.SOPInstanceUID, _NOT_MENTIONED)
            if answer.in_time and answer.result is InstanceCommitment.COMMITTED:
                report.instance(instance.SOPInstanceUID, InstanceResult.SUCCESS)
                continue
            words = _describe_failure(answer)
            reasons[words] += 1
            report.instance(
                instance.SOPInstanceUID, InstanceResult.FAILURE, status=answer.failure_reason, comment=words
            )
            if answer.in_time and answer.result is InstanceCommitment.FAILED:
                failed.append((instance.SOPClassUID, instance.SOPInstanceUID))
        report.keep()
        return self._decide_next(job, peer, failed, reasons)

    def _decide_next(self, job: Job, peer: Peer, failed: list[tuple[str, str]], reasons: Counter[str]) -> JobOutcome:
        event = FAILURES_EXIST if reasons else SUCCESSFUL
        verdict = self._connections.site.judge("storage_commitment", "N-EVENT-REPORT event", event, peer)
        if verdict.effect == "permit_delete":
            return Done()
        said = f"{reasons.total()} instances are not committed by {peer.name}: {reasons.most_common(1)[0][0]}"
        round_ = int(job.parameters.get(_ROUND, 0)) + 1
        by_hand = (
            verdict.effect != "resend"
            or len(failed) < reasons.total()
            or round_ > peer.parameters.integer("storage_commitment.retries")
        )
        if by_hand:
            with self._database.write() as transaction:
                release_requests(transaction, job.id)  # a retry asks anew
            return Fail(f"{said}; request it again when the reason is gone")
        again = (make_send_job(peer, failed), make_commit_job(peer, failed, round_=round_))
        return Done(f"{said}; they are sent again, and asked for again by another job", then=again)


def _describe_failure(answer: InstanceAnswer) -> str:
    if not answer.in_time:
        return "no notification came in time"
    reason = answer.failure_reason
    if reason is None:
        return "the archive did not name it in its report"
    meaning = {int(code): text for code, text in REASON_MEANINGS.items()}.get(reason, "a reason of the peer's own")
    return f"{reason:04X}, {meaning}"
