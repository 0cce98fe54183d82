"""Does things later, and again until they are done: one thread, no polling."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

log = logging.getLogger(__name__)

Perform = Callable[[str], "float | None"]
"""Does what a key stands for; the seconds until it is to be tried again, ``None`` when it is over."""


class Agenda:
    """Keys with the time at which they are due."""

    def __init__(self, perform: Perform, name: str) -> None:
        self._perform = perform
        self._due: dict[str, float] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to perform what is due."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread; what is not done stays undone."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def plan(self, key: str, delay_s: float) -> None:
        """Perform ``key`` in ``delay_s`` seconds."""
        with self._changed:
            self._due[key] = monotonic() + delay_s
            self._changed.notify_all()

    def hurry(self) -> None:
        """Something has changed that may help: perform all that waits now."""
        with self._changed:
            self._due = dict.fromkeys(self._due, monotonic())
            self._changed.notify_all()

    def _run(self) -> None:
        while (key := self._next()) is not None:
            try:
                again_s = self._perform(key)
            except Exception:  # the boundary of this thread
                log.exception("agenda.failed", extra={"agenda": self._thread.name})
                again_s = None
            if again_s is not None:
                self.plan(key, again_s)

    def _next(self) -> str | None:
        with self._changed:
            while not self._stopped:
                key = min(self._due, key=self._due.__getitem__, default=None)
                left = None if key is None else self._due[key] - monotonic()
                if key is not None and left is not None and left <= 0:
                    del self._due[key]
                    return key
                self._changed.wait(left)
        return None
