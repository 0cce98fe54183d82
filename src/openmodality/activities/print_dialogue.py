"""The requests to a film printer on one association, each answer judged by the device's table. RF-4.2.7.3, MR-4.2.1."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal

from pydicom import Dataset

from openmodality.activities.connection import Connector, find_response_timeout_s
from openmodality.activities.print_record import MaybePrinted, PrintStopped
from openmodality.device.site.site import Peer
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.normalized import NormalizedAnswer
from openmodality.dimse.reading import read_text
from openmodality.dimse.status import StatusCategory, categorize
from openmodality.dimse.verdict import find_advice
from openmodality.network.association import Association
from openmodality.objects.film_attributes import FilmAttributes
from openmodality.services import print_management as printing
from openmodality.standard.dimse import Status
from openmodality.standard.print_management import PrinterEvent, PrinterStatus
from openmodality.standard.sop_classes import BASIC_FILM_BOX, BASIC_FILM_SESSION, PRESENTATION_LUT
from openmodality.standard.tags import PRINTER_STATUS, PRINTER_STATUS_INFO
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)

Thing = Literal["session", "film", "lut"]
Request = Literal["get", "create session", "create film", "create lut", "set image", "print film", "print session",
                  "delete film", "delete session"]  # fmt: skip

_OPERATIONS: Final[Mapping[Request, str]] = {
    "get": "N-GET Printer",
    "create session": "N-CREATE Film Session",
    "create film": "N-CREATE Film Box",
    "create lut": "N-CREATE Presentation LUT",
    "set image": "N-SET Image Box",
    "print film": "N-ACTION Film Box",
    "print session": "N-ACTION Film Session",
    "delete film": "N-DELETE Film Box",
    "delete session": "N-DELETE Film Session",
}
"""How the table of statuses calls what is asked for."""
_TIMEOUTS: Final = {"N-GET": "get", "N-CREATE": "create", "N-SET": "set", "N-ACTION": "action", "N-DELETE": "action"}
"""The parameter that limits the wait for the response to an operation (RF-4.4.2-30)."""
_ORDERS: Final = ("print film", "print session")
_MOST_TAGS: Final = 4
_STATUS_TAGS: Final = (PRINTER_STATUS, PRINTER_STATUS_INFO)
_UNKNOWN_ATTRIBUTES: Final = (Status.NO_SUCH_ATTRIBUTE, Status.ATTRIBUTE_LIST_ERROR)
_SOP_CLASSES: Final = {"session": BASIC_FILM_SESSION, "film": BASIC_FILM_BOX, "lut": PRESENTATION_LUT}


@dataclass(frozen=True, slots=True)
class PrinterAnswer:
    """What a printer says of itself: its status, and its attributes by keyword."""

    status: str
    info: str
    attributes: Mapping[str, str]


@dataclass(slots=True)
class PrintDialogue:
    """The requests of one association, and what the printer said that a person should know.

    A request that is refused raises :class:`PrintStopped`. An order to print that is answered with a warning which the
    table counts as a failure raises :class:`MaybePrinted`: by PS3.7 C.3 a warning says that the operation was done.
    """

    connections: Connector
    peer: Peer
    attributes: FilmAttributes
    said: list[str] = field(default_factory=list)

    def take_event(self, event_type: int, attributes: Dataset) -> None:
        """The printer reports: it is told, and printing goes on (RF-4.2.7.3.1.4.2)."""
        verdict = self.connections.site.judge("print", "N-EVENT-REPORT Printer event", event_type, self.peer)
        info = ", ".join(filter(None, (read_text(attributes, tag) for tag in self.attributes.list_event_tags())))
        log.info("print.event", extra={"peer": self.peer.name, "event": event_type, "info": info})
        if event_type != PrinterEvent.NORMAL:
            self.tell(f"{verdict.meaning}: {info}" if info else verdict.meaning)

    def ask_printer(self, association: Association) -> PrinterAnswer:
        """N-GET of the printer; one that does not know all attributes is asked for its status alone, as DCMTK's."""
        tags = self.attributes.list_printer_tags()
        answer = printing.get_printer(association, tags, timeout_s=self._limit("get"))
        if answer.status in _UNKNOWN_ATTRIBUTES and set(tags) != set(_STATUS_TAGS):
            answer = printing.get_printer(association, _STATUS_TAGS, timeout_s=self._limit("get"))
        self._judge(association, "get", answer)
        values = {element.keyword: str(element.value) for element in answer.attributes if not element.is_empty}
        status, info = (read_text(answer.attributes, tag) for tag in (PRINTER_STATUS, PRINTER_STATUS_INFO))
        return PrinterAnswer(status, info, values)

    def check_printer(self, association: Association) -> None:
        """Stop where the printer is in FAILURE; tell of a WARNING (RF-4.2.7.3.1.4.1)."""
        answer = self.ask_printer(association)
        words = f"printer {self.peer.name} is in {answer.status}: {answer.info or 'it does not say why'}"
        if answer.status == PrinterStatus.FAILURE:
            log.warning("print.printer_failure", extra={"peer": self.peer.name, "info": answer.info})
            raise PrintStopped(words)
        if answer.status == PrinterStatus.WARNING:
            log.warning("print.printer_warning", extra={"peer": self.peer.name, "info": answer.info})
            self.tell(words)

    def create(self, association: Association, thing: Thing, attributes: Dataset) -> NormalizedAnswer:
        """N-CREATE."""
        request: Request = f"create {thing}"  # type: ignore[assignment]  # mypy does not put literals together
        limit_s = self._limit(request)
        answer = printing.create(association, _SOP_CLASSES[thing], attributes, timeout_s=limit_s)
        self._judge(association, request, answer)
        return answer

    def set_image_box(self, association: Association, uid: str, attributes: Dataset) -> None:
        """N-SET of an image box."""
        answer = printing.set_image_box(association, uid, attributes, timeout_s=self._limit("set image"))
        self._judge(association, "set image", answer)

    def order_print(self, association: Association, thing: Literal["session", "film"], uid: str) -> None:
        """N-ACTION of a film box or a film session."""
        request: Request = "print film" if thing == "film" else "print session"
        answer = printing.print_instance(association, _SOP_CLASSES[thing], uid, timeout_s=self._limit(request))
        self._judge(association, request, answer)

    def delete(self, association: Association, thing: Literal["session", "film"], uid: str) -> None:
        """N-DELETE of a film box or a film session."""
        request: Request = "delete film" if thing == "film" else "delete session"
        answer = printing.delete(association, _SOP_CLASSES[thing], uid, timeout_s=self._limit(request))
        self._judge(association, request, answer)

    def tell(self, words: str) -> None:
        """Remember what a person should know, once."""
        if words not in self.said:
            self.said.append(words)

    def _limit(self, request: Request) -> float:
        service = _OPERATIONS[request].partition(" ")[0]
        return find_response_timeout_s(self.peer, f"print.{_TIMEOUTS[service]}_response_timeout_s")

    def _judge(self, association: Association, request: Request, answer: NormalizedAnswer) -> None:
        verdict = self.connections.site.judge("print", _OPERATIONS[request], answer.status, self.peer)
        if verdict.category is StatusCategory.SUCCESS:
            return
        tags = ", ".join(name_of(tag) for tag in answer.tags[:_MOST_TAGS])
        objection = f"; it objects to {tags}" if tags else ""
        words = f"{_OPERATIONS[request]} with {verdict.describe(answer.comment)}{objection}"
        log.warning(
            "print.status", extra={"peer": self.peer.name, "request": request, "status": f"{answer.status:04X}"}
        )
        if not verdict.is_failure:
            self.tell(f"{self.peer.name} answered {words}")
            return
        if verdict.must_abort:
            association.abort()
        is_warning = request in _ORDERS and categorize(answer.status) is StatusCategory.WARNING
        if is_warning:
            raise MaybePrinted(f"{self.peer.name} answered {words}")
        raise PrintStopped(
            f"{self.peer.name} answered {words}", advice=find_advice("print", _OPERATIONS[request], answer.status)
        )
