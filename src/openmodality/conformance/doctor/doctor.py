"""Examines a peer: the probes in their order, and the result.

What writes comes first, because its result is waited for at the end; whatever only asks is done meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Final

from openmodality.conformance.doctor import associations
from openmodality.conformance.doctor.advice import AdvisedDevice, make_advice
from openmodality.conformance.doctor.commitment_probe import CommitmentProbe
from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import REJECTED, KeyAnswer, OfferedClass, PeerFinding, Severity, Written
from openmodality.conformance.doctor.made_data import MadeStudy
from openmodality.conformance.doctor.personalities import Likeness, name_personalities
from openmodality.conformance.doctor.print_probe import probe_print
from openmodality.conformance.doctor.query_probe import probe_query
from openmodality.conformance.doctor.step_probe import probe_step
from openmodality.conformance.doctor.storage_probe import probe_storage
from openmodality.conformance.doctor.tls_check import probe_security
from openmodality.conformance.doctor.worklist_probe import probe_worklist
from openmodality.errors import OpenModalityError
from openmodality.standard.sop_classes import STORAGE_COMMITMENT_PUSH_MODEL
from openmodality.value_class import dataclass

_WRITING: Final = ("storage", "storage commitment", "performed step", "print")

Probe = Callable[[Examination], object]

_ASKING: Final[tuple[tuple[str, Probe], ...]] = (
    ("transfer syntaxes", associations.probe_syntaxes),
    ("worklist", probe_worklist),
    ("query", probe_query),
    ("roles", associations.probe_roles),
    ("PDU lengths", associations.probe_lengths),
    ("AE titles", associations.probe_titles),
)
"""What leaves nothing at the peer."""


@dataclass(frozen=True, slots=True)
class PeerProfile:
    """The result of an examination."""

    findings: tuple[PeerFinding, ...]
    offered: tuple[OfferedClass, ...]
    keys: tuple[KeyAnswer, ...]
    likenesses: tuple[Likeness, ...]
    advice: tuple[str, ...]
    written: tuple[Written, ...]
    facts: dict[str, object]
    seconds: float

    @property
    def problems(self) -> int:
        """How many findings say that something will fail."""
        return sum(finding.verdict is Severity.PROBLEM for finding in self.findings)


def examine(
    examination: Examination, *, report_port: int, device: AdvisedDevice, now: Callable[[], datetime]
) -> PeerProfile:
    """Do all probes. ``report_port`` is where results of commitment are taken, 0 where they are not.

    Raises :class:`TransportError` where there is no association with the peer at all.
    """
    examination.tell("probing verification")
    if probe_security(examination):
        associations.probe_echo(examination)
    if _can_go_on(examination):
        _run(examination, "SOP classes", associations.probe_classes)
    if any(each.is_accepted for each in examination.offered.values()):
        _probe_services(examination, report_port, MadeStudy(now()))
    remote = examination.ends("verification").remote
    return PeerProfile(
        findings=tuple(examination.findings),
        offered=tuple(examination.offered.values()),
        keys=tuple(examination.keys),
        likenesses=tuple(name_personalities(examination.observed)),
        advice=tuple(make_advice(examination, remote, device)) if examination.offered else (),
        written=tuple(examination.written),
        facts=dict(examination.facts),
        seconds=examination.seconds,
    )


def _can_go_on(examination: Examination) -> bool:
    """Whether another association is worth opening: not where the first was rejected, or TLS does not work."""
    return not any(
        operation == "tls" or (operation == "association" and outcome.startswith(REJECTED))
        for operation, outcome in examination.observed
    )


def _probe_services(examination: Examination, report_port: int, study: MadeStudy) -> None:
    """All services; the request for commitment is out while the others are probed."""
    stored = probe_storage(examination, study) if examination.writes else []
    commits = examination.writes and examination.accepts(STORAGE_COMMITMENT_PUSH_MODEL)
    probing = CommitmentProbe(examination, stored, report_port).run() if commits else nullcontext()
    with probing:
        for name, probe in _ASKING:
            _run(examination, name, probe)
        if examination.writes:
            _run(examination, "performed step", lambda each: probe_step(each, study))
        _run(examination, "print", probe_print)
    if not examination.writes:
        text = "not tried: nothing is written to the peer without --write"
        examination.note("writing", ", ".join(_WRITING), f"{', '.join(_WRITING)}: {text}", Severity.UNTRIED)


def _run(examination: Examination, name: str, probe: Probe) -> None:
    """Do one probe; what it has not foreseen is a finding, and the next one begins."""
    if not examination.has_time:
        examination.note(name, name, "there was no time left for it", Severity.UNTRIED)
        return
    examination.tell(f"probing {name}")
    try:
        probe(examination)
    except OpenModalityError as error:
        examination.note(name, name, error.message, Severity.PROBLEM)
