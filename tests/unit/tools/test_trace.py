"""The requirement trace: every id is either carried by a test or listed as without one."""

from __future__ import annotations

import json

from tools import trace

TESTS = {"MR-2.1-01": ["tests/test_a.py::test_a"], "RF-1-01": ["tests/test_a.py::test_a", "tests/test_b.py::test_b"]}


def test_the_text_lists_tested_and_untested_ids() -> None:
    tested, untested = trace.as_text(trace.requirements(TESTS)).split("Requirements without a test")
    assert "RF-1-01            tests/test_b.py::test_b" in tested
    assert "MR-2.1-02 " in untested
    assert "MR-2.1-01 " not in untested


def test_the_json_holds_every_id_once() -> None:
    found = json.loads(trace.as_json(trace.requirements(TESTS)))
    assert set(found["tested"]) == set(TESTS)
    assert len(found["untested"]) + len(found["tested"]) == 732
    assert sum(area["tested"] for area in found["areas"]) == 2


def test_areas_are_counted_by_device() -> None:
    counts = {(count.device, count.area): count for count in trace.counts(trace.requirements(TESTS))}
    assert counts["mr", "implementation-model"].tested == 1
    assert counts["rf", "worklist"].total == 24
