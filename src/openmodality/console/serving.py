"""Whether the console of a device is served: a lock in its data folder that is held as long as it is.

The port alone does not tell: the console of another device may listen there.
"""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, Self

from openmodality.device.site.site_file import ConsoleSettings
from openmodality.store.private_files import open_private

_LOCK_FILE: Final = "console.lock"
_CONNECT_S: Final = 1.0


class ServingLock:
    """Held by the process that serves the console of a data folder; it ends with that process in any case."""

    def __init__(self, folder: Path) -> None:
        self._fd = open_private(str(folder / _LOCK_FILE), os.O_RDWR | os.O_CREAT)

    def acquire(self) -> Self:
        """Take the lock. Where another console of this folder has it, that one says as well that it is served."""
        with suppress(BlockingIOError):
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self

    def release(self) -> None:
        """Give the lock back; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def is_console_served(folder: Path) -> bool:
    """Whether some process serves the console of this data folder."""
    try:
        fd = os.open(folder / _LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def has_port_taken(settings: ConsoleSettings) -> bool:
    """Whether some program listens where the console of these settings would."""
    try:
        with closing(socket.create_connection((settings.host, settings.port), _CONNECT_S)):
            return True
    except OSError:
        return False
