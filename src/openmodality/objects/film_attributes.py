"""The attribute lists of print requests, built from films by the table of the profile (PS3.3 C.13, PS3.4 H.4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from openmodality.device import charsets
from openmodality.device.site.site import Site
from openmodality.errors import ObjectInvalid
from openmodality.objects.film import Film, FilmImage, FilmSession
from openmodality.objects.references import refer_to_instance
from openmodality.objects.rules.builder import build
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.rules.sources import SourceValues
from openmodality.objects.site_objects import find_switches_off
from openmodality.standard.sop_classes import BASIC_FILM_SESSION, PRESENTATION_LUT

_SQUARE: Final = (1, 1)


class FilmAttributes:
    """Builds the attribute lists of the requests that print a film at one site.

    ``left_out`` are the keywords of attributes that the printer does not take.
    """

    def __init__(self, site: Site, left_out: Collection[str] = ()) -> None:
        self._site = site
        self._left_out = left_out
        self._tables: dict[tuple[str, str], RuleTable] = {}

    def list_printer_tags(self) -> tuple[int, ...]:
        """The attributes that the printer is asked for with N-GET."""
        return self._list_tags("Printer", "N-GET")

    def list_event_tags(self) -> tuple[int, ...]:
        """The attributes that are read from the printer's reports."""
        return self._list_tags("Printer", "N-EVENT-REPORT")

    def build_session(self, session: FilmSession) -> Dataset:
        """The attributes of a film session. Raises :class:`ObjectInvalid` where one has no value or a wrong one."""
        user = _with_values(
            NumberOfCopies=session.number_of_copies,
            PrintPriority=session.print_priority,
            MediumType=session.medium_type,
            FilmDestination=session.film_destination,
            FilmSessionLabel=session.label,
            MemoryAllocation=session.memory_allocation,
        )
        return self._build("Basic Film Session", "N-CREATE", user, Dataset())

    def build_film_box(self, film: Film, session_uid: str, presentation_lut_uid: str = "") -> Dataset:
        """The attributes of a film box in this session, with the Presentation LUT where there is one.

        Raises :class:`ObjectInvalid` where an attribute has no value or a wrong one.
        """
        user = _with_values(
            FilmOrientation=film.film_orientation,
            FilmSizeID=film.film_size_id,
            MagnificationType=film.magnification_type,
            SmoothingType=film.smoothing_type,
            BorderDensity=film.border_density,
            EmptyImageDensity=film.empty_image_density,
            MinDensity=film.min_density,
            MaxDensity=film.max_density,
            Trim=film.trim,
            ConfigurationInformation=film.configuration_information,
            Illumination=film.illumination,
            ReflectedAmbientLight=film.reflected_ambient_light,
        )
        automatic = data_set_of(
            ImageDisplayFormat=film.image_display_format,
            ReferencedFilmSessionSequence=[refer_to_instance(BASIC_FILM_SESSION, session_uid)],
        )
        if presentation_lut_uid:
            automatic.ReferencedPresentationLUTSequence = [refer_to_instance(PRESENTATION_LUT, presentation_lut_uid)]
        return self._build("Basic Film Box", "N-CREATE", user, automatic)

    def build_presentation_lut(self, film: Film) -> Dataset:
        """The attributes of the Presentation LUT of a film that has one."""
        return self._build(
            "Presentation LUT", "N-CREATE", _with_values(PresentationLUTShape=film.presentation_lut_shape), Dataset()
        )

    def build_image_box(self, film: Film, image: FilmImage) -> Dataset:
        """The attributes of an image box, with its pixels; what the image does not say, its film does.

        Raises :class:`ObjectInvalid` where an attribute has no value or a wrong one.
        """
        is_color = image.photometric_interpretation == "RGB"
        kind = "Color" if is_color else "Grayscale"
        name = f"Basic {kind} Image Box"
        table = self._table(name, "N-SET")
        inherits = any(rule.keyword == "MagnificationType" and rule.requirement == "ALWAYS" for rule in table.rules)
        size_mm = image.requested_image_size_mm
        user = _with_values(
            MagnificationType=image.magnification_type or (film.magnification_type if inherits else None),
            SmoothingType=image.smoothing_type or (film.smoothing_type if inherits else None),
            RequestedImageSize=None if size_mm is None else f"{size_mm:.3f}",
        )
        automatic = _with_values(ImageBoxPosition=image.position, Polarity=image.polarity)
        item = _describe_pixels(image)
        sequence = f"Basic{kind}ImageSequence"
        if image.pixel_aspect_ratio != _SQUARE or inherits:
            item.PixelAspectRatio = list(image.pixel_aspect_ratio)
        automatic.update(data_set_of(**{sequence: [item]}))
        return self._build(name, "N-SET", user, automatic)

    def _list_tags(self, sop_class: str, operation: str) -> tuple[int, ...]:
        return tuple(
            each.rule.path[0]
            for each in self._site.profile.print_attributes
            if (each.sop_class, each.operation) == (sop_class, operation)
        )

    def _table(self, sop_class: str, operation: str) -> RuleTable:
        key = (sop_class, operation)
        if key not in self._tables:
            site = self._site
            rules = tuple(
                each.rule
                for each in site.profile.print_attributes
                if (each.sop_class, each.operation) == key and each.rule.keyword not in self._left_out
            )
            self._tables[key] = RuleTable(
                name=f"{operation} of {sop_class}",
                rules=rules,
                # The default repertoire first: some printers refuse a character set where none is needed.
                character_sets=((), *site.character_sets),
                charset_attributes=site.profile.charset_attributes,
                switches_off=find_switches_off(site),
            )
        return self._tables[key]

    def _build(self, sop_class: str, operation: str, user: Dataset, automatic: Dataset) -> Dataset:
        table = self._table(sop_class, operation)
        if not table.rules:
            raise ObjectInvalid(f"profile {self._site.profile.name} prints no {sop_class}")
        data_set = build(table, SourceValues(user=user, automatic=automatic))
        charsets.declare(data_set, table.character_sets, table.charset_attributes)
        if findings := check(data_set, table):
            raise ObjectInvalid(f"{table.name}: {'; '.join(map(str, findings))}")
        return data_set


def _with_values(**values: object) -> Dataset:
    return data_set_of(**{keyword: value for keyword, value in values.items() if value is not None})


def _describe_pixels(image: FilmImage) -> Dataset:
    """The item of the image sequence; color goes plane by plane (PS3.3 C.13.5)."""
    rows, columns = image.pixels.shape[:2]
    is_color = image.photometric_interpretation == "RGB"
    item = data_set_of(
        SamplesPerPixel=3 if is_color else 1,
        PhotometricInterpretation=image.photometric_interpretation,
        Rows=rows,
        Columns=columns,
        BitsAllocated=8 if image.bits == 8 else 16,
        BitsStored=image.bits,
        HighBit=image.bits - 1,
        PixelRepresentation=0,
    )
    if is_color:
        item.PlanarConfiguration = 1
    planes = np.moveaxis(image.pixels, -1, 0) if is_color else image.pixels
    raw = planes.astype("u1" if image.bits == 8 else "<u2", copy=False).tobytes()
    item.add_new("PixelData", "OW", raw + b"\0" if len(raw) % 2 else raw)
    return item
