"""Dark and bright on a sheet that is drawn for a screen."""

from __future__ import annotations

from typing import Final

import numpy as np

from openmodality.imaging.render import Displayed
from openmodality.objects.film import FilmImage

_BLACK_AND_WHITE_DENSITY: Final = 150
"""Hundredths of optical density from which on a border counts as black."""


def show_image(image: FilmImage) -> Displayed:
    """The pixels of an image box in eight bits, small values dark."""
    shown = image.pixels if image.bits == 8 else np.rint(image.pixels * (255 / (2**image.bits - 1))).astype(np.uint8)
    is_inverse = (image.photometric_interpretation == "MONOCHROME1") != (image.polarity == "REVERSE")
    return np.asarray(255 - shown if is_inverse else shown, dtype=np.uint8)


def is_white(density: str | None) -> bool:
    """Whether BLACK, WHITE or an optical density is bright; what is not exposed is black where nothing says so."""
    return density == "WHITE" or ((density or "").isdigit() and int(density or 0) < _BLACK_AND_WHITE_DENSITY)
