"""Storage commitment as the virtual PACS does it: transactions on disk, results reported until the device has them.

A result goes, as the plan of the transaction says, on a new association to the requestor's address, on the same
association after the response to N-ACTION, or before that response. What could not be reported is tried again, also
after a restart.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from openmodality.counted import format_count
from openmodality.dimse.channel import Channel
from openmodality.dimse.service import Refuse
from openmodality.encoding.uid import new_uid
from openmodality.errors import OpenModalityError
from openmodality.hospital.agenda import Agenda
from openmodality.hospital.journal import Journal
from openmodality.hospital.json_documents import Documents
from openmodality.services.commitment import (
    CommitmentRequest,
    CommitmentResult,
    Failure,
    Reference,
    send_report,
)
from openmodality.standard.commitment import FailureReason
from openmodality.standard.dimse import Status
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)

_PLACE: Final = "PACS"


class When(Enum):
    """When and where a result is reported."""

    EARLY = "before the N-ACTION response"
    SAME = "on the same association"
    NEW = "on a new association"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """How the result of one transaction is reported; all but the first two are misbehaviour."""

    when: When = When.NEW
    delay_s: float = 0.0
    times: int = 1
    with_failures: bool = False
    with_unknown_transaction: bool = False
    with_role_selection: bool = True


class CommitmentState(Enum):
    """What became of a transaction."""

    WAITING = "waiting"
    REPORTED = "reported"
    REFUSED = "refused by the device"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Commitment:
    """A transaction: who asked for what, and how far it is; ``status`` is the device's answer to the report."""

    transaction_uid: str
    requestor: str
    references: tuple[Reference, ...]
    plan: ReportPlan = field(default_factory=ReportPlan)
    state: CommitmentState = CommitmentState.WAITING
    attempts: int = 0
    status: int | None = None
    last_error: str = ""


ReportOnNewAssociation = Callable[[str, Callable[[Channel], int], ReportPlan], int]
"""Opens an association to an AE title, lets the function report on it and gives its status."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How results are reported: the default plan, the wait between attempts, and the way to a device."""

    plan: Callable[[], ReportPlan]
    retry_s: float
    on_new_association: ReportOnNewAssociation


