"""A small hospital for tests of the device: RIS and PACS on one port each, made of the services, with their records.

It is strict where the standard is (the services are), keeps what it gets in memory and on disk, and does as it is told:
``store_status`` answers a C-STORE, ``commitment`` decides on a request for commitment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset

from openmodality.dimse.service import Refuse, Service
from openmodality.encoding.uid import new_uid
from openmodality.errors import OpenModalityError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.commitment import (
    CommitmentRequest,
    CommitmentResult,
    Failure,
    commitment_service,
    send_report,
)
from openmodality.services.mpps import mpps_service
from openmodality.services.storage import StoreRequest, storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.services.worklist import worklist_service
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    STORAGE_COMMITMENT_PUSH_MODEL,
    VERIFICATION,
)
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from openmodality.store.files.folder import FolderSink, FolderWriter, Identity, ReceivedFile
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.upper_layer.acceptance import AcceptorPolicy, Load, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ

_SYNTAXES = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
_SERVICES = (VERIFICATION, MODALITY_WORKLIST_FIND, MODALITY_PERFORMED_PROCEDURE_STEP, STORAGE_COMMITMENT_PUSH_MODEL)

Decision = Callable[[CommitmentRequest], tuple[str, CommitmentResult]]
"""When to report, ``same`` association, ``new`` association or ``never``, and what."""


@dataclass
class Steps:
    """Performed steps by SOP Instance UID; ``received`` are the requests in their order."""

    steps: dict[str, Dataset] = field(default_factory=dict)
    received: list[tuple[str, str]] = field(default_factory=list)
    assign: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        with self.lock:
            self.received.append(("N-CREATE", sop_instance_uid))
            if sop_instance_uid in self.steps:
                return False
            self.steps[sop_instance_uid] = attributes
            return True

    def update(self, sop_instance_uid: str, change: Callable[[Dataset], Dataset]) -> bool:
        with self.lock:
            self.received.append(("N-SET", sop_instance_uid))
            if sop_instance_uid not in self.steps:
                return False
            self.steps[sop_instance_uid] = change(self.steps[sop_instance_uid])
            return True


def commit_what_is_there(hospital: Hospital, request: CommitmentRequest) -> tuple[str, CommitmentResult]:
    """Commit what is on disk, fail the rest with 0112, report on a new association."""
    there = {reference for reference in request.references if hospital.files.path(reference.sop_instance_uid).exists()}
    committed = tuple(reference for reference in request.references if reference in there)
    failed = tuple(Failure(reference, 0x0112) for reference in request.references if reference not in there)
    return "new", CommitmentResult(request.transaction_uid, committed, failed)


@dataclass
class Hospital:
    """Both sides' record. ``requests`` are the association requests, ``stored`` every C-STORE that was answered."""

    folder: Path
    items: list[Dataset] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    requests: list[A_ASSOCIATE_RQ] = field(default_factory=list)
    stored: list[ReceivedFile] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)
    store_status: Callable[[StoreRequest], int] = lambda request: 0
    decide_commitment: Callable[[Hospital, CommitmentRequest], tuple[str, CommitmentResult]] = commit_what_is_there
    device: RemoteAE | None = None
    with_role_selection: bool = True
    peaks: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = InstanceFiles(self.folder, durability="os", fan_out=False)
        self.threads: list[threading.Thread] = []
        self._sink = FolderSink(self.files, Identity("2.25.1", "STANDIN"), self.stored.append)

    def services(self) -> Sequence[Service]:
        return (
            VERIFICATION_SERVICE,
            worklist_service(self),
            mpps_service(self.steps),
            commitment_service(self),
            storage_service(self, StorageClasses()),
        )

    def find(self, identifier: Dataset) -> Iterable[Dataset]:
        return list(self.items)

    def open(self, request: StoreRequest) -> FolderWriter:
        status = self.store_status(request)
        if status:
            raise Refuse(status, "as told")
        return self._sink.open(request)

    def commit(self, request: CommitmentRequest) -> None:
        """Take every request."""

    def answered(self, request: CommitmentRequest) -> None:
        when, result = self.decide_commitment(self, request)
        if when == "same":
            self.reports.append(send_report(request.channel, result).status)
        elif when == "new":
            thread = threading.Thread(target=self.notify, args=(result,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def notify(self, result: CommitmentResult) -> None:
        """Report on an association of our own."""
        if self.device is None:
            return
        selected = self.with_role_selection
        proposal = ContextProposal(STORAGE_COMMITMENT_PUSH_MODEL, _SYNTAXES, scu_role=not selected, scp_role=selected)
        try:
            with associate(self.device, LocalAE("HOSPITAL"), [proposal]) as association:
                self.reports.append(send_report(association, result).status)
        except OpenModalityError:
            self.reports.append(-1)

    def answer(self, request: A_ASSOCIATE_RQ, load: Load) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
        self.requests.append(request)
        title = request.calling_ae_title
        self.peaks[title] = max(self.peaks.get(title, 0), load.open_from_peer + 1)
        local = LocalAE("HOSPITAL")
        peer = PeerPolicy({uid: SyntaxPolicy(_SYNTAXES) for uid in _SERVICES}, other=SyntaxPolicy(_SYNTAXES))
        return decide_answer(request, AcceptorPolicy(local.side, lambda title: peer), load)


@contextmanager
def hospital(folder: Path, items: Sequence[Dataset] = (), port: int = 0) -> Iterator[tuple[Hospital, int]]:
    """A running hospital and its port; RIS and PACS are the same application."""
    made = Hospital(folder, list(items))
    local = LocalAE("HOSPITAL")
    with Acceptor(local, made.services(), made.answer, Listening("127.0.0.1", port)) as acceptor:
        yield made, acceptor.port
        for thread in made.threads:
            thread.join(10)


def scheduled(
    number: int = 1, *, modality: str = "MR", station: str = "", name: str = "Doe^Jane", **more: str
) -> Dataset:
    """A worklist item for today."""
    step = Dataset()
    step.ScheduledStationAETitle = station or "OM_MR"
    step.ScheduledProcedureStepStartDate = more.pop("start_date", "")
    step.ScheduledProcedureStepStartTime = "080000"
    step.Modality = modality
    step.ScheduledPerformingPhysicianName = "Physician^P"
    step.ScheduledProcedureStepDescription = "ROUTINE"
    step.ScheduledProcedureStepID = f"SPS{number}"
    protocol = Dataset()
    protocol.CodeValue, protocol.CodingSchemeDesignator, protocol.CodeMeaning = "P1", "99TEST", "Protocol"
    step.ScheduledProtocolCodeSequence = [protocol]
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 192"
    item.PatientName, item.PatientID = name, more.pop("patient_id", f"{number:07d}")
    item.IssuerOfPatientID = "HOSPITAL"
    item.PatientBirthDate, item.PatientSex = "19700101", "O"
    item.AccessionNumber, item.RequestedProcedureID = f"A{number:04d}", f"RP{number}"
    item.RequestedProcedureDescription = "EXAM"
    item.StudyInstanceUID = more.pop("study", "") or new_uid()
    item.ReferringPhysicianName = "Referring^R"
    item.ScheduledProcedureStepSequence = [step]
    return item
