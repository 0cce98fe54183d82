"""The requirement trace: which ids of the conformance statements a test showed in the last run, and before whom.

Run as ``make trace``; ``make trace ARGS=--json`` prints the same as JSON. ``make trace ARGS=--write`` writes it into
the folders of the profiles, where ``openmodality conformance print --evidence`` and ``docs/requirements.md`` read it.
Tests are collected here, not run: how they ended is what ``make test`` recorded (:data:`RECORD`, written by
``tests/plugins/record.py``). An id is shown where a test that carries it passed and none failed. A skipped test shows
nothing, nor does one in which no device runs: a part may be right, and the device not use it.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from openmodality.conformance.evidence import (
    EVIDENCE_FILE,
    Before,
    Count,
    Evidence,
    Proof,
    ProofState,
    Sentence,
    count_requirements,
    describe_wire_share,
    evidence_as_json,
    group_by_area,
)
from tests.peers.witness import DEVICE, OWN_PROCESS, PEERS, READERS, SOCKET

ROOT: Final = Path(__file__).parent.parent
SPEC_FOLDER: Final = ROOT / "tests" / "data" / "spec"
NOTHING_TO_RUN: Final = "nothing_to_run.csv"
"""Beside ``requirements.csv``: what was looked at of sentences that no test can show."""
PROFILES: Final = ROOT / "src" / "openmodality" / "profiles"
RECORD: Final = ROOT / "build" / "tests.json"


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
    outcomes = {ProofState(run["outcome"]) for run in runs}
    witnesses: frozenset[str] = frozenset()
    for run in runs:
        witnesses |= set(run["witnesses"]) if run["outcome"] == ProofState.PASSED else set()
    outcome = next(each for each in ProofState if each in outcomes)
    if outcome is ProofState.PASSED and DEVICE not in witnesses:
        outcome = ProofState.NO_DEVICE
    judge = find_judge(witnesses) if outcome is ProofState.PASSED else None
    return Proof(test, outcome, judge, tuple(sorted(witnesses)))


def find_judge(witnesses: frozenset[str]) -> Before:
    """A peer or a judge of others, a decoder of others, our own other side, or nobody."""
    if witnesses & PEERS:
        return Before.PEER
    if witnesses & READERS:
        return Before.READER
    return Before.OWN_SIDE if witnesses & {SOCKET, OWN_PROCESS} else Before.MEMORY


def requirements(
    tests: Mapping[str, Sequence[str]], record: Mapping[str, Proof], folder: Path = SPEC_FOLDER
) -> dict[str, list[Sentence]]:
    """By device all its requirements in the order of their table, with what proves them."""
    return {
        table.parent.name: list(_list_requirements(table, tests, record))
        for table in sorted(folder.glob("*/requirements.csv"))
    }


def _list_requirements(
    table: Path, tests: Mapping[str, Sequence[str]], record: Mapping[str, Proof]
) -> Iterator[Sentence]:
    looked_at = {row["id"]: row["looked_at"] for row in read_rows(table.parent / NOTHING_TO_RUN)}
    for row in read_rows(table):
        proofs = tuple(record.get(test, Proof(test, ProofState.NOT_RUN, None, ())) for test in tests.get(row["id"], ()))
        told = looked_at.get(row["id"], "")
        yield Sentence(row["id"], row["section"], row["area"], row["requirement"], told, proofs)


def read_rows(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def as_json(traced: Mapping[str, Sequence[Sentence]]) -> str:
    """The whole trace as one JSON object."""
    everything = [each for its in traced.values() for each in its]
    return json.dumps(
        {
            "requirements": {each.id: _requirement_json(each) for each in everything},
            "areas": [
                {"device": device, "area": area, "total": count.total, **count.outcomes, **count.judges}
                for device, area, count in list_counts(traced)
            ],
        },
        indent=2,
    )


def _requirement_json(requirement: Sentence) -> dict[str, object]:
    tests = {proof.test: {"outcome": proof.outcome, "witnesses": list(proof.witnesses)} for proof in requirement.proofs}
    return {"outcome": requirement.outcome, "judge": requirement.judge, "tests": tests}


def list_counts(traced: Mapping[str, Sequence[Sentence]]) -> Iterator[tuple[str, str, Count]]:
    """Totals by device and area."""
    for device, its in traced.items():
        for area, group in group_by_area(its).items():
            yield device, area, count_requirements(group)


def as_text(traced: Mapping[str, Sequence[Sentence]]) -> str:
    """The whole trace to read: ids with tests, ids without, totals."""
    everything = [each for its in traced.values() for each in its]
    tested = [requirement for requirement in everything if requirement.proofs]
    untested = [requirement for requirement in everything if not requirement.proofs]
    lines = ["Requirements with tests", ""]
    lines += [_proof_line(requirement, proof) for requirement in tested for proof in requirement.proofs]
    lines += ["", "Requirements without a test", ""]
    lines += [_describe_untested(requirement) for requirement in untested]
    share = describe_wire_share(everything)
    return "\n".join([*lines, "", f"{share[0].upper()}{share[1:]}", "", *_table(traced)])


def _proof_line(requirement: Sentence, proof: Proof) -> str:
    people = ", ".join(name for name in proof.witnesses if name in PEERS | READERS) or proof.judge
    before = people if proof.outcome is ProofState.PASSED else ""
    return f"{requirement.id:<18} {proof.outcome:<8} {before:<24} {proof.test}"


def _describe_untested(requirement: Sentence) -> str:
    why = f"nothing to run: {requirement.looked_at}" if requirement.looked_at else _shorten(requirement.text)
    return f"{requirement.id:<18} {requirement.area:<21} {why}"


def _table(traced: Mapping[str, Sequence[Sentence]]) -> list[str]:
    total = count_requirements(each for its in traced.values() for each in its)
    heads = (
        "device",
        "area",
        "of",
        "shown",
        *Before,
        *(each for each in ProofState if each is not ProofState.PASSED),
    )
    rows = [heads, *(_row(*each) for each in list_counts(traced)), _row("all", "", total)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _row(device: str, area: str, count: Count) -> tuple[str, ...]:
    others = [count.outcomes[outcome] for outcome in ProofState if outcome is not ProofState.PASSED]
    numbers = [
        count.total,
        count.outcomes[ProofState.PASSED],
        *(count.judges[judge] for judge in Before),
        *others,
    ]
    return (device, area, *map(str, numbers))


def _shorten(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def write_files(traced: Mapping[str, Sequence[Sentence]], run: str, folder: Path = PROFILES) -> list[Path]:
    """Write the evidence of each device into the folder of its profile; the files."""
    written = []
    for device, its in traced.items():
        file = folder / device / EVIDENCE_FILE
        file.write_text(write_evidence(Evidence(device, run, tuple(its))), encoding="utf-8")
        written.append(file)
    return written


def write_evidence(evidence: Evidence) -> str:
    """The text of the file: a line for each sentence, so that two runs can be compared."""
    members = evidence_as_json(evidence)
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in members.pop("requirements"))
    head = json.dumps(members, ensure_ascii=False).removesuffix("}")
    return f'{head}, "requirements": [\n{lines}\n]}}\n'


def main(arguments: Sequence[str]) -> None:
    """Print the trace, or write it."""
    parser = argparse.ArgumentParser(prog="trace", description="Requirements and the tests that prove them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help="write the evidence of the profiles")
    options = parser.parse_args(arguments)
    if not RECORD.exists():
        if options.write:
            sys.exit("No run is recorded yet: make test records one.")
        print("No run is recorded yet: make test records one.", file=sys.stderr)
    traced = requirements(collected_tests(), read_record())
    if options.write:
        run = datetime.fromtimestamp(RECORD.stat().st_mtime, UTC).date().isoformat()
        for file in write_files(traced, run):
            print(file.relative_to(ROOT))
        print("docs/requirements.md follows from them: make docs")
    else:
        print(as_json(traced) if options.json else as_text(traced))


if __name__ == "__main__":
    main(sys.argv[1:])
