"""Folders for temporary files, one for each process that writes, so that those of a dead process are recognised.

``ROOT/.incoming/PID-RANDOM`` is locked (flock) by its process as long as that lives. A folder that can be locked by
somebody else belongs to nobody: a kill -9 or a power failure has ended its owner. The lock goes with the open folder,
not with the number of the process, which may have been given to another one since.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
from collections.abc import Callable
from pathlib import Path

from openmodality.store.files.instance_file import remove, store_error

FOLDER = ".incoming"
_ATTEMPTS = 8
"""How many names are tried: another process may remove a folder between its creation and its locking."""


class Incoming:
    """The temporary names of this process."""

    def __init__(self, root: Path) -> None:
        self._root = root / FOLDER
        self._numbers = itertools.count()
        self._lock_fd, self._prefix = self._claim_prefix()

    def new_name(self) -> str:
        """A path that no other call and no other process gets."""
        return f"{self._prefix}{next(self._numbers)}"

    def close(self) -> None:
        """Remove the folder, which is empty unless a file is still being written."""
        remove_leftovers_of(Path(self._prefix))
        os.close(self._lock_fd)

    def _claim_prefix(self) -> tuple[int, str]:
        failure = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        for _ in range(_ATTEMPTS):
            folder = self._root / f"{os.getpid()}-{os.urandom(4).hex()}"
            try:
                folder.mkdir(parents=True)
                fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                fcntl.flock(fd, fcntl.LOCK_EX)
            except OSError as error:
                failure = error
                if isinstance(error, FileNotFoundError):
                    continue
                break
            if folder.exists():
                return fd, f"{folder}{os.sep}"
            os.close(fd)
        raise store_error(failure, "make a folder for incoming files") from failure


def remove_leftovers(root: Path, rescue: Callable[[], object] = lambda: None) -> int:
    """Remove the temporary files of processes that are gone; returns how many.

    ``rescue`` is called before, when it is sure that the process of a folder is gone: it may give some of the files
    their names.
    """
    base = root / FOLDER
    if not base.is_dir():
        return 0
    return sum(_sweep(folder, rescue) for folder in sorted(base.iterdir()))


def remove_leftovers_of(folder: Path) -> int:
    """Empty one folder and remove it, unless it holds a folder, which is nothing of ours."""
    try:
        removed = sum(remove(str(path)) for path in folder.iterdir() if not path.is_dir())
        folder.rmdir()
    except FileNotFoundError:
        return 0
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            return removed
        raise store_error(error, "remove what is left of incoming files") from error
    return removed


def _sweep(folder: Path, rescue: Callable[[], object]) -> int:
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        rescue()
        return remove_leftovers_of(folder)
    except BlockingIOError:
        return 0  # its process lives
    finally:
        os.close(fd)
