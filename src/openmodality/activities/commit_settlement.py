"""Decides what follows from the reports on a commit job: done, ask again, store again, or leave it to a person.

An archive that says that it has no such instance may not have indexed it yet. So the request is repeated first, each
time after twice the wait. Instances that still fail, or that fail for another reason, are stored again once, after the
delay of send jobs, and a job of their own asks for their commitment. After that a person decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Final

from openmodality.activities.commit_jobs import ASKED_AFTER_NOT_INDEXED, ASKS_AT, ASKS_BECAUSE, ROUND, make_commit_job
from openmodality.activities.send import make_send_job, make_send_retry
from openmodality.device.site.site import Peer, Site
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import Done, Fail, JobOutcome, Wait
from openmodality.jobs.report import JobReport
from openmodality.services.commitment import FAILURES_EXIST, SUCCESSFUL
from openmodality.standard.commitment import REASON_MEANINGS, FailureReason
from openmodality.store.rows.commitments import InstanceAnswer
from openmodality.store.states import InstanceCommitment, InstanceResult
from openmodality.value_class import dataclass

Answers = Mapping[str, InstanceAnswer]
"""What was said of each instance, by its SOP Instance UID."""

MOST_REPEATS: Final = 3
"""How often a request is repeated before its instances are stored again, where the archive does not know them yet."""

_NOT_MENTIONED: Final = InstanceAnswer(InstanceCommitment.PENDING, None, in_time=True)


@dataclass(slots=True)
class _Verdicts:
    """What the archive says of the instances that it has not committed."""

    failed: list[tuple[str, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    not_there: bool = False
    """Whether it does not have one of them."""

    def describe(self, name: str) -> str:
        total = self.reasons.total()
        what = "1 instance is" if total == 1 else f"{total} instances are"
        return f"{what} not committed by {name}: {self.reasons.most_common(1)[0][0]}"

    @property
    def is_each_named(self) -> bool:
        """Whether the archive has named each of them as failed."""
        return len(self.failed) == self.reasons.total()


def settle(site: Site, job: Job, report: JobReport, answers: Answers, now: float) -> JobOutcome:
    """The outcome of a job whose requests are answered; the result of each instance is noted as the answers say."""
    verdicts = _Verdicts()
    for instance in report.read_outstanding():
        answer = answers.get(instance.SOPInstanceUID, _NOT_MENTIONED)
        if is_committed(answer):
            report.note_instance(instance.SOPInstanceUID, InstanceResult.SUCCESS)
            continue
        words = _describe_failure(answer)
        verdicts.reasons[words] += 1
        report.note_instance(
            instance.SOPInstanceUID, InstanceResult.FAILURE, status=answer.failure_reason, comment=words
        )
        if answer.in_time and answer.result is InstanceCommitment.FAILED:
            verdicts.failed.append((instance.SOPClassUID, instance.SOPInstanceUID))
            verdicts.not_there |= answer.failure_reason == FailureReason.NO_SUCH_OBJECT_INSTANCE
    report.keep()
    return _decide_next(site, job, verdicts, now)


def _decide_next(site: Site, job: Job, verdicts: _Verdicts, now: float) -> JobOutcome:
    event = FAILURES_EXIST if verdicts.reasons else SUCCESSFUL
    peer = site.peers.get(job.destination)
    verdict = site.judge("storage_commitment", "N-EVENT-REPORT event", event, peer)
    if verdict.effect == "permit_delete":
        return Done()
    said = verdicts.describe(job.destination)
    if peer is None:
        return Fail(f"{said}; openmodality jobs retry {job.id} --peer NAME asks another archive")
    if verdict.effect != "resend" or not verdicts.is_each_named:
        return Fail(f"{said}; request it again when the reason is gone")
    asked = int(job.parameters.get(ASKED_AFTER_NOT_INDEXED, 0))
    if verdicts.not_there and asked < min(MOST_REPEATS, job.retry.max_retries) and job.retry.delay_s:
        until = now + job.retry.delay_s * 2**asked
        waits_for = f"{job.destination} to index what it was sent: {said}"
        return Wait(waits_for, until, {ASKED_AFTER_NOT_INDEXED: asked + 1, ASKS_AT: until, ASKS_BECAUSE: waits_for})
    return _store_again(job, peer, verdicts, now)


def find_wait(job: Job, now: float) -> Wait | None:
    """How much longer a job waits before it asks anew; None where the wait is over, or the clock was set back."""
    until = float(job.parameters.get(ASKS_AT, 0.0))
    if 0 < until - now <= job.retry.delay_s * 2**MOST_REPEATS:
        return Wait(str(job.parameters.get(ASKS_BECAUSE, f"{job.destination} to index what it was sent")), until)
    return None


def _store_again(job: Job, peer: Peer, verdicts: _Verdicts, now: float) -> JobOutcome:
    said = verdicts.describe(job.destination)
    it_is, it_was = ("it is", "it was") if len(verdicts.failed) == 1 else ("they are", "they were")
    round_ = int(job.parameters.get(ROUND, 0)) + 1
    if round_ > min(1, job.retry.max_retries):
        although = f", although {it_was} sent again" if round_ > 1 else ""
        return Fail(f"{said}{although}; request it again when the reason is gone")
    due_at = now + make_send_retry(peer).delay_s
    sending = replace(make_send_job(peer, verdicts.failed), due_at=due_at)
    again = (sending, make_commit_job(peer, verdicts.failed, round_=round_))
    return Done(f"{said}; {it_is} sent again, and asked for again by another job", then=again)


def is_committed(answer: InstanceAnswer | None) -> bool:
    """Whether the archive keeps the instance that this is the answer for."""
    return answer is not None and answer.in_time and answer.result is InstanceCommitment.COMMITTED


def _describe_failure(answer: InstanceAnswer) -> str:
    if not answer.in_time:
        return "no notification came in time"
    reason = answer.failure_reason
    if reason is None:
        return "the archive did not name it in its report"
    meaning = {int(code): text for code, text in REASON_MEANINGS.items()}.get(reason, "a reason of the peer's own")
    return f"{reason:04X}, {meaning}"
