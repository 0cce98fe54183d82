"""Each activity of a device against an acceptor that records what it is asked (R/F 4.2.x.2, MR 3.1 to 6.3)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE

from openmodality import Modality
from openmodality.errors import AssociationRejected, TransportError
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    STORAGE_COMMITMENT_PUSH_MODEL,
    VERIFICATION,
    X_RAY_RADIATION_DOSE_SR_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.upper_layer.pdu import A_ASSOCIATE_RQ
from tests.devices import Device, device_in_hospital, today
from tests.peers.process import Address, wait_until
from tests.peers.pynetdicom_ae import find_rejection

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
CLASS_UID, VERSION = "2.16.840.1.113669.632.3.1.1.2.7", "Harmony"
IDENTITY = f'[device]\nimplementation_class_uid = "{CLASS_UID}"\nimplementation_version_name = "{VERSION}"'
HELD_SHORTLY = "[parameters.storage_commitment]\nhold_s = 1"
BOTH = 'automatic_commitment = true\ntransfer_syntaxes = ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian"]'
RF_TITLES = {
    "ADR_STORAGE_SCU": {X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE, X_RAY_RADIATION_DOSE_SR_STORAGE},
    "ADR_S_COMM_SCU": {STORAGE_COMMITMENT_PUSH_MODEL},
    "ADR_MWM_SCU": {MODALITY_WORKLIST_FIND},
    "ADR_MPPS_SCU": {MODALITY_PERFORMED_PROCEDURE_STEP},
    "ADR_VER_SCU": {VERIFICATION},
}


@contextmanager
def examined(folder: Path, profile: str, more: str = "") -> Iterator[tuple[Device, Modality]]:
    """A device that has done everything once."""
    with (
        device_in_hospital(folder, profile, today(profile), peer=BOTH, more=more) as device,
        device.modality() as modality,
    ):
        modality.serve()
        assert modality.echo("hospital") == 0
        with modality.exam(modality.worklist()[0]) as exam:
            exam.acquire(device.source)
        assert modality.wait_until_idle(20)
        yield device, modality


def proposed(request: A_ASSOCIATE_RQ) -> set[str]:
    return {context.abstract_syntax for context in request.presentation_contexts}


@pytest.mark.requirement(
    *(f"RF-4.2.{section}.2.{number}-01" for section in (1, 2, 3, 4, 8) for number in (1, 2, 3, 4)),
    "RF-4.2.1.1-01", "RF-4.2.2.1-01", "RF-4.2.3.1-01", "RF-4.2.4.1-01", "RF-4.4.1.1-02", "RF-8.6-01",
    "RF-4.2.1.3.1.2-01", "RF-4.2.1.3.1.2-02", "RF-4.2.2.3.1.2-01", "RF-4.2.3.3.1.2-01", "RF-4.2.4.3.1.2-01",
    "RF-4.2.4.3.1.1-04",
)  # fmt: skip
def test_rf_calls_by_one_title_for_each_role(tmp_path: Path) -> None:
    with examined(tmp_path, "rf", IDENTITY) as (device, _):
        requests = device.hospital.requests
        seen: dict[str, set[str]] = {}
        for request in requests:
            seen.setdefault(request.calling_ae_title, set()).update(proposed(request))
            information = request.user_information
            assert request.application_context_name == APPLICATION_CONTEXT
            assert information.implementation_class_uid == CLASS_UID
            assert information.implementation_version_name == VERSION
            assert information.asynchronous_operations_window is None
            assert not information.extended_negotiations
            assert not information.role_selections
            for context in request.presentation_contexts:
                only_explicit = context.abstract_syntax == X_RAY_RADIATION_DOSE_SR_STORAGE
                syntaxes = [EXPLICIT_VR_LITTLE_ENDIAN] if only_explicit else [IMPLICIT, EXPLICIT_VR_LITTLE_ENDIAN]
                assert list(context.transfer_syntaxes) == syntaxes
        assert seen == RF_TITLES
        mpps = [request for request in requests if request.calling_ae_title == "ADR_MPPS_SCU"]
        assert len(mpps) == 2  # N-CREATE and N-SET, each on an association of its own
        assert device.hospital.peaks == dict.fromkeys(RF_TITLES, 1)


IMPLICIT = IMPLICIT_VR_LITTLE_ENDIAN


@pytest.mark.requirement(
    "MR-2.1-01", "MR-3-01", "MR-3-02", "MR-3.1.2-01", "MR-3.1.3-01", "MR-3.1.4-01", "MR-3.2.3.3-04",
    "MR-3.2.4.3.1-04", "MR-5.1.1-02", "MR-5.1.2-01", "MR-5.1.3-02", "MR-6.1.2-01", "MR-6.1.3-02", "MR-6.2.1.2-02",
    "MR-9.2-01", "MR-2.4.2-07", "MR-2.4.2-08", "MR-5.1.1-01", "MR-6.1.1-01",
)  # fmt: skip
def test_mr_is_one_application_entity(tmp_path: Path) -> None:
    with examined(tmp_path, "mr") as (device, _):
        requests = device.hospital.requests
        assert {request.calling_ae_title for request in requests} == {"OM_MR"}
        assert device.hospital.peaks == {"OM_MR": 1}
        for request in requests:
            information = request.user_information
            assert (information.implementation_class_uid or "").startswith("2.25.")
            assert information.implementation_version_name
            assert information.asynchronous_operations_window is None
            assert not information.extended_negotiations
            assert not information.role_selections
            assert len(proposed(request)) == 1
            if proposed(request) == {MODALITY_WORKLIST_FIND}:
                assert information.maximum_length == 16384


def ask(port: int, title: str, syntax: str, *, calling: str = "HOSPITAL", scp: bool = False) -> list[str]:
    """The transfer syntaxes that a device accepts for an abstract syntax."""
    proposal = ContextProposal(syntax, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT), scu_role=not scp, scp_role=scp)
    verification = ContextProposal(VERIFICATION, (IMPLICIT,))
    remote = RemoteAE(title, "127.0.0.1", port)
    with associate(remote, LocalAE(calling), [proposal, verification]) as association:
        return [context.transfer_syntax for context in association.contexts if context.abstract_syntax == syntax]


@pytest.mark.requirement(
    "RF-4.2.1.4-01", "RF-4.2.3.4-01", "RF-4.2.4.4-01", "RF-4.2.2.4.1.1-06", "RF-4.2.2.4.1.1-07", "RF-4.2.2.4.1.2-01",
    "RF-4.2.6.4.1.1-01", "RF-4.4.1.1-03", "RF-1-08",
)  # fmt: skip
def test_what_rf_accepts(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=BOTH) as device, device.modality() as modality:
        ports = modality.serve()
        assert set(ports) == {"storage_commitment", "storage_scp"}
        port = ports["storage_commitment"]
        assert ask(port, "ADR_S_COMM_SCU", STORAGE_COMMITMENT_PUSH_MODEL, scp=True) == [EXPLICIT_VR_LITTLE_ENDIAN]
        assert ask(port, "ADR_S_COMM_SCU", VERIFICATION)
        for other in (MODALITY_WORKLIST_FIND, MODALITY_PERFORMED_PROCEDURE_STEP, X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE):
            assert ask(port, "ADR_S_COMM_SCU", other) == []
        assert rejection(port, "ADR_STORAGE_SCU", "HOSPITAL") == (1, 1, 7)
        assert rejection(port, "ADR_S_COMM_SCU", "STRANGER") == (1, 1, 3)
        assert rejection(ports["storage_scp"], "HDR_QR_SCU", "HOSPITAL") == (2, 3, 1)


@pytest.mark.requirement("RF-4.2.2.2.2-02", "RF-4.2.2.4.1.1-03", "RF-4.4.2-17")
def test_rf_takes_one_notification_at_a_time(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=BOTH, more=HELD_SHORTLY) as device, device.modality() as modality:
        port = modality.serve()["storage_commitment"]
        remote = RemoteAE("ADR_S_COMM_SCU", "127.0.0.1", port)
        with associate(remote, LocalAE("HOSPITAL"), [ContextProposal(VERIFICATION, (IMPLICIT,))]):
            assert rejection(port, "ADR_S_COMM_SCU", "HOSPITAL") == (2, 3, 2)


@pytest.mark.requirement("RF-4.2.2.4.1.1-04")
def test_rf_has_no_room_for_more_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the number of associations is reached here, but that of connections, which bounds memory and threads."""
    monkeypatch.setattr("openmodality.app.acceptors.MAX_CONNECTIONS", 2)
    with device_in_hospital(tmp_path, "rf", peer=BOTH) as device, device.modality() as modality:
        port = modality.serve()["storage_commitment"]
        with ExitStack() as silent:
            for _ in range(2):
                silent.enter_context(socket.create_connection(("127.0.0.1", port)))
            hospital = AE("HOSPITAL")
            hospital.add_requested_context(VERIFICATION)
            assert find_rejection(hospital, Address("ADR_S_COMM_SCU", port)) == (2, 3, 1)
        wait_until(
            lambda: hospital.associate("127.0.0.1", port, ae_title="ADR_S_COMM_SCU").is_established, what="room again"
        )
        hospital.shutdown()


