"""Reads a file as an object, where it is small enough to be one: sequences of a hostile file would fill the memory.

A few bytes of a file become some 400 in memory, so that one of 100 MB could take all there is. Pixels are not meant:
they take what they are long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from pydicom import Dataset, dcmread
from pydicom.tag import BaseTag

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.dimse.data_set import MAX_FILE_VALUES, check_size
from openmodality.encoding.part10 import read_any
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET

_PIECE_BYTES: Final = 1024 * 1024


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


def read_some_elements(path: Path, tags: Collection[int]) -> Dataset:
    """Some elements of the head of a file that was looked over when it came in, and its character set.

    Empty where the file cannot be read: it may have been deleted since.
    """
    wanted: list[BaseTag | int] = [SPECIFIC_CHARACTER_SET, *tags]
    try:
        head = dcmread(path, stop_before_pixels=True, specific_tags=wanted)
        head.walk(lambda parent, element: None)  # values are decoded on access: find what cannot be read now
    except Exception:  # noqa: BLE001 - pydicom raises many kinds; what cannot be read has no values
        return Dataset()
    return head


def _read_pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece
