"""One process of a run: makes its share of the streams, runs them, watches time and memory, reports."""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, perf_counter
from typing import Final

from fuzz import live
from fuzz.connecting import Attempt
from fuzz.decoders import Target, targets
from fuzz.findings import Finding, save
from fuzz.mutation import Mutator
from fuzz.tree import exchange

LIVE_SHARES: Final = {live.NAME: 0.12, live.UNDER_TLS: 0.03, live.WRONG_TLS: 0.02}
SLOW_S: Final = 5.0
HANG_S: Final = 60.0
MAX_GROWTH_BYTES: Final = 64 << 20
"""Resident memory that one stream of at most 256 KiB may make the process grow by."""
MAX_BYTES: Final = 256 << 20
"""Resident memory that a process may grow by in a whole run, all connections and threads included."""
BATCH: Final = 400


@dataclass(frozen=True, slots=True)
class Run:
    """What a worker has to do: the streams ``worker``, ``worker + workers``, ... below ``streams``."""

    streams: int
    seed: int
    seconds: float
    folder: Path
    worker: int = 0
    workers: int = 1


@dataclass(slots=True)
class Tally:
    """Counts by target and result, the slowest stream of each target, peak memory, findings."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest_s: dict[str, tuple[float, int]] = field(default_factory=dict)
    peak_bytes: int = 0
    findings: list[tuple[Finding, Path]] = field(default_factory=list)

    @property
    def streams(self) -> int:
        """How many streams have been run."""
        return sum(self.results.values())

    def count(self, target: str, result: str, took_s: float, index: int) -> None:
        """Count one stream."""
        self.results[target, result] += 1
        if took_s > self.slowest_s.get(target, (0.0, 0))[0]:
            self.slowest_s[target] = took_s, index

    def add(self, other: Tally) -> None:
        """Take in what another worker counted."""
        self.results += other.results
        for target, slowest in other.slowest_s.items():
            self.slowest_s[target] = max(slowest, self.slowest_s.get(target, (0.0, 0)))
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)
        self.findings += other.findings


class Worker:
    """Runs streams against all targets. ``report`` gets the tally after each batch."""

    def __init__(self, run: Run, acceptor: live.LiveAcceptor, decoders: list[Target] | None = None) -> None:
        self._run = run
        self._acceptor = acceptor
        self._decoders = decoders or targets(acceptor.recorded)
        self._live = Mutator([exchange(item.requestor, item.syntaxes) for item in acceptor.recorded])
        self._waiting: dict[str, list[Attempt]] = {target: [] for target in live.TARGETS}
        self._first_bytes = _peak_bytes()
        self.tally = Tally()

    def work(self, report: Callable[[Tally], object]) -> None:
        """All streams of this worker, or as many as the time allows."""
        end = monotonic() + self._run.seconds
        shares = [target.share for target in self._decoders]
        watchdog = _Watchdog()
        for done, index in enumerate(range(self._run.worker, self._run.streams, self._run.workers), 1):
            rng = _generator(self._run.seed, index)
            self._run_next(index, rng, shares)
            if done % 250 == 0:
                watchdog.calm(index)
                report(self.tally)
                if monotonic() > end or len(self.tally.findings) >= 20:
                    break
        for target, waiting in self._waiting.items():
            if waiting:
                self._live_batch(target)
        watchdog.stop()
        report(self.tally)

    def replay(self, finding: Finding, streams: list[bytes]) -> list[str]:
        """Run the streams of a finding again; what is wrong with them now."""
        if finding.target in live.TARGETS:
            attempts = [Attempt(index, data) for index, data in zip(finding.indexes, streams, strict=True)]
            return self._problems(finding.target, attempts)
        target = next(target for target in self._decoders if target.name == finding.target)
        index = finding.indexes[0]
        return list(self._run_one(target, finding.variant, index, streams[0]))

    def _run_next(self, index: int, rng: Random, shares: list[float]) -> None:
        place = rng.random()
        for target, share in LIVE_SHARES.items():
            place -= share
            if place < 0:
                self._waiting[target].append(Attempt(index, self._live.stream(rng)))
                if len(self._waiting[target]) >= BATCH:
                    self._live_batch(target)
                return
        self._decode(rng.choices(self._decoders, shares)[0], index, rng)

    def _decode(self, target: Target, index: int, rng: Random) -> None:
        variant = rng.choice(list(target.mutators))
        data = target.mutators[variant].stream(rng)
        for what in self._run_one(target, variant, index, data):
            self._found(Finding(target.name, variant, self._run.seed, (index,), what), [data])

    def _run_one(self, target: Target, variant: str, index: int, data: bytes) -> Iterator[str]:
        rng = _generator(self._run.seed, index, "run")
        before, started = _peak_bytes(), perf_counter()
        try:
            result = target.run(data, variant, rng)
        except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
            result = "finding"
            yield f"{type(error).__name__}: {error}"
        took_s = perf_counter() - started
        self.tally.peak_bytes = peak = _peak_bytes()
        self.tally.count(target.name, result, took_s, index)
        if took_s > SLOW_S:
            yield f"took {took_s:.1f} s"
        if peak - before > MAX_GROWTH_BYTES:
            yield f"made the process grow by {peak - before >> 20} MiB"

    def _live_batch(self, target: str) -> None:
        attempts, self._waiting[target] = self._waiting[target], []
        problems = self._problems(target, attempts)
        if not problems:
            return
        end = monotonic() + HANG_S / 2
        for attempt in attempts:
            if monotonic() > end:
                break
            alone = self._problems(target, [Attempt(attempt.index, attempt.data)], count=False)
            if alone:
                self._found_live(target, [attempt], alone)
                return
        self._found_live(target, attempts, problems)

    def _problems(self, target: str, attempts: list[Attempt], *, count: bool = True) -> list[str]:
        found = []
        try:
            for attempt, result in self._acceptor.batch(attempts, target):
                if count:
                    self.tally.count(target, result, attempt.took_s, attempt.index)
        except AssertionError as error:
            found.append(str(error))
        self.tally.peak_bytes = _peak_bytes()
        if self.tally.peak_bytes - self._first_bytes > MAX_BYTES:
            found.append(f"the process has grown by {self.tally.peak_bytes - self._first_bytes >> 20} MiB")
        return found + self._acceptor.problems()

    def _found_live(self, target: str, attempts: list[Attempt], problems: list[str]) -> None:
        indexes = tuple(attempt.index for attempt in attempts)
        finding = Finding(target, "", self._run.seed, indexes, "; ".join(problems))
        self._found(finding, [attempt.data for attempt in attempts])

    def _found(self, finding: Finding, streams: list[bytes]) -> None:
        self.tally.findings.append((finding, save(finding, streams, self._run.folder)))


def _generator(seed: int, index: int, purpose: str = "make") -> Random:
    return Random(f"{seed}/{index}/{purpose}")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Watchdog:
    """Ends the process, with the stacks of all threads, where 250 streams take longer than ``HANG_S``."""

    def __init__(self) -> None:
        self._calm = threading.Event()
        self._stopped = False
        self._last = -1
        self._thread = threading.Thread(target=self._watch, name=live.WATCHDOG, daemon=True)
        self._thread.start()

    def calm(self, index: int) -> None:
        self._last = index
        self._calm.set()

    def stop(self) -> None:
        self._stopped = True
        self._calm.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped:
            if not self._calm.wait(HANG_S):
                print(f"\nhangs in one of the streams after {self._last}", file=sys.stderr, flush=True)
                faulthandler.dump_traceback()
                os._exit(1)
            self._calm.clear()
