from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID

from openmodality.standard.sop_classes import COMPUTED_RADIOGRAPHY_IMAGE_STORAGE, MR_IMAGE_STORAGE
from tests.acceptance import command_line
from tests.acceptance.command_line import receiving, serving, wait_for_files
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import call, openmodality
from tests.peers import dcmtk
from tests.peers.objects import mr_series
from tests.peers.process import Address, free_port


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with in_hospital(tmp_path) as place:
        yield place


def _stored(place: Place, folder: Path, count: int = 3, sop_class_uid: str = MR_IMAGE_STORAGE) -> str:
    """Send a series to the hospital's archive; its Study Instance UID."""
    files = mr_series(folder, count, PatientName="Query^Quirin", PatientID="Q-1")
    for file in files:
        instance = dcmread(file)
        instance.SOPClassUID = instance.file_meta.MediaStorageSOPClassUID = UID(sop_class_uid)
        instance.save_as(file)
    assert call(["send", str(place.hospital.pacs_peer), str(folder)], folder)[0] == 0
    return str(dcmread(files[0]).StudyInstanceUID)


def test_every_level_of_the_virtual_archive(place: Place, tmp_path: Path) -> None:
    study = _stored(place, tmp_path / "images")
    peer = place.hospital.pacs_peer
    studies = openmodality("query", peer, "--level", "study", "-k", "PatientID=Q-1", "--json")
    assert [match["StudyInstanceUID"] for match in studies.items] == [study]
    assert studies.items[0]["PatientName"] == "Query^Quirin"
    key = f"StudyInstanceUID={study}"
    series = openmodality("query", "pacs", "-c", place.site, "--level", "SERIES", "-k", key, "--json").items
    keys = ("-k", key, "-k", f"SeriesInstanceUID={series[0]['SeriesInstanceUID']}")
    images = openmodality("query", peer, "--level", "IMAGE", *keys)
    assert len(images.out.splitlines()) == 4
    patients = openmodality("query", peer, "--level", "PATIENT", "-k", "PatientName=QUERY*", "--json")
    assert [match["PatientID"] for match in patients.items] == ["Q-1"]
    nothing = openmodality("query", peer, "--level", "STUDY", "-k", "PatientID=none")
    assert (nothing.status, nothing.error_line) == (0, "nothing matches")


def test_what_is_missing_is_said(place: Place) -> None:
    peer = place.hospital.pacs_peer
    ended = command_line.openmodality("query", peer, "--level", "SERIES")
    assert ended.status == 1
    assert str(peer) in ended.error_line
    assert "-k StudyInstanceUID=..." in ended.error_line
    assert openmodality("query", peer, "--level", "PATIENT", "--model", "study").status == 2
    assert openmodality("query", "nobody", "-c", place.site, "--level", "STUDY").status == 2


def test_retrieve_to_a_receiver(place: Place, tmp_path: Path) -> None:
    study = _stored(place, tmp_path / "images")
    peer = place.hospital.pacs_peer
    with receiving(tmp_path / "in", aet="RECEIVER") as receiver:
        place.hospital.peers["RECEIVER"] = (receiver.address.host, receiver.address.port)
        ended = openmodality("retrieve", peer, "--study", study, "--to", "RECEIVER", "--json")
        wait_for_files(receiver, 3)
    assert ended.status == 0
    assert (ended.item["completed"], ended.item["failed"], ended.item["outcome"]) == (3, 0, "done")
    unknown = command_line.openmodality("retrieve", peer, "--study", study, "--to", "STRANGER")
    assert unknown.status == 1
    assert "A801" in unknown.error_line
    assert "let the peer know STRANGER" in unknown.error_line
    assert openmodality("retrieve", peer, "--study", study, "--instance", "1.2.3").status == 2


def test_retrieve_listens_itself_where_it_is_told_a_folder(place: Place, tmp_path: Path) -> None:
    study = _stored(place, tmp_path / "images")
    port = free_port()
    place.hospital.peers["OPENMODALITY"] = ("127.0.0.1", port)
    asked = ("retrieve", place.hospital.pacs_peer, "--study", study)
    ended = openmodality(*asked, "--output", tmp_path / "in", "--port", port, "--json")
    assert (ended.status, ended.item["completed"], ended.item["refused_here"]) == (0, 3, "")
    files = {path.stem for path in (tmp_path / "in").glob("*.dcm")}
    assert set(ended.item["received_sop_instance_uids"]) == files
    assert len(files) == 3
    for wrong in (("--port", port), ("--output", tmp_path), ("--output", tmp_path, "--port", port, "--to", "RECEIVER")):
        assert openmodality(*asked, *wrong).status == 2


