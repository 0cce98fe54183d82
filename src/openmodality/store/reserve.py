"""Room on the disk that is kept for the end of an exam: a file beside the database, given up when it is needed.

A disk that is full must not keep an exam open: its images are on it, and the RIS and the archives wait for its end.
The end itself requires little: some rows, and what a device makes at the end of a step. So that much is taken while the
exam begins, and given back where the database or an instance file finds no room.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from openmodality.store.database_errors import DatabaseFailed
from openmodality.store.database_words import Trouble
from openmodality.store.files.instance_file import StorageFull
from openmodality.store.names import RESERVE_FILE
from openmodality.store.private_files import open_private

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_RESERVE_BYTES: Final = 4 << 20
_OPENING_BYTES: Final = 1 << 18
"""What it takes to open a database that nobody has open: SQLite's index of its log, which is 32 KiB."""


class Reserve:
    """The reserve of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RESERVE_FILE

    def keep(self) -> None:
        """Take the room where it is not taken; where there is none, nothing is taken and nothing is wrong."""
        if self._length_bytes() >= _RESERVE_BYTES:
            return
        with suppress(OSError):
            fd = open_private(str(self._path), os.O_WRONLY | os.O_CREAT)
            try:
                os.posix_fallocate(fd, 0, _RESERVE_BYTES)
            finally:
                os.close(fd)

    def run(self, act: Callable[[], _T]) -> _T:
        """Do what can be repeated; where there is no room for it, once more with the room that was kept."""
        return self._run(act, 0)

    def open(self, act: Callable[[], _T]) -> _T:
        """As :meth:`run`, for the opening of the database, which leaves the most of the room to others."""
        return self._run(act, _RESERVE_BYTES - _OPENING_BYTES)

    def _run(self, act: Callable[[], _T], left_bytes: int) -> _T:
        try:
            return act()
        except StorageFull:
            if not self._shrink(left_bytes):
                raise
        except DatabaseFailed as error:
            if error.trouble is not Trouble.FULL or not self._shrink(left_bytes):
                raise
        return act()

    def _shrink(self, left_bytes: int) -> bool:
        """Give back what is above ``left_bytes``; whether it was anything."""
        length_bytes = self._length_bytes()
        if not length_bytes:
            return False
        try:
            os.truncate(self._path, left_bytes if left_bytes < length_bytes else 0)
        except OSError:
            return False
        log.warning("store.reserve_used", extra={"reason": "the disk is full"})
        return True

    def _length_bytes(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
