"""The virtual printer: a Print SCP that writes each sheet as a picture and looks hard at what it is sent.

Beside ``film-0001.png`` stand ``film-0001.pdf``, in true size, and ``film-0001.json`` with the attributes of its
session and its film box.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.dimse.channel import Channel
from openmodality.dimse.service import Refuse, Service
from openmodality.errors import UsageError
from openmodality.hospital.film_checks import check_request
from openmodality.hospital.journal import Journal
from openmodality.hospital.json_documents import Documents
from openmodality.imaging.film.draw import save_films
from openmodality.imaging.film.layout import place_boxes
from openmodality.objects.film import Film, FilmSession
from openmodality.objects.film_reading import read_film, read_image, read_session
from openmodality.services.print_management import FilmBox, print_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.dimse import Status
from openmodality.standard.print_management import PrinterStatus
from openmodality.standard.tags import IMAGE_DISPLAY_FORMAT
from openmodality.store.private_files import open_private
from openmodality.value_class import dataclass

_PLACE: Final = "PRINTER"


@dataclass(frozen=True, slots=True)
class PrintedFilm:
    """A sheet that came out; ``picture`` is its file, and ``session`` has no films."""

    picture: Path
    session: FilmSession
    film: Film


class VirtualPrinter:
    """Fulfils :class:`openmodality.services.print_management.PrintEngine`."""

    def __init__(self, folder: Path, ae_title: str, journal: Journal) -> None:
        self._folder = folder
        self._documents = Documents(folder)
        self._ae_title = ae_title
        self._journal = journal
        self._lock = threading.Lock()
        self._count = len(self._documents.load())
        self._films: list[PrintedFilm] = []

    @property
    def films(self) -> list[PrintedFilm]:
        """The sheets that were printed since the hospital was started."""
        with self._lock:
            return list(self._films)

    def services(self) -> tuple[Service, ...]:
        """What the printer offers."""
        return (VERIFICATION_SERVICE, print_service(self))

    # PrintEngine

    def get_attributes(self) -> Dataset:
        """The attributes of the printer."""
        attributes = Dataset()
        attributes.Manufacturer = "OpenModality"
        attributes.ManufacturerModelName = "Virtual Printer"
        attributes.DeviceSerialNumber = "1"
        attributes.SoftwareVersions = "1"
        attributes.PrinterName = self._ae_title
        attributes.PrinterStatus = PrinterStatus.NORMAL.value
        attributes.PrinterStatusInfo = "NORMAL"
        return attributes

    def count_boxes(self, attributes: Dataset) -> int:
        """How many image boxes a film box with these attributes has."""
        film = read_film(attributes, ())
        try:
            return len(place_boxes(film))
        except UsageError as error:
            raise Refuse(Status.INVALID_ATTRIBUTE_VALUE, str(error), (IMAGE_DISPLAY_FORMAT,)) from error

    def check(self, sop_class_uid: str, attributes: Dataset, channel: Channel) -> int:
        """Refuse what cannot be printed, warn of what is not as asked for, and complain about what is bad manners."""
        caller = channel.peer.calling_ae_title.strip()
        verdict = check_request(sop_class_uid, attributes)
        for complaint in verdict.complaints:
            self._journal.complain(_PLACE, f"{caller}: {complaint}")
        if verdict.refusal:
            raise Refuse(Status.INVALID_ATTRIBUTE_VALUE, verdict.refusal, verdict.offending)
        return verdict.status

    def print_films(self, session: Dataset, films: Sequence[FilmBox], channel: Channel) -> None:
        """Write each sheet as a picture."""
        caller = channel.peer.calling_ae_title.strip()
        for box in films:
            self._print(session, box, caller)

    def _print(self, session: Dataset, box: FilmBox, caller: str) -> None:
        images = [image for each in box.image_boxes.values() if (image := read_image(each.attributes)) is not None]
        film = read_film(box.attributes, images, box.presentation_lut)
        with self._lock:
            self._count += 1
            name = f"film-{self._count:04}"
            picture = self._folder / f"{name}.png"
            for each in (picture, picture.with_suffix(".pdf")):
                save_films([film], each, opener=open_private)
            said = {"session": session.to_json_dict(), "film": box.attributes.to_json_dict(), "from": caller}
            self._documents.save(name, said)
            printed = PrintedFilm(picture, read_session(session, ()), film)
            self._films.append(printed)
        copies = printed.session.number_of_copies or 1
        text = f"{picture.name} from {caller}: {len(images)} images, {film.image_display_format}, copies {copies}"
        self._journal.note(_PLACE, "film.printed", text, picture=picture.name, images=len(images), copies=copies)