@pytest.mark.needs("dcmqrscp")
def test_query_and_retrieve_with_dcmtk(tmp_path: Path) -> None:
    files = mr_series(tmp_path / "images", 4, PatientID="Q-2")
    first = dcmread(files[0])
    with receiving(tmp_path / "in", aet="RECEIVER") as receiver:
        known = {"receiver": Address("RECEIVER", receiver.address.port)}
        with dcmtk.dcmqrscp(tmp_path, known=known) as archive:
            assert openmodality("send", archive, tmp_path / "images").status == 0
            found = openmodality("query", archive, "-k", "PatientID=Q-2", "--json")
            uids = ("--study", first.StudyInstanceUID, "--series", first.SeriesInstanceUID)
            one = openmodality(
                "retrieve", archive, *uids, "--instance", first.SOPInstanceUID, "--to", "RECEIVER", "--json"
            )
            wait_for_files(receiver, 1)
            rest = openmodality(
                "retrieve", archive, *uids[:2], "--to", "RECEIVER", "--model", "patient", "--patient-id", "Q-2"
            )
            wait_for_files(receiver, 4)
    assert [match["StudyInstanceUID"] for match in found.items] == [first.StudyInstanceUID]
    assert (one.status, one.item["completed"]) == (0, 1)
    assert rest.status == 0
    assert "4 instances sent to RECEIVER" in rest.out


@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize("served", [True, False], ids=["served", "by itself"])
def test_retrieve_into_the_local_database(tmp_path: Path, profile: str, served: bool) -> None:
    kept = {"mr": MR_IMAGE_STORAGE, "rf": COMPUTED_RADIOGRAPHY_IMAGE_STORAGE}[profile]
    with in_hospital(tmp_path, profile) as place:
        study = _stored(place, tmp_path / "images", sop_class_uid=kept)
        with serving(place.site) if served else contextlib.nullcontext():
            ended = openmodality("retrieve", "pacs", "-c", place.site, "--study", study, "--json")
            assert (ended.status, ended.item["completed"]) == (0, 3)
            assert ended.item["destination"] == {"mr": "OM_MR", "rf": "HDR_QR_SCU"}[profile]
            studies = openmodality("studies", "list", "-c", place.site, "--json").items
    assert [(each["StudyInstanceUID"], each["instances"]) for each in studies] == [(study, 3)]


@pytest.mark.requirement("RF-4.2.6.4.1.1-01")
def test_takes_instances_only_while_retrieving(tmp_path: Path) -> None:
    with in_hospital(tmp_path, "rf") as place:
        study = _stored(place, tmp_path / "images", sop_class_uid=COMPUTED_RADIOGRAPHY_IMAGE_STORAGE)
        here = f"HDR_QR_SCU@127.0.0.1:{place.hospital.peers['HDR_QR_SCU'][1]}"
        push = ("send", here, tmp_path / "images", "--calling", "OM_PACS")
        with serving(place.site):
            before = openmodality(*push)
            assert openmodality("retrieve", "pacs", "-c", place.site, "--study", study).status == 0
            after = openmodality(*push)
    assert before.status == 1
    assert "temporary-congestion" in before.err
    assert after.status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retrieve", "A@localhost:104", "--study", "1.2", "--to", ""], "'' is not an AE title"),
        (["retrieve", "A@localhost:104", "--study", ""], "--study: it is empty; see 'openmodality retrieve --help'"),
        (["retrieve", "A@localhost:104", "--study", "1.2", "--series", ""], "--series: it is empty"),
        (["commit", "pacs", "--study", "1.2", "--instance", " "], "--instance: it is empty"),
    ],
    ids=["to", "study", "series", "instance"],
)
def test_an_unset_variable_of_a_shell_asks_for_nothing_else(words: list[str], said: str, tmp_path: Path) -> None:
    status, printed = call(words, tmp_path)
    assert (status, said in printed) == (2, True)


@pytest.mark.parametrize("served", [True, False], ids=["served", "by itself"])
def test_what_the_device_refuses_is_named(tmp_path: Path, served: bool) -> None:
    with in_hospital(tmp_path) as place:
        study = _stored(place, tmp_path / "images", 2, "1.2.840.10008.5.1.4.1.1.2")
        with serving(place.site) if served else contextlib.nullcontext():
            ended = openmodality("retrieve", "pacs", "-c", place.site, "--study", study)
    assert ended.status == 1
    assert "this side refused it: it takes no CT Image Storage: abstract-syntax-not-supported" in ended.err
