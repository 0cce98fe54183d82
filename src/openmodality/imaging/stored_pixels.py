"""The pixels of a stored file, frame by frame: only the frame that is asked for is read, and no byte of the header.

A frame that is stored native and little endian is a range of the bytes of its file. Everything else (compressed,
deflated, big endian, bits that are packed across frames) is decoded. Viewer, DICOMweb and REST call this.
"""

from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from pydicom import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array

from openmodality.dimse.file_reading import read_bounded_file, read_bounded_head
from openmodality.encoding.headers import UNDEFINED_LENGTH
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.imaging.decoded_size import check_decoded_size
from openmodality.imaging.frames import Frame, count_frames, decode_frame, make_native_frame, read_frame
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES
from openmodality.value_class import dataclass

_KEPT: Final = 16
"""So many files are remembered: a header of an enhanced image can have megabytes."""
_SUBSAMPLED: Final = ("YBR_FULL_422", "YBR_PARTIAL_422")
"""Two samples for each pixel where the header says three (PS3.3 C.7.6.3.1.2)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Where a frame is in its file."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class NativeFrame:
    """A frame as little endian samples, of the size that the header says, the samples of a pixel beside each other.

    ``photometric_interpretation`` is that of these samples: what was decoded may be RGB where the file has YBR.
    ``planar_configuration`` is 1 where the file has the samples of one colour after those of another.
    """

    content: bytes
    photometric_interpretation: str
    planar_configuration: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class StoredPixels:
    """The pixels of one file. ``header`` is the data set before them, with its File Meta Information."""

    path: Path
    header: Dataset
    transfer_syntax_uid: str
    place: ByteRange | None
    """Where the value of the pixels is in the file; ``None`` where it is deflated. Its length may be undefined."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return count_frames(self.header)

    @property
    def is_encapsulated(self) -> bool:
        """Whether the pixels are in items, as those of every compressed transfer syntax."""
        syntax = TRANSFER_SYNTAXES.get(self.transfer_syntax_uid)
        return syntax.encapsulated if syntax else bool(self.place and self.place.length == UNDEFINED_LENGTH)

    def find_range(self, number: int) -> ByteRange | None:
        """The bytes of frame ``number``, from 1, where it is stored native and little endian; else ``None``.

        Raises :class:`ObjectInvalid` where the file ends before the frame does, and :class:`UsageError` where there is
        no frame of that number.
        """
        self.check_number(number)
        syntax = TRANSFER_SYNTAXES.get(self.transfer_syntax_uid)
        bits = self._count_frame_bits()
        is_plain = syntax is not None and not (syntax.encapsulated or syntax.big_endian or syntax.deflated)
        if self.place is None or self.place.length == UNDEFINED_LENGTH or not is_plain or bits % 8 or not bits:
            return None
        length = bits // 8
        if number * length > self.place.length:
            raise ObjectInvalid(f"(7FE0,0010) PixelData ends before frame {number} does")
        return ByteRange(self.place.offset + (number - 1) * length, length)

    def read_native(self, number: int) -> NativeFrame:
        """Frame ``number`` as little endian samples: its bytes in the file, or decoded.

        Raises :class:`ObjectInvalid` where it cannot be read, and :class:`UsageError` where it is not there.
        """
        photometric = str(self.header.get("PhotometricInterpretation") or "")
        place = self.find_range(number)
        if place is not None:
            planes = int(self.header.get("PlanarConfiguration") or 0)
            return NativeFrame(self.read_range(place), photometric, planes)
        check_decoded_size(self.header, frames=1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom's quote values
                source = self.path if self.place is not None else read_bounded_file(self.path)
                pixels = pixel_array(source, index=number - 1)
        except Exception as error:  # the decoders raise many kinds
            raise ObjectInvalid(f"the pixels of frame {number} cannot be read: {type(error).__name__}") from error
        is_colour = pixels.ndim == 3
        content = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
        return NativeFrame(content, "RGB" if is_colour else photometric)

    def read_encapsulated(self, number: int) -> bytes:
        """The compressed bytes of frame ``number``, as they are in the file.

        Raises :class:`ObjectInvalid` where they cannot be found, and :class:`UsageError` where the frame is not there
        or the file is not compressed.
        """
        self.check_number(number)
        if not self.is_encapsulated or self.place is None:
            raise UsageError("the pixels of this file are not compressed")
        try:
            with self.path.open("rb") as file:
                file.seek(self.place.offset)
                return get_frame(file, number - 1, number_of_frames=self.frames)
        except (ValueError, EOFError, OSError) as error:
            raise ObjectInvalid(f"the bytes of frame {number} cannot be found: {type(error).__name__}") from error

    def read_frame(self, number: int = 1) -> Frame:
        """Frame ``number`` as values, to be rendered: as :func:`openmodality.imaging.frames.read_frame`."""
        place = self.find_range(number)
        native = make_native_frame(self.header, self.read_range(place)) if place is not None else None
        if native is not None:
            return native
        if self.place is None:
            return read_frame(read_bounded_file(self.path), number)
        return decode_frame(self.path, self.header, number)

    def check_number(self, number: int) -> None:
        """Raises :class:`UsageError` where there is no frame of this number, from 1."""
        if not 1 <= number <= self.frames:
            raise UsageError(f"there is no frame {number}; the instance has {self.frames}")

    def _count_frame_bits(self) -> int:
        try:
            rows, columns, bits = (int(self.header.get(key) or 0) for key in ("Rows", "Columns", "BitsAllocated"))
            samples = int(self.header.get("SamplesPerPixel") or 1)
        except (TypeError, ValueError):
            return 0
        is_subsampled = str(self.header.get("PhotometricInterpretation")) in _SUBSAMPLED
        return rows * columns * bits * (2 if is_subsampled else samples)

    def read_range(self, place: ByteRange) -> bytes:
        """The bytes of a frame. Raises :class:`ObjectInvalid` where the file is shorter than it says."""
        with self.path.open("rb") as file:
            content = os.pread(file.fileno(), place.length, place.offset)
        if len(content) < place.length:
            raise ObjectInvalid("the file ends within its pixels")
        return content


def open_stored_pixels(path: Path) -> StoredPixels:
    """The pixels of a PS3.10 file, which are not read yet.

    Raises :class:`ObjectInvalid` where the file is damaged, has no pixels or is too large to be held, and ``OSError``.
    """
    head = read_bounded_head(path)
    if head.pixels is None:
        raise ObjectInvalid("this instance has no pixels")
    place = ByteRange(*head.pixels) if head.pixels[0] else None
    return StoredPixels(path, head.data_set, head.transfer_syntax_uid, place)


class StoredPixelsCache:
    """Remembers what the last files say of their pixels, for whoever asks for one frame after the other."""

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[Path, int, int], StoredPixels] = OrderedDict()
        self._lock = Lock()

    def open(self, path: Path) -> StoredPixels:
        """As :func:`open_stored_pixels`; a file that was changed since is read again."""
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        opened = open_stored_pixels(path)
        with self._lock:
            self._kept[key] = opened
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return opened
