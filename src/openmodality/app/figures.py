"""Figures of a device for monitoring: counts, ages and durations."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Final

from openmodality.store.database import Database
from openmodality.store.listing.figures import (
    count_attempts,
    count_exams,
    count_instances,
    count_jobs,
    count_uncommitted,
    count_unsent,
    read_commitment_waits,
    read_durations,
    read_oldest_jobs,
)
from openmodality.store.local import LocalStore
from openmodality.store.rows.worklist import read_worklist
from openmodality.store.states import JobKind
from openmodality.value_class import dataclass

_KEPT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures at ``now``; the members are as the functions of ``store.listing.figures`` return them."""

    now: float
    jobs: Sequence[tuple[str, str, int]]
    oldest_jobs: Sequence[tuple[str, float]]
    attempts: Sequence[tuple[str, str, int, int]]
    send_seconds: Sequence[tuple[str, float]]
    commitment_seconds: Sequence[tuple[str, float]]
    exams: Sequence[tuple[str, int]]
    instances: Sequence[tuple[str, int]]
    unsent: int
    uncommitted: int
    worklist_items: int


class FigureReader:
    """Reads the figures; those that take long are kept for a minute."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._slow: tuple[float, int, int] | None = None
        self._lock = threading.Lock()

    def read(self) -> Figures:
        """All figures."""
        database = self._store.database
        unsent, uncommitted = self._read_slow(database)
        with database.read() as snapshot:
            items = len(read_worklist(snapshot))
        with self._store.read() as reader:
            return Figures(
                now=database.clock(),
                jobs=count_jobs(reader),
                oldest_jobs=read_oldest_jobs(reader),
                attempts=count_attempts(reader),
                send_seconds=read_durations(reader, JobKind.SEND),
                commitment_seconds=read_commitment_waits(reader),
                exams=count_exams(reader),
                instances=count_instances(reader),
                unsent=unsent,
                uncommitted=uncommitted,
                worklist_items=items,
            )

    def _read_slow(self, database: Database) -> tuple[int, int]:
        with self._lock:
            now = database.clock()
            if self._slow is None or not 0 <= now - self._slow[0] < _KEPT_S:
                with self._store.read() as reader:
                    self._slow = now, count_unsent(reader), count_uncommitted(reader)
            return self._slow[1:]


class AssociationTally:
    """Counts the associations that peers asked for: by the peer, what came of it, and why it was rejected."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, peer: str, reason: str = "") -> None:
        """Count one; ``reason`` is why it was rejected, empty where it was accepted."""
        with self._lock:
            self._counts[peer, "rejected" if reason else "accepted", reason] += 1

    def read(self) -> dict[tuple[str, str, str], int]:
        """The counts since the device was started."""
        with self._lock:
            return dict(self._counts)
