"""When instances are taken from archives: while a retrieve runs, and a while after it.

A device may take instances only while it retrieves (R/F 4.2.6.4.1.1), and shows only those of studies that it asked for
(DECISIONS R/F 1). The process that listens and the one that asks may be two, so the window is a folder: one empty file
for each study, locked while the study is being retrieved; its time is that of the end. A process that dies lets go of
its locks.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import StoreError, UsageError
from openmodality.store.private_files import open_private

WINDOW_FOLDER: Final = "retrieving"
REFUSALS_FILE: Final = "retrieving.refused"
"""What the process that listens refused meanwhile, a line each: why, without a word about patients."""


class RetrieveWindow:
    """The window of a data folder; it stays open ``after_s`` seconds after the end of a retrieve."""

    def __init__(self, folder: Path, clock: Callable[[], float], after_s: float) -> None:
        self._folder = folder / WINDOW_FOLDER
        self._refusals = folder / REFUSALS_FILE
        self._clock = clock
        self._after_s = after_s

    @contextmanager
    def retrieving(self, study_instance_uid: str) -> Iterator[None]:
        """Keep the window open around the retrieve of a study. Raises :class:`UsageError` where the UID is none."""
        if not is_valid_uid(study_instance_uid, strict=False):
            raise UsageError(f"{study_instance_uid!r} is no Study Instance UID")
        path = self._folder / study_instance_uid
        if not self.is_open:
            self._refusals.unlink(missing_ok=True)
        with self._lock(path):
            try:
                yield
            finally:
                os.utime(path, (self._clock(),) * 2)

    @property
    def is_open(self) -> bool:
        """Whether any instance is taken now."""
        return any(not self._is_over(path) for path in self._files())

    def asked_for(self, study_instance_uid: str) -> bool:
        """Whether a study was asked for."""
        return (self._folder / study_instance_uid).exists()

    def note_refusal(self, reason: str) -> None:
        """Tell the process that retrieves what this one has refused; without a retrieve it does nothing."""
        if self.is_open:
            with suppress(OSError), open(self._refusals, "a", encoding="utf-8", opener=open_private) as file:
                file.write(json.dumps(reason) + "\n")

    @contextmanager
    def watching_refusals(self) -> Iterator[Counter[str]]:
        """Count by reason what the process that listens refuses in this block; complete when the block has ended."""
        refusals = Counter[str]()
        known = len(self._read_refusals())
        try:
            yield refusals
        finally:
            refusals.update(self._read_refusals()[known:])

    def _read_refusals(self) -> list[str]:
        try:
            lines = self._refusals.read_text("utf-8").splitlines()
        except OSError:
            return []
        return [str(json.loads(line)) for line in lines if line.endswith('"')]  # the last may not be whole yet

    @contextmanager
    def _lock(self, path: Path) -> Iterator[BinaryIO]:
        try:
            self._folder.mkdir(exist_ok=True)
            for old in self._files():
                if self._is_over(old):
                    old.unlink(missing_ok=True)
            file = path.open("ab")
        except OSError as error:
            raise StoreError(f"cannot use {self._folder}: {error.strerror}") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)
            os.utime(path, (self._clock(),) * 2)
            yield file

    def _files(self) -> list[Path]:
        return sorted(self._folder.iterdir()) if self._folder.is_dir() else []

    def _is_over(self, path: Path) -> bool:
        try:
            if path.stat().st_mtime + self._after_s >= self._clock():
                return False
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except FileNotFoundError:
            pass  # another process has just removed it
        return True
