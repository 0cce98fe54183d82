"""``make bench``: runs the cases and prints their rows; ``--write`` puts each table into benchmarks/results.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.data import cache
from benchmarks.results_page import Run, format_row, format_value, write_section
from benchmarks.rows import Row

RESULTS = Path(__file__).parent / "results.md"


def main() -> int:
    """The command line of the benchmarks; with ``--check`` 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which: {', '.join(CASES)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is run, in turn")
    parser.add_argument("--write", action="store_true", help="write each table into benchmarks/results.md")
    parser.add_argument("--check", action="store_true", help="fail where a bar is missed")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    missed: list[Row] = []
    for name in arguments.cases or CASES:
        rows = []
        for row in CASES[name](arguments.rounds):
            rows.append(row)
            print(format_row(row), flush=True)
        missed += [row for row in rows if not row.is_met]
        if arguments.write:
            run = Run(f"{date.today():%Y-%m-%d}", arguments.rounds, describe_machine())
            write_section(RESULTS, f"{name}, on {find_file_system()}", run, rows, CASES)
    for row in missed:
        print(f"missed: {row.what}: {format_value(row.ratio)}, must be {row.must}", file=sys.stderr)
    return 1 if arguments.check and missed else 0


def describe_machine() -> str:
    """The interpreter, the system and the number of cores."""
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def find_file_system() -> str:
    """What kind of file system the files are on."""
    command = ("stat", "--file-system", "--format=%T", str(cache()))
    return (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().replace("ext2/ext3", "ext4")
    )


if __name__ == "__main__":
    sys.exit(main())
