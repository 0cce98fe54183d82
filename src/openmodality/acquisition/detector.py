"""Corrects raw pixels of an X-ray detector by maps of the site: offset, then gain, then defects.

The offset map is what the detector reads without radiation and is taken off. The gain map is what it reads in an even
field, without its offset: each pixel is divided by its own and multiplied by the mean of all. Pixels that are not 0 in
the defect map get the median of their sound neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.readers.found import FoundSeries
from openmodality.errors import ConfigurationError, UsageError
from openmodality.value_class import value_class

NO_DETECTOR: Final = "none"
_FARTHEST: Final = 8
"""How many pixels away a sound neighbour may be."""

Map = NDArray[np.float64]
ReadMap = Callable[[Path], Map]


@value_class
class Detector:
    """The maps of a detector as files, and the date of its calibration as YYYYMMDD."""

    name: str
    offset: Path | None = None
    gain: Path | None = None
    defects: Path | None = None
    date: str = ""


def correct(found: FoundSeries, detectors: Sequence[Detector], name: str, read_map: ReadMap) -> FoundSeries:
    """Pixels after the maps of a detector: of the one that is named, else of the only one with as many pixels.

    What is no raw grey image without a place in the patient stays as it is.

    Raises :class:`UsageError` where several detectors fit, or there is none of that name, and
    :class:`ConfigurationError` where a map does not fit its detector.
    """
    array = found.volume.array
    wanted = name or (found.detector if isinstance(found.detector, str) else "")
    is_raw = isinstance(array, np.ndarray) and not found.volume.is_colour and found.volume.affine is None
    if not isinstance(array, np.ndarray) or not is_raw or found.detector is False or wanted == NO_DETECTOR:
        return found
    detector = _find(detectors, wanted, array.shape[-2:], read_map, found.where)
    return found if detector is None else _apply(found, array, detector, read_map)


def _find(
    detectors: Sequence[Detector], name: str, shape: tuple[int, ...], read_map: ReadMap, where: str
) -> Detector | None:
    if name:
        named = [each for each in detectors if each.name == name]
        if not named:
            known = ", ".join(each.name for each in detectors) or "none"
            raise UsageError(f"{where}: the site has no detector {name}", advice=f"it has {known}")
        return named[0]
    fitting = [each for each in detectors if _find_shape(each, read_map) == shape]
    if len(fitting) > 1:
        names = ", ".join(each.name for each in fitting)
        raise UsageError(
            f"{where}: detectors {names} have as many pixels", advice="say which, or none, with --detector"
        )
    return fitting[0] if fitting else None


def _find_shape(detector: Detector, read_map: ReadMap) -> tuple[int, ...] | None:
    maps = [each for each in (detector.offset, detector.gain, detector.defects) if each is not None]
    return read_map(maps[0]).shape if maps else None


def _apply(found: FoundSeries, array: NDArray[Any], detector: Detector, read_map: ReadMap) -> FoundSeries:
    def read(path: Path) -> Map:
        values = read_map(path)
        if values.shape != array.shape[-2:]:
            sides = " x ".join(map(str, values.shape))
            raise ConfigurationError(
                f"{path}: a map of {sides} for images of {' x '.join(map(str, array.shape[-2:]))}",
                advice=f"correct [[detector]] {detector.name} in the site file",
            )
        return values

    pixels, done = array.astype(np.float64), []
    defective = read(detector.defects) != 0 if detector.defects else np.zeros(array.shape[-2:], dtype=bool)
    if detector.offset:
        pixels -= read(detector.offset)
        done.append("offset")
    if detector.gain:
        pixels *= _make_factors(read(detector.gain), defective, detector.gain)
        done.append("gain")
    if detector.defects:
        pixels = _fill(pixels, defective)
        done.append(f"defects ({int(defective.sum())} pixels)")
    if array.dtype.kind in "iu":
        pixels = np.clip(np.rint(pixels), 0, np.iinfo(np.uint16).max).astype(np.uint16)
    of = f" of {detector.date}" if detector.date else ""
    notice = f"detector {detector.name}{of}: {', '.join(done)} corrected"
    said = found.say({"DateOfLastDetectorCalibration": detector.date}) if detector.date else found
    return replace(said.arrange(array=pixels), notices=(*found.notices, notice))


def _make_factors(gain: Map, defective: NDArray[np.bool_], path: Path) -> Map:
    sound = ~defective
    if not (gain[sound] > 0).all():
        raise ConfigurationError(
            f"{path}: {int((gain[sound] <= 0).sum())} values are not above zero",
            advice="such pixels are defects: name them in the defect map",
        )
    return np.where(sound, gain[sound].mean() / np.where(sound, gain, 1.0), 1.0)


def _fill(pixels: Map, defective: NDArray[np.bool_]) -> Map:
    filled = pixels.copy()
    for row, column in np.argwhere(defective):
        for far in range(1, _FARTHEST + 1):
            rows = slice(max(row - far, 0), row + far + 1)
            columns = slice(max(column - far, 0), column + far + 1)
            sound = ~defective[rows, columns]
            if sound.any():
                filled[..., row, column] = np.median(pixels[..., rows, columns][..., sound], axis=-1)
                break
    return filled
