"""What a file of evidence holds, and what is wrong with one that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openmodality.conformance.evidence import (
    Before,
    Evidence,
    Proof,
    ProofState,
    Sentence,
    count_requirements,
    describe_wire_share,
    evidence_as_json,
    find_evidence_file,
    measure_wire_share,
    read_evidence,
)
from openmodality.errors import UsageError
from tools.trace import write_evidence


def proof(outcome: ProofState, judge: Before | None = None, *witnesses: str) -> Proof:
    return Proof("tests/test_a.py::test_a", outcome, judge, witnesses)


def requirement(*proofs: Proof, area: str = "worklist", id_: str = "MR-1-01") -> Sentence:
    return Sentence(id_, "1", area, "It does.", "", proofs)


SHOWN = proof(ProofState.PASSED, Before.PEER, "device", "storescu")
IN_MEMORY = proof(ProofState.PASSED, Before.MEMORY, "device")


def test_the_worst_outcome_and_the_best_judge_count() -> None:
    assert requirement(SHOWN, proof(ProofState.SKIPPED)).outcome is ProofState.PASSED
    assert requirement(SHOWN, proof(ProofState.FAILED)).outcome is ProofState.FAILED
    assert requirement(SHOWN, proof(ProofState.FAILED)).judge is None
    assert requirement(proof(ProofState.SKIPPED)).judge is None
    assert requirement(IN_MEMORY, SHOWN).judge is Before.PEER
    assert requirement().outcome is ProofState.NO_TEST
    assert SHOWN.others == ("storescu",)


def test_the_share_is_that_of_what_peers_see() -> None:
    seen = [requirement(SHOWN), requirement(IN_MEMORY), requirement(SHOWN, area="console")]
    assert describe_wire_share(seen).startswith("visible on the wire: 1 of 2 shown before DCMTK")
    assert "(50%; 60% are asked for)" in describe_wire_share(seen)
    assert measure_wire_share(count_requirements([])) == 1.0


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    evidence = Evidence("mr", "2026-11-30", (requirement(SHOWN, IN_MEMORY), requirement(id_="MR-1-02")))
    file = tmp_path / "evidence.json"
    file.write_text(write_evidence(evidence), encoding="utf-8")
    assert read_evidence(file) == evidence
    assert json.loads(file.read_bytes()) == json.loads(json.dumps(evidence_as_json(evidence)))
    assert len(file.read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "another"}, "is no evidence"),
        ({"schema_version": 2}, "version 2; version 1 is read"),
        ({"requirements": [{"id": "MR-1-01"}]}, "a requirement that cannot be read"),
        ({"requirements": 5}, "a requirement that cannot be read"),
    ],
)
def test_what_is_no_evidence_is_named(tmp_path: Path, change: Mapping[str, Any], words: str) -> None:
    file = tmp_path / "e.json"
    file.write_text(json.dumps({**evidence_as_json(Evidence("mr", "2026-11-30", ())), **change}), encoding="utf-8")
    with pytest.raises(UsageError, match=words) as raised:
        read_evidence(file)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_json_or_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    with pytest.raises(UsageError, match=r"e\.json: cannot be read"):
        read_evidence(file)
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is no JSON"):
        read_evidence(file)


def test_evidence_stands_in_the_folder_of_the_profile(tmp_path: Path) -> None:
    assert find_evidence_file("my-device", tmp_path) == tmp_path / "my-device" / "evidence.json"
    assert read_evidence(find_evidence_file("rf", tmp_path)).profile == "rf"
