"""What a device does at the virtual hospital, in a few lines: worklist, performed step, storage, commitment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.normalized import NormalizedAnswer
from openmodality.dimse.service import Service
from openmodality.hospital.addresses import Endpoint
from openmodality.hospital.hospital import Habits, Hospital
from openmodality.hospital.items import ScheduledItem
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import decide_by
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.query.finding import FindAnswer
from openmodality.services import commitment, mpps, storage, worklist
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    STORAGE_COMMITMENT_PUSH_MODEL,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy, SyntaxPolicy
from openmodality.upper_layer.negotiation import ContextProposal
from tests.peers import objects

NOON = datetime(2026, 11, 22, 12)
DEVICE = "OM_MR"
_PATIENT_MODULE = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")


def hospital(folder: Path, seed: int = 1, retry_s: float = 0.05, **peers: int) -> Hospital:
    """A hospital on free ports; ``peers`` are ports of devices on this machine by AE title."""
    addresses = {aet: ("127.0.0.1", port) for aet, port in peers.items()}
    habits = Habits(seed, lambda: NOON, commitment_retry_s=retry_s)
    return Hospital(folder, Endpoint("OM_RIS"), Endpoint("OM_PACS"), Endpoint("OM_PRINT"), addresses, habits)


def associated(
    remote: RemoteAE, sop_class_uid: str, *, timeout_s: float = 10.0, services: Sequence[Service] = ()
) -> Association:
    """An association of the device for one SOP Class; ``services`` answer what comes on it."""
    local = LocalAE(DEVICE, timeouts=Timeouts(timeout_s, timeout_s, timeout_s, timeout_s, timeout_s, timeout_s))
    return associate(remote, local, [ContextProposal(sop_class_uid, (EXPLICIT_VR_LITTLE_ENDIAN,))], services)


def query(at: Hospital, *, modality: str = "", timeout_s: float = 10.0, limit: int | None = None) -> FindAnswer:
    """Ask for the worklist."""
    identifier, step = Dataset(), Dataset()
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber", "RequestedProcedureID"):
        setattr(identifier, keyword, None)
    for keyword in (
        "ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime",
        "ScheduledProcedureStepID",
    ):  # fmt: skip
        setattr(step, keyword, None)
    step.Modality = modality
    identifier.ScheduledProcedureStepSequence = [step]
    with associated(at.ris_peer, MODALITY_WORKLIST_FIND, timeout_s=timeout_s) as association:
        answer = worklist.query_items(association, identifier, limit=limit)
        if answer.must_abort:
            association.shut()
        return answer


def step_attributes(item: ScheduledItem) -> Dataset:
    """The attributes of N-CREATE for a worklist item."""
    scheduled, attributes = Dataset(), Dataset()
    for keyword in ("AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription"):
        setattr(scheduled, keyword, item.data_set.get(keyword, ""))
    scheduled.StudyInstanceUID = item.study_instance_uid
    scheduled.ScheduledProcedureStepID = item.step_id
    scheduled.ScheduledProcedureStepDescription = ""
    scheduled.ScheduledProtocolCodeSequence = scheduled.ReferencedStudySequence = []
    attributes.ScheduledStepAttributesSequence = [scheduled]
    if "SpecificCharacterSet" in item.data_set:
        attributes.SpecificCharacterSet = item.data_set.SpecificCharacterSet
    for keyword in _PATIENT_MODULE:
        setattr(attributes, keyword, item.data_set.get(keyword, ""))
    attributes.ReferencedPatientSequence = attributes.ProcedureCodeSequence = []
    attributes.PerformedProtocolCodeSequence = attributes.PerformedSeriesSequence = []
    attributes.PerformedProcedureStepID, attributes.PerformedStationAETitle = "PPS1", DEVICE
    attributes.PerformedStationName = attributes.PerformedLocation = attributes.StudyID = ""
    attributes.PerformedProcedureStepStartDate, attributes.PerformedProcedureStepStartTime = "20261122", "120000"
    attributes.PerformedProcedureStepEndDate = attributes.PerformedProcedureStepEndTime = ""
    attributes.PerformedProcedureStepStatus = StepStatus.IN_PROGRESS
    attributes.PerformedProcedureStepDescription = attributes.PerformedProcedureTypeDescription = ""
    attributes.Modality = item.modality
    return attributes


def create_step(
    at: Hospital, attributes: Dataset, uid: str | None = None, *, timeout_s: float = 10.0
) -> NormalizedAnswer:
    """N-CREATE."""
    with associated(at.ris_peer, MODALITY_PERFORMED_PROCEDURE_STEP, timeout_s=timeout_s) as association:
        return mpps.create_step(association, uid or generate_uid(), attributes)


def end_step(
    at: Hospital, uid: str, images: Sequence[FileDataset] = (), *, status: str = "COMPLETED", reason: str = ""
) -> NormalizedAnswer:
    """The final N-SET; it lists the images in one series."""
    attributes, series = Dataset(), Dataset()
    attributes.PerformedProcedureStepStatus = status
    attributes.PerformedProcedureStepEndDate, attributes.PerformedProcedureStepEndTime = "20261122", "121500"
    series.PerformingPhysicianName = series.OperatorsName = series.SeriesDescription = series.RetrieveAETitle = ""
    series.ProtocolName = "HEAD"
    series.SeriesInstanceUID = images[0].SeriesInstanceUID if images else generate_uid()
    series.ReferencedNonImageCompositeSOPInstanceSequence = []
    series.ReferencedImageSequence = [_reference(image) for image in images]
    attributes.PerformedSeriesSequence = [series]
    if reason:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = reason, "DCM", "reason"
        attributes.PerformedProcedureStepDiscontinuationReasonCodeSequence = [code]
    with associated(at.ris_peer, MODALITY_PERFORMED_PROCEDURE_STEP) as association:
        return mpps.update_step(association, uid, attributes)


def images(item: ScheduledItem, step_uid: str, count: int = 2) -> list[FileDataset]:
    """MR images that agree with a worklist item and refer to a performed step."""
    request, step, series = Dataset(), Dataset(), generate_uid()
    request.ScheduledProcedureStepID, request.RequestedProcedureID = item.step_id, item.requested_procedure_id
    step.ReferencedSOPClassUID = MODALITY_PERFORMED_PROCEDURE_STEP
    step.ReferencedSOPInstanceUID = step_uid
    values = {keyword: item.data_set.get(keyword, "") for keyword in _PATIENT_MODULE}
    return [
        objects.mr_image(
            rows=8, columns=8, **values, AccessionNumber=item.accession_number, InstanceNumber=number,
            SpecificCharacterSet=item.data_set.get("SpecificCharacterSet", ""),
            StudyInstanceUID=item.study_instance_uid, SeriesInstanceUID=series,
            RequestAttributesSequence=[request], ReferencedPerformedProcedureStepSequence=[step],
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def store(at: Hospital, *instances: FileDataset, timeout_s: float = 10.0) -> list[storage.StoreResult]:
    """Send images on one association."""
    return store_to(at.pacs_peer, *instances, timeout_s=timeout_s)


def store_to(peer: RemoteAE, *instances: FileDataset, timeout_s: float = 10.0) -> list[storage.StoreResult]:
    """Send instances of one SOP Class on one association to an archive."""
    with associated(peer, str(instances[0].SOPClassUID), timeout_s=timeout_s) as association:
        context = association.contexts[0]
        return [
            storage.store(
                association,
                context,
                storage.InstanceIdentity(str(image.SOPClassUID), str(image.SOPInstanceUID)),
                encode_data_set(image, context.transfer_syntax),
            )
            for image in instances
        ]


class Transactions:
    """The device's side of storage commitment; fulfils ``CommitmentRecord``."""

    def __init__(self) -> None:
        self.results: list[commitment.CommitmentResult] = []
        self.reports = 0
        self._known: dict[str, frozenset[commitment.Reference]] = {}

    def expect(self, uid: str, references: Sequence[commitment.Reference]) -> None:
        self._known[uid] = frozenset(references)

    def find(self, transaction_uid: str, peer: PeerInfo) -> commitment.Known | commitment.Missing:
        self.reports += 1
        references = self._known.get(transaction_uid)
        if references is None:
            return commitment.Missing.UNKNOWN
        results = (result for result in self.results if result.transaction_uid == transaction_uid)
        return commitment.Known(references, next(results, None))

    def keep_result(self, result: commitment.CommitmentResult, peer: PeerInfo) -> None:
        self.results.append(result)


