"""``python -m fuzz``: run in as many processes as there are processors, show progress, print the summary."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import monotonic

from fuzz.answering import AnsweringPeer
from fuzz.decoders import targets
from fuzz.findings import load
from fuzz.live import LiveAcceptor
from fuzz.processes import run_all
from fuzz.summary import table
from fuzz.worker import Run, Worker


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 where something was found."""
    options = _parser().parse_args(arguments)
    if options.replay:
        return _replay(options.replay)
    runs = [
        Run(options.streams, options.seed, options.seconds, options.findings, number, options.workers)
        for number in range(options.workers)
    ]
    started = monotonic()
    tally, failed = run_all(runs)
    print(table(tally, monotonic() - started, options.seed))
    for finding, path in tally.findings:
        print(f"FOUND {finding.target}, stream {finding.indexes[0]} of seed {finding.seed}: {finding.what}")
        print(f"      again with: python -m fuzz --replay {path}")
    if failed:
        print("FOUND a worker that ended before its work was done", file=sys.stderr)
    return 1 if tally.findings or failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--streams", type=int, default=200_000, help="how many streams (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same streams")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="where findings are saved")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run the streams of a finding again")
    return parser


def _replay(path: Path) -> int:
    finding, streams = load(path)
    run = Run(0, finding.seed, float("inf"), path.parent)
    with AnsweringPeer() as peer, LiveAcceptor() as acceptor:
        decoders = [*targets(acceptor.recorded), peer.target(acceptor.recorded)]
        problems = Worker(run, acceptor, decoders).replay(finding, streams)
    for problem in problems:
        print(f"{finding.target}: {problem}")
    print("happens again" if problems else "does not happen any more")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
