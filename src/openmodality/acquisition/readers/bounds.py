"""Limits the memory that a file may ask for, before any is taken."""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from openmodality.errors import ObjectInvalid

LARGEST_ARRAY_BYTES: Final = 4 << 30
"""The most that the pixels of one file may take in memory."""
LARGEST_TEXT_BYTES: Final = 1 << 20
"""The most of a companion, a sidecar, a header or another text about pixels."""
LARGEST_RATIO: Final = 1040
"""How much longer than itself what a gzip file holds can be: 1032 to 1 and some (RFC 1951)."""


def check_array_size(shape: Sequence[int], item_bytes: int, where: str, *, held_bytes: int | None = None) -> int:
    """How many bytes an array of this shape takes.

    Raises :class:`ObjectInvalid` where these are more than a file may ask for, or than the ``held_bytes`` of its file.
    """
    if any(length <= 0 for length in shape) or not shape:
        raise ObjectInvalid(f"{where}: an array of the shape {_show(shape)} has no pixels")
    size = math.prod(int(length) for length in shape) * item_bytes
    if size > LARGEST_ARRAY_BYTES:
        raise ObjectInvalid(
            f"{where}: {_show(shape)} values of {item_bytes} bytes are more than {LARGEST_ARRAY_BYTES >> 30} GiB",
            advice="give it in parts",
        )
    if held_bytes is not None and size > held_bytes:
        raise ObjectInvalid(
            f"{where}: is cut off: {_show(shape)} values of {item_bytes} bytes are more than it holds",
            advice="give the whole file",
        )
    return size


def read_text_file(path: Path) -> str:
    """A small text file in UTF-8.

    Raises :class:`ObjectInvalid` where it is too large, or no such text.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ObjectInvalid(f"{path}: is not a file")
        if path.stat().st_size > LARGEST_TEXT_BYTES:
            raise ObjectInvalid(f"{path}: too large: a text about pixels has at most {LARGEST_TEXT_BYTES >> 20} MiB")
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ObjectInvalid(f"{path}: cannot be read as text ({type(error).__name__})") from error


def _show(shape: Sequence[int]) -> str:
    return " x ".join(str(length) for length in shape)
