"""pynetdicom as a film printer: it keeps each request with its attributes, and answers with statuses it is given."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt

from tests.peers.process import Address
from tests.peers.pynetdicom_ae import serving

GRAYSCALE, COLOR, LUT = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.1.18", "1.2.840.10008.5.1.1.23"
FILM_SESSION, FILM_BOX = "1.2.840.10008.5.1.1.1", "1.2.840.10008.5.1.1.2"
NAMES = {
    FILM_SESSION: "Film Session",
    FILM_BOX: "Film Box",
    "1.2.840.10008.5.1.1.4": "Grayscale Image Box",
    "1.2.840.10008.5.1.1.4.1": "Color Image Box",
    "1.2.840.10008.5.1.1.16": "Printer",
    LUT: "Presentation LUT",
}
ENDS = {"A_ABORT_RQ": "A-ABORT", "A_RELEASE_RQ": "A-RELEASE"}
"""By the name of the PDU."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request: ``N-CREATE Film Box``, the instance that it is about, and its attributes."""

    name: str
    uid: str
    attributes: Dataset


@dataclass(slots=True)
class PynetdicomPrinter:
    """``statuses`` are those of requests by their names; ``status`` and ``info`` are those of the printer."""

    statuses: dict[str, int] = field(default_factory=dict)
    status: str = "NORMAL"
    info: str = "NORMAL"
    boxes: int = 20
    dies_at: int = 0
    """The number of the N-ACTION, of all, at which the connection is cut in place of the answer."""
    address: Address | None = None
    requests: list[Request] = field(default_factory=list)
    associations: list[Any] = field(default_factory=list)
    _ends: list[str] = field(default_factory=list)
    _has_ended: threading.Event = field(default_factory=threading.Event)

    @property
    def end(self) -> str:
        """How the first association ended: ``A-RELEASE`` or ``A-ABORT``."""
        assert self._has_ended.wait(10)
        return self._ends[0]

    @property
    def names(self) -> list[str]:
        """The requests in their order, by name; associations begin with ``A-ASSOCIATE``."""
        return [request.name for request in self.requests]

    def find(self, name: str) -> list[Dataset]:
        """The attributes of all requests of a name."""
        return [request.attributes for request in self.requests if request.name == name]

    def handlers(self) -> list[tuple[Any, ...]]:
        """What pynetdicom calls."""
        kinds = {
            evt.EVT_N_GET: "N-GET",
            evt.EVT_N_CREATE: "N-CREATE",
            evt.EVT_N_SET: "N-SET",
            evt.EVT_N_ACTION: "N-ACTION",
        }
        handlers: list[tuple[Any, ...]] = [(kind, self._answer, [name]) for kind, name in kinds.items()]
        handlers += [(evt.EVT_N_DELETE, self._delete), (evt.EVT_ACCEPTED, self._accept)]
        return [*handlers, (evt.EVT_PDU_RECV, self._take_pdu)]

    def _accept(self, event: evt.Event) -> None:
        self.associations.append(event.assoc)
        self.requests.append(Request("A-ASSOCIATE", "", Dataset()))

    def _take_pdu(self, event: evt.Event) -> None:
        name = ENDS.get(type(event.pdu).__name__)
        if name:
            self._ends.append(name)
            self._has_ended.set()

    def _delete(self, event: evt.Event) -> int:
        return self._answer(event, "N-DELETE")[0]

    def _answer(self, event: evt.Event, kind: str) -> tuple[int, Dataset]:
        request: Any = event.request
        is_new = kind == "N-CREATE"
        sop_class = str(request.AffectedSOPClassUID if is_new else request.RequestedSOPClassUID)
        uid = str((request.AffectedSOPInstanceUID if is_new else request.RequestedSOPInstanceUID) or "")
        attributes = Dataset()
        if is_new:
            attributes = event.attribute_list
        elif kind == "N-SET":
            attributes = event.modification_list
        elif kind == "N-GET":
            attributes.AttributeIdentifierList = list(event.attribute_identifiers)
        name = f"{kind} {NAMES[sop_class]}"
        self.requests.append(Request(name, uid, attributes))
        if kind == "N-ACTION" and self.names.count(name) == self.dies_at:
            event.assoc.abort()
        return self.statuses.get(name, 0), self._make_reply(name, attributes)

    def _make_reply(self, name: str, attributes: Dataset) -> Dataset:
        reply = Dataset()
        if name == "N-GET Printer":
            reply.PrinterStatus, reply.PrinterStatusInfo = self.status, self.info
        if name.startswith("N-ACTION"):
            reply.ExecutionStatus = "FAILURE"  # the Action Reply, which nobody is to look at
        if name == "N-CREATE Film Box":
            is_color = any(context.abstract_syntax == COLOR for context in self.associations[-1].accepted_contexts)
            reply.ReferencedImageBoxSequence = []
            for _ in range(self.boxes):
                box = Dataset()
                box.ReferencedSOPClassUID = "1.2.840.10008.5.1.1.4" + (".1" if is_color else "")
                box.ReferencedSOPInstanceUID = generate_uid()
                reply.ReferencedImageBoxSequence.append(box)
        return reply


@contextlib.contextmanager
def printing(printer: PynetdicomPrinter, *contexts: str, aet: str = "PRINTER", **ae: Any) -> Iterator[Address]:
    """Serve as a printer of these abstract syntaxes, by default of grayscale."""
    entity = AE(ae_title=aet)
    with serving(contexts or (GRAYSCALE,), printer.handlers(), ae=entity, **ae) as address:
        printer.address = address
        yield address
