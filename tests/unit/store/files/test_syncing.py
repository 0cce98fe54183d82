"""Files of a group: a thread takes part where the disk takes its time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest

from openmodality.buffer import Buffer
from openmodality.errors import StoreError
from openmodality.store.files import syncing
from openmodality.store.files.syncing import FileGroup


class Clock:
    """A clock that a sync lets go on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class File:
    """Stands in for an instance file whose sync takes ``seconds``."""

    def __init__(self, name: str, clock: Clock, seconds: float, *, fails: bool = False) -> None:
        self.thread = ""
        self.aborted = False
        self._name, self._clock, self._seconds, self._fails = name, clock, seconds, fails

    def write_all(self, chunks: Sequence[Buffer]) -> None:
        assert chunks

    def complete(self) -> str:
        self.thread = threading.current_thread().name
        self._clock.now_s += self._seconds
        if self._fails:
            raise StoreError("no room")
        return self._name

    def abort(self) -> None:
        self.aborted = True


def add_all(group: FileGroup, files: Sequence[File]) -> None:
    for file in files:
        group.add(cast("Any", file), [b"data"])


@pytest.mark.parametrize(("synced", "seconds", "own_thread"), [(True, 1e-5, 12), (True, 1e-2, 4), (False, 1e-2, 12)])
def test_threads_sync_where_the_disk_takes_its_time(
    synced: bool, seconds: float, own_thread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(syncing, "perf_counter", clock)
    files = [File(str(number), clock, seconds) for number in range(12)]
    group = FileGroup(synced=synced)
    add_all(group, files)
    assert group.finish() == [str(number) for number in range(12)]
    here = threading.current_thread().name
    assert [file.thread == here for file in files] == [True] * own_thread + [False] * (12 - own_thread)


def test_a_file_that_fails_at_once_is_given_up_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "perf_counter", Clock())
    removed: list[str] = []
    monkeypatch.setattr(syncing, "remove", removed.append)
    good, bad = (File(name, Clock(), 0.0, fails=name == "bad") for name in ("good", "bad"))
    group = FileGroup(synced=True)
    add_all(group, [good])
    with pytest.raises(StoreError):
        add_all(group, [bad])
    assert bad.aborted
    group.abort()
    assert removed == ["good"]
