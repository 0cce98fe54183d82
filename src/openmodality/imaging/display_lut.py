"""How a screen shows P-values: as they are, or through a table after which it follows the GSDF (PS3.14).

The table has a level of eight bits for each of 1,024 P-values. It is worked out of the luminances of the screen's
levels: those that were measured, or those of an sRGB screen between two luminances.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from openmodality.errors import UsageError
from openmodality.imaging.gsdf import Numbers, find_deviation, find_jnd_index, find_luminance, make_display_table
from openmodality.standard.screen_setting import GSDF_PREFIX, SRGB, parse_gsdf
from openmodality.value_class import dataclass

P_VALUES: Final = 1024
_LEVELS: Final = 256
_MOST_LEVELS: Final = 65536
_MOST_OF_A_FILE: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class DisplayLut:
    """The levels for P-values from the darkest on; ``None``: a P-value is a level. ``described`` says it to people."""

    levels: tuple[int, ...] | None
    described: str


UNCALIBRATED: Final = DisplayLut(
    None, "P-values go to the screen as they are (srgb): it is not calibrated to the GSDF."
)


def make_display_lut(said: str, folder: Path) -> DisplayLut:
    """The table for a setting: ``srgb``, ``gsdf:LEAST,GREATEST`` in cd/m2, or a file of luminances, from ``folder`` on.

    Raises :class:`UsageError` for luminances that no table can be made of, and ``OSError`` for a file.
    """
    if said == SRGB:
        return UNCALIBRATED
    if said.startswith(GSDF_PREFIX):
        least, greatest = parse_gsdf(said)
        measured = _guess_srgb(least, greatest)
        origin = f"an sRGB screen of {least:g} to {greatest:g} cd/m2"
    else:
        measured = spread_luminances(read_luminances(folder / said))
        origin = f"the luminances in {said}"
    levels = make_display_table(measured, P_VALUES)
    off = find_deviation(measured, P_VALUES)
    return DisplayLut(
        tuple(int(each) for each in levels),
        f"P-values go to the screen through a table of the GSDF, made for {origin}; it is off by {off:.1f}"
        " just-noticeable differences at most.",
    )


def _guess_srgb(least: float, greatest: float) -> Numbers:
    """The luminance of each level of a screen with the transfer function of sRGB (IEC 61966-2-1)."""
    level = np.arange(_LEVELS) / (_LEVELS - 1)
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.asarray(least + (greatest - least) * linear)


def spread_luminances(measured: list[float]) -> Numbers:
    """The luminance of each of 256 levels, from those of some at equal distances: between them steps look alike."""
    if len(measured) == _LEVELS:
        return np.asarray(measured)
    if len(measured) > _LEVELS:
        raise UsageError(f"a browser has {_LEVELS} levels, and {len(measured)} luminances were measured")
    if min(measured) <= 0:
        raise UsageError("no screen in a room has a luminance of 0 cd/m2", advice="measure with the room's light")
    places = np.linspace(0, _LEVELS - 1, len(measured))
    return find_luminance(np.clip(np.interp(np.arange(_LEVELS), places, find_jnd_index(measured)), 1, 1023))


def read_luminances(file: Path) -> list[float]:
    """The luminance in cd/m2 of each level of a display, a number a line, from the darkest on.

    Of lines with commas the last number counts, and a first line of words is passed over. Raises :class:`UsageError`,
    which names the line, for what is no luminance, and ``OSError``.
    """
    with file.open(encoding="utf-8", errors="replace") as stream:
        lines = stream.read(_MOST_OF_A_FILE).splitlines()
    numbers: list[float] = []
    for place, line in enumerate(lines, start=1):
        word = line.rpartition(",")[2].strip()
        if not word:
            continue
        try:
            number = float(word)
        except ValueError:
            if place == 1:
                continue
            raise UsageError(f"{file}, line {place}: {word!r} is no number") from None
        if not 0 <= number < float("inf"):
            raise UsageError(f"{file}, line {place}: {word} is no luminance in cd/m2")
        numbers.append(number)
    if len(numbers) < 2 or len(numbers) > _MOST_LEVELS:
        raise UsageError(f"{file} has {len(numbers)} luminances; a display has 2 to {_MOST_LEVELS} levels")
    return numbers
