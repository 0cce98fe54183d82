"""The virtual hospital: RIS, PACS, printer and audit repository as one thing that listens between enter and exit.

::

    devices = {"OM_MR": ("127.0.0.1", 11112)}
    with Hospital(folder, Endpoint("OM_RIS"), Endpoint("OM_PACS"), Endpoint("OM_PRINT"), devices) as hospital:
        hospital.misbehave("pacs:a700@5")
        ...  # a device talks to hospital.ris_peer and hospital.pacs_peer
        hospital.wait_for(lambda: len(hospital.pacs.instances) == 20)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.dimse.channel import Channel
from openmodality.dimse.service import Service
from openmodality.errors import StoreError, TransportError, UsageError
from openmodality.hospital.addresses import DEVICES, PACS, PRINTER, RIS, AddressBook, Endpoint
from openmodality.hospital.audit_repository import AuditRepository
from openmodality.hospital.certificates import make_certificates
from openmodality.hospital.checks import check_instance
from openmodality.hospital.commitments import Reporting, ReportPlan
from openmodality.hospital.journal import Journal, JournalEntry, WallClock
from openmodality.hospital.misbehaving import Personalities
from openmodality.hospital.pacs import ArchiveClasses, Surroundings, VirtualPACS
from openmodality.hospital.personalities import parse
from openmodality.hospital.printer import VirtualPrinter
from openmodality.hospital.ris import VirtualRIS
from openmodality.hospital.schedule import load_schedule
from openmodality.hospital.web_store import WebStore
from openmodality.jobs.worker_lock import WorkerLock
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import UNCOMPRESSED_ORDER, decide_by
from openmodality.network.entity import LocalAE, RemoteAE, normalize_ae_title
from openmodality.network.requestor import associate
from openmodality.services.mpps import mpps_service
from openmodality.services.print_management import META_CLASSES
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.services.worklist import worklist_service
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    PRESENTATION_LUT,
    STORAGE_COMMITMENT_PUSH_MODEL,
    VERIFICATION,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.instance_file import store_error
from openmodality.store.private_files import make_private_folder
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy, SyntaxPolicy
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.value_class import dataclass

STOP_GRACE_S: Final = 0.2
"""What open associations get to end by themselves; one that hangs on purpose would never."""

_SCHEDULE: Final = "schedule.json"
_UNCOMPRESSED: Final = SyntaxPolicy(UNCOMPRESSED_ORDER)
_VERIFICATION_ONLY: Final = {VERIFICATION: _UNCOMPRESSED}
_PRINTER_CLASSES: Final = {
    **_VERIFICATION_ONLY,
    **dict.fromkeys((*META_CLASSES, PRESENTATION_LUT), _UNCOMPRESSED),
}
_RIS_CLASSES: Final = {
    **_VERIFICATION_ONLY,
    MODALITY_WORKLIST_FIND: _UNCOMPRESSED,
    MODALITY_PERFORMED_PROCEDURE_STEP: _UNCOMPRESSED,
}


@dataclass(frozen=True, slots=True)
class Habits:
    """The normal behaviour of the hospital: seed of its patients, clock, when commitment results are reported.

    ``audit`` is where its audit repository listens; without it there is none. ``audit_tls``: it takes TLS only, with
    certificates that are made in ``DIR/audit/tls``.
    ``listener`` is called with each event, in the thread in which it happens. With a ``web_port`` the PACS also stores
    what comes over DICOMweb; 0 takes a free one.
    """

    seed: int = 1
    clock: WallClock = datetime.now
    commitment_delay_s: float = 0.0
    commitment_retry_s: float = 5.0
    audit: Endpoint | None = None
    audit_tls: bool = True
    listener: Callable[[JournalEntry], object] | None = None
    web_port: int | None = None


DEFAULT_HABITS: Final = Habits()


class Hospital:
    """The systems. ``folder`` keeps all that they have got; ``peers`` is the address book of devices.

    Raises :class:`ConfigurationError` for a wrong ``schedule.json`` and :class:`StoreError` for a folder that cannot
    be used.
    """

    def __init__(
        self,
        folder: Path,
        ris: Endpoint = RIS,
        pacs: Endpoint = PACS,
        printer: Endpoint = PRINTER,
        peers: Mapping[str, tuple[str, int]] = DEVICES,
        habits: Habits = DEFAULT_HABITS,
    ) -> None:
        self._habits = habits
        self._endpoints = {"ris": ris, "pacs": pacs, "printer": printer}
        self._acceptors: dict[str, Acceptor] = {}
        self._running = ExitStack()
        self._folder = _open_folder(folder)
        schedule = load_schedule(folder / _SCHEDULE, habits.seed, habits.clock().date())
        self.journal = Journal(folder / "complaints.jsonl", habits.clock, habits.listener)
        self._personalities = Personalities(self.journal)
        self.peers = AddressBook(peers)
        self._pacs_entity = LocalAE(normalize_ae_title(pacs.aet))
        reporting = Reporting(self._report_plan, habits.commitment_retry_s, self._report)
        around = Surroundings(self.journal, self.peers, reporting, self._findings)
        self.pacs = VirtualPACS(folder / "pacs", self._pacs_entity, around)
        self.ris = VirtualRIS(folder / "ris", schedule, self.journal, self.pacs.headers)
        self.audit = self._make_repository(folder / "audit", habits)
        self.printer = VirtualPrinter(folder / "printer", normalize_ae_title(printer.aet), self.journal)
        self.peers.changed = self.pacs.hurry
        self.web_url = ""

    def __enter__(self) -> Hospital:
        """Listen. Raises :class:`TransportError` where a port is taken, and :class:`StoreError` where another hospital
        has the folder.
        """
        with ExitStack() as starting:
            lock = WorkerLock(self._folder)
            if not lock.acquire():
                raise StoreError(
                    f"another hospital uses the folder {self._folder}",
                    advice="stop it first, or give this one --data DIR",
                )
            starting.callback(lock.release)
            starting.callback(self.pacs.stop)
            for server, services, classes in (
                ("ris", self._make_ris_services(), _RIS_CLASSES),
                ("pacs", self.pacs.services(), ArchiveClasses()),
                ("printer", self.printer.services(), _PRINTER_CLASSES),
            ):
                acceptor = self._make_acceptor(server, services, PeerPolicy(classes))
                acceptor.start()
                starting.callback(acceptor.stop, STOP_GRACE_S)
                self._acceptors[server] = acceptor
            if self.audit is not None:
                self.audit.start()
                starting.callback(self.audit.stop)
            self._serve_web(starting)
            starting.callback(self._personalities.stopped.set)
            self.pacs.start()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _serve_web(self, starting: ExitStack) -> None:
        """Listen for DICOMweb where that is wanted."""
        if self._habits.web_port is None:
            return
        misbehave = partial(self._personalities.find_web_effects, "pacs")
        web = WebStore(self._endpoints["pacs"].host, self._habits.web_port, self.pacs.sink, misbehave)
        web.start()
        starting.callback(web.stop)
        self.web_url = web.url

    # Where it is

    @property
    def ris_peer(self) -> RemoteAE:
        """The RIS, for a device."""
        return self.peer("ris")

    @property
    def pacs_peer(self) -> RemoteAE:
        """The PACS, for a device."""
        return self.peer("pacs")

    def peer(self, server: str) -> RemoteAE:
        """``ris``, ``pacs`` or ``printer``, with the port that was taken."""
        endpoint, acceptor = self._endpoints[server], self._acceptors.get(server)
        return RemoteAE(endpoint.aet, endpoint.host, acceptor.port if acceptor else endpoint.port)

    @property
    def today(self) -> date:
        """The date by the hospital's clock."""
        return self._habits.clock().date()

    # What happened

    @property
    def events(self) -> list[JournalEntry]:
        """The last events, oldest first."""
        return self.journal.events

    @property
    def complaints(self) -> list[JournalEntry]:
        """What devices did wrong where the standard gives no reason to refuse."""
        return self.journal.complaints

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until the condition holds, looking again after each event; whether it came to that."""
        return self.journal.wait_for(condition, timeout_s)

    # Misbehaviour

    def misbehave(self, *texts: str) -> None:
        """Switch personalities on, such as ``pacs:a700@5``. Raises :class:`ConfigurationError` where there is none."""
        for text, misbehaviour in [(text, parse(text)) for text in texts]:
            self._personalities.add(text, misbehaviour)

    def behave(self, *texts: str) -> None:
        """Switch personalities off, as they were switched on; without arguments all.

        Raises :class:`UsageError` for one that is not switched on, and switches none off then.
        """
        active = self.misbehaviour
        for text in texts:
            if text not in active:
                listed = " ".join(active)
                advice = f"switched on: {listed}" if listed else "none is switched on"
                raise UsageError(f"{text!r} is not switched on", advice=advice)
        for text in texts or ("",):
            self._personalities.remove(text)

    @property
    def misbehaviour(self) -> list[str]:
        """The personalities that are switched on."""
        return self._personalities.texts

    # Inside

    def _make_ris_services(self) -> tuple[Service, ...]:
        return (VERIFICATION_SERVICE, worklist_service(self.ris), mpps_service(self.ris))

    def _make_repository(self, folder: Path, habits: Habits) -> AuditRepository | None:
        if habits.audit is None:
            return None
        tls = make_certificates(folder / "tls") if habits.audit_tls else None
        repository = AuditRepository(folder, habits.audit.host, habits.audit.port, tls, self.journal)
        repository.find_effect = self._personalities.find_syslog_effect
        return repository

    def _make_acceptor(self, server: str, services: Sequence[Service], policy: PeerPolicy) -> Acceptor:
        endpoint = self._endpoints[server]
        local = LocalAE(normalize_ae_title(endpoint.aet))
        accepting = AcceptorPolicy(local.side, lambda _: policy, frozenset({local.ae_title}))
        decide = self._personalities.decide(server, decide_by(accepting))
        misbehaving = self._personalities.services(server, services)
        return Acceptor(local, misbehaving, decide, Listening(endpoint.host, endpoint.port))

    def _findings(self, header: Dataset) -> list[str]:
        return list(check_instance(header, self.ris.items, self.ris.steps))

    def _report_plan(self) -> ReportPlan:
        return self._personalities.report_plan("pacs", ReportPlan(delay_s=self._habits.commitment_delay_s))

    def _report(self, ae_title: str, send: Callable[[Channel], int], plan: ReportPlan) -> int:
        """Open an association to a device as the SCP of storage commitment and let ``send`` report on it."""
        remote = self.peers.find(ae_title)
        if remote is None:
            advice = f"add it with --peer {ae_title}=HOST:PORT"
            raise TransportError(f"the address book has no {ae_title}", advice=advice)
        role = plan.with_role_selection
        syntaxes = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
        proposal = ContextProposal(STORAGE_COMMITMENT_PUSH_MODEL, syntaxes, scu_role=not role, scp_role=role)
        with associate(remote, self._pacs_entity, [proposal]) as association:
            return send(association)


def _open_folder(folder: Path) -> Path:
    try:
        make_private_folder(folder, (_SCHEDULE,))
    except OSError as error:
        raise store_error(error, f"use the folder {folder}") from error
    return folder
