"""Sheets of film as PDF (ISO 32000-1): a page of true size for each, its images with the very pixels of their boxes.

Images are compressed without loss and never resampled here. A sheet is written before the next one is composed.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import numpy as np

from openmodality.imaging.film.layout import FOOT_MM, Box, measure_film, place_boxes, place_image, shrink_box
from openmodality.imaging.film.shades import is_white, show_image
from openmodality.objects.film import Film, FilmImage

_POINTS_PER_MM: Final = 72 / 25.4
_FOOT_SHARE: Final = 0.5
_HELVETICA_WIDTH: Final = 0.5
"""Mean width of a letter of Helvetica as a share of its size."""
_CATALOG, _PAGES, _FONT, _INFO = 1, 2, 3, 4
"""Numbers of the objects that every file has; those of its sheets come after."""
_LEVEL: Final = 1  # as that of a sheet as a picture


def write_pdf(films: Iterable[Film], file: BinaryIO, title: str) -> None:
    """Write sheets into a new file. Raises :class:`OSError` where it cannot be written."""
    writer = _Writer(file)
    pages = [_write_page(writer, film) for film in films]
    kids = " ".join(f"{page} 0 R" for page in pages)
    writer.write(_CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R >>")
    writer.write(_PAGES, f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    writer.write(_FONT, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    writer.write(_INFO, f"<< /Title <{_encode_text(title)}> /Producer (OpenModality) >>")
    writer.finish()


def _encode_text(text: str) -> str:
    """A text string in hexadecimal (ISO 32000-1 7.9.2.2): UTF-16, whose byte order has to be big-endian."""
    return (codecs.BOM_UTF16_BE + text.encode("utf-16-be")).hex()


class _Writer:
    """Objects of a PDF file by their numbers, and the table of where they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offsets: dict[int, int] = {}
        self._last = _INFO
        file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def take_number(self) -> int:
        """The number of the next object."""
        self._last += 1
        return self._last

    def write(self, number: int, text: str, stream: bytes | None = None) -> None:
        """Write an object; with a ``stream``, ``text`` is its dictionary."""
        self._offsets[number] = self._file.tell()
        self._file.write(f"{number} 0 obj\n{text}\n".encode("ascii"))
        if stream is not None:
            self._file.write(b"stream\n" + stream + b"\nendstream\n")
        self._file.write(b"endobj\n")

    def finish(self) -> None:
        """Write the table of objects."""
        start = self._file.tell()
        count = self._last + 1
        self._file.write(f"xref\n0 {count}\n0000000000 65535 f \n".encode("ascii"))
        for number in range(1, count):
            self._file.write(f"{self._offsets[number]:010} 00000 n \n".encode("ascii"))
        trailer = f"trailer\n<< /Size {count} /Root {_CATALOG} 0 R /Info {_INFO} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        self._file.write(trailer.encode("ascii"))


def _write_page(writer: _Writer, film: Film) -> int:
    """Write a sheet with its images; the number of its page."""
    width, height = measure_film(film)
    names = {image.position: writer.take_number() for image in film.images}
    for image in film.images:
        _write_image(writer, names[image.position], image)
    content = "\n".join(_draw(film, names, width, height)).encode("ascii")
    drawing, page = writer.take_number(), writer.take_number()
    writer.write(drawing, f"<< /Length {len(content)} >>", content)
    images = " ".join(f"/I{number} {number} 0 R" for number in names.values())
    writer.write(
        page,
        f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {_points(width)} {_points(height)}] "
        f"/Resources << /Font << /F {_FONT} 0 R >> /XObject << {images} >> >> /Contents {drawing} 0 R >>",
    )
    return page


def _write_image(writer: _Writer, number: int, image: FilmImage) -> None:
    pixels = show_image(image)
    data = zlib.compress(np.ascontiguousarray(pixels).data, _LEVEL)
    space = "DeviceRGB" if pixels.ndim == 3 else "DeviceGray"
    is_smooth = "false" if image.magnification_type == "REPLICATE" else "true"
    writer.write(
        number,
        f"<< /Type /XObject /Subtype /Image /Width {pixels.shape[1]} /Height {pixels.shape[0]} /ColorSpace /{space} "
        f"/BitsPerComponent 8 /Interpolate {is_smooth} /Filter /FlateDecode /Length {len(data)} >>",
        data,
    )


def _draw(film: Film, names: dict[int, int], width: float, height: float) -> Iterator[str]:
    """The operators that draw a sheet; PDF counts from the lower left corner."""
    images = {image.position: image for image in film.images}
    yield _fill(Box(0, 0, width, height), height, is_bright=is_white(film.border_density))
    for position, box in enumerate(place_boxes(film), start=1):
        if position not in images:
            yield _fill(shrink_box(box), height, is_bright=is_white(film.empty_image_density))
            continue
        place = place_image(images[position], box)
        left, bottom = _points(place.left), _points(height - place.top - place.height)
        yield f"q {_points(place.width)} 0 0 {_points(place.height)} {left} {bottom} cm /I{names[position]} Do Q"
    if film.foot:
        yield _fill(Box(0, height - FOOT_MM, width, FOOT_MM), height, is_bright=True)
        size = FOOT_MM * _FOOT_SHARE
        start = (width - len(film.foot) * size * _HELVETICA_WIDTH) / 2
        text = film.foot.encode("latin-1", "replace").hex()
        yield f"0 g BT /F {_points(size)} Tf {_points(start)} {_points(FOOT_MM / 2 - size / 3)} Td <{text}> Tj ET"


def _fill(box: Box, height: float, *, is_bright: bool) -> str:
    place = f"{_points(box.left)} {_points(height - box.top - box.height)} {_points(box.width)} {_points(box.height)}"
    return f"{1 if is_bright else 0} g {place} re f"


def _points(length_mm: float) -> str:
    return f"{length_mm * _POINTS_PER_MM:.3f}"
