"""Sheets of film as pictures: what a printer makes of the image boxes, for previews and for the virtual printer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw

from openmodality.imaging.film.layout import FOOT_MM, Box, measure_film, place_boxes, place_image, shrink_box
from openmodality.imaging.film.pdf import write_pdf
from openmodality.imaging.film.shades import is_white, show_image
from openmodality.imaging.letters import load_font
from openmodality.imaging.render import Displayed
from openmodality.objects.film import Film, FilmImage

DOTS_PER_INCH = 150
_MM_PER_INCH = 25.4
_COMPRESS_LEVEL = 1
"""Each further level takes longer than all else that a sheet takes, and the first ones save a tenth or two."""
_FOOT_SHARE = 0.5
"""Height of the letters at the foot of a sheet, as a share of the line."""


def draw_film(film: Film, *, dots_per_inch: float = DOTS_PER_INCH) -> Displayed:
    """A sheet as on a light box: shape (rows, columns) of uint8, or (rows, columns, 3) where an image has colours.

    An image fills its box as far as its shape allows, or has the width that it asks for. Raises
    :class:`UsageError` for a layout or a size of film that the standard does not define.
    """
    width, height = measure_film(film)
    scale = dots_per_inch / _MM_PER_INCH
    mode = "RGB" if any(image.pixels.ndim == 3 for image in film.images) else "L"
    sheet = Image.new(mode, (round(width * scale), round(height * scale)), _shade(film.border_density, mode))
    images = {image.position: image for image in film.images}
    for position, box in enumerate(place_boxes(film), start=1):
        if position in images:
            _paste(sheet, images[position], box, scale)
        else:
            sheet.paste(_shade(film.empty_image_density, mode), _to_dots(shrink_box(box), scale))
    if film.foot:
        _write_foot(sheet, film.foot, FOOT_MM * scale)
    return np.asarray(sheet)


def save_films(
    films: Iterable[Film],
    path: Path,
    *,
    dots_per_inch: float = DOTS_PER_INCH,
    opener: Callable[[str, int], int] | None = None,
) -> tuple[Path, ...]:
    """Write sheets as one PDF of true size, or as PNG: one file, or ``NAME-1.png`` and so on; the files written.

    A file has its name when it is whole; ``opener`` is that of ``open``. Raises :class:`OSError` where one
    cannot be written.
    """
    if path.suffix.lower() == ".pdf":
        with _writing(path, opener) as file:
            write_pdf(films, file, path.stem)
        return (path,)
    written: list[Path] = []
    sheets = iter(films)
    film, following = next(sheets, None), next(sheets, None)
    several = following is not None
    while film is not None:
        picture = Image.fromarray(draw_film(film, dots_per_inch=dots_per_inch))
        target = path.with_stem(f"{path.stem}-{len(written) + 1}") if several else path
        with _writing(target, opener) as file:
            picture.save(file, "PNG", dpi=(dots_per_inch, dots_per_inch), compress_level=_COMPRESS_LEVEL)
        written.append(target)
        film, following = following, next(sheets, None)
    return tuple(written)


def encode_film(film: Film, *, dots_per_inch: float = DOTS_PER_INCH) -> bytes:
    """A sheet as PNG. Raises as :func:`draw_film` does."""
    encoded = BytesIO()
    Image.fromarray(draw_film(film, dots_per_inch=dots_per_inch)).save(encoded, "PNG", compress_level=_COMPRESS_LEVEL)
    return encoded.getvalue()


@contextmanager
def _writing(path: Path, opener: Callable[[str, int], int] | None) -> Iterator[BinaryIO]:
    """A file that gets its name when the block ends, and is gone where it fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb", opener=opener) as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_foot(sheet: Image.Image, text: str, height: float) -> None:
    """Write a line in black on white under the images."""
    pen = ImageDraw.Draw(sheet)
    top = sheet.height - round(height)
    pen.rectangle((0, top, sheet.width, sheet.height), fill="white")
    place = (sheet.width / 2, top + height / 2)
    pen.text(place, text, "black", load_font(max(round(height * _FOOT_SHARE), 1)), "mm")


def _paste(sheet: Image.Image, image: FilmImage, box: Box, scale: float) -> None:
    picture = Image.fromarray(show_image(image)).convert(sheet.mode)
    left, top, right, bottom = _to_dots(place_image(image, box), scale)
    size = (max(right - left, 1), max(bottom - top, 1))
    is_larger = size[0] >= picture.width
    resampling = Image.Resampling.BILINEAR if is_larger else Image.Resampling.BOX
    if image.magnification_type == "REPLICATE" and is_larger:
        resampling = Image.Resampling.NEAREST
    elif image.magnification_type == "CUBIC" and is_larger:
        resampling = Image.Resampling.BICUBIC
    sheet.paste(picture.resize(size, resampling), (left, top))


def _to_dots(box: Box, scale: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom."""
    return (
        round(box.left * scale),
        round(box.top * scale),
        round((box.left + box.width) * scale),
        round((box.top + box.height) * scale),
    )


def _shade(density: str | None, mode: str) -> int | tuple[int, int, int]:
    """What is not exposed."""
    shade = 255 if is_white(density) else 0
    return (shade, shade, shade) if mode == "RGB" else shade
