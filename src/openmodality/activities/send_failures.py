"""Collects the failures of a run of a send job, and chooses what the next run tries; over DICOMweb too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field

from openmodality.device.site.site import Peer
from openmodality.dimse.verdict import Judge, find_advice
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.jobs.job import JobInstance
from openmodality.jobs.outcome import Done, Fail, JobOutcome, Retry
from openmodality.jobs.report import JobReport
from openmodality.store.states import InstanceResult
from openmodality.value_class import dataclass


@dataclass(slots=True)
class SendFailures:
    """The failures of a run, by their reasons.

    ``instances`` has the first instance of a reason that is about instances. ``declined`` are instances for which the
    peer accepted no presentation context. ``advice`` says what a person can do about a reason, ``hint`` about all.
    """

    reasons: Counter[str] = field(default_factory=Counter)
    advice: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    declined: set[str] = field(default_factory=set)
    hint: str = ""
    may_pass: bool = False
    is_peer_away: bool = False

    def add(self, reason: str, uid: str = "", *, count: int = 1, may_pass: bool, is_peer_away: bool = False) -> None:
        """Count failures of one reason, of the instance ``uid`` where it is about one."""
        self.reasons[reason] += count
        if uid:
            self.instances.setdefault(reason, uid)
        self.may_pass |= may_pass
        self.is_peer_away |= is_peer_away

    def note_refusal(self, reason: str, status: int | None) -> None:
        """Note that a reason is a status of the peer; None where it is not."""
        if status is not None:
            self.advice[reason] = find_advice("storage", "C-STORE", status)

    def note_error(self, reason: str, error: OpenModalityError | None) -> None:
        """Note that a reason is an error of the association; None where it is not."""
        if error is not None and error.advice:
            self.advice[reason] = error.advice

    def decide(self, peer: Peer) -> JobOutcome:
        """The outcome of the run: the job is tried again while any failure may pass."""
        if not self.reasons:
            return Done()
        # what befell an instance says more than that others waited for it
        reason, count = max(self.reasons.items(), key=lambda each: (each[0] in self.instances, each[1]))
        total = self.reasons.total()
        words = f"{total} instances were not sent to {peer.name}: " if total > 1 else f"not sent to {peer.name}: "
        more = f" ({count} of them)" if count < total else ""
        if count == 1 and reason in self.instances:
            more = f" (instance {self.instances[reason]})"
        said = "; ".join(filter(None, (words + reason + more, self.advice.get(reason), self.hint)))
        return Retry(said, peer_away=self.is_peer_away) if self.may_pass else Fail(said)


def list_to_try(outstanding: Iterable[JobInstance], judge: Judge, failures: SendFailures) -> Iterator[JobInstance]:
    """The instances to offer, the untried ones first, without those that the peer has refused for good."""
    for instance in sorted(outstanding, key=lambda each: each.attempts):
        status = instance.status if instance.result is InstanceResult.FAILURE else None
        if status is not None and not judge(status).is_transient:
            failures.add(instance.comment, may_pass=False)
            failures.note_refusal(instance.comment, status)
        else:
            yield instance


def note_unreadable(uid: str, error: ObjectInvalid, report: JobReport, failures: SendFailures) -> None:
    """Put on record that the file of an instance cannot be read."""
    reason = f"the instance file cannot be read: {error.advice or 'it is missing or damaged'}"
    report.note_instance(uid, InstanceResult.FAILURE, comment=reason)
    failures.add(reason, may_pass=False)
