"""A thread that works beside a device while it serves, from the entry of a block to its exit."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class BackgroundThread:
    """Runs ``run`` of its subclass, which returns soon after ``stopping`` is set and :meth:`wake` was called."""

    def __init__(self, name: str) -> None:
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.wake()
        self._thread.join()

    def run(self) -> None:
        """Do the work."""
        raise NotImplementedError

    def wake(self) -> None:
        """End a wait of ``run`` that ``stopping`` does not end."""
