"""The evidence in a printed statement: ids behind its sentences, and a section with each id and its tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from openmodality.conformance.document import Document, PrintedTable, Section, tabulate
from openmodality.conformance.evidence import (
    JUDGE_WORDS,
    Before,
    Count,
    Evidence,
    Proof,
    ProofState,
    Sentence,
    count_requirements,
    describe_wire_share,
    group_by_area,
)

_CITED: Final = re.compile(r"\s*\[((?:MR|RF)-[^\]]+)\]")
"""Ids behind a sentence of :mod:`openmodality.conformance.prose`."""
TITLE: Final = "Evidence"
_HEADS: Final = "id|section|sentence|in the last run|before whom|tests"


def cite_evidence(document: Document, evidence: Evidence | None) -> Document:
    """The document with the ids of its sentences and a section of evidence; without evidence it has neither."""
    shown = {} if evidence is None else {each.id: each for each in evidence.requirements}
    sections = tuple(_cite_section(each, shown) for each in document.sections)
    if evidence is not None:
        sections = (*sections, make_evidence(evidence))
    return replace(document, sections=sections)


def _cite_section(section: Section, shown: Mapping[str, Sentence]) -> Section:
    blocks = tuple(cite(block, shown) if isinstance(block, str) else block for block in section.blocks)
    blocks += tuple(_list_summaries(section, shown.values()))
    return replace(section, blocks=blocks, sections=tuple(_cite_section(each, shown) for each in section.sections))


def _list_summaries(section: Section, shown: Iterable[Sentence]) -> Iterator[str]:
    """How much of what the statement says in the areas of a section is shown."""
    areas = group_by_area(shown)
    for area in section.areas:
        if area in areas:
            count = count_requirements(areas[area])
            before = ", ".join(f"{count.judges[judge]} {JUDGE_WORDS[judge]}" for judge in Before if count.judges[judge])
            yield (
                f"Evidence of {area}: {count.outcomes[ProofState.PASSED]} of {count.total} sentences shown"
                f"{f' ({before})' if before else ''}; the section {TITLE} has each of them."
            )


def cite(text: str, shown: Mapping[str, Sentence]) -> str:
    """A paragraph whose ids say what became of them; those of another device, and all without evidence, go."""

    def replace_ids(found: re.Match[str]) -> str:
        its = [shown[each] for each in found[1].split(", ") if each in shown]
        return f" [{', '.join(f'{each.id}: {say_state(each)}' for each in its)}]" if its else ""

    return _CITED.sub(replace_ids, text)


def say_state(requirement: Sentence) -> str:
    """Before whom a sentence was shown, or that it was not."""
    if requirement.judge is not None:
        return JUDGE_WORDS[requirement.judge]
    if requirement.outcome is ProofState.NO_TEST and requirement.looked_at:
        return "nothing to run"
    return "failed" if requirement.outcome is ProofState.FAILED else f"not shown, {requirement.outcome}"


def make_evidence(evidence: Evidence) -> Section:
    """The section: how much is shown, then each id with its tests, area by area."""
    return Section(
        TITLE,
        (
            "Each sentence of the statement that this profile follows has an id. A test carries the id if it fails as"
            f" soon as the running device breaks the sentence. This is what the run of {evidence.run} says; an id whose"
            " tests were skipped or did not run is not shown. Sentences"
            f" {describe_wire_share(evidence.requirements)}.",
            tabulate_areas(evidence),
        ),
        tuple(
            Section(f"Evidence of {area}", (_tabulate_requirements(area, its),))
            for area, its in group_by_area(evidence.requirements).items()
        ),
    )


def tabulate_areas(evidence: Evidence) -> PrintedTable:
    """A row for each area, and one for all."""
    areas = group_by_area(evidence.requirements)
    rows = [_list_counts(area, count_requirements(its)) for area, its in areas.items()]
    rows.append(_list_counts("all", count_requirements(evidence.requirements)))
    heads = ("area", "ids", "shown", *JUDGE_WORDS.values(), "not shown")
    return tabulate("Evidence by area", "|".join(heads), rows)


def _list_counts(area: str, count: Count) -> tuple[str | int, ...]:
    shown = count.outcomes[ProofState.PASSED]
    return (area, count.total, shown, *(count.judges[judge] for judge in Before), count.total - shown)


def _tabulate_requirements(area: str, requirements: list[Sentence]) -> PrintedTable:
    rows = [
        (each.id, each.section, each.text, say_outcome(each), say_witnesses(each), _say_tests(each))
        for each in requirements
    ]
    return replace(tabulate(f"Evidence of {area}", _HEADS, rows), has_anchors=True)


def say_outcome(requirement: Sentence) -> str:
    """Whether a sentence is shown, or why not."""
    if requirement.outcome is ProofState.PASSED:
        return "shown"
    if requirement.outcome is ProofState.FAILED:
        return "failed"
    return f"not shown: {requirement.looked_at or requirement.outcome}"


def say_witnesses(requirement: Sentence) -> str:
    """Before whom a sentence was shown, with the names of programs and libraries; empty where it was not."""
    if requirement.judge is None:
        return ""
    proofs = [each for each in requirement.proofs if each.judge is requirement.judge]
    return _name_witnesses(requirement.judge, {name for each in proofs for name in each.others})


def _name_witnesses(judge: Before, names: set[str]) -> str:
    return f"{JUDGE_WORDS[judge]}{': ' if names else ''}{', '.join(sorted(names))}"


def _say_tests(requirement: Sentence) -> str:
    return "; ".join(_say_test(each) for each in requirement.proofs) or "none"


def _say_test(proof: Proof) -> str:
    if proof.judge is None:
        return f"{proof.test} ({proof.outcome})"
    return f"{proof.test} ({proof.outcome}, {_name_witnesses(proof.judge, set(proof.others))})"