class Commitments:
    """Fulfils :class:`openmodality.services.commitment.CommitmentSource`.

    ``stored`` gives the SOP Class UID of each instance by its SOP Instance UID.
    """

    def __init__(
        self, folder: Path, journal: Journal, stored: Callable[[], Mapping[str, str]], reporting: Reporting
    ) -> None:
        self._journal = journal
        self._stored = stored
        self._reporting = reporting
        self._files = Documents(folder)
        self._lock = threading.Lock()
        self._all = {uid: _from_document(document) for uid, document in self._files.load().items()}
        self._agenda = Agenda(self._deliver, "commitment-results")

    def start(self) -> None:
        """Report what waits, also from before a restart."""
        for commitment in self.all:
            if commitment.state is CommitmentState.WAITING:
                self._agenda.plan(commitment.transaction_uid, commitment.plan.delay_s)
        self._agenda.start()

    def stop(self) -> None:
        """Stop reporting; what waits is reported after the next start."""
        self._agenda.stop()

    def hurry(self) -> None:
        """Try all that waits now, because an address has changed."""
        self._agenda.hurry()

    @property
    def all(self) -> list[Commitment]:
        """All transactions, in the order in which they came."""
        with self._lock:
            return list(self._all.values())

    # CommitmentSource

    def commit(self, request: CommitmentRequest) -> None:
        """Take a request: it is on disk before it is answered."""
        plan = self._reporting.plan()
        with self._lock:
            if request.transaction_uid in self._all:
                raise Refuse(Status.DUPLICATE_INVOCATION, "the Transaction UID is in use already")
        state = CommitmentState.WITHHELD if plan.when is When.NEVER else CommitmentState.WAITING
        requestor = request.peer.calling_ae_title.strip()
        commitment = Commitment(request.transaction_uid, requestor, request.references, plan, state)
        self._keep(commitment)
        count = format_count(len(request.references), "instance")
        self._note("commitment.requested", f"{requestor} asks to commit {count}", commitment)
        if plan.when is When.EARLY:
            self._report_on(request.channel, commitment)

    def answered(self, request: CommitmentRequest) -> None:
        """The request has been answered: report on this association, or plan to."""
        commitment = self._get(request.transaction_uid)
        if commitment.plan.when is When.SAME and commitment.state is CommitmentState.WAITING:
            self._report_on(request.channel, commitment)
            commitment = self._get(request.transaction_uid)
        if commitment.state is CommitmentState.WAITING:
            self._agenda.plan(commitment.transaction_uid, commitment.plan.delay_s)

    # Reporting

    def _deliver(self, transaction_uid: str) -> float | None:
        commitment = self._get(transaction_uid)
        if commitment.state is not CommitmentState.WAITING:
            return None
        try:
            status = self._reporting.on_new_association(
                commitment.requestor, lambda channel: self._send(channel, commitment), commitment.plan
            )
        except OpenModalityError as error:
            self._note_failure(commitment, error.message)
            return self._reporting.retry_s
        self._note_report(commitment, status)
        return None

    def _report_on(self, channel: Channel, commitment: Commitment) -> None:
        """Report on the association of the request; what fails there is left to a new one."""
        try:
            self._note_report(commitment, self._send(channel, commitment))
        except OpenModalityError as error:
            self._note_failure(commitment, error.message)
            self._agenda.plan(commitment.transaction_uid, self._reporting.retry_s)

    def _send(self, channel: Channel, commitment: Commitment) -> int:
        result = result_of(commitment, self._stored())
        status = 0
        for _ in range(commitment.plan.times):
            status = send_report(channel, result).status
        return status

    def _note_report(self, commitment: Commitment, status: int) -> None:
        taken = status == Status.SUCCESS
        state = CommitmentState.REPORTED if taken else CommitmentState.REFUSED
        done = replace(commitment, state=state, attempts=commitment.attempts + 1, status=status, last_error="")
        self._keep(done)
        failed = len(result_of(done, self._stored()).failed)
        text = f"reported to {done.requestor}: {len(done.references) - failed} committed, {failed} failed"
        self._note(
            "commitment.reported", text if taken else f"{text}; answered with {status:04X}H", done, failed=failed
        )
        if not taken and not commitment.plan.with_unknown_transaction:
            self._journal.complain(_PLACE, f"{done.requestor}: answered a commitment result with {status:04X}H")

    def _note_failure(self, commitment: Commitment, error: str) -> None:
        later = replace(commitment, attempts=commitment.attempts + 1, last_error=error)
        self._keep(later)
        self._note("commitment.retry", f"the result for {later.requestor} could not be reported: {error}", later)

    def _note(self, kind: str, text: str, commitment: Commitment, **fields: int) -> None:
        uid, count = commitment.transaction_uid, len(commitment.references)
        self._journal.note(_PLACE, kind, text, transaction=uid, instances=count, **fields)

    def _get(self, transaction_uid: str) -> Commitment:
        with self._lock:
            return self._all[transaction_uid]

    def _keep(self, commitment: Commitment) -> None:
        with self._lock:
            self._files.save(commitment.transaction_uid, _document(commitment))
            self._all[commitment.transaction_uid] = commitment


def result_of(commitment: Commitment, stored: Mapping[str, str]) -> CommitmentResult:
    """What is true of the instances, changed as the plan says; ``stored`` is the SOP Class by SOP Instance UID."""
    failures = tuple(
        Failure(reference, reason) for reference in commitment.references if (reason := _reason(reference, stored))
    )
    if commitment.plan.with_failures and not failures:
        failures = (Failure(commitment.references[0], FailureReason.PROCESSING_FAILURE),)
    failed = {failure.reference for failure in failures}
    committed = tuple(reference for reference in commitment.references if reference not in failed)
    uid = new_uid() if commitment.plan.with_unknown_transaction else commitment.transaction_uid
    return CommitmentResult(uid, committed, failures)


def _reason(reference: Reference, stored: Mapping[str, str]) -> int:
    sop_class_uid = stored.get(reference.sop_instance_uid)
    if sop_class_uid is None:
        return FailureReason.NO_SUCH_OBJECT_INSTANCE
    return 0 if sop_class_uid == reference.sop_class_uid else FailureReason.CLASS_INSTANCE_CONFLICT


def _document(commitment: Commitment) -> dict[str, Any]:
    document = asdict(commitment)
    document["state"] = commitment.state.value
    document["plan"]["when"] = commitment.plan.when.value
    return document


def _from_document(document: Mapping[str, Any]) -> Commitment:
    plan = dict(document["plan"])
    plan["when"] = When(plan["when"])
    return Commitment(
        **{
            **document,
            "references": _references(document["references"]),
            "plan": ReportPlan(**plan),
            "state": CommitmentState(document["state"]),
        }
    )


def _references(said: Sequence[Mapping[str, str]]) -> tuple[Reference, ...]:
    return tuple(Reference(each["sop_class_uid"], each["sop_instance_uid"]) for each in said)
