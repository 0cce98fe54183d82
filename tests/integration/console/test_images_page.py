"""Images: what peers made of pynetdicom have stored is shown until a user deletes it; what nobody asked for is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid

from tests.acceptance.requirements.pynetdicom_hospital import TITLE, listening
from tests.acceptance.requirements.storage_classes import instance
from tests.devices import add_image
from tests.made_objects import instances
from tests.peers.process import Address
from tests.peers.pynetdicom_ae import associated
from tests.recorded_console import RecordedConsole, recorded_console


@pytest.fixture(scope="module")
def mr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedConsole]:
    with recorded_console(tmp_path_factory.mktemp("mr"), "mr") as made:
        yield made


@pytest.fixture(scope="module")
def rf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedConsole]:
    with recorded_console(tmp_path_factory.mktemp("rf"), "rf") as made:
        yield made


def list_studies(desk: RecordedConsole) -> list[str]:
    """The studies that the page Images leads to."""
    return re.findall(r'class="row-link" href="/images/study/([\d.]+)"', desk.read("/images"))


@pytest.mark.requirement("MR-3.3.4.3-04", "MR-3.3.4.3-05", "MR-2.1.2-07")
def test_what_a_peer_has_stored_is_shown_until_the_user_deletes_it(mr: RecordedConsole) -> None:
    image = instance(PatientName="Stored^<b>")
    with associated(listening(mr.recorded, "device", "OM_MR"), [image.SOPClassUID], calling=TITLE) as association:
        assert association.send_c_store(image).Status == 0
    study = str(image.StudyInstanceUID)
    assert list_studies(mr) == [study]
    page = mr.read(f"/images/study/{study}")
    assert "Stored, <b>" in page
    assert "Stored, <b>" not in mr.visitor.get(f"/images/study/{study}").text
    picture = mr.visitor.get(f"/images/instance/{image.SOPInstanceUID}/thumbnail")
    assert picture.content[:4] == b"\x89PNG"
    frame = mr.visitor.get(f"/viewer/instance/{image.SOPInstanceUID}/frames/1")
    assert frame.content == image.PixelData, "as the peer has stored it"
    mr.visitor.post(f"/images/study/{study}/delete")
    assert "not committed" in mr.read(f"/images/study/{study}"), "it stays, and that is said"
    mr.visitor.post(f"/images/study/{study}/delete", force="yes")
    assert list_studies(mr) == []
    assert mr.visitor.get(f"/images/instance/{image.SOPInstanceUID}/thumbnail").status_code == 404


@pytest.mark.requirement("RF-4.2.6.4.1.1-02")
def test_a_study_that_nobody_asked_for_is_not_listed(rf: RecordedConsole) -> None:
    asked, other = make_rf_image(), make_rf_image()
    with rf.modality.retrieving(str(asked.StudyInstanceUID)):
        own = Address("HDR_QR_SCU", rf.recorded.ports["storage_scp"])
        with associated(own, [asked.SOPClassUID], calling=TITLE) as association:
            assert [association.send_c_store(each).Status for each in (asked, other)] == [0, 0]
    assert list_studies(rf) == [asked.StudyInstanceUID]
    assert rf.visitor.get(f"/images/study/{other.StudyInstanceUID}").status_code == 404
    assert rf.visitor.get(f"/images/instance/{other.SOPInstanceUID}/thumbnail").status_code == 404, "nor displayed"
    rf.modality.delete("STUDY", str(asked.StudyInstanceUID), force=True)


def make_rf_image() -> Dataset:
    """An image of a study of its own."""
    image = next(instances("rf", "RF Image", None))[1]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, generate_uid())
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    return image


def examine(desk: RecordedConsole) -> tuple[str, str]:
    """An exam of one image that has ended: its study and its image."""
    with desk.modality.exam(patient={"PatientID": "7", "PatientName": "Roe^Ann"}) as exam:
        uid = add_image(exam.series("A", ProtocolName="A"))
    return exam.study_instance_uid, uid


@pytest.mark.requirement("RF-4.1.1-01", "RF-4.2.2.4.1.3.1-01", "RF-4.4.2-19")
def test_images_are_sent_by_hand_too_and_deleted_once_they_are_committed(rf: RecordedConsole) -> None:
    study, uid = examine(rf)
    assert [each.data.SOPInstanceUID for each in rf.wait_for("C-STORE-RQ")] == [uid], "by itself"
    assert rf.modality.wait_until_idle(20)
    rf.visitor.post(f"/images/study/{study}/send", peer="hospital")
    assert [each.data.SOPInstanceUID for each in rf.wait_for("C-STORE-RQ", 2)] == [uid, uid]
    assert rf.modality.wait_until_idle(20)
    rf.visitor.post(f"/images/study/{study}/commit", peer="hospital")
    (asked,) = rf.wait_for("N-ACTION-RQ")
    rf.settle()
    before = rf.read(f"/images/study/{study}")
    assert "It may not be deleted now" in before or "Delete them all the same" in before
    rf.visitor.post(f"/images/study/{study}/delete")
    assert list_studies(rf) == [study], "not before it is committed"
    own = listening(rf.recorded, "storage_commitment", "ADR_S_COMM_SCU")
    named = list(asked.data.ReferencedSOPSequence)
    assert rf.recorder.report(own, asked.data.TransactionUID, named) == 0
    assert rf.modality.wait_until_idle(20)
    page = rf.read(f"/images/study/{study}")
    assert "An archive has promised to keep all of it." in page
    assert "Delete them all the same" not in page
    rf.visitor.post(f"/images/study/{study}/delete")
    assert list_studies(rf) == []
