"""The requirement trace: an id counts as shown only where its test passed in the last run, and says before whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openmodality.conformance.evidence import Before, Evidence, ProofState, Sentence, read_evidence
from tools import trace

TESTS = {
    "MR-2.1-01": ["tests/test_a.py::test_a"],
    "MR-2.1-02": ["tests/test_a.py::test_a", "tests/test_b.py::test_b"],
    "RF-1-01": ["tests/test_b.py::test_b"],
    "RF-1-02": ["tests/test_c.py::test_c"],
    "RF-1-03": ["tests/test_d.py::test_d"],
}
RUNS = {
    "tests/test_a.py::test_a[1]": ("passed", ["device", "socket"]),
    "tests/test_a.py::test_a[2]": ("passed", ["device", "socket", "storescu"]),
    "tests/test_b.py::test_b": ("skipped", ["storescp"]),
    "tests/test_c.py::test_c[1]": ("passed", ["device"]),
    "tests/test_c.py::test_c[2]": ("failed", []),
}


Runs = dict[str, tuple[str, list[str]]]


def _trace_devices(tmp_path: Path, runs: Runs | None = None) -> dict[str, list[Sentence]]:
    record: dict[str, dict[str, Any]] = {
        test: {"outcome": outcome, "witnesses": witnesses} for test, (outcome, witnesses) in (runs or RUNS).items()
    }
    file = tmp_path / "tests.json"
    file.write_text(json.dumps(record), encoding="utf-8")
    return trace.requirements(TESTS, trace.read_record(file))


def _traced(tmp_path: Path, runs: Runs | None = None) -> dict[str, Sentence]:
    return {each.id: each for its in _trace_devices(tmp_path, runs).values() for each in its}


def test_an_id_is_shown_by_a_test_that_passed(tmp_path: Path) -> None:
    traced = _traced(tmp_path)
    assert {id_: traced[id_].outcome for id_ in (*TESTS, "RF-1-04")} == {
        "MR-2.1-01": ProofState.PASSED,
        "MR-2.1-02": ProofState.PASSED,
        "RF-1-01": ProofState.SKIPPED,
        "RF-1-02": ProofState.FAILED,  # one set of parameters is enough
        "RF-1-03": ProofState.NOT_RUN,
        "RF-1-04": ProofState.NO_TEST,
    }
    assert [traced[id_].judge for id_ in TESTS] == [Before.PEER, Before.PEER, None, None, None]


def test_before_whom_an_id_was_shown(tmp_path: Path) -> None:
    def judge(*witnesses: str) -> Before | None:
        return _traced(tmp_path, {"tests/test_a.py::test_a": ("passed", ["device", *witnesses])})["MR-2.1-01"].judge

    assert judge("socket", "pynetdicom", "wiretap") is Before.PEER
    assert judge("dciodvfy") is Before.PEER
    assert judge("socket", "wiretap") is Before.READER
    assert judge("dcmdump", "openmodality") is Before.READER
    assert judge("socket") is Before.OWN_SIDE
    assert judge("openmodality") is Before.OWN_SIDE
    assert judge() is Before.MEMORY


def test_a_part_of_a_device_shows_nothing(tmp_path: Path) -> None:
    def outcome(*witnesses: str) -> ProofState:
        return _traced(tmp_path, {"tests/test_a.py::test_a": ("passed", [*witnesses])})["MR-2.1-01"].outcome

    assert outcome("socket", "storescu") is ProofState.NO_DEVICE
    assert outcome("openmodality") is ProofState.NO_DEVICE
    assert outcome("device") is ProofState.PASSED


def test_the_text_lists_tested_and_untested_ids(tmp_path: Path) -> None:
    text = trace.as_text(_trace_devices(tmp_path))
    tested, untested = text.split("Requirements without a test")
    lines = [line.split() for line in tested.splitlines()]
    assert ["MR-2.1-01", "passed", "storescu", "tests/test_a.py::test_a"] in lines
    assert ["RF-1-01", "skipped", "tests/test_b.py::test_b"] in lines
    assert "MR-2.1-03 " in untested
    assert "MR-2.1-01 " not in untested
    assert "nothing to run: There is no OSI stack" in untested
    assert "Visible on the wire: 0 of 582 shown" in untested
    heads, *rows = (line.split() for line in text.split("\n\n")[-1].splitlines())
    assert heads[2:5] == ["of", "shown", "peer"]
    assert rows[-1][:4] == ["all", "732", "2", "2"]


def test_the_json_holds_every_id_once(tmp_path: Path) -> None:
    found = json.loads(trace.as_json(_trace_devices(tmp_path)))
    assert len(found["requirements"]) == 732
    assert found["requirements"]["MR-2.1-01"] == {
        "outcome": "passed",
        "judge": "peer",
        "tests": {"tests/test_a.py::test_a": {"outcome": "passed", "witnesses": ["device", "socket", "storescu"]}},
    }
    assert sum(area.get("passed", 0) for area in found["areas"]) == 2


def test_areas_are_counted_by_device(tmp_path: Path) -> None:
    counts = {(device, area): count for device, area, count in trace.list_counts(_trace_devices(tmp_path))}
    assert counts["mr", "implementation-model"].judges == {Before.PEER: 2}
    assert counts["rf", "worklist"].total == 24
    assert counts["rf", "worklist"].outcomes == {ProofState.NO_TEST: 24}


def test_the_evidence_that_is_written_is_what_was_traced(tmp_path: Path) -> None:
    traced = _trace_devices(tmp_path)
    for device in traced:
        (tmp_path / device).mkdir()
    files = trace.write_files(traced, "2026-11-30", tmp_path)
    assert [read_evidence(file) for file in files] == [
        Evidence(device, "2026-11-30", tuple(its)) for device, its in traced.items()
    ]
