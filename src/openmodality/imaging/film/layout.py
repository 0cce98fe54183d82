"""Where image boxes lie on a film: (2010,0010) Image Display Format and (2010,0050) Film Size ID (PS3.3 C.13.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openmodality.errors import UsageError
from openmodality.standard.film import FILM_SIZES_MM, DisplayFormat, parse_display_format

PORTRAIT, LANDSCAPE = "PORTRAIT", "LANDSCAPE"

_MOUNT_MM = 50.0
_SLIDE_MM: Final = {"SLIDE": (34.0, 23.0), "SUPERSLIDE": (38.0, 38.0)}
_MOST_IMAGES = 500


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a sheet in mm from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


def measure_sheet(film_size_id: str, orientation: str = PORTRAIT) -> tuple[float, float]:
    """Width and height of a film in mm. Raises :class:`UsageError` for a size that the standard does not define."""
    if film_size_id not in FILM_SIZES_MM:
        raise UsageError(f"{film_size_id!r} is no size of a film; the standard has {', '.join(FILM_SIZES_MM)}")
    width, height = FILM_SIZES_MM[film_size_id]
    return (height, width) if orientation == LANDSCAPE else (width, height)


def lay_out(display_format: str, width: float, height: float) -> tuple[Box, ...]:
    r"""The image boxes of a sheet of ``width`` x ``height`` mm, the one of Image Box Position 1 first.

    ``STANDARD\C,R`` and ``ROW\R1,R2`` go along rows, ``COL\C1,C2`` down columns; slides stand in their mounts, as many
    as fit. Raises :class:`UsageError` for a format that is none of these, as a ``CUSTOM`` one is known to the printer
    only.
    """
    layout = _parse(display_format)
    if layout.kind in _SLIDE_MM:
        return _lay_out_slides(layout.kind, width, height)
    is_in_rows = layout.kind != "COL"
    counts = (layout.numbers[0],) * layout.numbers[1] if layout.kind == "STANDARD" else layout.numbers
    boxes = []
    for band, count in enumerate(counts):
        for place in range(count):
            if is_in_rows:
                size = (width / count, height / len(counts))
                boxes.append(Box(place * size[0], band * size[1], *size))
            else:
                size = (width / len(counts), height / count)
                boxes.append(Box(band * size[0], place * size[1], *size))
    return tuple(boxes)


def _parse(display_format: str) -> DisplayFormat:
    try:
        layout = parse_display_format(display_format)
    except ValueError as error:
        raise UsageError(f"{display_format!r} is no layout: {error}") from error
    if layout.kind == "CUSTOM":
        raise UsageError(f"where the images of {display_format!r} lie is known to the printer only")
    if (layout.box_count or 0) > _MOST_IMAGES:
        raise UsageError(f"{display_format!r} has more than {_MOST_IMAGES} images on a sheet")
    return layout


def _lay_out_slides(kind: str, width: float, height: float) -> tuple[Box, ...]:
    mount = _MOUNT_MM
    columns, rows = int(width // mount), int(height // mount)
    across, down = _SLIDE_MM[kind]
    left, top = (width - columns * mount) / 2, (height - rows * mount) / 2
    return tuple(
        Box(left + column * mount + (mount - across) / 2, top + row * mount + (mount - down) / 2, across, down)
        for row in range(rows)
        for column in range(columns)
    )
