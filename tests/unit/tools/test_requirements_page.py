"""``docs/requirements.md`` is made of the evidence of the profiles, which is of the tests that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.conformance.evidence import (
    LEAST_WIRE_SHARE,
    OWN_WITNESSES,
    WIRE_AREAS,
    ProofState,
    Sentence,
    count_requirements,
    find_evidence_file,
    measure_wire_share,
    read_evidence,
)
from tests.peers import witness
from tests.plugins.requirements import carried_ids
from tools.requirements_page import DEVICES, PAGE, make_page
from tools.trace import NOTHING_TO_RUN, SPEC_FOLDER, read_rows

REQUIREMENTS = {device: read_evidence(find_evidence_file(device, Path())).requirements for device in DEVICES}
EVERYTHING: list[Sentence] = [each for its in REQUIREMENTS.values() for each in its]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_page(), "run: make docs"


@pytest.mark.parametrize("device", DEVICES)
def test_the_evidence_has_each_sentence_of_the_statement(device: str) -> None:
    rows = read_rows(SPEC_FOLDER / device / "requirements.csv")
    told = {row["id"]: row["looked_at"] for row in read_rows(SPEC_FOLDER / device / NOTHING_TO_RUN)}
    assert [(each.id, each.section, each.area, each.text, each.looked_at) for each in REQUIREMENTS[device]] == [
        (row["id"], row["section"], row["area"], row["requirement"], told.get(row["id"], "")) for row in rows
    ], "run: make trace ARGS=--write"


def test_no_test_of_the_evidence_is_gone_or_without_its_id(request: pytest.FixtureRequest) -> None:
    """Of the files of tests that this run has collected: in a whole run, of all."""
    ids: dict[str, set[str]] = {}
    for item in request.session.items:
        ids.setdefault(item.nodeid.split("[")[0], set()).update(carried_ids(item))
    files = {test.split("::")[0] for test in ids}
    stale = {
        (each.id, proof.test)
        for each in EVERYTHING
        for proof in each.proofs
        if proof.test.split("::")[0] in files and each.id not in ids.get(proof.test, ())
    }
    if len(request.session.items) > 5000:
        assert stale == set(), "after make test, run: make trace ARGS=--write"


def test_nothing_failed_or_was_skipped_in_the_run_of_the_evidence() -> None:
    outcomes = {each.outcome for each in EVERYTHING}
    assert outcomes <= {ProofState.PASSED, ProofState.NO_TEST}, "write the evidence of a whole run with all peers"


def test_each_sentence_that_nothing_shows_says_what_was_looked_at() -> None:
    missing = {each.id for each in EVERYTHING if each.outcome is ProofState.NO_TEST and not each.looked_at}
    assert missing == set()


def test_enough_of_what_peers_see_is_shown_before_peers() -> None:
    count = count_requirements(each for each in EVERYTHING if each.area in WIRE_AREAS)
    assert measure_wire_share(count) >= LEAST_WIRE_SHARE


def test_our_own_witnesses_are_those_of_the_record() -> None:
    assert {witness.DEVICE, witness.SOCKET, witness.OWN_PROCESS} == OWN_WITNESSES
