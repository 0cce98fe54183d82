"""The processes of a run, and what they count together."""

from __future__ import annotations

import multiprocessing
import warnings
from multiprocessing.connection import Connection, wait
from time import monotonic

from fuzz.answering import AnsweringPeer
from fuzz.decoders import targets
from fuzz.live import LiveAcceptor
from fuzz.summary import progress_line
from fuzz.worker import Run, Tally, Worker


def run_all(runs: list[Run]) -> tuple[Tally, bool]:
    """All workers to their end; what they counted, and whether one of them died."""
    context = multiprocessing.get_context("spawn")
    tallies: dict[Connection, Tally] = {}
    processes = []
    for run in runs:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(run, theirs))
        process.start()
        theirs.close()
        processes.append(process)
        tallies[ours] = Tally()
    started, live = monotonic(), set(tallies)
    while live:
        for ready in wait(live):
            assert isinstance(ready, Connection)
            try:
                tallies[ready] = ready.recv()
            except EOFError:
                live.discard(ready)
        progress_line(_sum(tallies), runs[0].streams, monotonic() - started)
    for process in processes:
        process.join()
    return _sum(tallies), any(process.exitcode for process in processes)


def _work(run: Run, reports: Connection) -> None:
    warnings.filterwarnings("ignore", module="pydicom")  # of what is wrong in a stream; that is the point of it
    with AnsweringPeer() as peer, LiveAcceptor() as acceptor:
        decoders = [*targets(acceptor.recorded), peer.target(acceptor.recorded)]
        Worker(run, acceptor, decoders).work(reports.send)
    reports.close()


def _sum(tallies: dict[Connection, Tally]) -> Tally:
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    return total
