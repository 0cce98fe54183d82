"""One process works the queue of a data folder: the one that holds the lock of ``worker.lock`` in it.

The lock goes with the open file, so it is free the moment its process ends, in whatever way. A process that does not
get it, such as a command beside ``openmodality serve``, only queues; the other one notices and does the work. Whoever
only asks whether there is a worker takes a shared lock and gives it back at once.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from openmodality.errors import StoreError

LOCK_FILE: Final = "worker.lock"


class WorkerLock:
    """The right to work the queue of a data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._fd = -1

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._fd >= 0

    def acquire(self) -> bool:
        """Take the lock if nobody has it; says whether this process has it now."""
        if self.held:
            return True
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {self._path}: {error.strerror}") from error
        if not _lock_for_work(fd):
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self.held:
            os.close(self._fd)
            self._fd = -1


def is_worker_running(folder: Path) -> bool:
    """Whether some process works the queue of a data folder; asking keeps none from starting to."""
    try:
        fd = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot open {folder / LOCK_FILE}: {error.strerror}") from error
    try:
        return not _lock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def _lock_for_work(fd: int) -> bool:
    """Take the lock unless a worker has it; the shared ones of those who only ask last a moment, and are waited for."""
    while not _lock(fd, fcntl.LOCK_EX):
        if not _lock(fd, fcntl.LOCK_SH):
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
    return True


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
