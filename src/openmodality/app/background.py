"""A thread that works beside a device while it serves, from the entry of a block to its exit."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class BackgroundThread(ABC):
    """Calls :meth:`run`, which returns soon after ``stopping`` is set and :meth:`wake` was called."""

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

    @abstractmethod
    def run(self) -> None:
        """Do the work."""

    def wake(self) -> None:  # noqa: B027 - most wait for ``stopping`` alone
        """End a wait of ``run`` that ``stopping`` does not end."""
