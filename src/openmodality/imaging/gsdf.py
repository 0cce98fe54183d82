"""The Grayscale Standard Display Function (PS3.14): luminance in cd/m2 by just-noticeable differences, and back.

Equal steps of P-values look equally large on every display whose levels are made so: ``make_display_table`` says which
level (DDL) of a measured display shows each P-value, ``make_density_table`` which optical density a film has for it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from openmodality.errors import UsageError
from openmodality.standard.screen_setting import GREATEST_LUMINANCE, LEAST_LUMINANCE

LEAST_JND, GREATEST_JND = 1.0, 1023.0

_ABOVE: Final = (-1.3011877, 8.0242636e-2, 1.3646699e-1, -2.5468404e-2, 1.3635334e-3)
_BELOW: Final = (1.0, -2.5840191e-2, -1.0320229e-1, 2.8745620e-2, -3.1978977e-3, 1.2992634e-4)
_INVERSE: Final = (
    71.498068,
    94.593053,
    41.912053,
    9.8247004,
    0.28175407,
    -1.1878455,
    -0.18014349,
    0.14710899,
    -0.017046845,
)

Numbers = NDArray[np.float64]


def find_luminance(jnd: ArrayLike) -> Numbers:
    """The luminance in cd/m2 of a JND index between 1 and 1023 (PS3.14 equation 1)."""
    logarithm = np.log(np.asarray(jnd, dtype=float))
    return np.asarray(10 ** (np.polyval(_ABOVE[::-1], logarithm) / np.polyval(_BELOW[::-1], logarithm)))


def find_jnd_index(luminances: ArrayLike) -> Numbers:
    """The JND index of a luminance in cd/m2 (PS3.14 equation 2)."""
    logarithm = np.log10(np.asarray(luminances, dtype=float))
    return np.asarray(np.polyval(_INVERSE[::-1], logarithm))


def list_standard_luminances(least: float, greatest: float, levels: int) -> Numbers:
    """The luminance in cd/m2 that each of ``levels`` P-values shall have between two luminances.

    Raises :class:`UsageError` where the range is none or lies outside that of the function.
    """
    if not LEAST_LUMINANCE <= least < greatest <= GREATEST_LUMINANCE:
        raise UsageError(
            f"luminances of {least:g} to {greatest:g} cd/m2 are not a part of the display function's "
            f"{LEAST_LUMINANCE:g} to {GREATEST_LUMINANCE:g} cd/m2"
        )
    first, last = find_jnd_index([least, greatest])
    return find_luminance(np.clip(np.linspace(first, last, levels), LEAST_JND, GREATEST_JND))


def make_display_table(measured: ArrayLike, levels: int = 256) -> NDArray[np.uint16]:
    """The level of a display for each of ``levels`` P-values.

    ``measured`` has the luminance in cd/m2, ambient light included, of each level of the display, from the darkest on.
    Raises :class:`UsageError` where it does not rise.
    """
    known = np.asarray(measured, dtype=float)
    if known.ndim != 1 or len(known) < 2 or np.any(np.diff(known) < 0):
        raise UsageError("the measured luminances have to rise from the darkest level of the display on")
    wanted = list_standard_luminances(float(known[0]), float(known[-1]), levels)
    upper = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    is_lower_nearer = wanted - known[upper - 1] <= known[upper] - wanted
    return np.where(is_lower_nearer, upper - 1, upper).astype(np.uint16)


def find_deviation(measured: ArrayLike, levels: int = 256) -> float:
    """By how many JND the display with its :func:`make_display_table` is off at most.

    Raises :class:`UsageError` as :func:`make_display_table` does.
    """
    known = np.asarray(measured, dtype=float)
    shown = known[make_display_table(known, levels)]
    wanted = list_standard_luminances(float(known[0]), float(known[-1]), levels)
    return float(np.abs(find_jnd_index(shown) - find_jnd_index(wanted)).max())


def make_density_table(
    least: float, greatest: float, illumination: float, ambient: float, levels: int = 256
) -> Numbers:
    """The optical density of a film for each of ``levels`` P-values, the darkest first (PS3.14 Annex D.3).

    ``least`` and ``greatest`` are optical densities, ``illumination`` (of the light box) and reflected ``ambient``
    light are in cd/m2.
    """
    brightest = ambient + illumination * 10**-least
    darkest = ambient + illumination * 10**-greatest
    wanted = list_standard_luminances(darkest, brightest, levels)
    return np.asarray(-np.log10((wanted - ambient) / illumination))
