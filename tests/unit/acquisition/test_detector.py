"""Raw pixels of a detector made even by its maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.detector import Detector, correct
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.volume import Volume
from openmodality.errors import ConfigurationError, UsageError

OFFSET = np.arange(12, dtype=np.float64).reshape(3, 4)
GAIN = 1 + OFFSET / 10
DEFECTS = np.zeros((3, 4))
DEFECTS[1, 1] = 1
MAPS = {Path("offset"): OFFSET, Path("gain"): GAIN, Path("defects"): DEFECTS, Path("small"): np.ones((2, 2))}
ALL = Detector("D1", Path("offset"), Path("gain"), Path("defects"), "20261101")


def corrected(array: Any, *detectors: Detector, name: str = "", **said: Any) -> FoundSeries:
    return correct(FoundSeries("a.tif", Volume(array=array), **said), detectors, name, MAPS.__getitem__)


def test_an_even_field_comes_out_even() -> None:
    raw = np.rint(OFFSET + 1000 * GAIN).astype(np.uint16)
    raw[1, 1] = 65535
    found = corrected(np.stack([raw, raw]), ALL)
    sound = np.delete(GAIN.ravel(), 5).mean()
    pixels = np.asarray(found.volume.array)
    assert pixels.dtype == np.uint16
    assert np.abs(pixels - 1000.0 * sound).max() <= 1
    assert found.volume.keywords == {"DateOfLastDetectorCalibration": "20261101"}
    assert found.notices == ("detector D1 of 20261101: offset, gain, defects (1 pixels) corrected",)


def test_less_than_the_offset_is_zero() -> None:
    assert np.asarray(corrected(np.zeros((3, 4), np.uint16), ALL).volume.array).max() == 0


@pytest.mark.parametrize(
    ("array", "name", "said"),
    [
        (np.ones((5, 5), np.uint16), "", {}),
        (np.ones((3, 4), np.uint16), "none", {}),
        (np.ones((3, 4), np.uint16), "", {"detector": False}),
        (np.ones((3, 4, 3), np.uint8), "", {}),
    ],
)
def test_what_is_not_of_the_detector_stays_as_it_is(array: Any, name: str, said: Any) -> None:
    found = corrected(array, ALL, name=name, **said)
    assert found.volume.array is array
    assert found.notices == ()


def test_which_detector_is_named_where_several_fit() -> None:
    other = Detector("D2", offset=Path("offset"))
    with pytest.raises(UsageError, match="detectors D1, D2 have as many pixels"):
        corrected(np.ones((3, 4), np.uint16), ALL, other)
    assert corrected(np.ones((3, 4), np.uint16), ALL, other, name="D2").notices[0].startswith("detector D2: offset")
    with pytest.raises(UsageError, match="no detector D3"):
        corrected(np.ones((3, 4), np.uint16), ALL, name="D3")


def test_maps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="a map of 2 x 2 for images of 3 x 4"):
        corrected(np.ones((3, 4), np.uint16), Detector("D", offset=Path("small")), name="D")
    with pytest.raises(ConfigurationError, match="1 values are not above zero"):
        corrected(np.ones((3, 4), np.uint16), Detector("D", gain=Path("offset")))
