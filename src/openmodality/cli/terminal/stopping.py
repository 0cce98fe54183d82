"""Commands that run until they are told to stop: by Ctrl-C, or by SIGTERM as a service manager does."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """A flag that signals and other threads may set at any moment, and that the main thread waits for.

    It is no ``threading.Event``: a signal's handler runs in the middle of what the main thread does, and setting an
    event from there waits for ever where that was about to wait for the event. Nor would a signal that comes just
    before a wait begins end it. What wakes this up is a byte in a pipe, which the system's part of the handler writes.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._read_fd, self._write_fd = os.pipe()
        for fd in (self._read_fd, self._write_fd):
            os.set_blocking(fd, False)
        self._poll = select.poll()
        self._poll.register(self._read_fd, select.POLLIN)

    def set(self) -> None:
        """End the wait, now or as soon as it begins."""
        self.is_set = True
        with suppress(BlockingIOError):  # full: then it wakes up anyway
            os.write(self._write_fd, b"\0")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is set, or for so long; whether it is."""
        timeout_ms = None if timeout_s is None else timeout_s * 1000
        while not self.is_set and self._poll.poll(timeout_ms):
            os.read(self._read_fd, 64)
        return self.is_set

    def listen_to_signals(self) -> None:
        """Let SIGINT and SIGTERM set it, from now on; of the main thread only."""
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: self.set())


def stop_on_signals() -> Stop:
    """What SIGINT and SIGTERM set."""
    stop = Stop()
    stop.listen_to_signals()
    return stop
