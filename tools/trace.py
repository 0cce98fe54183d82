"""The requirement trace: which ids of the conformance statements a test showed in the last run, and before whom.

Run as ``make trace``; ``make trace ARGS=--json`` prints the same as JSON. Tests are collected here, not run: how they
ended is what ``make test`` recorded (:data:`RECORD`, written by ``tests/plugins/record.py``). An id is shown where a
test that carries it passed and none failed. A skipped test shows nothing, nor does one in which no device runs: a part
may be right, and the device not use it.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from tests.peers.witness import DEVICE, OWN_PROCESS, PEERS, READERS, SOCKET

ROOT: Final = Path(__file__).parent.parent
SPEC_FOLDER: Final = ROOT / "tests" / "data" / "spec"
RECORD: Final = ROOT / "build" / "tests.json"


class Outcome(StrEnum):
    """What the last run says about an id, or about a test."""

    FAILED = "failed"
    PASSED = "passed"
    NO_DEVICE = "no device"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    NO_TEST = "no test"


class Judge(StrEnum):
    """Against whom an id was shown; the first that applies."""

    PEER = "peer"
    READER = "reader"
    OWN_SIDE = "own side"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that carries an id, how it ended in the last run, and who stood by."""

    test: str
    outcome: Outcome
    witnesses: frozenset[str]

    @property
    def judge(self) -> Judge:
        """A peer or a judge of others, a decoder of others, our own other side, or nobody."""
        if self.witnesses & PEERS:
            return Judge.PEER
        if self.witnesses & READERS:
            return Judge.READER
        return Judge.OWN_SIDE if self.witnesses & {SOCKET, OWN_PROCESS} else Judge.MEMORY


@dataclass(frozen=True, slots=True)
class Requirement:
    """A line of a ``requirements.csv`` and what proves it; ``device`` is the folder's name."""

    id: str
    device: str
    area: str
    text: str
    proofs: tuple[Proof, ...]

    @property
    def outcome(self) -> Outcome:
        """One failure outweighs all that passed, and one that passed what was skipped."""
        outcomes = {proof.outcome for proof in self.proofs}
        return next((outcome for outcome in Outcome if outcome in outcomes), Outcome.NO_TEST)

    @property
    def judge(self) -> Judge | None:
        """The best of those before whom it was shown; ``None`` where it was not shown."""
        judges = {proof.judge for proof in self.proofs if proof.outcome is Outcome.PASSED}
        return next((judge for judge in Judge if judge in judges), None) if self.outcome is Outcome.PASSED else None


@dataclass(frozen=True, slots=True)
class Count:
    """Of one area of one device: how many ids there are, how many ended how, and before whom they were shown."""

    device: str
    area: str
    total: int
    outcomes: Counter[Outcome]
    judges: Counter[Judge]


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


def read_record(file: Path = RECORD) -> dict[str, Proof]:
    """Each test of the last run, without its parameters: what one set of them shows, all have to."""
    runs: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for node, run in (json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}).items():
        runs[node.split("[")[0]].append(run)
    return {test: _sum_up(test, each) for test, each in runs.items()}


def _sum_up(test: str, runs: Sequence[Mapping[str, Any]]) -> Proof:
    outcomes = {Outcome(run["outcome"]) for run in runs}
    witnesses: frozenset[str] = frozenset()
    for run in runs:
        witnesses |= set(run["witnesses"]) if run["outcome"] == Outcome.PASSED else set()
    outcome = next(each for each in Outcome if each in outcomes)
    if outcome is Outcome.PASSED and DEVICE not in witnesses:
        outcome = Outcome.NO_DEVICE
    return Proof(test, outcome, witnesses)


def requirements(
    tests: Mapping[str, Sequence[str]], record: Mapping[str, Proof], folder: Path = SPEC_FOLDER
) -> list[Requirement]:
    """All requirements of all devices in the order of their tables, with what proves them."""
    found = []
    for table in sorted(folder.glob("*/requirements.csv")):
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                proofs = tuple(
                    record.get(test, Proof(test, Outcome.NOT_RUN, frozenset())) for test in tests.get(row["id"], ())
                )
                found.append(Requirement(row["id"], table.parent.name, row["area"], row["requirement"], proofs))
    return found


def counts(traced: Iterable[Requirement]) -> list[Count]:
    """Totals by device and area."""
    groups: dict[tuple[str, str], list[Requirement]] = defaultdict(list)
    for requirement in traced:
        groups[requirement.device, requirement.area].append(requirement)
    return [_count(device, area, group) for (device, area), group in sorted(groups.items())]


def _count(device: str, area: str, group: Sequence[Requirement]) -> Count:
    judges = Counter(each.judge for each in group if each.judge is not None)
    return Count(device, area, len(group), Counter(each.outcome for each in group), judges)


def as_json(traced: Sequence[Requirement]) -> str:
    """The whole trace as one JSON object."""
    return json.dumps(
        {
            "requirements": {each.id: _requirement_json(each) for each in traced},
            "areas": [
                {"device": count.device, "area": count.area, "total": count.total, **count.outcomes, **count.judges}
                for count in counts(traced)
            ],
        },
        indent=2,
    )


def _requirement_json(requirement: Requirement) -> dict[str, object]:
    tests = {
        proof.test: {"outcome": proof.outcome, "witnesses": sorted(proof.witnesses)} for proof in requirement.proofs
    }
    return {"outcome": requirement.outcome, "judge": requirement.judge, "tests": tests}


def as_text(traced: Sequence[Requirement]) -> str:
    """The whole trace to read: ids with tests, ids without, totals."""
    tested = [requirement for requirement in traced if requirement.proofs]
    untested = [requirement for requirement in traced if not requirement.proofs]
    lines = ["Requirements with tests", ""]
    lines += [_proof_line(requirement, proof) for requirement in tested for proof in requirement.proofs]
    lines += ["", "Requirements without a test", ""]
    lines += [f"{requirement.id:<18} {requirement.area:<21} {_short(requirement.text)}" for requirement in untested]
    return "\n".join([*lines, "", *_table(traced)])


def _proof_line(requirement: Requirement, proof: Proof) -> str:
    people = ", ".join(sorted(proof.witnesses & (PEERS | READERS))) or proof.judge
    before = people if proof.outcome is Outcome.PASSED else ""
    return f"{requirement.id:<18} {proof.outcome:<8} {before:<24} {proof.test}"


def _table(traced: Sequence[Requirement]) -> list[str]:
    total = _count("all", "", traced)
    heads = ("device", "area", "of", "shown", *Judge, *(each for each in Outcome if each is not Outcome.PASSED))
    rows = [heads, *(_row(count) for count in [*counts(traced), total])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _row(count: Count) -> tuple[str, ...]:
    others = [count.outcomes[outcome] for outcome in Outcome if outcome is not Outcome.PASSED]
    numbers = [count.total, count.outcomes[Outcome.PASSED], *(count.judges[judge] for judge in Judge), *others]
    return (count.device, count.area, *map(str, numbers))


def _short(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def main(arguments: Sequence[str]) -> None:
    """Print the trace."""
    parser = argparse.ArgumentParser(prog="trace", description="Requirements and the tests that prove them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    traced = requirements(collected_tests(), read_record())
    print(as_json(traced) if options.json else as_text(traced))
    if not RECORD.exists():
        print("No run is recorded yet: make test records one.", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
