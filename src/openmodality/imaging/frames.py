"""The pixels of one frame as the instance has them: stored values, unused bits taken away, compression undone."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from openmodality.errors import ObjectInvalid, UsageError
from openmodality.imaging.decoded_size import check_decoded_size
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

_NATIVE_BITS = (8, 16)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame. ``pixels`` has the shape (rows, columns), or (rows, columns, 3) for RGB of 8 bits.

    ``bits_stored`` and ``signed`` tell which values grey pixels can have; ``bits_stored`` is 0 for floating point.
    """

    pixels: NDArray[np.generic]
    bits_stored: int
    signed: bool = False

    @property
    def has_colour(self) -> bool:
        """Whether the frame is RGB."""
        return self.pixels.ndim == 3

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest stored value that the instance can hold."""
        if self.signed:
            return -(1 << (self.bits_stored - 1)), (1 << (self.bits_stored - 1)) - 1
        return 0, (1 << self.bits_stored) - 1


def read_frame(data_set: Dataset, number: int = 1) -> Frame:
    """Frame ``number`` of an image, counted from 1.

    Raises :class:`ObjectInvalid` where the instance has no pixels that can be read, and :class:`UsageError` where it
    has no frame of that number.
    """
    frames = count_frames(data_set)
    if not 1 <= number <= frames:
        raise UsageError(f"there is no frame {number}; the instance has {frames}")
    native = _read_native(data_set, number)
    return native if native is not None else decode_frame(data_set, data_set, number)


def count_frames(data_set: Dataset) -> int:
    """(0028,0008) Number of Frames; 1 where it is absent or no number."""
    try:
        return max(int(data_set.get("NumberOfFrames") or 1), 1)
    except (TypeError, ValueError):
        return 1


def make_native_frame(header: Dataset, content: bytes | memoryview) -> Frame | None:
    """The frame of whose samples ``content`` are, where ``header`` says grey of 8 or 16 bits; ``None`` for all else."""
    kind = find_native_kind(header)
    if kind is None:
        return None
    rows, columns, stored = int(header.Rows), int(header.Columns), int(header.BitsStored)
    signed = header.get("PixelRepresentation") == 1
    pixels = np.frombuffer(content, kind, rows * columns).reshape(rows, columns)
    return Frame(_drop_unused_bits(pixels, stored, signed=signed), stored, signed)


def _read_native(data_set: Dataset, number: int) -> Frame | None:
    """Grey pixels of 8 or 16 bits straight out of (7FE0,0010) Pixel Data; ``None`` for all else."""
    kind = find_native_kind(data_set)
    if kind is None or "PixelData" not in data_set:
        return None
    length = int(data_set.Rows) * int(data_set.Columns) * kind.itemsize
    content = memoryview(data_set.PixelData)[(number - 1) * length : number * length]
    if len(content) < length:
        raise ObjectInvalid(f"(7FE0,0010) PixelData ends before frame {number} does")
    return make_native_frame(data_set, content)


def find_native_kind(header: Dataset) -> np.dtype[np.unsignedinteger] | None:
    """The samples of a grey frame of 8 or 16 bits; ``None`` where a decoder is needed."""
    syntax = UID(getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", EXPLICIT_VR_LITTLE_ENDIAN))
    allocated, stored, high = (header.get(key) for key in ("BitsAllocated", "BitsStored", "HighBit"))
    is_grey = header.get("SamplesPerPixel", 1) == 1 and "MONOCHROME" in str(header.get("PhotometricInterpretation"))
    if syntax.is_compressed or not is_grey or allocated not in _NATIVE_BITS:
        return None
    if not isinstance(stored, int) or not 1 <= stored <= allocated or high != stored - 1:
        return None
    if not syntax.is_little_endian and allocated == 8:
        return None  # of OW two of them are a word, which has its bytes turned round (PS3.5 8.1.1)
    return np.dtype(f"{'<' if syntax.is_little_endian else '>'}u{allocated // 8}")


def _drop_unused_bits(pixels: NDArray[np.unsignedinteger], stored: int, *, signed: bool) -> NDArray[np.generic]:
    """Bits above High Bit may hold anything (PS3.5 8.1.1); a signed value is extended through them."""
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    unused = native.dtype.itemsize * 8 - stored
    if not signed:
        return native & native.dtype.type((1 << stored) - 1) if unused else native
    as_signed = native.view(f"i{native.dtype.itemsize}")
    return (as_signed << unused) >> unused if unused else as_signed


def decode_frame(source: Dataset | Path, header: Dataset, number: int) -> Frame:
    """A frame of a data set or of a file, by a decoder; ``header`` says what its pixels are.

    Raises :class:`ObjectInvalid` where it cannot be read.
    """
    check_decoded_size(header, frames=1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's quote values
            pixels = pixel_array(source, index=number - 1)
            if str(header.get("PhotometricInterpretation")) == "PALETTE COLOR":
                pixels = apply_color_lut(pixels, header)
    except Exception as error:  # the decoders raise many kinds
        raise ObjectInvalid(f"the pixels of frame {number} cannot be read: {type(error).__name__}") from error
    if pixels.ndim == 3:
        return Frame(_eight_bits(pixels), 8)
    if pixels.dtype.kind == "f":
        return Frame(pixels, 0)
    stored = int(header.get("BitsStored") or pixels.dtype.itemsize * 8)
    return Frame(pixels, stored, pixels.dtype.kind == "i")


def _eight_bits(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    shift = max(pixels.dtype.itemsize * 8 - 8, 0)
    return (pixels.astype(np.uint32) >> shift).astype(np.uint8)
