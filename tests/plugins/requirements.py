"""``@pytest.mark.requirement("MR-3.3.4.3-02")`` ties a test to what the conformance statements ask for.

An id that no ``requirements.csv`` knows stops the run at collection: a misspelt id would claim a proof that nobody
asked for and leave the right one without. ``--trace-to FILE`` writes which tests carry which ids, for ``make trace``.
"""

from __future__ import annotations

import csv
import functools
import json
from collections import defaultdict
from pathlib import Path

import pytest

SPEC_FOLDER = Path(__file__).parent.parent / "data" / "spec"


@functools.cache
def known_ids() -> frozenset[str]:
    """All requirement ids of all devices."""
    ids: set[str] = set()
    for table in sorted(SPEC_FOLDER.glob("*/requirements.csv")):
        with table.open(encoding="utf-8", newline="") as lines:
            ids.update(row["id"] for row in csv.DictReader(lines))
    return frozenset(ids)


def carried_ids(item: pytest.Item) -> tuple[str, ...]:
    """The requirement ids that a test carries, from itself, its class and its module."""
    return tuple(str(argument) for mark in item.iter_markers("requirement") for argument in mark.args)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trace-to", type=Path, metavar="FILE", help="write the tests of each requirement id as JSON")


def pytest_itemcollected(item: pytest.Item) -> None:
    if next(item.iter_markers("requirement"), None) is None:
        return
    carried = carried_ids(item)
    if not carried:
        raise pytest.UsageError(f"{item.nodeid}: the marker 'requirement' names no id")
    unknown = sorted(set(carried) - known_ids())
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: no requirements.csv has the id {', '.join(unknown)}")


def pytest_collection_finish(session: pytest.Session) -> None:
    target: Path | None = session.config.getoption("--trace-to")
    if target is None:
        return
    tests_by_id: dict[str, set[str]] = defaultdict(set)
    for item in session.items:
        for id_ in carried_ids(item):
            tests_by_id[id_].add(item.nodeid.split("[")[0])
    target.write_text(json.dumps({id_: sorted(tests) for id_, tests in sorted(tests_by_id.items())}), encoding="utf-8")
