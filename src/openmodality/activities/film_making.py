"""The sheets of an order: instances of the local database, read and composed sheet by sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom import Dataset

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.activities.film_order import FilmOrder
from openmodality.device.site.site import Printer, Site
from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.imaging.film.compose import Composition, FilmSource, compose_films
from openmodality.imaging.film.layout import PORTRAIT, lay_out, measure_sheet
from openmodality.imaging.frames import number_of_frames
from openmodality.imaging.presentation import Presentation, read_image_presentation
from openmodality.objects.film import Film, FilmImage

FrameReference = tuple[Path, int]
"""The file of an instance and the number of a frame."""


def list_frames(paths: Sequence[Path]) -> list[FrameReference]:
    """All frames of these instances, in their order."""
    return [
        (path, number)
        for path in paths
        for number in range(1, number_of_frames(_read(path, stop_before_pixels=True)) + 1)
    ]


def count_sheet_boxes(film: Film) -> int:
    """How many image boxes a sheet has. Raises :class:`UsageError` where the film is none of the standard."""
    sheet = measure_sheet(film.film_size_id or "14INX17IN", film.film_orientation or PORTRAIT)
    return len(lay_out(film.image_display_format, *sheet))


def make_sheets(
    site: Site, printer: Printer, order: FilmOrder, film: Film, frames: Sequence[FrameReference]
) -> Iterator[Film]:
    """The sheets like ``film`` that these frames need, one after the other, with pixels as the printer takes them.

    Raises what :func:`openmodality.imaging.film.compose.compose_films` raises.
    """
    count = count_sheet_boxes(film)
    how = make_composition(site, printer, order)
    for start in range(0, len(frames), count):
        sources = [_make_source(path, number, order) for path, number in frames[start : start + count]]
        for sheet in compose_films(sources, film, how):
            yield replace(sheet, images=tuple(_fit_printer(image, printer) for image in sheet.images))


def make_composition(site: Site, printer: Printer, order: FilmOrder) -> Composition:
    """How pictures are made for a printer; with the only sizes of a picture where the profile has such."""
    allowed: dict[str, tuple[int, ...]] = {
        each.rule.keyword: tuple(map(int, each.rule.values))
        for each in site.profile.print_attributes
        if each.operation == "N-SET" and each.rule.keyword in ("Rows", "Columns") and each.rule.values
    }
    rows, columns = allowed.get("Rows", ()), allowed.get("Columns", ())
    return Composition(
        bits=printer.settings.bits,
        colour=printer.is_color,
        matrices=tuple((each_rows, each_columns) for each_rows in rows for each_columns in columns),
        annotation=order.annotation and printer.settings.annotation,
        true_size=order.true_size,
        mixed=order.mixed,
    )


def _make_source(path: Path, number: int, order: FilmOrder) -> FilmSource:
    data_set = _read(path)
    return FilmSource(data_set, number, _choose_presentation(data_set, number, order))


def _choose_presentation(data_set: Dataset, number: int, order: FilmOrder) -> Presentation | None:
    if not order.window:
        return None
    center, width = order.window
    return read_image_presentation(data_set, number).with_window(center, width)


def _fit_printer(image: FilmImage, printer: Printer) -> FilmImage:
    """The image with black and white turned for a printer that takes MONOCHROME1."""
    if printer.settings.photometric_interpretation == "MONOCHROME2" or image.photometric_interpretation == "RGB":
        return image
    greatest = (1 << image.bits) - 1
    pixels = np.subtract(image.pixels.dtype.type(greatest), image.pixels)
    return replace(image, pixels=pixels, photometric_interpretation="MONOCHROME1")


def _read(path: Path, *, stop_before_pixels: bool = False) -> Dataset:
    try:
        return read_bounded_file(path, stop_before_pixels=stop_before_pixels)
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{path.name}: {error.message}", advice=error.advice) from error
    except OSError as error:
        raise StoreError(f"cannot read {path.name}: {error.strerror}") from error
    except Exception as error:
        raise ObjectInvalid(f"{path.name} cannot be read as an image") from error
