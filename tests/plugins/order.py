"""Several processes that run the tests end at the same time, and what modules share is made once.

pytest-xdist gives each process an equal number of tests, in the order of the collection; one that has no more takes
the last half of what another has left. So each process begins with its part of the modules that take long; those that
take a moment come between them and last, and only these are taken from it. Modules whose tests share a browser, a
server or a recorded day stay together in one process. Without several processes the tests keep their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import pytest

SECONDS: Final[Mapping[str, float]] = {
    "acceptance/test_cli_demo.py": 49,
    "acceptance/test_docs_json.py": 39,
    "acceptance/requirements/test_rf_configuration.py": 38,
    "acceptance/test_docs_pages.py": 34,
    "integration/hospital/test_printer.py": 26,
    "gates/test_pytest.py": 22,
    "fault/test_network_fuzz.py": 21,
    "acceptance/requirements/test_print_events.py": 20,
    "acceptance/test_exam.py": 19,
    "interop/test_hospital_process.py": 19,
    "integration/activities/test_stow.py": 18,
    "integration/console/test_film.py": 18,
    "acceptance/test_exam_failures.py": 18,
    "interop/test_storage_scu.py": 17,
    "integration/activities/test_commit.py": 16,
    "integration/console/test_rest_schema.py": 15,
    "interop/test_hospital_misbehaving.py": 15,
    "acceptance/requirements/test_rf_print.py": 14,
    "acceptance/test_print_paper.py": 14,
    "gates/test_imports.py": 14,
    "interop/test_media.py": 14,
    "integration/console/test_archive.py": 13,
    "fault/test_kill.py": 12,
    "fault/test_network_connections.py": 12,
    "fault/test_network_bytes.py": 12,
    "acceptance/requirements/test_mr_print.py": 12,
    "acceptance/test_exam_canary.py": 12,
    "interop/test_objects_dciodvfy.py": 11,
    "acceptance/test_docs_failures.py": 11,
    "interop/test_own_pixels.py": 11,
}
"""How long modules take on two cores that four processes share, where it is more than ten seconds.

It need not be right: where it is wrong, a process ends with tests of another one.
"""
USUAL_SECONDS: Final = 2.5
"""What a module takes that is not named."""
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    "browser": ("acceptance/console/",),
    "recorded day": tuple(
        f"acceptance/requirements/test_mr_{name}.py" for name in ("association", "commitment", "mpps", "worklist")
    ),
    "PostgreSQL": (
        "interop/test_department.py", "interop/test_store_postgresql.py", "migration/",
        "integration/console/live/test_feed.py", "integration/store/rows/test_audit.py",
    ),
}  # fmt: skip
"""Modules that share what one process makes once, by the beginnings of their paths."""
TOGETHER_SECONDS: Final[Mapping[str, float]] = {"browser": 245, "recorded day": 25, "PostgreSQL": 50}
QUICK: Final = ("unit/", "property/")
_LAST: Final = 0.25
"""The part of the quick tests that come after all others: work that processes can take from each other."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Tests that stay together: those of a module, or of several."""

    items: list[pytest.Item]
    seconds: float


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    given = getattr(config, "workerinput", None)
    if given is not None and not config.getoption("--soak"):  # in a soak other tests are those that take long
        items[:] = deal(items, given["workercount"])


def deal(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in a new order, whose parts of equal length are those of the processes."""
    long, quick = _group_tests(items)
    shares: list[list[_Group]] = [[] for _ in range(processes)]
    for group in sorted(long, key=lambda each: -each.seconds):  # the longest first: to whom has least
        min(shares, key=lambda share: sum(each.seconds for each in share)).append(group)
    dealt: list[pytest.Item] = []
    for number, share in enumerate(shares):
        size = (len(items) - len(dealt)) // (processes - number) - sum(len(each.items) for each in share)
        dealt += _mix(share, quick[: max(size, 0)])
        del quick[: max(size, 0)]
    return dealt


def _group_tests(items: Iterable[pytest.Item]) -> tuple[list[_Group], list[pytest.Item]]:
    """What takes long, in groups, and quick tests."""
    quick: list[pytest.Item] = []
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        path = item.nodeid.partition("::")[0].removeprefix("tests/")
        if path.startswith(QUICK):
            quick.append(item)
        else:
            groups[next((name for name, paths in TOGETHER.items() if path.startswith(paths)), path)].append(item)
    known = {**SECONDS, **TOGETHER_SECONDS}
    return [_Group(each, known.get(name, USUAL_SECONDS)) for name, each in groups.items()], quick


def _mix(long: Sequence[_Group], quick: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Quick tests spread among those that take long, and the rest of them at the end.

    Much of what takes long is waiting, and a quick test only computes.
    """
    total = sum(each.seconds for each in long) or 1.0
    ends = [round(part / total * len(quick) * (1.0 - _LAST)) for part in accumulate(each.seconds for each in long)]
    mixed: list[pytest.Item] = []
    for group, start, end in zip(long, [0, *ends], ends, strict=False):
        mixed += [*group.items, *quick[start:end]]
    return [*mixed, *quick[ends[-1] if ends else 0 :]]
