"""Whether (7FE0,0010) Pixel Data is as its transfer syntax and the Image Pixel Module say (PS3.5 8 and A.4).

Only the length is looked at, and whether the pixels are encapsulated: who reads them needs both to be right. What the
values mean is not checked. A data set that does not say how long its pixels are is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from openmodality.encoding.headers import UNDEFINED_LENGTH, format_tag
from openmodality.encoding.listening import Listener
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import (
    BITS_ALLOCATED,
    COLUMNS,
    NUMBER_OF_FRAMES,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_DATA,
    ROWS,
    SAMPLES_PER_PIXEL,
)
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

_DESCRIPTION: Final = (
    ROWS,
    COLUMNS,
    BITS_ALLOCATED,
    SAMPLES_PER_PIXEL,
    NUMBER_OF_FRAMES,
    PHOTOMETRIC_INTERPRETATION,
)
_HALVES_OF_SAMPLES: Final = {"YBR_FULL_422": 4, "YBR_PARTIAL_422": 4, "YBR_PARTIAL_420": 3}
"""Halves of a sample for each pixel where chrominance is subsampled (PS3.3 C.7.6.3.1.2); else two for each sample."""


class PixelDataMismatch(ObjectInvalid):
    """Pixel data that are encapsulated where the transfer syntax has them native, or the other way round."""


class PixelDataCheck(Listener):
    """Raises :class:`ObjectInvalid` where pixel data cannot be read as the data set says; costs a few steps of a walk.

    ``is_native`` is whether the pixel data were; ``None`` as long as none have come.
    """

    tags = frozenset(_DESCRIPTION)
    announced = PIXEL_DATA

    def __init__(self, transfer_syntax: str) -> None:
        self._syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
        self._description: tuple[bytes, ...] = ()
        self.is_native: bool | None = None

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Keep what says how long the pixels are."""
        self._description = tuple([values.get(tag) or b"" for tag in _DESCRIPTION])

    def announce(self, vr: str, length: int) -> None:
        """Compare with what was said."""
        syntax = self._syntax
        self.is_native = length != UNDEFINED_LENGTH
        if self.is_native:
            expected = _find_length_bytes(self._description, is_big_endian=syntax is not None and syntax.big_endian)
            if length < expected:
                raise ObjectInvalid(
                    f"{format_tag(PIXEL_DATA)} has {length} bytes, and Rows, Columns and Bits Allocated need {expected}"
                )
        # of a transfer syntax that is not known only the lengths of native pixels can be judged
        if syntax is not None and syntax.encapsulated is self.is_native and length:
            found, wanted = ("native", "encapsulated") if self.is_native else ("encapsulated", "native")
            raise PixelDataMismatch(
                f"{format_tag(PIXEL_DATA)} is {found}, and the transfer syntax needs it {wanted}",
                advice="name the transfer syntax that the file is written in, or export it again",
            )


@lru_cache(maxsize=256)
def _find_length_bytes(description: tuple[bytes, ...], *, is_big_endian: bool) -> int:
    """How many bytes native pixels have at least; 0 where that is not said. For nearly all instances as before."""
    if not description:
        return 0
    order: Literal["big", "little"] = "big" if is_big_endian else "little"
    *numbers, frames, interpretation = description
    rows, columns, bits, samples = (int.from_bytes(value[:2], order) for value in numbers)
    name = interpretation.decode("ascii", "replace").strip("\0 ")
    halves = _HALVES_OF_SAMPLES.get(name, 2 * (samples or 1))
    return (rows * columns * bits * halves * _count_frames(frames) + 15) // 16


def _count_frames(value: bytes) -> int:
    try:
        return max(int(value.strip(b"\0 ") or b"1"), 1)
    except ValueError:
        return 1
