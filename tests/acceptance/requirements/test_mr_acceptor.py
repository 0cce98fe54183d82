"""MR 3.3.1, 3.3.4 and 3.3.5: what peers of other makers get from the MR device that listens."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import UID, generate_uid
from pynetdicom import AE, build_context, build_role
from pynetdicom.pdu_primitives import AsynchronousOperationsWindowNegotiation, SOPClassExtendedNegotiation

from openmodality import Modality
from openmodality.activities.commit_record import StoredCommitments
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    EXPLICIT,
    IMPLICIT,
    TITLE,
    Recorded,
    Recorder,
    listening,
    recorded_device,
    reporting,
)
from tests.acceptance.requirements.storage_classes import (
    ENHANCED_MR,
    MR_IMAGE,
    PRESENTATION_STATE,
    SECONDARY_CAPTURE,
    instance,
)
from tests.devices import add_image
from tests.interop import wire
from tests.peers import dcmtk
from tests.peers.objects import save
from tests.peers.process import Address, wait_until
from tests.peers.pynetdicom_ae import associated

VERIFICATION = "1.2.840.10008.1.1"
BIG = "1.2.840.10008.1.2.2"
TEN_YEARS_S = 10 * 365 * 86400


@dataclass(frozen=True, slots=True)
class Listening:
    """A device that listens, and where."""

    modality: Modality
    address: Address
    recorded: Recorded

    @property
    def recorder(self) -> Recorder:
        return self.recorded.recorder


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with recorded_device(tmp_path_factory.mktemp("mr"), "mr") as recorded, recorded.modality() as modality:
        modality.serve()
        yield Listening(modality, listening(recorded, "device", "OM_MR"), recorded)


def store(device: Listening, image: Dataset, syntaxes: tuple[str, ...] = (EXPLICIT,)) -> Dataset:
    """Store it as the hospital does; the response."""
    with associated(device.address, [image.SOPClassUID], calling=TITLE, transfer_syntaxes=[*syntaxes]) as association:
        return association.send_c_store(image)


def stored(device: Listening, uid: str) -> list[str]:
    """The SOP class of what the device lists under a SOP Instance UID."""
    return [str(found["SOPClassUID"]) for found in device.modality.instances() if found["SOPInstanceUID"] == uid]


# Verification


@pytest.mark.requirement(
    "MR-8.1-01", "MR-2.1-04", "MR-2.1.1-08", "MR-3-05", "MR-3.3.1.1-01", "MR-3.3.1.3-01", "MR-3.3.1.3-03",
    "MR-3.3.1.3-04",
)  # fmt: skip
@pytest.mark.needs("echoscu")
def test_each_echo_gets_one_success(device: Listening) -> None:
    done = dcmtk.scu("echoscu", device.address, "--repeat", 4, "--debug", calling=TITLE)
    assert done.status == 0
    assert done.output.count("Received Echo Response (Success)") == 4


@pytest.mark.requirement("MR-3.3.1.2-01")
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG])
def test_verification_in_each_transfer_syntax(device: Listening, syntax: str) -> None:
    with associated(device.address, [VERIFICATION], calling=TITLE, transfer_syntaxes=[syntax]) as association:
        (context,) = association.accepted_contexts
        assert context.transfer_syntax == [syntax]
        assert association.send_c_echo().Status == 0


@pytest.mark.requirement("MR-3.3.1.2-02")
def test_the_site_file_says_in_which_transfer_syntaxes_verification_is_taken(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "mr") as recorded:
        chosen = '[network]\ntransfer_syntaxes = ["ImplicitVRLittleEndian", "ExplicitVRBigEndian"]'
        recorded.site.write_text(recorded.site.read_text("utf-8").replace("[network]", chosen), "utf-8")
        with recorded.modality() as modality:
            assert list_verification_syntaxes(recorded, modality) == [[IMPLICIT], [BIG]]


def list_verification_syntaxes(recorded: Recorded, modality: Modality) -> list[list[str]]:
    """In which of three contexts for Verification, each with one transfer syntax, the device takes part."""
    modality.serve()
    entity = AE(ae_title=TITLE)
    entity.requested_contexts = [build_context(VERIFICATION, syntax) for syntax in (IMPLICIT, EXPLICIT, BIG)]
    address = listening(recorded, "device", "OM_MR")
    association = entity.associate(address.host, address.port, ae_title=address.aet)
    accepted = [list(map(str, context.transfer_syntax)) for context in association.accepted_contexts]
    association.release()
    return accepted


@pytest.mark.requirement("MR-3.3.1.3-02", "MR-3.1.3-01")
def test_neither_extended_negotiation_nor_a_window_is_agreed_to(device: Listening) -> None:
    extended, window = SOPClassExtendedNegotiation(), AsynchronousOperationsWindowNegotiation()
    extended.sop_class_uid, extended.service_class_application_information = VERIFICATION, b"\1"
    window.maximum_number_operations_invoked, window.maximum_number_operations_performed = 5, 5
    with associated(device.address, [VERIFICATION], calling=TITLE, ext_neg=[extended, window]) as association:
        assert association.acceptor.sop_class_extended == {}
        assert association.acceptor.asynchronous_operations == (1, 1)


# Storage


@pytest.mark.parametrize(
    "sop_class",
    [
        pytest.param(MR_IMAGE, marks=pytest.mark.requirement("MR-3-10")),
        pytest.param(ENHANCED_MR, marks=pytest.mark.requirement("MR-3-11")),
        pytest.param(SECONDARY_CAPTURE, marks=pytest.mark.requirement("MR-3-12")),
        pytest.param(PRESENTATION_STATE, marks=pytest.mark.requirement("MR-3-13")),
    ],
)
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG])
@pytest.mark.requirement("MR-2.1.1-02", "MR-3.3.4.1-02", "MR-3.3.4.2-01", "MR-3.3.4.3-11")
def test_each_storage_class_in_each_transfer_syntax(device: Listening, sop_class: UID, syntax: str) -> None:
    image = instance(sop_class, syntax)
    assert store(device, image, (syntax,)).Status == 0x0000
    assert stored(device, image.SOPInstanceUID) == [sop_class]


@pytest.mark.requirement("MR-3.3.4.1-01", "MR-3.3.4.3-01", "MR-3.3.4.3-02", "MR-3.3.4.3-07")
@pytest.mark.needs("storescu")
def test_dcmtk_stores_and_all_attributes_are_kept(device: Listening, tmp_path: Path) -> None:
    images = [instance(AcquisitionComments=f"type 3, {number}") for number in range(3)]
    for image in images:
        image.add_new(0x00091001, "LO", "not known")
        image.add_new(0x00090010, "LO", "SOMEBODY ELSE")
    paths = [save(image, tmp_path) for image in images]
    done = dcmtk.scu("storescu", device.address, "--verbose", *paths, calling=TITLE)
    assert done.status == 0
    assert done.output.count("Received Store Response (Success)") == 3
    for image in images:
        kept = dcmread(device.modality.instance_path(image.SOPInstanceUID))
        sent = {element.tag: element.value for element in image if not element.tag.is_private}
        assert {element.tag: element.value for element in kept if not element.tag.is_private} == sent


def private_image() -> FileDataset:
    """One private attribute that MR systems of this kind know, and one that nobody here does."""
    image = instance()
    image.private_block(0x0009, "MMCPrivate", create=True).add_new(0x01, "LO", "known")
    image.private_block(0x0011, "SOMEBODY ELSE", create=True).add_new(0x01, "LO", "unknown")
    return image


@pytest.mark.requirement("MR-3.3.4.3-06", "MR-9.3.1-01", "MR-11.2-04")
@pytest.mark.parametrize(
    ("settings", "kept", "sent"),
    [
        ("", {"MMCPrivate", "known"}, {"MMCPrivate", "known"}),
        ("import_private = false", set(), set()),
        ("export_private = false", {"MMCPrivate", "known"}, set()),
    ],
)
def test_private_attributes(tmp_path: Path, settings: str, kept: set[str], sent: set[str]) -> None:
    def private(data_set: Dataset) -> set[str]:
        return {str(element.value) for element in data_set if element.tag.is_private}

    with recorded_device(tmp_path, "mr", more=f"[parameters.behaviour]\n{settings}") as recorded:
        image = private_image()
        with recorded.modality() as modality:
            modality.serve()
            listens = Listening(modality, listening(recorded, "device", "OM_MR"), recorded)
            assert store(listens, image).Status == 0
            assert private(dcmread(modality.instance_path(image.SOPInstanceUID))) == kept
            modality.send(instance=image.SOPInstanceUID)
            assert modality.wait_until_idle(10)
        (request,) = recorded.recorder.requests("C-STORE-RQ")
        assert private(request.data) == sent


@pytest.mark.requirement("MR-2.1.2-06")
def test_what_is_there_already_is_not_stored_again(device: Listening) -> None:
    image = instance(PatientName="First")
    assert store(device, image).Status == 0
    first = device.modality.instance_path(image.SOPInstanceUID).read_bytes()
    assert store(device, image).Status == 0
    image.PatientName = "Second"
    assert store(device, image).Status == 0
    assert stored(device, image.SOPInstanceUID) == [MR_IMAGE]
    assert device.modality.instance_path(image.SOPInstanceUID).read_bytes() == first


@pytest.mark.requirement("MR-2.1.2-07", "MR-3.3.4.3-04")
def test_what_is_stored_stays_until_the_user_deletes_it(tmp_path: Path) -> None:
    image = instance()
    with recorded_device(tmp_path, "mr") as recorded:
        with recorded.modality() as modality:
            modality.serve()
            listens = Listening(modality, listening(recorded, "device", "OM_MR"), recorded)
            assert store(listens, image).Status == 0
        with Modality(recorded.site, clock=lambda: 1.8e9 + TEN_YEARS_S) as modality:
            assert modality.instance_path(image.SOPInstanceUID).exists()
            modality.delete("STUDY", image.StudyInstanceUID, force=True)
            assert modality.instances() == []
            assert not modality.instance_path(image.SOPInstanceUID).exists()


@pytest.mark.requirement("MR-3.3.4.3-08")
def test_a_full_disk_is_a_lack_of_resources(device: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    image = instance()

    def find_no_space(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "writev", find_no_space)
        assert store(device, image).Status == 0xA700
    assert stored(device, image.SOPInstanceUID) == []
    assert store(device, image).Status == 0x0000


@pytest.mark.requirement("MR-8.1.2.1-01")
def test_the_device_listens_on_a_socket_of_the_system(device: Listening) -> None:
    """Read from the kernel's table of TCP sockets: this port, in the state LISTEN (0A), and this process's."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{device.address.port:04X}") and row[3] == "0A"}
    assert len(inodes) == 1
    opened = {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
    assert f"socket:[{inodes.pop()}]" in opened


@pytest.mark.requirement("MR-3.3.4.3-10", "MR-3.3.4.3-12", "MR-3.3.4.3-13")
@pytest.mark.parametrize("missing", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_what_cannot_be_understood(device: Listening, missing: str) -> None:
    image = instance()
    delattr(image, missing)
    answer = store(device, image)
    assert answer.Status == 0xC001
    assert answer.ErrorComment
    assert stored(device, image.SOPInstanceUID) == []


@pytest.mark.requirement("MR-3.3.4.3-09", "MR-3.3.4.3-12")
@pytest.mark.parametrize("sop_class", [MR_IMAGE, SECONDARY_CAPTURE])
def test_a_data_set_of_another_instance_or_class(device: Listening, sop_class: str) -> None:
    claimed, real = generate_uid(), generate_uid()
    other = claimed if sop_class == SECONDARY_CAPTURE else real
    with wire.associated(device.address, MR_IMAGE, called=device.address.aet, calling=TITLE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq(claimed), 3)))
        connection.send(wire.p_data(wire.value(wire.implicit_image(other, sop_class=sop_class), 2)))
        answer = connection.receive_command()
    assert wire.status_of(answer) == 0xA900
    assert answer[0x0902]
    assert stored(device, claimed) == stored(device, real) == []


