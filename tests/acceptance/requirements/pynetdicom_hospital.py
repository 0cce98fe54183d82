"""A hospital made of pynetdicom that records what a device asks of it, and misbehaves when it is told to.

It is RIS and archive in one. Each association is on record with its A-ASSOCIATE-RQ, the requests on it with their data
sets, and how it ended; all that belongs to an association is there once :meth:`Recorder.closed` says so.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, StoragePresentationContexts, build_context, build_role, evt
from pynetdicom.pdu import A_ABORT_RQ, A_RELEASE_RQ, P_DATA_TF

from openmodality import Modality
from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_MOVE,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
    VERIFICATION,
)
from tests.peers.process import HOST, Address, free_port, wait_until
from tests.peers.pynetdicom_ae import associated, serving

TITLE = "HOSPITAL"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
SERVICES = ("verification", "worklist", "mpps", "storage", "storage_commitment", "query_retrieve")
_OTHERS = (
    VERIFICATION,
    MODALITY_WORKLIST_FIND,
    MODALITY_PERFORMED_PROCEDURE_STEP,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_MOVE,
)
_ENDS: Mapping[type, str] = {A_RELEASE_RQ: "released", A_ABORT_RQ: "aborted"}
_CLOSED_S = 10.0
_LONGEST_PDU = 65_536
"""More than the device sends, so that what comes is as long as the device makes it."""

SITE = """
profile = "{profile}"
[data]
durability = "os"
[network]
bind_address = "127.0.0.1"
{entities}
[peers.hospital]
ae_title = "HOSPITAL"
host = "127.0.0.1"
port = {port}
services = {services}
{peer}
{more}
"""


@dataclass(slots=True)
class Request:
    """A DIMSE request: its command set and its data set, empty where it has none that is read."""

    name: str
    command: Dataset
    data: Dataset = field(default_factory=Dataset)


@dataclass(slots=True)
class Call:
    """An association that the device asked for; ``end`` is ``released``, ``aborted``, ``closed`` by us,
    or empty while it is open. ``maximum_length`` is the longest P-DATA-TF that the device takes, ``longest_pdu`` that
    which it sent, both without the header of 6 bytes.
    """

    calling: str
    called: str
    contexts: dict[str, tuple[str, ...]]
    roles: dict[str, Any]
    class_uid: str
    version: str
    operations: tuple[int, int]
    has_extended_negotiation: bool
    maximum_length: int
    application_context: str
    longest_pdu: int = 0
    requests: list[Request] = field(default_factory=list)
    end: str = ""

    @property
    def names(self) -> list[str]:
        """The names of its requests, ``C-STORE-RQ`` and so on, in their order."""
        return [request.name for request in self.requests]


@dataclass
class Recorder:
    """The record, and what the hospital answers.

    ``answers`` has a status by the name of a request, or ``abort``, or ``silent``: until :meth:`stop` there is none, or
    for ``patience_s``.
    """

    items: list[Dataset] = field(default_factory=list)
    matches: list[Dataset] = field(default_factory=list)
    images: list[Dataset] = field(default_factory=list)
    destinations: dict[str, Address] = field(default_factory=dict)
    answers: dict[str, int | str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)
    patience_s: float = _CLOSED_S
    pending: int = 0xFF00
    address: Address = field(default_factory=lambda: Address(TITLE, 0))

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._by_association: dict[int, Call] = {}
        self._open: dict[str, int] = {}
        self._stopped = threading.Event()

    # What a test asks

    def of(self, calling: str = "", name: str = "") -> list[Call]:
        """Associations with this calling AE title, and with such a request."""
        return [
            call for call in self.calls if (not calling or call.calling == calling) and (not name or name in call.names)
        ]

    def requests(self, name: str) -> list[Request]:
        """All requests of a name, in their order."""
        return [request for call in self.calls for request in call.requests if request.name == name]

    def closed(self) -> list[Call]:
        """All associations, once none is open."""
        wait_until(lambda: all(call.end for call in self.calls), timeout_s=_CLOSED_S)
        return self.calls

    def report(self, device: Address, transaction_uid: str, committed: Sequence[Dataset], failed: Any = ()) -> int:
        """Open an association as the archive and report on a commitment; the device's status."""
        information = Dataset()
        information.TransactionUID = transaction_uid
        information.ReferencedSOPSequence = list(committed)
        if failed:
            information.FailedSOPSequence = list(failed)
        with reporting(device) as association:
            status, _ = association.send_n_event_report(
                information, 2 if failed else 1, COMMITMENT, COMMITMENT_INSTANCE
            )
        return int(status.Status)

    def forget(self, **answers: int | str) -> None:
        """Begin anew, with other answers: ``C_FIND=0xA700`` and so on."""
        self.stop()
        self._stopped = threading.Event()
        self.answers = {f"{name.replace('_', '-')}-RQ": answer for name, answer in answers.items()}
        self.calls, self.log, self.peaks = [], [], {}

    # What the hospital does

    def handlers(self) -> list[tuple[Any, ...]]:
        """For pynetdicom."""
        return [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_DIMSE_RECV, self._received),
            (evt.EVT_PDU_RECV, self._pdu),
            (evt.EVT_CONN_CLOSE, self._ended, ["closed"]),
            (evt.EVT_C_ECHO, self._status, ["C-ECHO-RQ"]),
            (evt.EVT_C_STORE, self._status, ["C-STORE-RQ"]),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, self._move),
            (evt.EVT_N_CREATE, self._pair, ["N-CREATE-RQ", "attribute_list"]),
            (evt.EVT_N_SET, self._pair, ["N-SET-RQ", "modification_list"]),
            (evt.EVT_N_ACTION, self._pair, ["N-ACTION-RQ", "action_information"]),
        ]

    def stop(self) -> None:
        """Be silent no longer."""
        self._stopped.set()

    def _requested(self, event: Any) -> None:
        asked = event.assoc.requestor
        call = Call(
            asked.primitive.calling_ae_title.strip(),
            asked.primitive.called_ae_title.strip(),
            {str(each.abstract_syntax): tuple(map(str, each.transfer_syntax)) for each in asked.requested_contexts},
            dict(asked.role_selection),
            str(asked.implementation_class_uid),
            str(asked.implementation_version_name),
            asked.asynchronous_operations,
            bool(asked.sop_class_extended or asked.sop_class_common_extended),
            int(asked.primitive.maximum_length_received),
            str(asked.primitive.application_context_name),
        )
        with self._lock:
            self._by_association[id(event.assoc)] = call
            self.calls.append(call)
            self.log.append((call.calling, "A-ASSOCIATE"))
            self._open[call.calling] = self._open.get(call.calling, 0) + 1
            self.peaks[call.calling] = max(self.peaks.get(call.calling, 0), self._open[call.calling])

    def _received(self, event: Any) -> None:
        name = type(event.message).__name__.replace("_", "-")
        call = self._by_association[id(event.assoc)]
        call.requests.append(Request(name, event.message.command_set))
        self.log.append((call.calling, name))

    def _pdu(self, event: Any) -> None:
        """The device's release or abort counts when it comes, also while a handler waits."""
        call = self._by_association.get(id(event.assoc))
        if call is not None and isinstance(event.pdu, P_DATA_TF):
            call.longest_pdu = max(call.longest_pdu, event.pdu.pdu_length)
        how = _ENDS.get(type(event.pdu))
        if how:
            self._ended(event, how)

    def _ended(self, event: Any, how: str) -> None:
        with self._lock:
            call = self._by_association.get(id(event.assoc))
            if call is None or call.end:
                return
            call.end = how
            self._open[call.calling] -= 1
            self.log.append((call.calling, how))

    def _answer(self, event: Any, name: str) -> int:
        answer = self.answers.get(name, 0)
        if isinstance(answer, int):
            return answer
        if answer == "abort":
            self._ended(event, "closed")
            event.assoc.abort()
        else:
            self._stopped.wait(self.patience_s)
        return 0

    def _keep(self, event: Any, data: Dataset) -> None:
        self._by_association[id(event.assoc)].requests[-1].data = data

    def _status(self, event: Any, name: str) -> int:
        if name == "C-STORE-RQ":
            self._keep(event, event.dataset)
        return self._answer(event, name)

    def _pair(self, event: Any, name: str, data: str) -> tuple[int, Dataset | None]:
        self._keep(event, getattr(event, data))
        return self._answer(event, name), None

    def _find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        self._keep(event, event.identifier)
        status = self._answer(event, "C-FIND-RQ")
        if status == 0:
            worklist = event.request.AffectedSOPClassUID == MODALITY_WORKLIST_FIND
            for match in self.items if worklist else self.matches:
                if event.is_cancelled:
                    yield 0xFE00, None
                    return
                yield self.pending, match
        yield status, None

    def _move(self, event: Any) -> Iterator[Any]:
        self._keep(event, event.identifier)
        status = self._answer(event, "C-MOVE-RQ")
        target = self.destinations.get(event.move_destination)
        if target is None or self.answers.get("C-MOVE-RQ") == "abort":
            yield None, None
            return
        contexts = [build_context(image.SOPClassUID, [IMPLICIT]) for image in self.images]
        yield target.host, target.port, {"ae_title": target.aet, "contexts": contexts}
        yield len(self.images)
        if status:
            yield status, None
            return
        for image in self.images:
            yield 0xFF00, image


