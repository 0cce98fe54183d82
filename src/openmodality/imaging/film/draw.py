"""Sheets of film as pictures: what a printer makes of the image boxes, for previews and for the virtual printer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from openmodality.imaging.film.layout import PORTRAIT, Box, lay_out, measure_sheet
from openmodality.imaging.render import Displayed
from openmodality.objects.film import Film, FilmImage

DOTS_PER_INCH = 150
_MM_PER_INCH = 25.4
_MARGIN_MM = 1.0
"""Between the edge of an image box and its image."""
_BLACK_AND_WHITE_DENSITY = 150
"""Hundredths of optical density from which on a border counts as black."""


def draw_film(film: Film, *, dots_per_inch: float = DOTS_PER_INCH) -> Displayed:
    """A sheet as on a light box: shape (rows, columns) of uint8, or (rows, columns, 3) where an image has colours.

    An image fills its box as far as its shape allows, or has the width that it asks for. Raises
    :class:`UsageError` for a layout or a size of film that the standard does not define.
    """
    width, height = measure_sheet(film.film_size_id or "14INX17IN", film.film_orientation or PORTRAIT)
    scale = dots_per_inch / _MM_PER_INCH
    mode = "RGB" if any(image.pixels.ndim == 3 for image in film.images) else "L"
    sheet = Image.new(mode, (round(width * scale), round(height * scale)), _shade(film.border_density, mode))
    images = {image.position: image for image in film.images}
    for position, box in enumerate(lay_out(film.image_display_format, width, height), start=1):
        place = _Place(box, scale)
        if position in images:
            _paste(sheet, images[position], place)
        else:
            sheet.paste(_shade(film.empty_image_density, mode), place.inner)
    return np.asarray(sheet)


def save_films(films: Sequence[Film], path: Path, *, dots_per_inch: float = DOTS_PER_INCH) -> tuple[Path, ...]:
    """Write sheets as one PDF of true size, or as PNG: one file, or ``NAME-1.png`` and so on; the files written.

    Raises :class:`OSError` where they cannot be written.
    """
    pictures = [Image.fromarray(draw_film(film, dots_per_inch=dots_per_inch)) for film in films]
    if path.suffix.lower() == ".pdf":
        first, *others = pictures
        first.save(path, "PDF", resolution=dots_per_inch, save_all=True, append_images=others, title=path.stem)
        return (path,)
    several = len(pictures) > 1
    paths = [path.with_stem(f"{path.stem}-{number}") if several else path for number in range(1, len(pictures) + 1)]
    for picture, each in zip(pictures, paths, strict=True):
        picture.save(each, "PNG", dpi=(dots_per_inch, dots_per_inch))
    return tuple(paths)


class _Place:
    """An image box in dots of the sheet; ``inner`` is left, top, right and bottom of what an image may fill."""

    def __init__(self, box: Box, scale: float) -> None:
        self.scale = scale
        self.inner = (
            round((box.left + _MARGIN_MM) * scale),
            round((box.top + _MARGIN_MM) * scale),
            round((box.left + box.width - _MARGIN_MM) * scale),
            round((box.top + box.height - _MARGIN_MM) * scale),
        )


def _paste(sheet: Image.Image, image: FilmImage, place: _Place) -> None:
    picture = Image.fromarray(_as_shown(image)).convert(sheet.mode)
    left, top, right, bottom = place.inner
    aspect = image.pixel_aspect_ratio[0] / image.pixel_aspect_ratio[1]
    rows, columns = picture.height * aspect, float(picture.width)
    factor = min((right - left) / columns, (bottom - top) / rows)
    if image.requested_image_size_mm:
        factor = min(image.requested_image_size_mm * place.scale / columns, factor * 1.02)
    size = (max(round(columns * factor), 1), max(round(rows * factor), 1))
    resampling = Image.Resampling.BILINEAR if factor >= 1 else Image.Resampling.BOX
    if image.magnification_type == "REPLICATE" and factor >= 1:
        resampling = Image.Resampling.NEAREST
    elif image.magnification_type == "CUBIC" and factor >= 1:
        resampling = Image.Resampling.BICUBIC
    middle = ((left + right - size[0]) // 2, (top + bottom - size[1]) // 2)
    sheet.paste(picture.resize(size, resampling), middle)


def _as_shown(image: FilmImage) -> Displayed:
    """Eight bits, with small values dark."""
    shown = image.pixels if image.bits == 8 else np.rint(image.pixels * (255 / (2**image.bits - 1))).astype(np.uint8)
    is_inverse = (image.photometric_interpretation == "MONOCHROME1") != (image.polarity == "REVERSE")
    return np.asarray(255 - shown if is_inverse else shown, dtype=np.uint8)


def _shade(density: str | None, mode: str) -> int | tuple[int, int, int]:
    """What is not exposed: BLACK, WHITE or an optical density; black where nothing says so."""
    is_white = density == "WHITE" or ((density or "").isdigit() and int(density or 0) < _BLACK_AND_WHITE_DENSITY)
    shade = 255 if is_white else 0
    return (shade, shade, shade) if mode == "RGB" else shade