@contextlib.contextmanager
def listening(transactions: Transactions) -> Iterator[int]:
    """The device listens for commitment results; yields its port."""
    local = LocalAE(DEVICE)
    syntax = SyntaxPolicy((EXPLICIT_VR_LITTLE_ENDIAN,), scp=False, scu=True)
    policy = PeerPolicy({STORAGE_COMMITMENT_PUSH_MODEL: syntax}, role_selection_required=False)
    decide = decide_by(AcceptorPolicy(local.side, lambda _: policy, frozenset({DEVICE})))
    service = commitment.commitment_result_service(transactions)
    with Acceptor(local, [service], decide, Listening("127.0.0.1")) as acceptor:
        yield acceptor.port


def request_commitment(
    at: Hospital,
    transactions: Transactions,
    instances: Sequence[FileDataset],
    *,
    uid: str | None = None,
    stay_s: float = 0.0,
    timeout_s: float = 10.0,
) -> NormalizedAnswer:
    """Ask for commitment; stays on the association for ``stay_s`` seconds to be reported to."""
    return commit_to(at.pacs_peer, transactions, instances, uid=uid, stay_s=stay_s, timeout_s=timeout_s)


def commit_to(
    peer: RemoteAE,
    transactions: Transactions,
    instances: Sequence[FileDataset],
    *,
    uid: str | None = None,
    stay_s: float = 0.0,
    timeout_s: float = 10.0,
) -> NormalizedAnswer:
    """Ask an archive for commitment."""
    references = [commitment.Reference(str(image.SOPClassUID), str(image.SOPInstanceUID)) for image in instances]
    uid = uid or generate_uid()
    transactions.expect(uid, references)
    services = [commitment.commitment_result_service(transactions)]
    with associated(peer, STORAGE_COMMITMENT_PUSH_MODEL, timeout_s=timeout_s, services=services) as association:
        result = commitment.request_commitment(association, uid, references)
        if stay_s:
            association.answer(association.receive(stay_s))
        return result


def _reference(image: FileDataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return item
