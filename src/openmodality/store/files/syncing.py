"""Many files made durable together: a disk does for several threads at once what takes as long for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Final, TypeVar

from openmodality.buffer import Buffer
from openmodality.errors import StoreError
from openmodality.store.files.instance_file import InstanceFile, remove, store_error

_Item = TypeVar("_Item")
_THREADS: Final = 16
_MOST_OPEN: Final = 64
"""Files that are written and not durable yet: much below the limit of open files, and enough for the threads."""
_TRIED: Final = 4
"""Files that are made durable one by one, to see how long that takes."""
_PROMPT_S: Final = 0.0002
"""A disk that needs no longer for one, as one in memory, is done before a thread has taken it over."""


def run_at_once(work: Callable[[_Item], object], items: Iterable[_Item]) -> None:
    """Do for all items, some at a time, what waits for the disk. Raises :class:`StoreError` where it fails."""
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            deque(pool.map(work, items), maxlen=0)
        except OSError as error:
            raise store_error(error, "make the names of instance files durable") from error


class FileGroup:
    """Instance files that are stored together or not at all: while some go to the disk the next ones are written.

    Where the disk is done at once, no thread takes part. ``finish`` or ``abort`` ends it.
    """

    def __init__(self, *, synced: bool) -> None:
        self._tries_left = _TRIED if synced else 0
        self._fastest_s = float("inf") if synced else 0.0
        self._pool: ThreadPoolExecutor | None = None
        self._open: deque[Future[str]] = deque()
        self._temporary: list[str] = []

    def add(self, file: InstanceFile, parts: Sequence[Buffer]) -> None:
        """Write a file. Raises :class:`StoreError` where this or an earlier one fails."""
        try:
            file.write_all(parts)
            if self._tries_left or self._fastest_s < _PROMPT_S:
                self._temporary.append(self._complete(file))
                return
        except BaseException:
            file.abort()
            raise
        self._pool = self._pool or ThreadPoolExecutor(_THREADS)
        self._open.append(self._pool.submit(file.complete))
        while len(self._open) > _MOST_OPEN:
            self._take_oldest()

    def _complete(self, file: InstanceFile) -> str:
        start = perf_counter()
        temporary = file.complete()
        if self._tries_left:
            self._tries_left -= 1
            self._fastest_s = min(self._fastest_s, perf_counter() - start)
        return temporary

    def finish(self) -> list[str]:
        """The temporary names of all files, durable as configured, in the order in which they came."""
        while self._open:
            self._take_oldest()
        self._end()
        return self._temporary

    def abort(self) -> None:
        """Remove all files."""
        while self._open:
            try:
                self._take_oldest()
            except StoreError:
                continue  # that file is gone already
        self._end()
        for temporary in self._temporary:
            remove(temporary)

    def _take_oldest(self) -> None:
        self._temporary.append(self._open.popleft().result())

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