@cache
def _list_storage() -> tuple[str, ...]:
    """The storage classes that a device proposes: pynetdicom copies all that it takes for each association."""
    known = {str(each.abstract_syntax) for each in StoragePresentationContexts}
    rows = [row for name in list_profile_names() for row in load_profile(name).presentation_contexts]
    return tuple(sorted(known & {str(row.sop_class_uid) for row in rows}))


@contextmanager
def recording(
    *, items: Sequence[Dataset] = (), refused: Sequence[str] = (), tls: ssl.SSLContext | None = None
) -> Iterator[Recorder]:
    """A running hospital on a free port; it takes no contexts of what is ``refused``, and TLS alone with ``tls``."""
    recorder = Recorder(list(items))
    entity = AE(ae_title=TITLE)
    entity.maximum_associations = 20
    entity.maximum_pdu_size = _LONGEST_PDU
    taken = [context for context in (*_list_storage(), *_OTHERS) if context not in refused]
    with serving(taken, recorder.handlers(), ae=entity, roles=True, tls=tls) as recorder.address:
        try:
            yield recorder
        finally:
            recorder.stop()


@contextmanager
def reporting(device: Address) -> Iterator[Any]:
    """An association from the archive, which takes the role of the SCP of storage commitment (PS3.7 D.3.3.4)."""
    role = [build_role(COMMITMENT, scp_role=True)]
    with associated(device, [COMMITMENT], calling=TITLE, ext_neg=role) as association:
        yield association


