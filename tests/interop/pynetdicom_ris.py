"""A RIS made of pynetdicom: it keeps performed procedure steps, and answers as it is told."""

from __future__ import annotations

import contextlib
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import ModalityPerformedProcedureStep, Verification  # type: ignore[attr-defined]

from tests.peers import pynetdicom_ae
from tests.peers.process import Address

Answer = Callable[[Any], Dataset | int]
"""From an event to the status, or to a data set with the status and other elements of the response."""


@dataclass
class Ris:
    """``requests`` are operation, SOP Instance UID and attributes as they came; ``answers`` are used up one by one."""

    requests: list[tuple[str, str, Dataset]] = field(default_factory=list)
    steps: dict[str, Dataset] = field(default_factory=dict)
    answers: deque[Answer] = field(default_factory=deque)
    aborted: list[bool] = field(default_factory=list)

    def create(self, event: Any) -> tuple[Dataset | int, Dataset | None]:
        uid, attributes = str(event.request.AffectedSOPInstanceUID), event.attribute_list
        self.requests.append(("N-CREATE", uid, attributes))
        status = self._status(event, 0x0111 if uid in self.steps else 0x0000)
        if _code(status) == 0x0000:
            assigned = status.get("AffectedSOPInstanceUID", uid) if isinstance(status, Dataset) else uid
            self.steps[str(assigned)] = deepcopy(attributes)
        return status, None

    def set(self, event: Any) -> tuple[Dataset | int, Dataset | None]:
        uid, changes = str(event.request.RequestedSOPInstanceUID), event.modification_list
        self.requests.append(("N-SET", uid, changes))
        step = self.steps.get(uid)
        refusal = 0x0112 if step is None else 0x0000
        if step is not None and step.PerformedProcedureStepStatus != "IN PROGRESS":
            refusal = 0x0110
        status = self._status(event, refusal)
        if _code(status) == 0x0000 and step is not None:
            step.update(changes)
        return status, None

    def _status(self, event: Any, otherwise: int) -> Dataset | int:
        return self.answers.popleft()(event) if self.answers else otherwise


def _code(status: Dataset | int) -> int:
    return status if isinstance(status, int) else int(status.Status)


def status(code: int, **elements: object) -> Answer:
    """Always this status, with other elements of the response."""
    answer = Dataset()
    answer.Status = code
    for keyword, value in elements.items():
        setattr(answer, keyword, value)
    return lambda event: answer


def abort(event: Any) -> int:
    """Answer with A-ABORT; the status does not go out."""
    event.assoc.abort()
    return 0x0110


@contextlib.contextmanager
def serving(ris: Ris, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Address]:
    """The RIS on the network."""
    handlers = [
        (evt.EVT_N_CREATE, ris.create),
        (evt.EVT_N_SET, ris.set),
        (evt.EVT_ABORTED, lambda event: ris.aborted.append(True)),
    ]
    contexts = [ModalityPerformedProcedureStep, Verification]
    with pynetdicom_ae.serving(contexts, handlers, aet="RIS", port=port, tls=tls) as address:
        yield address
