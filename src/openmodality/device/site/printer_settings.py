"""The settings of a printer in ``site.toml``: ``[printers.NAME]``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openmodality.device.site.setting_types import (
    CodeText,
    Density,
    DensityText,
    DisplayFormatText,
    FilmSize,
    Luminance,
    OptionalFilmAttribute,
    QueueText,
    Settings,
    Switch,
    Text,
)


class PrinterSettings(Settings):
    """The values that a film printer takes. Commands call it by its name in the site file.

    Of several values the first one holds where nobody chooses.
    """

    kind: Literal["dicom", "pdf", "cups"] = Field(
        default="dicom",
        description="a DICOM printer; or, not for diagnosis, a folder of PDF files, or a printer of this computer",
    )
    peer: Text = Field(
        default="", description="for kind dicom: the peer that it is on the network; empty: the peer of the same name"
    )
    folder: Text = Field(default="", description="for kind pdf: the folder of the files, from the site file's on")
    queue: QueueText = Field(default="", description="for kind cups: the queue of lp; empty: the system's usual one")
    description: Text = Field(default="", description="what the printer is and where, for people")
    film_sizes: tuple[FilmSize, ...] = Field(
        default=(), description="film sizes that it has, the usual one first; empty: as the parameters say"
    )
    film_orientations: tuple[Literal["PORTRAIT", "LANDSCAPE"], ...] = Field(
        default=("PORTRAIT", "LANDSCAPE"), min_length=1, description="film orientations that it prints"
    )
    medium_types: tuple[CodeText, ...] = Field(
        default=(), description="media that it has, the usual one first; empty: as the parameters say"
    )
    film_destinations: tuple[CodeText, ...] = Field(
        default=("PROCESSOR", "MAGAZINE"), min_length=1, description="where films can go"
    )
    magnification_types: tuple[CodeText, ...] = Field(
        default=("CUBIC", "BILINEAR", "REPLICATE", "NONE"),
        min_length=1,
        description="ways to make images larger that it knows",
    )
    smoothing_types: tuple[CodeText, ...] = Field(
        default=(), description="Smoothing Types of its conformance statement; empty: none is sent"
    )
    configuration_information: tuple[Text, ...] = Field(
        default=(), description="Configuration Information of its conformance statement; empty: none is sent"
    )
    left_out: tuple[OptionalFilmAttribute, ...] = Field(
        default=(), description="attributes that the printer refuses and that are not sent, though the device would"
    )
    layouts: tuple[DisplayFormatText, ...] = Field(
        default=(), description="image display formats that it takes, such as 'STANDARD\\3,4'; empty: all of the device"
    )
    bits: Literal[8, 12] = Field(default=8, description="bits of a grayscale pixel; 8 is always right")
    photometric_interpretation: Literal["MONOCHROME2", "MONOCHROME1"] = Field(
        default="MONOCHROME2", description="how it takes grayscale pixels"
    )
    print_by: Literal["film", "session"] = Field(
        default="film", description="whether each film is ordered by itself, or all of a session at once"
    )
    border_density: DensityText = Field(default="BLACK", description="Border Density: BLACK, WHITE or hundredths")
    empty_image_density: DensityText = Field(
        default="BLACK", description="Empty Image Density: BLACK, WHITE or hundredths of optical density"
    )
    min_density: Density | None = Field(default=None, description="Min Density; without it as the parameters say")
    max_density: Density | None = Field(default=None, description="Max Density; without it as the parameters say")
    trim: Literal["", "NO", "YES"] = Field(default="NO", description="Trim; empty: it is not sent")
    illumination: Luminance | None = Field(
        default=None, description="luminance of the light box in cd/m2; without it it is not sent"
    )
    reflected_ambient_light: Luminance | None = Field(
        default=None, description="luminance of the light that a film reflects in cd/m2; without it it is not sent"
    )
    presentation_lut: Literal["", "IDENTITY", "LIN OD"] = Field(
        default="IDENTITY", description="Presentation LUT Shape, where the device uses Presentation LUTs; empty: none"
    )
    memory_allocation: int = Field(
        default=0, ge=0, le=2**31 - 1, strict=True, description="Memory Allocation in kilobytes; 0: it is not sent"
    )
    annotation: Switch = Field(default=True, description="write patient, study and image number into each image")
    automatic: Switch = Field(default=False, description="print the images of each exam that is completed")
    automatic_layout: Text = Field(
        default="", description="layout of these films, such as 3x4; empty: the smallest grid that holds all images"
    )
    dots_per_inch: int = Field(
        default=300,
        ge=10,
        le=5080,
        strict=True,
        description="resolution of previews; pixels of a film are the printer's",
    )
