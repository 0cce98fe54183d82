"""A picture to judge a display by: patches from black to white, each with squares that differ from it a little."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from openmodality.errors import UsageError
from openmodality.imaging.render import Displayed

PATCHES: Final = 18
"""Steps from the least to the greatest P-value."""
_COLUMNS, _ROWS = 6, 3
_CONTRAST = 0.012
"""By how much the two squares of a patch are brighter and darker, as a share of the range."""
_BAR_SHARE = 0.12
_LEAST_SIDE = 128


def make_test_pattern(rows: int = 1024, columns: int = 1280) -> Displayed:
    """P-values of eight bits: 18 patches, in each a brighter and a darker square; a ramp above, lines below.

    On a display that follows PS3.14 the squares are seen equally well in all patches, and the ramp shows no steps.
    Raises :class:`UsageError` where a side has fewer than 128 pixels.
    """
    if min(rows, columns) < _LEAST_SIDE:
        raise UsageError(f"a pattern of {rows} x {columns} pixels shows nothing; {_LEAST_SIDE} a side is the least")
    bar = round(rows * _BAR_SHARE)
    pattern = np.empty((rows, columns), dtype=np.uint8)
    pattern[:bar] = np.rint(np.linspace(0, 255, columns))
    pattern[-bar:] = _draw_lines(bar, columns)
    _draw_patches(pattern[bar:-bar])
    return pattern


def _draw_lines(rows: int, columns: int) -> NDArray[np.uint8]:
    """Lines of one, two and four pixels, black and white: what a display that scales its picture makes grey."""
    place = np.arange(columns)
    width = 2 ** (place * 3 // columns)
    return np.broadcast_to(np.where(place // width % 2, 255, 0).astype(np.uint8), (rows, columns))


def _draw_patches(area: NDArray[np.uint8]) -> None:
    values = np.linspace(0, 255, PATCHES)
    bands = np.array_split(np.arange(area.shape[0]), _ROWS)
    for number, value in enumerate(values):
        band = bands[number // _COLUMNS]
        stripe = np.array_split(np.arange(area.shape[1]), _COLUMNS)[number % _COLUMNS]
        patch = area[band[0] : band[-1] + 1, stripe[0] : stripe[-1] + 1]
        patch[:] = round(value)
        side = min(patch.shape) // 4
        step = max(round(255 * _CONTRAST), 1)
        middle = patch.shape[0] // 2 - side // 2
        for share, change in ((1, step), (2, -step)):
            left = patch.shape[1] * share // 3 - side // 2
            patch[middle : middle + side, left : left + side] = np.clip(round(value) + change, 0, 255)
