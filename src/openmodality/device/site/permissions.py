"""Files that hold a secret or name the hospital's systems, and that any user of this machine may read."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)


def warn_readable_by_all(files: Iterable[Path]) -> None:
    """Warn of each file that every user may read. A file that cannot be examined is an error where it is opened."""
    for file in files:
        if _is_readable_by_all(file):
            reason = "anybody on this machine may read it; chmod o-rwx closes it"
            log.warning("file.readable_by_all", extra={"file": str(file), "reason": reason})


def _is_readable_by_all(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