@pytest.mark.requirement("MR-3.3.4.5-01")
def test_the_default_transfer_syntax_is_taken_where_it_is_offered(device: Listening) -> None:
    offered = [BIG, EXPLICIT, IMPLICIT]
    with associated(device.address, [MR_IMAGE], calling=TITLE, transfer_syntaxes=offered) as association:
        (context,) = association.accepted_contexts
        assert context.transfer_syntax == [IMPLICIT]


# The result of storage commitment


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for commitment that waits for its answer."""

    transaction_uid: str
    references: list[Dataset]


def ask(device: Listening) -> Asked:
    """Let the device ask the hospital to commit itself to a new image."""
    device.recorder.forget()
    with device.modality.exam(patient={"PatientID": "1", "PatientName": "Doe^Jane"}) as exam:
        uid = add_image(exam.series("T1"))
    device.modality.commit(instance=uid, peer="hospital")
    wait_until(lambda: len(device.recorder.requests("N-ACTION-RQ")) == 1)
    wait_until(lambda: bool(device.recorder.requests("N-ACTION-RQ")[0].data))
    (request,) = device.recorder.requests("N-ACTION-RQ")
    return Asked(request.data.TransactionUID, list(request.data.ReferencedSOPSequence))


def report(device: Listening, data_set: Dataset, event: int = 1, *, sop_class: str = COMMITMENT) -> Dataset:
    """Report as an archive; the response."""
    with reporting(device.address) as association:
        status: Dataset
        status, _ = association.send_n_event_report(
            data_set, event, sop_class, COMMITMENT_INSTANCE, meta_uid=COMMITMENT
        )
    return status


def result(transaction_uid: str, references: list[Dataset]) -> Dataset:
    data_set = Dataset()
    data_set.TransactionUID, data_set.ReferencedSOPSequence = transaction_uid, references
    return data_set


@pytest.mark.requirement(
    "MR-3-19", "MR-3.2.4.3.1-06", "MR-2.1.1-06", "MR-2.1.1-07", "MR-3.3.5.3.1-01", "MR-3.3.5.3.1-02",
    "MR-3.3.5.3.2-02", "MR-3.3.5.3.2-03",
)  # fmt: skip
def test_a_result_with_what_is_not_supported_is_read_over_it(device: Listening) -> None:
    asked = ask(device)
    (request,) = device.recorder.requests("N-ACTION-RQ")
    assert {element.keyword for element in request.data} == {"TransactionUID", "ReferencedSOPSequence"}
    data_set = result(asked.transaction_uid, asked.references)
    data_set.RetrieveAETitle, data_set.StorageMediaFileSetID = "ELSEWHERE", "DISC"
    data_set.StorageMediaFileSetUID = "1.2.3"
    for item in asked.references:
        item.RetrieveAETitle = "ELSEWHERE"
    assert report(device, data_set).Status == 0x0000
    assert device.modality.wait_until_idle(10)
    assert device.modality.jobs.list(kinds=[JobKind.COMMIT])[0].state is JobState.DONE
    assert device.modality.studies()[0].committed == 1


@pytest.mark.requirement("MR-3.3.5.3.1-04")
def test_a_result_of_another_class(device: Listening) -> None:
    asked = ask(device)
    answer = report(device, result(asked.transaction_uid, asked.references), sop_class="1.2.840.10008.1.40")
    assert answer.Status == 0x0118
    assert report(device, result(asked.transaction_uid, asked.references)).Status == 0x0000


@pytest.mark.requirement("MR-3.3.5.3.1-03")
def test_a_result_that_cannot_be_processed(device: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(device)
    with monkeypatch.context() as patch:
        patch.setattr(StoredCommitments, StoredCommitments.keep_result.__name__, None)
        assert report(device, result(asked.transaction_uid, asked.references)).Status == 0x0110
    assert report(device, result(asked.transaction_uid, asked.references)).Status == 0x0000


@pytest.mark.requirement("MR-3.2.4.3.1-03")
def test_no_time_limit_is_set_for_the_result(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "mr") as recorded:
        with recorded.modality() as modality:
            asked = ask(Listening(modality, Address("", 0), recorded))
        with Modality(recorded.site, clock=lambda: 1.8e9 + TEN_YEARS_S) as modality:
            modality.serve()
            device = Listening(modality, listening(recorded, "device", "OM_MR"), recorded)
            assert report(device, result(asked.transaction_uid, asked.references)).Status == 0x0000


@pytest.mark.parametrize(("scu", "scp"), [(True, False), (True, True)])
def test_the_device_commits_itself_to_nothing(device: Listening, scu: bool, scp: bool) -> None:
    """It is no SCP of storage commitment: a peer that wants to be the SCU of it gets another role, or no context."""
    wanted = build_role(COMMITMENT, scu_role=scu, scp_role=scp)
    with associated(device.address, [COMMITMENT, VERIFICATION], calling=TITLE, ext_neg=[wanted]) as association:
        taken = [context for context in association.accepted_contexts if context.abstract_syntax == COMMITMENT]
        assert [context.as_scu for context in taken] == [False] * scp
