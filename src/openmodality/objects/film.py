"""Films as they are sent to a printer: sessions, film boxes and image boxes as values, in DICOM's terms. PS3.3 C.13.

What composes films makes these values, what prints sends them, and a Print SCP hands the same back. An attribute that
is None is not sent.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from openmodality.standard.film import PrintPriority
from openmodality.value_class import dataclass

FilmPixels = NDArray[np.uint8] | NDArray[np.uint16]
Photometric = Literal["MONOCHROME1", "MONOCHROME2", "RGB"]


@dataclass(frozen=True, slots=True, eq=False)
class FilmImage:
    """One image box and its image (Basic Grayscale or Color Image Box, PS3.3 C.13.5).

    ``position`` is (2020,0010) Image Box Position, from 1. ``pixels`` are P-values: (rows, columns) of uint8 where
    ``bits`` is 8 and of uint16 where it is 12, or (rows, columns, 3) of uint8 for RGB. With MONOCHROME2 the value 0 is
    the darkest. ``requested_image_size_mm`` is the width that the image is to have on the film.
    """

    position: int
    pixels: FilmPixels
    bits: Literal[8, 12] = 8
    photometric_interpretation: Photometric = "MONOCHROME2"
    pixel_aspect_ratio: tuple[int, int] = (1, 1)
    polarity: Literal["NORMAL", "REVERSE"] | None = "NORMAL"
    magnification_type: str | None = None
    smoothing_type: str | None = None
    requested_image_size_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """One sheet (Basic Film Box, PS3.3 C.13.3); an image box without an image is not among ``images``.

    Densities are words of the printer (BLACK, WHITE) or hundredths of optical density; ``illumination`` and
    ``reflected_ambient_light`` are in candelas per square metre. ``presentation_lut_shape`` is sent as a Presentation
    LUT where the printer takes one. ``foot`` is a line under the images of a sheet that is drawn, and is never sent.
    """

    image_display_format: str
    images: tuple[FilmImage, ...] = ()
    film_orientation: Literal["PORTRAIT", "LANDSCAPE"] | None = None
    film_size_id: str | None = None
    magnification_type: str | None = None
    smoothing_type: str | None = None
    border_density: str | None = None
    empty_image_density: str | None = None
    min_density: int | None = None
    max_density: int | None = None
    trim: Literal["YES", "NO"] | None = None
    configuration_information: str | None = None
    illumination: int | None = None
    reflected_ambient_light: int | None = None
    presentation_lut_shape: Literal["IDENTITY", "LIN OD"] | None = None
    foot: str = ""


@dataclass(frozen=True, slots=True)
class FilmSession:
    """Films that are printed together (Basic Film Session, PS3.3 C.13.1)."""

    films: tuple[Film, ...] = ()
    number_of_copies: int | None = None
    print_priority: PrintPriority | None = None
    medium_type: str | None = None
    film_destination: str | None = None
    label: str | None = None
    memory_allocation: int | None = None
