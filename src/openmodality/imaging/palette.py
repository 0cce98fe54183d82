"""Colours for some of the stored values of a grey image (PS3.3 C.7.6.19, Supplemental Palette Color Lookup Table)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from openmodality.standard.tags import (
    BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
)
from openmodality.value_class import dataclass

Colours = NDArray[np.uint8]
_RED: Final = "RedPaletteColorLookupTableDescriptor"
_TABLES: Final = frozenset(
    (
        RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    )
)
_MOST_ENTRIES: Final = 65536
_GREATEST_SIGNED: Final = 32767


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """The colours, shape (entries, 3), of the stored values from ``first`` on; all above have the last."""

    first: int
    colours: Colours

    def paint(self, stored: NDArray[Any], grey: Colours) -> Colours:
        """A picture in colour: grey as it is shown for values below the first, which the palette leaves alone."""
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.colours) - 1)
        plain = np.repeat(grey[..., np.newaxis], 3, axis=2)
        return np.where((stored >= self.first)[..., np.newaxis], self.colours[index], plain).astype(np.uint8)


def read_palette(data_set: Dataset) -> Palette | None:
    """The palette of a grey image; ``None`` where it has none that can be read."""
    if "MONOCHROME" not in str(data_set.get("PhotometricInterpretation")) or not data_set.get(_RED):
        return None
    try:
        length, first, bits = (int(each) for each in data_set[_RED].value)
        length = length % _MOST_ENTRIES or _MOST_ENTRIES
        entries = apply_color_lut(np.arange(first, first + length), _take_tables(data_set))
        if data_set.get("PixelRepresentation") == 1 and first > _GREATEST_SIGNED:
            first -= _MOST_ENTRIES  # as signed as the pixels (PS3.3 C.7.6.3.1.5)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return Palette(first, (entries.astype(np.uint32) >> max(bits - 8, 0)).astype(np.uint8))


def _take_tables(data_set: Dataset) -> Dataset:
    """The tables alone: pydicom refuses an image that has them beside grey values."""
    return Dataset({tag: data_set[tag] for tag in data_set.keys() if int(tag) in _TABLES})  # noqa: SIM118 - tags alone
