"""Raw pixels, row by row without a header: ``raw:ROWSxCOLS:uint16:le:OFFSET`` says what they are.

Of the offset, the order of bytes and the type, the last may be left out: ``raw:512x640`` is uint16, little endian, from
the first byte. The file may hold several frames; how many, its length says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

from openmodality.acquisition.readers.bounds import check_array_size
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.value_class import value_class

_TYPES: Final = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
_FORM: Final = re.compile(
    r"raw:(?P<rows>[0-9]{1,6})x(?P<columns>[0-9]{1,6})(?::(?P<type>u?int(?:8|16|32)|float(?:32|64)))?(?::(?P<order>le|be))?(?::(?P<offset>[0-9]{1,12}))?"
)
_ADVICE: Final = f"say raw:ROWSxCOLS:TYPE:le:OFFSET with a type of {', '.join(_TYPES)}, and le or be"


@value_class
class RawFormat:
    """How raw pixels lie in their file."""

    rows: int
    columns: int
    dtype: str
    offset_bytes: int


def parse_raw_format(text: str) -> RawFormat:
    """The format that a text such as ``raw:512x640:uint16:le:128`` says.

    Raises :class:`UsageError` where it says none.
    """
    said = _FORM.fullmatch(text)
    if said is None or (said["type"] or "uint16") not in _TYPES or not int(said["rows"]) * int(said["columns"]):
        raise UsageError(f"{text!r:.64} is no format of raw pixels", advice=_ADVICE)
    dtype = np.dtype(said["type"] or "uint16").newbyteorder(">" if said["order"] == "be" else "<").str
    return RawFormat(int(said["rows"]), int(said["columns"]), dtype, int(said["offset"] or 0))


def split_raw_path(text: str) -> tuple[str, str]:
    """``raw:512x640:uint16:le:0:scan.bin`` as its format and its path; no format where it is a path alone."""
    said = _FORM.match(text)
    if said is None or text[said.end() : said.end() + 1] != ":":
        return "", text
    return said[0], text[said.end() + 1 :]


def read_raw(path: Path, form: RawFormat) -> list[FoundSeries]:
    """The frames of a file of raw pixels.

    Raises :class:`ObjectInvalid` where its length is not that of whole frames.
    """
    held = path.stat().st_size - form.offset_bytes
    size = form.rows * form.columns * np.dtype(form.dtype).itemsize
    frames, rest = divmod(max(held, 0), size)
    if not frames or rest:
        raise ObjectInvalid(
            f"{path}: {max(held, 0)} bytes behind the offset are no whole number of frames of {size} bytes",
            advice="correct rows, columns, type or offset",
        )
    shape = (int(frames), form.rows, form.columns)
    check_array_size(shape, np.dtype(form.dtype).itemsize, str(path))
    mapped = np.memmap(path, dtype=form.dtype, mode="r", offset=form.offset_bytes, shape=shape)
    return [FoundSeries(str(path), Volume(array=mapped))]
