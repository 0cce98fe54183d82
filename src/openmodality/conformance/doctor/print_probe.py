"""Probes of a printer: how it is, and one film with a test image, which it prints (PS3.4 Annex H)."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import Severity, Written, classify, format_status
from openmodality.conformance.doctor.made_data import make_film_box, make_film_session, make_image_box
from openmodality.dimse.normalized import NormalizedAnswer
from openmodality.dimse.reading import read_text
from openmodality.dimse.status import StatusCategory, categorize, describe
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.services import print_management as printing
from openmodality.standard.print_management import PrinterEvent, PrinterStatus
from openmodality.standard.sop_classes import (
    BASIC_COLOR_PRINT_MANAGEMENT_META,
    BASIC_FILM_BOX,
    BASIC_FILM_SESSION,
    BASIC_GRAYSCALE_PRINT_MANAGEMENT_META,
)
from openmodality.standard.tags import PRINTER_STATUS, PRINTER_STATUS_INFO

_AREA: Final = "print"


def probe_print(examination: Examination) -> None:
    """Ask the printer how it is; where something may be written, print a film."""
    metas = (BASIC_GRAYSCALE_PRINT_MANAGEMENT_META, BASIC_COLOR_PRINT_MANAGEMENT_META)
    meta = next((uid for uid in metas if examination.accepts(uid)), None)
    if meta is not None:
        _Printing(examination, meta).run()


class _Printing:
    """One dialogue with a printer; ``_step`` is the request that is open."""

    def __init__(self, examination: Examination, meta: str) -> None:
        self._examination = examination
        self._meta = meta
        self._step = "printer"

    def run(self) -> None:
        """Hold the whole dialogue; an error that ends it is noted under the request that was open."""
        examination = self._examination
        service = printing.printer_event_service(self._hear)
        try:
            with examination.talk("print", self._meta, services=(service,)) as association:
                self._ask_printer(association)
                if examination.writes:
                    self._print_film(association)
        except OpenModalityError as error:
            examination.observe(self._step, classify(error))
            examination.note(_AREA, self._step, error.message, Severity.PROBLEM)

    def _hear(self, event: int, attributes: Dataset) -> None:
        """The printer reports on itself while a request is open."""
        name = PrinterEvent(event).name if event in set(PrinterEvent) else str(event)
        info = read_text(attributes, PRINTER_STATUS_INFO)
        self._examination.observe(self._step, f"event {name}")
        text = f"it reports {name} ({info}) between request and response" if info else f"it reports {name}"
        self._examination.note(_AREA, f"report during {self._step}", text, Severity.NOTE)

    def _ask_printer(self, association: Association) -> None:
        answer = printing.get_printer(association, (PRINTER_STATUS, PRINTER_STATUS_INFO))
        if not self._judge("N-GET of the printer", answer):
            return
        status = read_text(answer.attributes, PRINTER_STATUS)
        info = read_text(answer.attributes, PRINTER_STATUS_INFO)
        is_normal = status == PrinterStatus.NORMAL
        if not is_normal:
            self._examination.observe("printer", f"is {status}")
        said = f"the printer is in {status or 'no state'}" + (f": {info}" if info and not is_normal else "")
        self._examination.note(_AREA, "printer", said, Severity.FACT if is_normal else Severity.NOTE)

    def _print_film(self, association: Association) -> None:
        self._step = "session"
        session = printing.create(association, BASIC_FILM_SESSION, make_film_session())
        if not self._judge("N-CREATE of a film session", session):
            return
        uid = session.sop_instance_uid
        if self._fill_film(association, uid):
            self._step = "delete"
            self._judge("N-DELETE of the film session", printing.delete(association, BASIC_FILM_SESSION, uid))

    def _fill_film(self, association: Association, session_uid: str) -> bool:
        """Create a film box, put the image into it and print it; whether the session is worth deleting."""
        self._step = "film"
        film = printing.create(association, BASIC_FILM_BOX, make_film_box(session_uid))
        if not self._judge("N-CREATE of a film box", film):
            return True
        boxes = printing.list_image_boxes(film)
        if not boxes:
            text = "a new film box is answered without image boxes, so nothing can be printed"
            self._examination.note(_AREA, "film", text, Severity.PROBLEM)
            return True
        self._step = "image"
        is_color = self._meta == BASIC_COLOR_PRINT_MANAGEMENT_META
        image = printing.set_image_box(association, boxes[0], make_image_box(is_color=is_color))
        if not self._judge("N-SET of an image box", image):
            return True
        self._step = "print"
        self._examination.written.append(Written("film", film.sop_instance_uid, "one sheet of film with a test ramp"))
        order = printing.print_instance(association, BASIC_FILM_BOX, film.sop_instance_uid)
        if not self._judge("N-ACTION of the film box", order):
            self._examination.written.pop()
        return True

    def _judge(self, operation: str, answer: NormalizedAnswer) -> bool:
        """Put a status on record; whether the request was done."""
        category = categorize(answer.status)
        if category is StatusCategory.SUCCESS:
            self._examination.note(_AREA, self._step, f"{operation} is answered with Success")
            return True
        self._examination.observe(self._step, format_status(answer.status))
        is_done = category is StatusCategory.WARNING
        text = f"{operation} is answered with {describe(answer.status, answer.comment)}"
        self._examination.note(_AREA, self._step, text, Severity.NOTE if is_done else Severity.PROBLEM)
        return is_done