@dataclass(frozen=True, slots=True)
class Recorded:
    """A device and the hospital that records it; ``ports`` are those on which the device may listen, by role."""

    recorder: Recorder
    site: Path
    ports: dict[str, int]

    def modality(self) -> Modality:
        """The device, not yet listening."""
        return Modality(self.site)


@contextmanager
def recorded_device(
    folder: Path,
    profile: str,
    *,
    items: Sequence[Dataset] = (),
    peer: str = "",
    more: str = "",
    services: Sequence[str] = SERVICES,
    refused: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
) -> Iterator[Recorded]:
    """A recording hospital, and the site file of a device with this profile whose one peer it is."""
    roles = ("device",) if profile == "mr" else ("storage_commitment", "storage_scp")
    ports = {role: free_port() for role in roles}
    entities = "\n".join(f"[application_entities.{role}]\nport = {port}" for role, port in ports.items())
    folder.mkdir(parents=True, exist_ok=True)
    with recording(items=items, refused=refused, tls=tls) as recorder:
        site = folder / "site.toml"
        names = "[" + ", ".join(f'"{service}"' for service in services) + "]"
        text = SITE.format(
            profile=profile, entities=entities, port=recorder.address.port, services=names, peer=peer, more=more
        )
        site.write_text(text, encoding="utf-8")
        yield Recorded(recorder, site, ports)


def listening(recorded: Recorded, role: str, ae_title: str) -> Address:
    """The address of the device for those who call it."""
    return Address(ae_title, recorded.ports[role], HOST)
