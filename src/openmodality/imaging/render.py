"""From a frame and a presentation to display values: the one renderer of previews, film, discs, console and DICOMweb.

Grey values go through one table that holds the whole pipeline for each possible stored value, so a frame costs one
look-up a pixel. Values that are no whole numbers of at most 16 bits are computed pixel by pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from openmodality.errors import UsageError
from openmodality.imaging.frames import Frame
from openmodality.imaging.lookup import Limits, PixelValues
from openmodality.imaging.presentation import Presentation

Displayed = NDArray[np.unsignedinteger[Any]]
"""Shape (rows, columns), or (rows, columns, 3) for colour; 0 is black."""

_TABLE_BITS = 16
_GREATEST_P_VALUE = 65535


def render(frame: Frame, presentation: Presentation, *, bits: int = 8) -> Displayed:
    """The P-values of a frame, 0 to 2**bits - 1, as uint8 up to 8 bits and as uint16 above.

    Where no VOI LUT is given, the values that occur in the frame fill the range. A colour frame stays as it is but for
    shutters, rotation and flip; one whose presentation has a palette becomes one of 8 bits.
    Raises :class:`UsageError` for ``bits`` that are not 1 to 16.
    """
    if not 1 <= bits <= 16:
        raise UsageError(f"pixels of {bits} bits cannot be made; 1 to 16 can")
    shown, bits = _show(frame, presentation, bits)
    for shutter in presentation.shutters:
        covered = ~shutter.open_pixels((shown.shape[0], shown.shape[1]))
        shown[covered] = round(presentation.shutter_value * (2**bits - 1) / _GREATEST_P_VALUE)
    return turn(shown, presentation)


def _show(frame: Frame, presentation: Presentation, bits: int) -> tuple[Displayed, int]:
    """The picture before shutters, and of how many bits it is."""
    if frame.has_colour:
        return frame.pixels.astype(np.uint8), bits
    if presentation.palette is None:
        return _make_grey(frame, presentation, bits), bits
    return presentation.palette.paint(frame.pixels, np.asarray(_make_grey(frame, presentation, 8), np.uint8)), 8


def square_pixels(shown: Displayed, aspect: float) -> Displayed:
    """The same picture with pixels as high as wide; ``aspect`` is their height divided by their width."""
    if abs(aspect - 1) < 1e-3:
        return shown
    rows, columns = shown.shape[:2]
    size = (columns, round(rows * aspect)) if aspect > 1 else (round(columns / aspect), rows)
    if shown.ndim == 3 or shown.dtype == np.uint8:
        return np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.BILINEAR), dtype=np.uint8)
    wide = Image.fromarray(shown.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(np.rint(np.asarray(wide)), dtype=np.uint16)


def _make_grey(frame: Frame, presentation: Presentation, bits: int) -> Displayed:
    kind = np.uint8 if bits <= 8 else np.uint16
    occurring = _find_occurring(frame) if presentation.voi is None else (0.0, 0.0)
    if not 0 < frame.bits_stored <= _TABLE_BITS:
        values = frame.pixels.astype(np.float64)
        values[np.isnan(values)] = -np.inf  # no number is shown as the darkest
        return np.asarray(_map_values(values, presentation, occurring, bits), dtype=kind)
    least, greatest = frame.limits
    stored = np.arange(least, greatest + 1, dtype=np.float64)
    table = _map_values(stored, presentation, occurring, bits).astype(kind)
    if frame.signed:  # negative values take the upper half, as their bits do
        table = np.roll(table, least)
        mask = (1 << frame.bits_stored) - 1
        index: NDArray[Any] = frame.pixels.view(f"u{frame.pixels.dtype.itemsize}") & mask
    else:
        index = frame.pixels
    return np.asarray(table[index])


def _map_values(values: PixelValues, presentation: Presentation, occurring: Limits, bits: int) -> PixelValues:
    """The pipeline; the result is rounded, 0 to 2**bits - 1."""
    values = presentation.modality.apply(values)
    if presentation.voi is None:
        low, high = presentation.modality.output(occurring)
    else:
        values = presentation.voi.apply(values)
        low, high = presentation.voi.output((0.0, 0.0))
    shares = np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else np.where(values < low, 0.0, 1.0)
    if presentation.presentation is not None:
        table = presentation.presentation
        shares = table.apply(table.first + shares * (len(table.entries) - 1)) / table.output((0.0, 0.0))[1]
    if presentation.inverse:
        shares = 1.0 - shares
    return np.asarray(np.rint(np.clip(shares, 0.0, 1.0) * (2**bits - 1)))


def _find_occurring(frame: Frame) -> Limits:
    """The least and the greatest stored value of a frame; those that are no numbers are passed over."""
    pixels = frame.pixels
    if pixels.dtype.kind == "f":
        pixels = pixels[np.isfinite(pixels)]
    return (float(pixels.min()), float(pixels.max())) if pixels.size else (0.0, 0.0)


def turn(shown: Displayed, presentation: Presentation) -> Displayed:
    """The picture rotated and then flipped as a presentation says."""
    turned = np.rot90(shown, -(presentation.rotation // 90) % 4) if presentation.rotation else shown
    return np.ascontiguousarray(turned[:, ::-1] if presentation.flip else turned)
