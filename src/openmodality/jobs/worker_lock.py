"""One process works the queue of a data folder: the one that holds the lock of ``worker.lock`` in it.

The lock goes with the open file, so it is free the moment its process ends, in whatever way. A process that does not
get it, such as a command beside ``openmodality serve``, only queues; the other one notices and does the work.
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
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise StoreError(f"cannot open {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self.held:
            os.close(self._fd)
            self._fd = -1
