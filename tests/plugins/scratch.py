"""The files of tests lie in memory, where there is room: to keep a database on disk takes as long as a short test.

What a test that passed has written is removed at its end (``tmp_path_retention_policy``). ``--basetemp`` and
``PYTEST_DEBUG_TEMPROOT`` choose another place, and a soak writes too much for memory.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 4 << 30
"""Bytes that must be free there, and in memory."""
_TEMPORARY_ROOT: Final = "PYTEST_DEBUG_TEMPROOT"
"""pytest's own variable; the other processes of a run inherit it."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    chosen = config.getoption("basetemp") or os.environ.get(_TEMPORARY_ROOT)
    if not chosen and not config.getoption("--soak") and has_room(MEMORY, Path("/proc/meminfo")):
        os.environ[_TEMPORARY_ROOT] = str(MEMORY)


def has_room(memory: Path, figures: Path) -> bool:
    """Whether programs can lie and run there, and the machine has memory to spare by its figures."""
    if not (figures.is_file() and memory.is_dir() and os.access(memory, os.W_OK)):
        return False
    place = os.statvfs(memory)
    found = re.search(r"^MemAvailable: +(\d+) kB$", figures.read_text(), re.MULTILINE)
    free = min(place.f_bavail * place.f_frsize, int(found[1]) * 1024 if found else 0)
    return free >= _ROOM and not place.f_flag & os.ST_NOEXEC
