"""Probes of storage commitment: whether the request is taken, and how, when and where the result comes (PS3.4 Annex J).

The request goes out early and its result is waited for at the end, so that what is slow costs no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Final

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import Severity, Written, classify, format_status
from openmodality.conformance.doctor.reports import HeardReport, ReportWatch
from openmodality.conformance.doctor.storage_probe import StoredImage
from openmodality.dimse.status import describe
from openmodality.encoding.uid import new_uid
from openmodality.errors import OpenModalityError, TransportError
from openmodality.services.commitment import Reference, request_commitment
from openmodality.standard.sop_classes import SECONDARY_CAPTURE_IMAGE_STORAGE, STORAGE_COMMITMENT_PUSH_MODEL

_AREA: Final = "storage commitment"
_LONGEST_WAIT_S: Final = 36.0
"""How long a result is waited for, from the request on."""
_SAME_S: Final = 1.0
"""How long the association of the request is kept open for a result."""
_TWICE_S: Final = 0.5
"""How long after a report another one is listened for."""
LATE_S: Final = 4.0
"""A result that takes longer is late: a device waits for it without the association."""


class CommitmentProbe:
    """A request and the watch over its result; ``port`` is where we listen, 0 where we do not."""

    def __init__(self, examination: Examination, stored: Sequence[StoredImage], port: int) -> None:
        self._examination = examination
        self._is_stored = bool(stored)
        references = [each.reference for each in stored] or [Reference(SECONDARY_CAPTURE_IMAGE_STORAGE, new_uid())]
        self._references = references
        self._port = port
        self._is_listening = False
        self._watch = ReportWatch(new_uid(), frozenset(references))
        self._is_taken = False

    @contextmanager
    def run(self) -> Iterator[None]:
        """Ask for commitment, let other probes work, then say how the result has come."""
        with ExitStack() as until_end:
            until_end.callback(self._watch.close)
            self._listen(until_end)
            self._ask()
            yield
            if self._is_taken:
                self._examination.tell("waiting for the result of storage commitment")
                self._await_result()
                self._judge()

    def _listen(self, until_end: ExitStack) -> None:
        examination = self._examination
        if not self._port:
            return
        try:
            local, context = examination.ends("storage_commitment").local, examination.report_context
            until_end.enter_context(self._watch.listen(local, self._port, context))
            self._is_listening = True
        except TransportError as error:
            text = f"a result on a new association cannot come in: {error.message}"
            examination.note(_AREA, "route", text, Severity.UNTRIED)

    def _ask(self) -> None:
        examination, watch = self._examination, self._watch
        service = watch.make_service("same")
        examination.written.append(Written("transaction", watch.transaction_uid, "request for storage commitment"))
        try:
            with examination.talk(
                "storage_commitment", STORAGE_COMMITMENT_PUSH_MODEL, services=(service,)
            ) as association:
                watch.asked_at = monotonic()
                answer = request_commitment(association, watch.transaction_uid, self._references)
                watch.answered_at = monotonic()
                if answer.status:
                    examination.observe("commitment request", format_status(answer.status))
                    text = f"the request is answered with {describe(answer.status, answer.comment)}"
                    examination.note(_AREA, "request", text, Severity.PROBLEM)
                    return
                self._is_taken = True
                association.attend(_SAME_S, watch.wake)
        except OpenModalityError as error:
            if self._is_taken:
                return  # the peer has ended the association of a request that it has answered
            outcome = classify(error)
            examination.observe("commitment request", outcome)
            examination.note(_AREA, "request", error.message, Severity.PROBLEM)

    def _await_result(self) -> None:
        watch, examination = self._watch, self._examination
        waited_s = monotonic() - watch.asked_at
        limit_s = _LONGEST_WAIT_S if self._is_listening else _SAME_S
        if watch.wait_for(1, limit_s - waited_s):
            watch.wait_for(2, _TWICE_S)
        examination.facts["commitment_reports"] = len(watch.reports)

    def _judge(self) -> None:
        reports, examination = self._watch.reports, self._examination
        if not reports:
            self._judge_silence()
            return
        first = reports[0]
        examination.facts |= {"commitment_route": first.route, "commitment_delay_s": round(first.delay_s, 1)}
        examination.note(
            _AREA,
            "route",
            _describe_route(first),
            Severity.NOTE if first.route == "same" else Severity.FACT,
        )
        for outcome, text in self._list_oddities(reports):
            examination.observe("commitment result", outcome)
            if text:
                examination.note(_AREA, "result", text, Severity.NOTE)

    def _judge_silence(self) -> None:
        examination = self._examination
        if not self._is_listening:
            text = "the request is taken; its result comes on another association, to which nobody listened here"
            examination.note(_AREA, "result", text, Severity.UNTRIED)
            return
        if examination.ends("storage_commitment").remote.ssl_context and not examination.report_context:
            text = (
                f"the request is taken, and no result within {_LONGEST_WAIT_S:.0f} s without TLS: for results under"
                " TLS the peer must be in a site file, whose AE takes TLS"
            )
            examination.note(_AREA, "result", text, Severity.UNTRIED)
            return
        examination.observe("commitment result", "never")
        title = examination.ends("storage_commitment").local.ae_title
        text = (
            f"the request is taken, and no result within {_LONGEST_WAIT_S:.0f} s: it reports never, later,"
            f" or to another address than {title} at port {self._port} of this machine"
        )
        examination.note(_AREA, "result", text, Severity.PROBLEM)

    def _list_oddities(self, reports: Sequence[HeardReport]) -> Iterator[tuple[str, str]]:
        first = reports[0]
        if first.is_early:
            yield "early", ""
        elif first.route == "same":
            yield "same association", ""
        if first.delay_s >= LATE_S:
            yield "late", f"the result comes after {first.delay_s:.0f} s"
        if not first.has_role:
            yield "no role", "it opens an association for its result without role selection"
        if any(each.result is None for each in reports):
            yield "unknown transaction", "it reports on a transaction that was not asked for"
        elif len(reports) > 1:
            yield "twice", "it reports the same result twice"
        failed = next((each.result.failed for each in reports if each.result is not None and each.result.failed), ())
        if failed and self._is_stored:
            reasons = ", ".join(sorted({f"{each.reason:04X}" for each in failed}))
            yield "failures", f"{len(failed)} of {len(self._references)} stored images are not committed: {reasons}"


def _describe_route(first: HeardReport) -> str:
    if first.is_early:
        return "the result comes on the association of the request, before its response"
    if first.route == "same":
        return "the result comes on the association of the request"
    return f"the result comes on a new association, {first.delay_s:.1f} s after the request"
