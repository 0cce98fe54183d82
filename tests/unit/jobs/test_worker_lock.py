"""Who works the queue of a data folder, and who only asks."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from openmodality.errors import StoreError
from openmodality.jobs.worker_lock import LOCK_FILE, WorkerLock, is_worker_running


def test_one_of_two_has_the_lock_until_it_lets_go(tmp_path: Path) -> None:
    first, second = WorkerLock(tmp_path), WorkerLock(tmp_path)
    assert not is_worker_running(tmp_path)
    assert (first.acquire(), second.acquire()) == (True, False)
    assert is_worker_running(tmp_path)
    first.release()
    assert not is_worker_running(tmp_path)
    assert second.acquire()
    second.release()


def test_who_only_asks_makes_no_file(tmp_path: Path) -> None:
    assert not is_worker_running(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_who_only_asks_keeps_no_worker_from_starting(tmp_path: Path) -> None:
    asking = os.open(tmp_path / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_SH)
    lock = WorkerLock(tmp_path)
    starting = threading.Thread(target=lock.acquire)
    starting.start()
    os.close(asking)
    starting.join()
    assert lock.held
    lock.release()


def test_a_lock_that_cannot_be_looked_at_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root opens everything, by a system call that fails."""

    def refuse(path: Path, *_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match=rf"cannot open .*{LOCK_FILE}: Permission denied"):
        is_worker_running(tmp_path)
