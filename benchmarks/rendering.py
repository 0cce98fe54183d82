"""Pixels to what is seen: 1024 x 1024 of 16 bits through rescale and window to 8 bits, on one core."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np

from openmodality.imaging.frames import Frame
from openmodality.imaging.lookup import Rescale
from openmodality.imaging.presentation import Presentation
from openmodality.imaging.render import render

IMAGES: Final = 100
_SIDE: Final = 1024


def time_rendering() -> float:
    """Images a second; each has pixels of its own, as a series has."""
    generator = np.random.default_rng(1)
    frames = [Frame(generator.integers(0, 65536, (_SIDE, _SIDE), np.uint16), 16) for _ in range(10)]
    presentation = Presentation(modality=Rescale(0.5, -1000.0)).with_window(8000, 20000)
    begun = perf_counter()
    for number in range(IMAGES):
        render(frames[number % len(frames)], presentation)
    return IMAGES / (perf_counter() - begun)
