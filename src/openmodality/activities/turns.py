"""One association at a time for each local AE, across all processes of a device (RF-4.2.5.2.2-01, MR-3.1.2-01).

Within a process a semaphore says whose turn it is, between processes the lock of a file in the data folder: a command
beside ``openmodality serve`` waits until that one's association has ended, and the other way round. A process that
dies lets go of its locks.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Final

from openmodality.dimse.channel import FOREVER
from openmodality.errors import StoreError

TURNS_FOLDER: Final = "turns"
_LOOK_S: Final = 0.05
"""How often a lock that another process has is looked at."""


class Turns:
    """Gives turns to the local AEs; ``counts`` says by role how many associations each may have open."""

    def __init__(self, folder: Path, counts: Mapping[str, int]) -> None:
        self._folder = folder / TURNS_FOLDER
        self._counts = counts
        self._free = {role: threading.Semaphore(count) for role, count in counts.items()}
        self._closing = threading.Event()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closing.set()

    @contextmanager
    def wait(self, role: str, wait_s: float = FOREVER) -> Iterator[bool]:
        """Keep a turn until the block ends; gives whether there was one within the time.

        Raises :class:`StoreError` where the device is closed meanwhile, or its folder cannot be used.
        """
        until = monotonic() + wait_s
        if not self._look(lambda: self._free[role].acquire(timeout=_LOOK_S), until):
            yield False
            return
        try:
            with self._open(role) as file:
                yield file is None or self._look(lambda: self._lock(file), until)
        finally:
            self._free[role].release()

    def _look(self, attempt: Callable[[], bool], until: float) -> bool:
        while not attempt():
            if self._closing.is_set():
                raise StoreError("the device is being closed")
            if monotonic() >= until:
                return False
        return True

    def _lock(self, file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._closing.wait(_LOOK_S)
            return False
        return True

    @contextmanager
    def _open(self, role: str) -> Iterator[BinaryIO | None]:
        """The file to lock; ``None`` where several may have turns, nobody has data yet, or these are not ours."""
        if self._counts[role] > 1 or not self._folder.parent.is_dir():
            yield None
            return
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file = (self._folder / role).open("ab")
        except PermissionError:
            yield None
            return
        except OSError as error:
            raise StoreError(f"cannot use {self._folder}: {error.strerror}") from error
        with file:
            yield file
