"""Reads a file as an object, where it is small enough to be one: sequences of a hostile file would fill the memory.

A few bytes of a file become some 400 in memory, so that one of 100 MB could take all there is. Pixels are not meant:
they take what they are long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.dimse.data_set import MAX_FILE_VALUES, check_size
from openmodality.encoding.headers import MAX_HEADER_BYTES, layout_of
from openmodality.encoding.listening import KeptValues
from openmodality.encoding.part10 import read_any, read_chunks
from openmodality.encoding.vr import dictionary
from openmodality.encoding.walk import read_values
from openmodality.standard.tags import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, PIXEL_DATA, SPECIFIC_CHARACTER_SET
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, TRANSFER_SYNTAXES

_PIECE_BYTES: Final = 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_PLAIN_VRS: Final = frozenset(("AS", "CS", "DA", "DS", "DT", "IS", "SL", "SS", "TM", "UI", "UL", "US"))
_PIXELS: Final = (PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA)


def read_bounded_file(path: Path, *, stop_before_pixels: bool = False) -> Dataset:
    """A DICOM file, after a look at its size.

    Raises :class:`ObjectInvalid` where it is damaged, or breaks a limit of :mod:`openmodality.dimse.data_set`, and what
    pydicom and the system raise where they cannot read it.
    """
    with path.open("rb") as file:
        meta = read_any(file)
        file.seek(meta.data_set_offset)
        check_size(_read_pieces(file), meta.transfer_syntax_uid, MAX_FILE_VALUES)
    return dcmread(path, stop_before_pixels=stop_before_pixels, force=meta.headless)


class BoundedHead(NamedTuple):
    """A file up to its pixels. ``pixels`` is where their value begins in the file, and its length.

    ``pixels`` is ``None`` where there are none; the place is 0 where the file is deflated or has no File Meta
    Information, so that no place in it means anything.
    """

    data_set: Dataset
    transfer_syntax_uid: str
    pixels: tuple[int, int] | None


def read_bounded_head(path: Path) -> BoundedHead:
    """A DICOM file up to its pixels, after a look at the size of that part; the pixels are not read.

    Raises as :func:`read_bounded_file` does.
    """
    with path.open("rb") as file:
        meta = read_any(file)
        file.seek(meta.data_set_offset)
        check_size(_read_pieces(file), meta.transfer_syntax_uid, MAX_FILE_VALUES, before_pixels=True)
        file.seek(0)
        data_set = dcmread(file, stop_before_pixels=True, force=meta.headless)
        place = file.tell()
        header = layout_of(meta.transfer_syntax_uid).read(start := file.read(MAX_HEADER_BYTES), 0, len(start))
    syntax = TRANSFER_SYNTAXES.get(meta.transfer_syntax_uid)
    if meta.headless or (syntax is not None and syntax.deflated):
        return BoundedHead(data_set, meta.transfer_syntax_uid, (0, 0) if "Rows" in data_set else None)
    is_pixels = header is not None and header[0] in _PIXELS
    return BoundedHead(
        data_set, meta.transfer_syntax_uid, (place + header[3], header[2]) if header and is_pixels else None
    )


def read_some_elements(path: Path, tags: Collection[int]) -> Dataset:
    """Some elements of the head of a file that was looked over when it came in, and its character set.

    Empty where the file cannot be read: it may have been deleted since.
    """
    if all(dictionary().get(tag) in _PLAIN_VRS for tag in tags):
        return _read_plain_elements(path, frozenset(tags))
    wanted: list[BaseTag | int] = [SPECIFIC_CHARACTER_SET, *tags]
    try:
        head = dcmread(path, stop_before_pixels=True, specific_tags=wanted)
        head.walk(lambda parent, element: None)  # values are decoded on access: find what cannot be read now
    except Exception:  # noqa: BLE001 - pydicom raises many kinds; what cannot be read has no values
        return Dataset()
    return head


def _read_plain_elements(path: Path, tags: frozenset[int]) -> Dataset:
    """As :func:`read_some_elements`, for elements that need neither a character set nor the file's word on their VR.

    Only as much of the file is read as they need, and no data set is made of the rest: it takes a fifth of the time.
    """
    found = Dataset()
    try:
        with path.open("rb") as file:
            meta = read_any(file)
            values = KeptValues(tags)
            read_values(read_chunks(file, meta.data_set_offset, _CHUNK_BYTES), meta.transfer_syntax_uid, values)
        is_little = meta.transfer_syntax_uid != EXPLICIT_VR_BIG_ENDIAN
        for tag, value in sorted(values.values.items()):
            raw = RawDataElement(BaseTag(tag), dictionary()[tag], len(value), value, 0, False, is_little)
            found[tag] = convert_raw_data_element(raw)
    except Exception:  # noqa: BLE001 - as above
        return Dataset()
    return found


def _read_pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece
