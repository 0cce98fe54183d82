"""The standard streams of a command, whatever it was started with.

A stream that is closed is ``/dev/null``. A message that stderr cannot take, as on a full disk or where nobody reads any
more, is lost: what it tells of goes on. A result that stdout cannot take is an error, as :func:`finish_output` says; a
character that the user's character set does not have is written as its number, as Python does on stderr.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_MODES: Final = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""In the order of their descriptors: the one that is opened next gets the lowest that is free."""


class _Forgiving(io.FileIO):
    def write(self, data: ReadableBuffer, /) -> int:
        try:
            written: int | None = super().write(data)
        except OSError:
            written = None
        return memoryview(data).nbytes if written is None else written


def mend_streams() -> None:
    """Open what is closed, and let stderr lose what it cannot take."""
    for name, mode in _MODES.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, closefd=False))
    out = sys.__stdout__
    if isinstance(out, io.TextIOWrapper) and _is_refusing(out):
        out.reconfigure(errors="backslashreplace")
    given = sys.__stderr__
    if given is not None and sys.stderr is given:
        raw = _Forgiving(given.fileno(), "wb", closefd=False)
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), given.encoding, given.errors, line_buffering=True)


def _is_refusing(out: io.TextIOWrapper) -> bool:
    """Whether a character may be an error: ``surrogateescape``, of the C locale, takes bytes of file names alone."""
    return out.errors == "strict" or (out.errors == "surrogateescape" and out.encoding.lower() == "ascii")


def finish_output() -> OSError | None:
    """Write what is left for stdout; the error where that fails, and then nothing is tried again when Python ends."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None
