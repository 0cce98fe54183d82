"""``docs/requirements.md``: each sentence of both statements by area, whether it is shown, before whom, or why not.

It is made of the evidence of the profiles (``make trace ARGS=--write``). ``python -m tools.requirements_page`` writes
it; a test fails while it is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from openmodality.conformance.evidence import (
    JUDGE_WORDS,
    Before,
    Count,
    Evidence,
    ProofState,
    Sentence,
    count_requirements,
    describe_wire_share,
    find_evidence_file,
    group_by_area,
    read_evidence,
)
from openmodality.conformance.evidence_sections import say_outcome, say_witnesses
from openmodality.conformance.markdown import escape

PAGE: Final = Path(__file__).parent.parent / "docs" / "requirements.md"
DEVICES: Final = {"mr": "MR", "rf": "R/F"}
_HEAD: Final = """# Requirements

Each sentence of the two conformance statements that the devices follow has an id. A test carries the id if it fails
as soon as the running device breaks the sentence; `make test` records how each test ended and who stood by
([how](../CONTRIBUTING.md#requirements)). An id whose tests were skipped, or in which no device ran, is not shown. Which
tests these are: `openmodality conformance print --evidence`, or `make trace`.

This page is made of the last evidence that was written (`make trace ARGS=--write`, then `make docs`).
"""


def make_page() -> str:
    """The text of the page."""
    evidence = [read_evidence(find_evidence_file(device, PAGE.parent)) for device in DEVICES]
    everything = [each for of_device in evidence for each in of_device.requirements]
    lines = [_HEAD, f"Of the sentences {describe_wire_share(everything)}.", "", "## By area", ""]
    lines += _list_table(_AREA_HEADS, [*_list_areas(evidence), _list_counts("all", "", count_requirements(everything))])
    for of_device in evidence:
        lines += _list_device(of_device)
    return "\n".join(lines) + "\n"


_AREA_HEADS: Final = ("device", "area", "ids", "shown", *JUDGE_WORDS.values(), "not shown")


def _list_areas(evidence: list[Evidence]) -> Iterator[tuple[str, ...]]:
    for of_device in evidence:
        for area, its in group_by_area(of_device.requirements).items():
            yield _list_counts(DEVICES[of_device.profile], area, count_requirements(its))


def _list_counts(device: str, area: str, count: Count) -> tuple[str, ...]:
    shown = count.outcomes[ProofState.PASSED]
    numbers = (count.total, shown, *(count.judges[judge] for judge in Before), count.total - shown)
    return (device, area, *map(str, numbers))


def _list_device(evidence: Evidence) -> Iterator[str]:
    name = DEVICES[evidence.profile]
    yield f"\n## {name}: not shown, and why\n"
    missing = [each for each in evidence.requirements if each.outcome is not ProofState.PASSED]
    yield from _list_table(("id", "sentence", "why"), [_list_missing(each) for each in missing])
    for area, its in group_by_area(evidence.requirements).items():
        yield f"\n## {name}: {area}\n"
        yield from _list_table(("id", "sentence", "", "before whom"), [_list_shown(each) for each in its])


def _list_missing(requirement: Sentence) -> tuple[str, ...]:
    return (requirement.id, requirement.text, requirement.looked_at or str(requirement.outcome))


def _list_shown(requirement: Sentence) -> tuple[str, ...]:
    return (requirement.id, requirement.text, say_outcome(requirement), say_witnesses(requirement))


def _list_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(map(escape, row))} |"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
