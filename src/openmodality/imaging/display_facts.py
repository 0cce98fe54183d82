"""Describes a frame so that a viewer can show it as the renderer does: the pipeline as plain values, ready for JSON.

Shutters go as runs of columns for each row, so that a viewer covers the very pixels that the renderer covers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from pydicom import Dataset

from openmodality.imaging.film.annotation import read_directions
from openmodality.imaging.frames import Frame, find_native_kind
from openmodality.imaging.lookup import LookupTable, PixelFunction, Rescale, Window
from openmodality.imaging.presentation import (
    Presentation,
    find_pixel_aspect,
    list_frame_places,
    list_windows,
    read_image_presentation,
    read_spacing_as,
    read_state_presentation,
)
from openmodality.imaging.presented import list_marks, read_area
from openmodality.imaging.shutter import Shutter
from openmodality.imaging.stored_pixels import ByteRange, StoredPixels

Facts = dict[str, object]
_TABLE_BITS: Final = 16
_WITHOUT_UNITS: Final = ("US", "")
"""(0028,1054) Rescale Type: US is unspecified."""


def make_display_facts(header: Dataset, number: int = 1, state: Dataset | None = None) -> Facts:
    """How frame ``number`` is to be shown: as the image says, or as a presentation state says."""
    own = read_image_presentation(header, number)
    chosen = own if state is None else read_state_presentation(state, header, number)
    spacing, keyword = read_spacing_as(header, number) or (None, "")
    return {
        "rows": int(header.Rows),
        "columns": int(header.Columns),
        "frames": int(header.get("NumberOfFrames") or 1),
        "aspect": find_pixel_aspect(header),
        "spacing": list(spacing) if spacing else None,
        "spacing_name": keyword,
        "units": _read_units(header, number),
        "directions": _read_directions(header, number),
        "windows": [_describe(each) | {"name": name} for name, each in list_windows(header, number)],
        "is_low_white": str(header.get("PhotometricInterpretation")) == "MONOCHROME1",
        "area": list(read_area(state, header, number)) if state is not None else None,
        "marks": list_marks(state, header, number) if state is not None else [],
        **_describe_pipeline(chosen, (int(header.Rows), int(header.Columns))),
    }


def find_plain_samples(stored: StoredPixels, number: int) -> tuple[ByteRange, str] | None:
    """Where the bytes of a grey frame of 8 or 16 bits are in its file, and what they are; ``None`` where it is decoded.

    Raises as :meth:`StoredPixels.find_range`.
    """
    place, kind = stored.find_range(number), find_native_kind(stored.header)
    if place is None or kind is None:
        return None
    is_signed = stored.header.get("PixelRepresentation") == 1
    return place, f"u{kind.itemsize * 8} {stored.header.BitsStored} {'signed' if is_signed else 'unsigned'}"


def encode_samples(frame: Frame) -> tuple[bytes, str]:
    """The samples of a decoded frame, little endian, and what they are.

    That is their kind (``u8``, ``u16``, ``f64`` or ``rgb``), the bits that hold a value, and whether they are signed.
    Whole numbers of more than 16 bits go as floating point.
    """
    pixels = frame.pixels
    if frame.has_colour:
        return np.ascontiguousarray(pixels).tobytes(), "rgb 8 unsigned"
    bits = pixels.dtype.itemsize * 8
    if pixels.dtype.kind == "f" or bits > _TABLE_BITS or not frame.bits_stored:
        return np.ascontiguousarray(pixels, "<f8").tobytes(), "f64 0 signed"
    content = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    return content, f"u{bits} {frame.bits_stored} {'signed' if frame.signed else 'unsigned'}"


def _describe_pipeline(presentation: Presentation, shape: tuple[int, int]) -> Facts:
    table, palette = presentation.presentation, presentation.palette
    return {
        "modality": _describe(presentation.modality),
        "voi": _describe(presentation.voi) if presentation.voi is not None else None,
        "presentation": _describe(table) if table is not None else None,
        "palette": {"first": palette.first, "colours": palette.colours.ravel().tolist()}
        if palette is not None
        else None,
        "inverse": presentation.inverse,
        "shutter": _list_runs(presentation.shutters, shape),
        "shutter_value": presentation.shutter_value,
        "rotation": presentation.rotation,
        "flip": presentation.flip,
    }


def _describe(step: PixelFunction) -> Facts:
    match step:
        case Rescale():
            return {"slope": step.slope, "intercept": step.intercept}
        case Window():
            return {"center": step.center, "width": step.width, "function": step.function}
        case LookupTable():
            return {"entries": step.entries.tolist(), "first": step.first, "bits": step.bits}
    raise TypeError(type(step).__name__)


def _list_runs(shutters: Sequence[Shutter], shape: tuple[int, int]) -> list[list[int]] | None:
    """For groups of equal rows: how many they are, then the columns at which what is seen begins and ends, in turn."""
    if not shutters:
        return None
    is_open = np.logical_and.reduce([each.open_pixels(shape) for each in shutters])
    rows = [_find_runs(row) for row in is_open]
    groups: list[list[int]] = []
    for row in rows:
        if groups and groups[-1][1:] == row:
            groups[-1][0] += 1
        else:
            groups.append([1, *row])
    return groups


def _find_runs(row: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[int]:
    edges = np.diff(np.concatenate(([0], row.astype(np.int8), [0])))
    return [int(each) for each in np.flatnonzero(edges)]


def _read_units(header: Dataset, number: int) -> str:
    """(0028,1054) Rescale Type, where it says anything."""
    said = next(
        (str(place.get("RescaleType")) for place in list_frame_places(header, number) if "RescaleType" in place), ""
    )
    return "" if said in _WITHOUT_UNITS else said


def _read_directions(header: Dataset, number: int) -> Mapping[str, str]:
    places = list_frame_places(header, number)
    place = next((each for each in places if "ImageOrientationPatient" in each), header)
    return dict(zip(("left", "top", "right", "bottom"), read_directions(place), strict=True))
