"""The printed statement with evidence: ids behind sentences, summaries, and each id with its tests; without, none."""

from __future__ import annotations

import re

import pytest

from openmodality.conformance import prose
from openmodality.conformance.as_json import statement_as_json
from openmodality.conformance.evidence import (
    Before,
    Evidence,
    Proof,
    ProofState,
    Sentence,
    evidence_as_json,
    find_evidence_file,
    read_evidence,
)
from openmodality.conformance.evidence_sections import TITLE, cite, make_evidence
from openmodality.conformance.html import write_html
from openmodality.conformance.layouts import LAYOUTS, arrange_document
from openmodality.conformance.markdown import write_markdown
from tests.statements import make_profile_statement
from tools.conformance_pages import DOCS

ID = re.compile(r"\b(?:MR|RF)-\d[\d.]*-\d+\b")
SKIPPED = Proof("tests/test_a.py::test_a", ProofState.SKIPPED, None, ())
SHOWN = Proof("tests/test_b.py::test_b", ProofState.PASSED, Before.PEER, ("device", "echoscu", "socket"))
EVIDENCE = Evidence(
    "mr",
    "2026-11-30",
    (
        Sentence("MR-3-14", "3", "verification", "It asks <others>.", "", (SHOWN,)),
        Sentence("MR-3.1.1-06", "3.1.1", "verification", "It answers.", "", (SKIPPED,)),
        Sentence("MR-8.1.1-01", "8.1.1", "association", "No OSI.", "Nothing of it is there.", ()),
    ),
)


def test_a_sentence_says_what_became_of_its_ids() -> None:
    shown = {each.id: each for each in EVIDENCE.requirements}
    said = cite("Asks [MR-3-14, RF-4.1.1-12]. Answers [MR-3.1.1-06]. No more [MR-8.1.1-01]. End [RF-7-01].", shown)
    assert said == (
        "Asks [MR-3-14: independent peer]. Answers [MR-3.1.1-06: not shown, skipped]. No more"
        " [MR-8.1.1-01: nothing to run]. End."
    )


def test_the_section_has_each_id_with_its_tests() -> None:
    section = make_evidence(EVIDENCE)
    areas, (association, verification) = section.blocks[1], section.sections
    assert areas.rows[-1] == ("all", "3", "1", "1", "0", "0", "0", "2")  # type: ignore[union-attr]
    rows = [row for each in (association, verification) for row in each.blocks[0].rows]  # type: ignore[union-attr]
    assert [row[3:] for row in rows] == [
        ("not shown: Nothing of it is there.", "", "none"),
        (
            "shown", "independent peer: echoscu",
            "tests/test_b.py::test_b (passed, independent peer: echoscu)",
        ),
        ("not shown: skipped", "", "tests/test_a.py::test_a (skipped)"),
    ]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_html_leads_from_a_sentence_to_its_evidence(layout: str) -> None:
    text = write_html(arrange_document(make_profile_statement("mr"), layout, EVIDENCE))
    assert '[<a href="#MR-3-14">MR-3-14</a>: independent peer]' in text
    assert text.count('<tr id="MR-3-14"><td>MR-3-14</td>') == 1
    assert "Evidence of verification: 1 of 2 sentences shown (1 independent peer)" in text
    assert "It asks &lt;others&gt;." in text


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_without_evidence_no_id_is_printed(profile: str) -> None:
    for layout in LAYOUTS:
        document = arrange_document(make_profile_statement(profile), layout)
        assert TITLE not in {section.title for section in document.sections}
        assert ID.findall(write_markdown(document)) == []
    assert "evidence" not in statement_as_json(make_profile_statement(profile))


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_each_id_that_a_sentence_names_is_one(profile: str) -> None:
    evidence = read_evidence(find_evidence_file(profile, DOCS))
    named = {each for text in vars(prose).values() for each in ID.findall(str(text))}
    mine = {each for each in named if each.startswith(profile.upper())}
    assert len(mine) > 50
    assert mine <= {each.id for each in evidence.requirements}
    text = write_markdown(arrange_document(make_profile_statement(profile), evidence=evidence))
    assert mine <= set(ID.findall(text.partition(f" {TITLE}\n")[0]))


def test_json_has_the_evidence_as_its_file() -> None:
    stated = statement_as_json(make_profile_statement("mr"), EVIDENCE)
    assert stated["evidence"] == evidence_as_json(EVIDENCE)
