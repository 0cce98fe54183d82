"""Where image boxes lie on a film: (2010,0010) Image Display Format and (2010,0050) Film Size ID (PS3.3 C.13.3)."""

from __future__ import annotations

from typing import Final

from openmodality.errors import UsageError
from openmodality.objects.film import Film, FilmImage
from openmodality.standard.film import FILM_SIZES_MM, DisplayFormat, parse_display_format
from openmodality.value_class import dataclass

PORTRAIT, LANDSCAPE = "PORTRAIT", "LANDSCAPE"

_MOUNT_MM = 50.0
_SLIDE_MM: Final = {"SLIDE": (34.0, 23.0), "SUPERSLIDE": (38.0, 38.0)}
_MARGIN_MM: Final = 1.0
"""Between the edge of an image box and its image."""
_TOO_LARGE: Final = 1.02
"""How far an image that asks for a size may reach into the margin."""
_MOST_IMAGES = 500
_USUAL_SIZE: Final = "14INX17IN"
FOOT_MM: Final = 8.0
"""Height of the line at the foot of a sheet that has one."""


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a sheet in mm from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


def measure_film(film: Film) -> tuple[float, float]:
    """Width and height of a sheet in mm; a film without a size has the usual one.

    Raises :class:`UsageError` for a size that the standard does not define.
    """
    return measure_sheet(film.film_size_id or _USUAL_SIZE, film.film_orientation or PORTRAIT)


def place_boxes(film: Film) -> tuple[Box, ...]:
    """The image boxes of a sheet, above the line at its foot where it has one.

    Raises :class:`UsageError` for a size or a format that the standard does not define.
    """
    width, height = measure_film(film)
    return lay_out(film.image_display_format, width, height - FOOT_MM if film.foot else height)


def shrink_box(box: Box) -> Box:
    """What an image may fill of its box."""
    return Box(
        box.left + _MARGIN_MM, box.top + _MARGIN_MM, box.width - 2 * _MARGIN_MM, box.height - 2 * _MARGIN_MM
    )  # fmt: skip


def place_image(image: FilmImage, box: Box) -> Box:
    """Where an image lies in its box: as large as its shape allows, or as wide as it asks to be, in the middle."""
    inner = shrink_box(box)
    aspect = image.pixel_aspect_ratio[0] / image.pixel_aspect_ratio[1]
    rows, columns = image.pixels.shape[0] * aspect, float(image.pixels.shape[1])
    factor = min(inner.width / columns, inner.height / rows)
    if image.requested_image_size_mm:
        factor = min(image.requested_image_size_mm / columns, factor * _TOO_LARGE)
    width, height = columns * factor, rows * factor
    left, top = inner.left + (inner.width - width) / 2, inner.top + (inner.height - height) / 2
    return Box(left, top, width, height)


def measure_sheet(film_size_id: str, orientation: str = PORTRAIT) -> tuple[float, float]:
    """Width and height of a film in mm. Raises :class:`UsageError` for a size that the standard does not define."""
    if film_size_id not in FILM_SIZES_MM:
        raise UsageError(f"{film_size_id!r} is no size of a film; the standard has {', '.join(FILM_SIZES_MM)}")
    width, height = FILM_SIZES_MM[film_size_id]
    return (height, width) if orientation == LANDSCAPE else (width, height)


def lay_out(display_format: str, width: float, height: float) -> tuple[Box, ...]:
    r"""The image boxes of a sheet of ``width`` x ``height`` mm, the one of Image Box Position 1 first.

    ``STANDARD\C,R`` and ``ROW\R1,R2`` go along rows, ``COL\C1,C2`` down columns; slides stand in their mounts, as many
    as fit. Raises :class:`UsageError` for another format, as a ``CUSTOM`` one is known to the printer
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
