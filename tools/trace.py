"""The requirement trace: which tests carry which ids of the conformance statements, and which ids have none.

Run as ``make trace``; ``make trace ARGS=--json`` prints the same as JSON. Tests are collected, not run.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SPEC_FOLDER = ROOT / "tests" / "data" / "spec"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A line of a ``requirements.csv`` and the tests that carry its id; ``device`` is the folder's name."""

    id: str
    device: str
    area: str
    text: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """Of one area of one device: how many ids there are, and how many have a test."""

    device: str
    area: str
    total: int
    tested: int


def collected_tests(pytest_arguments: Sequence[str] = ()) -> dict[str, list[str]]:
    """Collect the tests in a process of their own; the tests of each id. Ends the program where collection fails."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "trace.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--trace-to", str(target), *pytest_arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode or not target.exists():
            sys.exit(f"The tests cannot be collected:\n{done.stdout}{done.stderr}")
        tests: dict[str, list[str]] = json.loads(target.read_text(encoding="utf-8"))
    return tests


def requirements(tests: dict[str, list[str]], folder: Path = SPEC_FOLDER) -> list[Requirement]:
    """All requirements of all devices in the order of their tables, with their tests."""
    found = []
    for table in sorted(folder.glob("*/requirements.csv")):
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                carriers = tuple(tests.get(row["id"], ()))
                found.append(Requirement(row["id"], table.parent.name, row["area"], row["requirement"], carriers))
    return found


def counts(traced: Iterable[Requirement]) -> list[Count]:
    """Totals by device and area."""
    groups: dict[tuple[str, str], list[Requirement]] = defaultdict(list)
    for requirement in traced:
        groups[requirement.device, requirement.area].append(requirement)
    return [
        Count(device, area, len(group), sum(bool(requirement.tests) for requirement in group))
        for (device, area), group in sorted(groups.items())
    ]


def as_json(traced: Sequence[Requirement]) -> str:
    """The whole trace as one JSON object."""
    return json.dumps(
        {
            "tested": {requirement.id: requirement.tests for requirement in traced if requirement.tests},
            "untested": [requirement.id for requirement in traced if not requirement.tests],
            "areas": [
                {"device": count.device, "area": count.area, "total": count.total, "tested": count.tested}
                for count in counts(traced)
            ],
        },
        indent=2,
    )


def as_text(traced: Sequence[Requirement]) -> str:
    """The whole trace to read: ids with tests, ids without, totals."""
    tested = [requirement for requirement in traced if requirement.tests]
    untested = [requirement for requirement in traced if not requirement.tests]
    lines = ["Requirements with tests", ""]
    lines += [f"{requirement.id:<18} {test}" for requirement in tested for test in requirement.tests]
    lines += ["", "Requirements without a test", ""]
    lines += [f"{requirement.id:<18} {requirement.area:<21} {_short(requirement.text)}" for requirement in untested]
    lines += ["", f"{'device':<8} {'area':<21} {'tested':>6} {'of':>5}"]
    lines += [f"{count.device:<8} {count.area:<21} {count.tested:>6} {count.total:>5}" for count in counts(traced)]
    lines += [f"{'all':<8} {'':<21} {len(tested):>6} {len(traced):>5}"]
    return "\n".join(lines)


def _short(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def main(arguments: Sequence[str]) -> None:
    """Print the trace."""
    parser = argparse.ArgumentParser(prog="trace", description="Requirements and the tests that prove them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    traced = requirements(collected_tests())
    print(as_json(traced) if options.json else as_text(traced))


if __name__ == "__main__":
    main(sys.argv[1:])
