"""DCMTK, pynetdicom and Orthanc store to our acceptor (PS3.4 Annex B)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, Verification  # type: ignore[attr-defined]

from openmodality.dimse.service import Refuse
from openmodality.network.entity import LocalAE
from tests.interop import contents, ours
from tests.peers import dcmtk, objects, orthanc, pynetdicom_ae
from tests.peers.process import run, wait_until

OPTION = {
    JPEGBaseline8Bit: "-xy", JPEGLosslessSV1: "-xs", JPEG2000Lossless: "-xv", JPEGLSLossless: "-xt", RLELossless: "-xr"
}  # fmt: skip


@pytest.mark.needs("storescu")
@pytest.mark.parametrize("proposal", [["-x="], ["-xe"], ["-xb"], ["-xi"], ["-xe", "-R"], ["-xb", "-R", "+C"]])
@pytest.mark.parametrize("transfer_syntax", contents.UNCOMPRESSED, ids=contents.NAMES.get)
def test_dcmtk_sends_uncompressed_files_in_every_proposal(
    tmp_path: Path, transfer_syntax: str, proposal: list[str]
) -> None:
    path = contents.saved(transfer_syntax, tmp_path / "files")
    with ours.archive(tmp_path / "received") as here:
        done = dcmtk.scu("storescu", here, *proposal, path)
        assert done.status == 0, done.output
        [file] = here.folder.files()
        assert here.folder.requests[0].peer.implementation_version_name.startswith("OFFIS_DCMTK")
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescu")
def test_explicit_big_endian_alone_is_stored_as_it_comes(tmp_path: Path) -> None:
    path = contents.saved(ExplicitVRBigEndian, tmp_path / "files")
    with (
        ours.archive(tmp_path / "received") as here,
        pynetdicom_ae.associated(here, [MRImageStorage], transfer_syntaxes=[ExplicitVRBigEndian]) as association,
    ):
        assert association.send_c_store(path).Status == 0
        [file] = here.folder.files()
    assert dcmread(file).file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescu")
@pytest.mark.parametrize("combined", [[], ["+C"]], ids=["separate", "combined"])
def test_dcmtk_sends_a_folder_of_everything_it_can_propose(tmp_path: Path, combined: list[str]) -> None:
    paths = [contents.saved(syntax, tmp_path / "files") for syntax in contents.UNCOMPRESSED]
    paths.append(objects.save(objects.ct_image(), tmp_path / "files"))
    with ours.archive(tmp_path / "received") as here:
        done = dcmtk.scu("storescu", here, "+sd", *combined, tmp_path / "files")
        assert done.status == 0, done.output
        assert {file.name for file in here.folder.files()} == {path.name for path in paths}


@pytest.mark.needs("storescu")
@pytest.mark.parametrize("receive", [4096, 16384, 131072])
@pytest.mark.parametrize("limit", [4096, 32768, 131072, 999999, 0])
def test_no_pdu_is_longer_than_either_side_allows(tmp_path: Path, limit: int, receive: int) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path / "files")
    local = LocalAE("OURS", max_pdu_length=limit, timeouts=ours.PATIENT)
    with ours.archive(tmp_path / "received", local=local) as here:
        done = dcmtk.scu("storescu", here, "--max-pdu", receive, path)
        assert done.status == 0, done.output
        [file] = here.folder.files()
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescu", "dcmcjpeg")
@pytest.mark.parametrize("transfer_syntax", contents.COMPRESSED, ids=contents.NAMES.get)
def test_compressed_files_are_stored_as_they_are(tmp_path: Path, transfer_syntax: str) -> None:
    path = contents.saved(transfer_syntax, tmp_path / "files")
    with ours.archive(tmp_path / "received") as here:
        done = dcmtk.scu("storescu", here, OPTION[transfer_syntax], path)  # type: ignore[index]
        assert done.status == 0, done.output
        [file] = here.folder.files()
    assert here.folder.requests[0].transfer_syntax == transfer_syntax
    assert dcmread(file).PixelData == dcmread(path).PixelData


@pytest.mark.needs("storescu", "dcmconv")
def test_deflated_data_sets_are_stored_as_they_are(tmp_path: Path) -> None:
    """INTEROP trap 26: deflated data sets get inflated or mis-sent."""
    path = objects.save(objects.mr_image(), tmp_path / "files")
    deflated = tmp_path / "deflated.dcm"
    assert run("dcmconv", "+td", path, deflated).status == 0
    with ours.archive(tmp_path / "received") as here:
        done = dcmtk.scu("storescu", here, "-xd", deflated)
        assert done.status == 0, done.output
        [file] = here.folder.files()
    assert here.folder.requests[0].transfer_syntax == "1.2.840.10008.1.2.1.99"
    contents.assert_same_content(path, file)


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC001, 0x0117])
def test_pynetdicom_sees_our_refusal_with_its_comment(tmp_path: Path, status: int) -> None:
    with (
        ours.archive(tmp_path) as here,
        pynetdicom_ae.associated(here, [MRImageStorage]) as association,
    ):
        here.folder.refusal = Refuse(status, "not today")
        answer = association.send_c_store(objects.mr_image())
        assert (answer.Status, answer.ErrorComment) == (status, "not today")
        here.folder.refusal = None
        assert association.send_c_store(objects.mr_image()).Status == 0, "the association stays usable"


def test_many_associations_of_pynetdicom_at_once(tmp_path: Path) -> None:
    images = [objects.mr_image(seed=number) for number in range(4)]
    with ours.archive(tmp_path) as here:
        with (
            pynetdicom_ae.associated(here, [MRImageStorage], calling="ONE") as one,
            pynetdicom_ae.associated(here, [MRImageStorage, CTImageStorage], calling="TWO") as two,
        ):
            assert here.acceptor.open_associations == 2
            statuses = [a.send_c_store(image).Status for image in images for a in (one, two)]
        assert statuses == [0] * 8
        assert {request.peer.calling_ae_title for request in here.folder.requests} == {"ONE", "TWO"}
    assert len(here.folder.files()) == 4


def test_pynetdicom_aborts_in_the_middle_of_an_object(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here:
        entity_contexts = [Verification, MRImageStorage]
        with pynetdicom_ae.associated(here, entity_contexts, transfer_syntaxes=[ImplicitVRLittleEndian]) as association:
            assert association.send_c_echo().Status == 0
            association.abort()
        here.wait_until_idle()
        with pynetdicom_ae.associated(here, [Verification]) as association:
            assert association.send_c_echo().Status == 0


@pytest.mark.needs("Orthanc")
def test_orthanc_stores_to_us(tmp_path: Path) -> None:
    image = objects.mr_image(rows=128, columns=128)
    path = objects.save(image, tmp_path / "files")
    with (
        ours.archive(tmp_path / "received") as here,
        orthanc.orthanc(tmp_path / "pacs", known={"OURS": here}) as pacs,
    ):
        pacs.rest.post("/instances", content=path.read_bytes()).raise_for_status()
        wait_until(lambda: len(pacs.instances()) == 1, what="the instance in Orthanc")
        identifiers = pacs.rest.get("/instances").json()
        sent = pacs.rest.post("/modalities/OURS/store", json=identifiers).raise_for_status().json()
        assert (sent["InstancesCount"], sent["FailedInstancesCount"]) == (1, 0)
        [file] = here.folder.files()
        assert here.folder.requests[0].peer.calling_ae_title == "ORTHANC"
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescu")
def test_a_big_object_comes_in_small_pieces(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(rows=2048, columns=2048), tmp_path / "files")
    local = LocalAE("OURS", max_pdu_length=4096, timeouts=ours.PATIENT)
    with ours.archive(tmp_path / "received", local=local) as here:
        assert dcmtk.scu("storescu", here, path).status == 0
        [file] = here.folder.files()
    assert dcmread(file).PixelData == dcmread(path).PixelData
    assert dcmread(file).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
