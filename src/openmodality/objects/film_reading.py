"""Films from the attribute lists that a Print SCP has got (PS3.3 C.13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

import numpy as np
from pydicom.dataset import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.objects.film import Film, FilmImage, FilmPixels, FilmSession, Photometric

_SEQUENCES: Final = ("BasicGrayscaleImageSequence", "BasicColorImageSequence")
_INTERPRETATIONS: Final[tuple[Photometric, ...]] = get_args(Photometric)


def read_session(attributes: Dataset, films: Sequence[Film]) -> FilmSession:
    """A film session with its films."""
    return FilmSession(
        films=tuple(films),
        number_of_copies=_read_number(attributes, "NumberOfCopies"),
        print_priority=_read_text(attributes, "PrintPriority"),
        medium_type=_read_text(attributes, "MediumType"),
        film_destination=_read_text(attributes, "FilmDestination"),
        label=_read_text(attributes, "FilmSessionLabel"),
        memory_allocation=_read_number(attributes, "MemoryAllocation"),
    )


def read_film(attributes: Dataset, images: Sequence[FilmImage], presentation_lut: Dataset | None = None) -> Film:
    """A film box with its images."""
    return Film(
        image_display_format=_read_text(attributes, "ImageDisplayFormat") or "",
        images=tuple(images),
        film_orientation=_read_text(attributes, "FilmOrientation"),
        film_size_id=_read_text(attributes, "FilmSizeID"),
        magnification_type=_read_text(attributes, "MagnificationType"),
        smoothing_type=_read_text(attributes, "SmoothingType"),
        border_density=_read_text(attributes, "BorderDensity"),
        empty_image_density=_read_text(attributes, "EmptyImageDensity"),
        min_density=_read_number(attributes, "MinDensity"),
        max_density=_read_number(attributes, "MaxDensity"),
        trim=_read_text(attributes, "Trim"),
        configuration_information=_read_text(attributes, "ConfigurationInformation"),
        illumination=_read_number(attributes, "Illumination"),
        reflected_ambient_light=_read_number(attributes, "ReflectedAmbientLight"),
        presentation_lut_shape=_read_text(presentation_lut or Dataset(), "PresentationLUTShape"),
    )


def read_image(attributes: Dataset) -> FilmImage | None:
    """The image of an image box; None where it has none.

    Raises :class:`ObjectInvalid` where the pixels are not as their description says.
    """
    item = next((items[0] for keyword in _SEQUENCES if (items := attributes.get(keyword))), None)
    if item is None:
        return None
    size_mm = attributes.get("RequestedImageSize")
    return FilmImage(
        position=_read_number(attributes, "ImageBoxPosition") or 0,
        pixels=_read_pixels(item),
        bits=12 if item.get("BitsStored") == 12 else 8,
        photometric_interpretation=item.PhotometricInterpretation,
        pixel_aspect_ratio=tuple(map(int, item.get("PixelAspectRatio") or (1, 1))),  # type: ignore[arg-type]
        polarity=_read_text(attributes, "Polarity"),
        magnification_type=_read_text(attributes, "MagnificationType"),
        smoothing_type=_read_text(attributes, "SmoothingType"),
        requested_image_size_mm=None if size_mm in (None, "") else float(size_mm),
    )


def _read_pixels(item: Dataset) -> FilmPixels:
    rows, columns, samples = (int(item.get(each) or 0) for each in ("Rows", "Columns", "SamplesPerPixel"))
    is_deep = item.get("BitsAllocated") == 16
    raw = bytes(item.get("PixelData") or b"")
    length = rows * columns * samples * (2 if is_deep else 1)
    described = item.get("PhotometricInterpretation") in _INTERPRETATIONS and samples in (1, 3)
    if not described or not length or len(raw) != length + length % 2:
        raise ObjectInvalid("the Pixel Data of an image box are not as they are described")
    values = np.frombuffer(raw[:length], "<u2" if is_deep else np.uint8)
    if samples == 1:
        return values.reshape(rows, columns)
    if item.get("PlanarConfiguration") == 1:
        return np.moveaxis(values.reshape(3, rows, columns), 0, -1)
    return values.reshape(rows, columns, 3)


def _read_text(attributes: Dataset, keyword: str) -> Any:
    value = attributes.get(keyword)
    return str(value) if value not in (None, "") else None


def _read_number(attributes: Dataset, keyword: str) -> int | None:
    value = attributes.get(keyword)
    return None if value in (None, "") else int(value)
