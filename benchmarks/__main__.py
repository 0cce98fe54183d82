"""``make bench``: runs the cases and prints the table; ``--write`` puts it into benchmarks/results.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.data import cache
from benchmarks.rows import Row

RESULTS = Path(__file__).parent / "results.md"


def main() -> int:
    """The command line of the benchmarks; with ``--check`` 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which: {', '.join(CASES)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is run, in turn")
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/results.md")
    parser.add_argument("--check", action="store_true", help="fail where a bar is missed")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    for name in arguments.cases or CASES:
        for row in CASES[name](arguments.rounds):
            rows.append(row)
            print(line(row), flush=True)
    if arguments.write:
        RESULTS.write_text(page(rows, arguments.rounds))
    missed = [row for row in rows if not row.is_met]
    for row in missed:
        print(f"missed: {row.what}: {row.ratio:.2f}, must be {row.must}", file=sys.stderr)
    return 1 if arguments.check and missed else 0


def line(row: Row) -> str:
    """One row of the table: median, range over the rounds, the bar, the figures."""
    ratio = f"{row.ratio:.2f} ({min(row.ratios):.2f} to {max(row.ratios):.2f})"
    return f"| {row.what} | {ratio} | {row.must} | {row.figures} |"


def page(rows: list[Row], rounds: int) -> str:
    """The whole page."""
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return "\n".join(
        (
            "# Speed",
            "",
            f"Made by `make bench ARGS='--write --rounds {rounds}'`. {machine}, loopback, TCP_NODELAY=1 at both ends;",
            f"files read from and written to {file_system()}.",
            "",
            "Each ratio is the median of the rounds (and their range); the two sides of a row run in turn, each with",
            "fresh processes. Rates are objects per second after start-up: the wall time of the sender for all files,",
            "less that for one file. In brackets, the wall time of the whole sender process. `os` durability.",
            "",
            "| work | ratio or value | must | figures |",
            "|---|---|---|---|",
            *map(line, rows),
            "",
        )
    )


def file_system() -> str:
    """What kind of file system the files are on."""
    command = ("stat", "--file-system", "--format=%T", str(cache()))
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
