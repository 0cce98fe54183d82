"""Finds faults in what the virtual printer is sent. Pure functions; they name attributes, never patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from pydicom import Dataset

from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.reading import read_items, read_number, read_text
from openmodality.errors import ObjectInvalid
from openmodality.objects.film_reading import read_image
from openmodality.standard.dimse import Status
from openmodality.standard.film import FILM_SIZES_MM, MOST_COPIES, PRINT_PRIORITIES
from openmodality.standard.print_management import PrintStatus
from openmodality.standard.sop_classes import (
    BASIC_COLOR_IMAGE_BOX,
    BASIC_FILM_BOX,
    BASIC_FILM_SESSION,
    BASIC_GRAYSCALE_IMAGE_BOX,
    PRESENTATION_LUT,
)
from openmodality.standard.tags import (
    BASIC_COLOR_IMAGE_SEQUENCE,
    BASIC_GRAYSCALE_IMAGE_SEQUENCE,
    FILM_ORIENTATION,
    FILM_SIZE_ID,
    MAX_DENSITY,
    MIN_DENSITY,
    NUMBER_OF_COPIES,
    POLARITY,
    PRESENTATION_LUT_SEQUENCE,
    PRESENTATION_LUT_SHAPE,
    PRINT_PRIORITY,
    TRIM,
)
from openmodality.value_class import dataclass

_GREATEST_DENSITY: Final = 400
"""What the virtual printer's film reaches, in hundredths of optical density."""

_TERMS: Final = {
    FILM_ORIENTATION: ("PORTRAIT", "LANDSCAPE"),
    FILM_SIZE_ID: tuple(FILM_SIZES_MM),
    TRIM: ("YES", "NO"),
    POLARITY: ("NORMAL", "REVERSE"),
    PRESENTATION_LUT_SHAPE: ("IDENTITY", "LIN OD"),
}
"""The only values of these attributes (PS3.3 C.13.3, C.13.5, C.11.6); others are refused."""


@dataclass(frozen=True, slots=True)
class FilmVerdict:
    """What a request is answered with: a status, or a refusal with what is wrong; and what is complained about."""

    status: int = Status.SUCCESS
    refusal: str = ""
    offending: tuple[int, ...] = ()
    complaints: tuple[str, ...] = ()


def check_request(sop_class_uid: str, attributes: Dataset) -> FilmVerdict:
    """The verdict on what is to be created or set."""
    complaints = tuple(_find_bad_manners(attributes))
    for tag, terms in _TERMS.items():
        if read_text(attributes, tag) not in ("", *terms):
            refusal = f"{name_of(tag)} is not one of {', '.join(terms)}"
            return FilmVerdict(refusal=refusal, offending=(tag,), complaints=complaints)
    check = _CHECKS.get(sop_class_uid)
    return replace(check(attributes) if check else FilmVerdict(), complaints=complaints)


def _find_bad_manners(attributes: Dataset) -> Iterator[str]:
    """An attribute that is sent without a value says nothing, and some printers refuse it (INTEROP trap 45)."""
    for element in attributes:
        if element.is_empty and element.VR != "SQ":
            yield f"{name_of(element.tag)} is sent without a value"


def _check_session(attributes: Dataset) -> FilmVerdict:
    copies, priority = read_number(attributes, NUMBER_OF_COPIES), read_text(attributes, PRINT_PRIORITY)
    if (copies is not None and not 1 <= copies <= MOST_COPIES) or priority not in ("", *PRINT_PRIORITIES):
        return FilmVerdict(Status.ATTRIBUTE_VALUE_OUT_OF_RANGE)
    return FilmVerdict()


def _check_film_box(attributes: Dataset) -> FilmVerdict:
    least, greatest = (read_number(attributes, tag) for tag in (MIN_DENSITY, MAX_DENSITY))
    if max(least or 0, greatest or 0) > _GREATEST_DENSITY or (least or 0) > (greatest or _GREATEST_DENSITY):
        return FilmVerdict(PrintStatus.DENSITY_OUT_OF_RANGE)
    return FilmVerdict()


def _check_image_box(attributes: Dataset) -> FilmVerdict:
    try:
        read_image(attributes)
    except ObjectInvalid as error:
        tags = (BASIC_GRAYSCALE_IMAGE_SEQUENCE, BASIC_COLOR_IMAGE_SEQUENCE)
        return FilmVerdict(refusal=str(error), offending=tuple(tag for tag in tags if tag in attributes))
    return FilmVerdict()


def _check_lut(attributes: Dataset) -> FilmVerdict:
    if not read_text(attributes, PRESENTATION_LUT_SHAPE) and not read_items(attributes, PRESENTATION_LUT_SEQUENCE):
        return FilmVerdict(refusal="a Presentation LUT without shape and table", offending=(PRESENTATION_LUT_SHAPE,))
    return FilmVerdict()


_CHECKS: Final[dict[str, Callable[[Dataset], FilmVerdict]]] = {
    BASIC_FILM_SESSION: _check_session,
    BASIC_FILM_BOX: _check_film_box,
    BASIC_GRAYSCALE_IMAGE_BOX: _check_image_box,
    BASIC_COLOR_IMAGE_BOX: _check_image_box,
    PRESENTATION_LUT: _check_lut,
}
