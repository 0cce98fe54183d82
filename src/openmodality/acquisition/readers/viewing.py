"""How the axes of an array lie in the images that are made of it, for what a file says of its own axes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.slice_geometry import Slices
from openmodality.errors import ObjectInvalid

ROW, COLUMN = "ROW", "COL"
_SIDES: Final = {"i": "i", "j": "j", "k": "k", "x": "i", "y": "j", "z": "k"}


def find_phase_encoding(axis: str, found: FoundSeries) -> str:
    """ROW or COL, as In-plane Phase Encoding Direction (0018,1312) has it, for an axis i, j or k of the array.

    Empty where the axis lies across the slices, or nothing says how it lies.
    """
    letter = _SIDES.get(axis, "")
    volume = found.volume
    along = volume.slice_axis if isinstance(volume.slice_axis, str) else "ijk"[int(volume.slice_axis) % 3]
    in_plane = [each for each in "ijk" if each != along]
    if letter not in in_plane or volume.affine is None:
        return ""
    matrix: Any = np.asarray(volume.affine, dtype=np.float64)
    order = ["ijk".index(each) for each in (*in_plane, along)]
    try:
        turn = Slices.of(matrix[:, [*order, 3]], (1, 1, 1), volume.space).find_usual_view()
    except ObjectInvalid:
        return ""  # refused with its reason where the volume is made into images
    along_row = in_plane[1] if turn.transposed else in_plane[0]
    return ROW if letter == along_row else COLUMN
