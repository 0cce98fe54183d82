"""The profile of a peer for people, within the width of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from openmodality.cli.terminal.output import clean, pad, terminal_width, wrap
from openmodality.conformance.doctor.doctor import PeerProfile
from openmodality.conformance.doctor.findings import OfferedClass, PeerFinding, Severity, Written
from openmodality.conformance.doctor.made_data import TEST_PATIENT_ID, TEST_PATIENT_NAME
from openmodality.conformance.predicting import Prediction
from openmodality.counted import format_count
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

_MARKS: Final = {
    Severity.FACT: "ok",
    Severity.NOTE: "note",
    Severity.PROBLEM: "FAILS",
    Severity.UNTRIED: "-",
}
_INDENT: Final = 2
_MARK_COLUMNS: Final = 7


def format_profile(peer: str, profile: PeerProfile) -> Iterator[str]:
    """The whole profile, line by line."""
    yield from _hang(f"{peer}: ", _describe_implementation(profile), 0)
    for area in dict.fromkeys(finding.area for finding in profile.findings):
        yield from ("", area)
        yield from _format_findings(finding for finding in profile.findings if finding.area == area)
    accepted = [each for each in profile.offered if each.is_accepted]
    if accepted:
        yield from ("", f"accepted SOP classes ({len(accepted)} of {len(profile.offered)} proposed)")
        yield from _format_classes(accepted)
    if profile.likenesses:
        yield from ("", "behaves as these personalities of the virtual hospital")
        for each in profile.likenesses:
            yield from _hang(f"{each.name}: ", each.meaning, _INDENT)
    if profile.advice:
        yield from ("", "lines for the site file", "")
        yield from map(clean, profile.advice)
    if profile.written:
        yield ""
        yield from format_written(profile.written)
    yield ""
    yield _summarize(profile)


def format_written(written: Iterable[Written]) -> Iterator[str]:
    """What the examination has left at the peer."""
    yield from wrap(
        f"written to the peer for {TEST_PATIENT_NAME} ({TEST_PATIENT_ID}), to be removed there", terminal_width()
    )
    for each in written:
        yield f"  {clean(each.kind)} {clean(each.uid)}"
        yield f"    {clean(each.text)}"


def _describe_implementation(profile: PeerProfile) -> str:
    name, uid = (profile.facts.get(f"implementation_{each}") for each in ("version_name", "class_uid"))
    said = " ".join(str(each) for each in (name, f"({uid})" if uid else "") if each)
    return said or "it does not say who made it"


def _format_findings(findings: Iterable[PeerFinding]) -> Iterator[str]:
    for finding in findings:
        yield from _hang(pad(_MARKS[finding.verdict], _MARK_COLUMNS), finding.text, _INDENT)


def _hang(head: str, text: str, indent: int) -> Iterator[str]:
    """A text with its head before it; further lines begin under the text, or further in where the head is long."""
    left = indent + len(head) if len(head) <= _MARK_COLUMNS else indent + 4
    first, *others = wrap(clean(head + text), terminal_width() - indent)
    if left == indent + len(head):
        first, *others = wrap(clean(text), terminal_width() - left)
        first = head + first
    yield " " * indent + first
    for line in others:
        yield " " * left + line


def _format_classes(accepted: Sequence[OfferedClass]) -> Iterator[str]:
    """SOP classes with the same transfer syntaxes together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in accepted:
        groups.setdefault(each.transfer_syntaxes, []).append(each.name)
    for syntaxes, names in groups.items():
        yield from _hang("in ", ", ".join(map(_name_syntax, syntaxes)) + ":", _INDENT)
        for name in names:
            yield f"    {clean(name)}"


def _name_syntax(uid: str) -> str:
    return TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid


def _summarize(profile: PeerProfile) -> str:
    counts = [
        format_count(sum(finding.verdict is verdict for finding in profile.findings), noun)
        for verdict, noun in ((Severity.PROBLEM, "failure"), (Severity.NOTE, "note"))
    ]
    return f"{', '.join(counts)}; examined in {profile.seconds:.0f} s"


def format_predictions(predictions: Sequence[Prediction]) -> Iterator[str]:
    """What will fail, a pair of sides after the other."""
    if not predictions:
        yield "the statements give no reason why anything should fail"
    for pair in dict.fromkeys((each.asks, each.answers) for each in predictions):
        yield clean(f"{pair[0]} asks {pair[1]}")
        for each in predictions:
            if (each.asks, each.answers) == pair:
                yield from _hang(pad("FAILS" if each.fails else "note", _MARK_COLUMNS), each.text, _INDENT)
