"""Where processes share the tests, each begins with what takes long, and what shares a fixture stays together."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.plugins import order

TESTS = Path(__file__).parent.parent
NAMED = [*order.SECONDS, *(path for paths in order.TOGETHER.values() for path in paths)]


def make_items() -> list[Any]:
    """Two tests of each module that is named, of ten others, and thousands of quick ones."""
    paths = [path.removesuffix("/") + ("/test_a.py" if path.endswith("/") else "") for path in NAMED]
    paths += [f"interop/test_{number}.py" for number in range(10)]
    names = [f"tests/{path}::test_{number}" for path in paths for number in range(2)]
    quick = [f"tests/unit/test_{number // 10}.py::test_{number}" for number in range(4000)]
    return [SimpleNamespace(nodeid=name) for name in [*names, *quick]]


@pytest.mark.parametrize("processes", [2, 3, 4, 8])
def test_each_process_begins_with_what_takes_long_and_ends_with_what_is_quick(processes: int) -> None:
    items = make_items()
    dealt = order.deal(items, processes)
    assert sorted(each.nodeid for each in dealt) == sorted(each.nodeid for each in items)
    names = [each.nodeid.removeprefix("tests/") for each in dealt]
    for number in range(processes, 0, -1):  # as pytest-xdist gives them out
        size = len(names) // number
        part, names = names[:size], names[size:]
        assert find_seconds(part[0]) >= 20
        assert all(name.startswith(order.QUICK) for name in part[-size // 5 :])


def find_seconds(name: str) -> float:
    """How long the group takes that a test belongs to."""
    group = next((group for group, paths in order.TOGETHER.items() if name.startswith(paths)), "")
    return order.TOGETHER_SECONDS.get(group) or order.SECONDS.get(name.partition("::")[0], 0.0)


def test_tests_of_a_group_stay_together() -> None:
    names = [each.nodeid.removeprefix("tests/") for each in order.deal(make_items(), 4)]
    for paths in (*order.TOGETHER.values(), *((path,) for path in order.SECONDS)):
        assert [is_there for is_there, _ in groupby(names, key=lambda name: name.startswith(paths))].count(True) == 1


@pytest.mark.parametrize(
    "config", [SimpleNamespace(), SimpleNamespace(workerinput={"workercount": 4}, getoption={"--soak": True}.get)]
)
def test_one_process_and_a_soak_keep_the_order(config: Any) -> None:
    items = make_items()
    before = list(items)
    order.pytest_collection_modifyitems(config, items)
    assert items == before


@pytest.mark.parametrize("path", NAMED)
def test_a_named_module_is_there(path: str) -> None:
    assert (TESTS / path).exists()
