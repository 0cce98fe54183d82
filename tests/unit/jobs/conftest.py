from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from openmodality.jobs.queue import Queue
from openmodality.store.database import open_database


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(database_url: str, clock: Clock) -> Iterator[Queue]:
    database = open_database(database_url, durability="os", clock=clock)
    yield Queue(database)
    database.close()
