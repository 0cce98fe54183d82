"""Tells rows and columns of slices by the axes of the array, for files that speak of their own axes."""

from __future__ import annotations

from typing import Final

from openmodality.acquisition.readers.found import FoundSeries

ROW, COLUMN = "ROW", "COL"
_SIDES: Final = {"i": "i", "j": "j", "k": "k", "x": "i", "y": "j", "z": "k"}


def find_phase_encoding(axis: str, found: FoundSeries) -> str:
    """ROW or COL, as In-plane Phase Encoding Direction (0018,1312) has it, for an axis i, j or k of the array.

    It is that of the slices as they are in the array; they may be turned when images are made of them. Empty where the
    axis lies across the slices, or nothing says how it lies.
    """
    letter = _SIDES.get(axis, "")
    volume = found.volume
    along = volume.slice_axis if isinstance(volume.slice_axis, str) else "ijk"[int(volume.slice_axis) % 3]
    in_plane = [each for each in "ijk" if each != along]
    if letter not in in_plane or volume.affine is None:
        return ""
    return ROW if letter == in_plane[0] else COLUMN
