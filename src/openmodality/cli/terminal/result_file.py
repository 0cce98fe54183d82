"""A result that goes into a file which the user names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_result(file: Path, text: str) -> None:
    """Write a text into a file in UTF-8; a new one that cannot be finished is removed.

    Raises :class:`OSError`, which names the file also where the disk is full.
    """
    existed = file.exists()
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        if not existed:
            with suppress(OSError):
                file.unlink()
        raise OSError(error.errno, error.strerror, str(file)) from error