def test_a_peer_may_be_held_to_a_number_of_associations(tmp_path: Path) -> None:
    limited = BOTH + "\nmax_associations = 1"
    with device_in_hospital(tmp_path, "mr", peer=limited, more=HELD_SHORTLY) as device, device.modality() as modality:
        port = modality.serve()["device"]
        remote = RemoteAE("OM_MR", "127.0.0.1", port)
        with associate(remote, LocalAE("HOSPITAL"), [ContextProposal(VERIFICATION, (IMPLICIT,))]):
            assert rejection(port, "OM_MR", "HOSPITAL") == (2, 3, 2)
        assert ask(port, "OM_MR", VERIFICATION)


@pytest.mark.requirement(
    "MR-2.1-05", "MR-3-04", "MR-3.1.1-03", "MR-3.1.1-04", "MR-3.1.1-05", "MR-3.3-01", "MR-3.3.5.2-01",
    "MR-3.3.5.5-01", "MR-5.3-01", "MR-6.3-01", "MR-2.1.2-04", "MR-2.1.2-03",
)  # fmt: skip
def test_what_mr_accepts(tmp_path: Path) -> None:
    incoming = BOTH + '\nincoming = ["verification", "storage_commitment"]'
    with device_in_hospital(tmp_path, "mr", peer=incoming) as device, device.modality() as modality:
        port = modality.serve()["device"]
        assert port == device.port
        assert ask(port, "OM_MR", STORAGE_COMMITMENT_PUSH_MODEL, scp=True) == [IMPLICIT]
        for other in (MODALITY_WORKLIST_FIND, MODALITY_PERFORMED_PROCEDURE_STEP, MR_IMAGE):
            assert ask(port, "OM_MR", other) == []
        assert rejection(port, "OTHER", "HOSPITAL") == (1, 1, 7)
        assert rejection(port, "OM_MR", "STRANGER") == (1, 1, 3)
        modality.stop_serving()
        with pytest.raises(TransportError):
            ask(port, "OM_MR", VERIFICATION)


MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


@pytest.mark.requirement("MR-3.1.1-05", "MR-3-10", "MR-2.1.2-05")
def test_mr_takes_images_of_peers_that_may_store(tmp_path: Path) -> None:
    incoming = BOTH + '\nincoming = ["storage"]'
    with device_in_hospital(tmp_path, "mr", peer=incoming) as device, device.modality() as modality:
        port = modality.serve()["device"]
        assert ask(port, "OM_MR", MR_IMAGE) == [IMPLICIT]
        assert ask(port, "OM_MR", STORAGE_COMMITMENT_PUSH_MODEL, scp=True) == []


def rejection(port: int, title: str, calling: str) -> tuple[int, int, int]:
    with pytest.raises(AssociationRejected) as raised:
        ask(port, title, VERIFICATION, calling=calling)
    return raised.value.result, raised.value.source, raised.value.reason
