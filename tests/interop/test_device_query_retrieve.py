"""The device's query and retrieve before DCMTK and Orthanc, in both roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.activities.retrieve_plan import NothingToRetrieve
from tests.interop.sites import PeerTable, write_site
from tests.peers import dcmtk, orthanc
from tests.peers.objects import mr_image, mr_series, save
from tests.peers.process import Address, Server, free_port

INCOMING = ["verification", "storage", "query_retrieve"]
STUDY, OTHER = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"
NAME = "Müller^Jörg"


@dataclass(frozen=True, slots=True)
class Place:
    """A device with one study of three images of one patient and one image of another, and where it can send."""

    modality: Modality
    address: Address
    store: Server
    uids: list[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("device")
    with ExitStack() as stack:
        store = stack.enter_context(dcmtk.storescp(folder / "store", aet="STORE"))
        tables = [
            PeerTable("tester", Address("TESTER", 1), ["query_retrieve"], {"incoming": INCOMING}),
            PeerTable("store", store, ["storage"]),
        ]
        site = write_site(folder, "mr", tables)
        text = site.path.read_text("utf-8")
        site.path.write_text(f'extensions = ["c_get"]\n{text}', "utf-8")
        modality = stack.enter_context(Modality(site.path))
        paths = mr_series(
            folder / "in", 3, rows=16, columns=16, StudyInstanceUID=STUDY, PatientName=NAME, PatientID="7"
        )
        modality.import_files([*paths, save(mr_image(StudyInstanceUID=OTHER, PatientID="8"), folder / "in")])
        modality.serve()
        yield Place(modality, site.device, store, sorted(path.stem for path in paths))


@pytest.mark.needs("findscu", "storescp")
@pytest.mark.parametrize("model", ["-P", "-S"])
def test_findscu_gets_an_answer_for_each_match(place: Place, model: str, tmp_path: Path) -> None:
    level = ("-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k", "PatientName")
    found = dcmtk.scu(
        "findscu", place.address, model, *level, "-k", "PatientID=7", "-k", "NumberOfStudyRelatedInstances"
    )
    assert found.status == 0, found.output
    assert found.output.count("(Pending)") == 1
    assert STUDY in found.output
    assert "OM_MR" in found.output
    lowest = ("-k", "QueryRetrieveLevel=IMAGE", "-k", "SOPInstanceUID")
    refused = dcmtk.scu("findscu", place.address, "-v", model, *lowest)
    assert re.search("a900|does ?not ?match", refused.output, re.IGNORECASE), refused.output


@pytest.mark.needs("movescu", "storescp")
@pytest.mark.requirement("MR-2.1-03", "MR-3-03")
@pytest.mark.parametrize("model", ["-P", "-S"])
def test_movescu_lets_the_device_send(place: Place, model: str) -> None:
    for file in place.store.files():
        file.unlink()
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}", "-k", "PatientID=7")
    moved = dcmtk.scu("movescu", place.address, model, "-aem", "STORE", *keys)
    assert moved.status == 0, moved.output
    assert sorted(file.name.split(".", 1)[1] for file in place.store.files()) == place.uids
    unknown = dcmtk.scu("movescu", place.address, model, "-v", "-aem", "NOBODY", *keys)
    assert "MoveDestinationUnknown" in unknown.output


@pytest.mark.needs("getscu", "storescp")
@pytest.mark.parametrize("model", ["-P", "-S"])
def test_getscu_gets_them_on_its_own_association(place: Place, model: str, tmp_path: Path) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}", "-k", "PatientID=7")
    got = dcmtk.scu("getscu", place.address, model, "-od", tmp_path, *keys)
    assert got.status == 0, got.output
    assert sorted(file.name.split(".", 1)[1] for file in tmp_path.iterdir()) == place.uids


@pytest.mark.needs("storescu", "findscu", "storescp")
def test_what_storescu_sends_is_found_and_moved(place: Place, tmp_path: Path) -> None:
    image = mr_image(rows=8, columns=8, PatientID="9", StudyInstanceUID="1.2.826.0.1.3680043.8.498.9")
    assert dcmtk.scu("storescu", place.address, save(image, tmp_path)).status == 0
    keys = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={image.StudyInstanceUID}")
    assert dcmtk.scu("findscu", place.address, *keys).output.count("(Pending)") == 1
    assert dcmtk.scu("movescu", place.address, "-aem", "STORE", *keys).status == 0
    assert any(image.SOPInstanceUID in file.name for file in place.store.files())


@contextmanager
def at_archive(folder: Path, archive: Server, port: int) -> Iterator[Modality]:
    """A device that retrieves from an archive, with C-GET allowed."""
    table = PeerTable("pacs", archive, ["verification", "storage", "query_retrieve"])
    site = write_site(folder, "mr", [table], port=port)
    text = site.path.read_text("utf-8")
    site.path.write_text(f'extensions = ["c_get"]\n{text}', "utf-8")
    with Modality(site.path) as modality:
        yield modality


def retrieve_all_ways(modality: Modality, archive: Server, folder: Path) -> None:
    """Query on each level, retrieve, lose one image, resume, and get the rest of it by C-GET."""
    paths = mr_series(folder / "in", 3, rows=16, columns=16, StudyInstanceUID=STUDY, PatientName=NAME, PatientID="7")
    for path in paths:
        assert dcmtk.scu("storescu", archive, path).status == 0
    uids = sorted(path.stem for path in paths)
    (study,) = modality.query("STUDY", PatientID="7", PatientName="M*").items
    assert study.StudyInstanceUID == STUDY
    (series,) = modality.query("SERIES", StudyInstanceUID=STUDY).items
    images = modality.query("IMAGE", StudyInstanceUID=STUDY, SeriesInstanceUID=series.SeriesInstanceUID).items
    assert sorted(str(each.SOPInstanceUID) for each in images) == uids
    with pytest.raises(NothingToRetrieve):
        modality.retrieve("1.2.3")

    assert modality.retrieve(STUDY).counts.completed == 3
    assert sorted(each["SOPInstanceUID"] for each in modality.instances()) == uids
    assert [each["PatientName"] for each in modality.studies()] == [NAME]
    modality.delete("IMAGE", uids[1], force=True)
    resumed = modality.retrieve(STUDY, resume=True)
    assert (resumed.verdict.is_done, resumed.counts.completed) == (True, 1)
    assert modality.retrieve(STUDY, resume=True).counts.completed == 0

    modality.delete("STUDY", STUDY, force=True)
    result, arrivals = modality.get(STUDY)
    assert (result.counts.completed, sorted(arrivals.stored)) == (3, uids)
    assert sorted(each["SOPInstanceUID"] for each in modality.instances()) == uids


@pytest.mark.needs("dcmqrscp", "storescu")
def test_dcmqrscp_is_queried_and_retrieved_from(tmp_path: Path) -> None:
    port = free_port()
    known = {"device": Address("OM_MR", port)}
    with (
        dcmtk.dcmqrscp(tmp_path / "qr", aet="QRSCP", known=known) as archive,
        at_archive(tmp_path / "site", archive, port) as modality,
    ):
        retrieve_all_ways(modality, archive, tmp_path)
        assert len(modality.instances()) == 3, "each image once, however often it was retrieved"


@pytest.mark.needs("Orthanc", "storescu")
def test_orthanc_is_queried_and_retrieved_from(tmp_path: Path) -> None:
    port = free_port()
    with (
        orthanc.orthanc(tmp_path / "pacs", known={"device": Address("OM_MR", port)}) as archive,
        at_archive(tmp_path / "site", archive, port) as modality,
    ):
        retrieve_all_ways(modality, archive, tmp_path)
        assert len(modality.instances()) == 3, "each image once, however often it was retrieved"


@pytest.mark.needs("Orthanc")
def test_orthanc_queries_the_device_and_retrieves_from_it(tmp_path: Path) -> None:
    port = free_port()
    with orthanc.orthanc(tmp_path / "pacs", known={"device": Address("OM_MR", port)}) as archive:
        table = PeerTable("pacs", archive, ["storage"], {"incoming": INCOMING})
        site = write_site(tmp_path / "site", "mr", [table], port=port)
        with Modality(site.path) as modality:
            paths = mr_series(tmp_path / "in", 2, rows=16, columns=16, StudyInstanceUID=STUDY, PatientName=NAME)
            modality.import_files(paths)
            modality.serve()
            body = {"Level": "Study", "Query": {"PatientName": "M*", "StudyInstanceUID": ""}}
            query = archive.rest.post("/modalities/device/query", json=body).raise_for_status().json()["ID"]
            (number,) = archive.rest.get(f"/queries/{query}/answers").json()
            found = archive.rest.get(f"/queries/{query}/answers/{number}/content", params={"simplify": ""}).json()
            assert (found["PatientName"], found["StudyInstanceUID"]) == (NAME, STUDY)
            asked = {"TargetAet": archive.aet, "Synchronous": True}
            archive.rest.post(f"/queries/{query}/retrieve", json=asked, timeout=30).raise_for_status()
            assert archive.instances() == sorted(path.stem for path in paths)


@pytest.mark.needs("dcmqrscp")
def test_the_device_moves_to_dcmqrscp(tmp_path: Path) -> None:
    with dcmtk.dcmqrscp(tmp_path / "qr", aet="QRSCP") as archive:
        tables = [
            PeerTable("tester", Address("TESTER", 1), [], {"incoming": INCOMING}),
            PeerTable("qr", archive, ["storage"]),
        ]
        site = write_site(tmp_path / "site", "mr", tables)
        with Modality(site.path) as modality:
            modality.import_files(mr_series(tmp_path / "in", 2, rows=16, columns=16, StudyInstanceUID=STUDY))
            modality.serve()
            keys = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}")
            assert dcmtk.scu("movescu", site.device, "-aem", "QRSCP", *keys).status == 0
            found = dcmtk.scu("findscu", archive, *keys, "-k", "NumberOfStudyRelatedInstances")
            assert found.output.count("(Pending)") == 1
