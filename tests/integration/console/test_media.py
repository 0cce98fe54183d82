"""Media: a disc is put together, made and fetched; a disc that is there is listed and copied from, read by pydicom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

from openmodality import Modality
from openmodality.audit.codes import EventKind
from openmodality.console.server import ConsoleServer
from openmodality.console.uploads import UPLOAD_FOLDER, UploadPlace
from openmodality.jobs.job import Job
from openmodality.standard.sop_classes import X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
from openmodality.store.files.instance_file import StorageFull
from openmodality.store.listing.audit import AuditSearch
from openmodality.store.states import JobKind, JobState
from tests.console_site import ConsolePlace, Visitor
from tests.made_objects import instances
from tests.peers.objects import mr_series
from tests.peers.process import free_port, wait_until
from tests.rest_client import RestProgram, add_program

SITE = """
profile = "{profile}"
[data]
durability = "os"
[media]
readers = ["stick"]
drives = ["{drive}"]
burn_command = "cp {{image}} {{device}}"
[console]
port = {port}
{more}
"""
ISO = {"content-type": "application/x-iso9660-image"}
KIT = {"mr": "", "rf": "[parameters.kits]\nmedia = true\n"}


@dataclass
class Desk:
    """A user at the page Media of a device with a study of three MR images and one of another patient."""

    place: ConsolePlace
    visitor: Visitor
    folder: Path
    study: str
    other: str

    def put(self, **what: str) -> str:
        """Add something to the disc; the page then."""
        self.visitor.post("/media/add", **what)
        return self.visitor.get("/media").text

    def make(self, **fields: str) -> str:
        """Make the disc; the page then."""
        version = re.search(r'name="version" value="(\d+)"', self.visitor.get("/media").text)
        assert version
        self.visitor.post("/media/make", **{"version": version[1], "label": "DISC", **fields})
        assert self.place.modality.wait_until_idle(60)
        return self.visitor.get("/media").text

    @property
    def jobs(self) -> list[Job]:
        return self.place.modality.jobs.list(kinds=[JobKind.MEDIA])

    def find_disc(self) -> Path:
        """The folder of the newest disc."""
        return Path(str(self.jobs[0].parameters["target"]))

    def list_disc(self, root: str, level: str, **keys: str) -> str:
        """The records of a disc as the page lists them."""
        self.visitor.post("/media/disc", root=root, level=level, **keys)
        wait_until(lambda: "Reading" not in self.visitor.get("/media/disc").text, timeout_s=20)
        return self.visitor.get("/media").text

    def copy(self, *records: str) -> str:
        """Copy what is ticked; the page then."""
        number = re.search(r'action="/media/copy".*?name="number" value="(\d+)"', self.visitor.get("/media").text)
        assert number
        for record in records:
            self.visitor.post("/media/copy", number=number[1], record=record)
            wait_until(lambda: "Copying from" not in self.visitor.get("/media/disc").text, timeout_s=20)
        return self.visitor.get("/media/disc").text


def start_desk(folder: Path, profile: str, stack: ExitStack) -> Desk:
    folder.mkdir(parents=True, exist_ok=True)
    site = folder / "site.toml"
    site.write_text(
        SITE.format(profile=profile, drive=folder / "burner", port=free_port(), more=KIT[profile]), encoding="utf-8"
    )
    modality = stack.enter_context(Modality(site))
    for number, name in enumerate(("First^<b>", "Second^Patient"), start=1):
        paths = mr_series(folder / f"source{number}", 4 - 2 * number + 1, PatientID=f"P{number}", PatientName=name)
        modality.import_files(paths)
    first, other = (modality.studies(PatientID=f"P{number}")[0]["StudyInstanceUID"] for number in (1, 2))
    server = stack.enter_context(ConsoleServer(modality))
    place = ConsolePlace(None, site, modality, server, stack)  # type: ignore[arg-type]
    place.add_user("anna", "operator")
    return Desk(place, place.log_in("anna"), folder, first, other)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield start_desk(tmp_path_factory.mktemp("media") / "mr", "mr", stack)


@pytest.fixture(autouse=True)
def begin_anew(request: pytest.FixtureRequest) -> None:
    if "desk" in request.fixturenames:
        request.getfixturevalue("desk").visitor.post("/media/remove", all="yes")


def read_files(folder: Path) -> list[Dataset]:
    """The instances that the directory of a disc names, as pydicom reads them."""
    records = dcmread(folder / "DICOMDIR").DirectoryRecordSequence
    return [dcmread(folder.joinpath(*each.ReferencedFileID)) for each in records if "ReferencedFileID" in each]


@pytest.mark.requirement("MR-2.5.1-03")
def test_what_was_chosen_is_on_the_disc_and_its_image_is_fetched(desk: Desk) -> None:
    page = desk.put(patient="P1")
    assert "3 of" not in page
    assert "First, &lt;b&gt; (P1)" in page
    assert "of 650 MB" not in page
    desk.visitor.post("/media/choices", profile="STD-CTMR-CD", label="DISC")
    assert "of 650 MB" in desk.visitor.get("/media").text
    said = desk.make(profile="STD-CTMR-CD", label="my disc", pages="yes")
    (job, *_) = desk.jobs
    assert job.state is JobState.DONE, job.reason
    assert (job.parameters["profile"], job.parameters["label"]) == ("STD-CTMR-CD", "MY_DISC")
    made = {each["SOPInstanceUID"] for each in desk.place.modality.instances(StudyInstanceUID=desk.study)}
    assert {each.SOPInstanceUID for each in read_files(desk.find_disc())} == made
    assert (desk.find_disc() / "INDEX.HTM").exists()
    assert f'href="/media/image/{job.id}"' in said
    before = len(list_exports(desk))
    image = desk.visitor.get(f"/media/image/{job.id}").content
    assert (len(list_exports(desk)), "anna" in list_exports(desk)[0]) == (before + 1, True)
    assert image[16 * 2048 + 1 : 16 * 2048 + 6] == b"CD001"
    assert desk.visitor.get("/media/image/9999").status_code == 404


def test_the_images_of_several_discs_are_fetched_one_by_one(desk: Desk) -> None:
    desk.put(study=desk.study)
    desk.make(label="many", pages="yes")
    job = desk.jobs[0]
    folder, image = Path(str(job.parameters["target"])), Path(str(job.parameters["image"]))
    for number in (2, 10):  # as a job leaves them where one disc is too small
        copytree(folder, folder.with_name(f"{folder.name}-{number}"))
        image.with_name(f"{image.stem}-{number}.iso").write_bytes(b"%d" % number)
    folder.rename(folder.with_name(f"{folder.name}-1"))
    image.rename(image.with_name(f"{image.stem}-1.iso"))
    page = desk.visitor.get("/media").text
    assert [f'href="/media/image/{job.id}?disc={disc}">Fetch image {disc}<' in page for disc in (1, 2, 3, 4)] == [
        True, True, True, False,
    ]  # fmt: skip
    fetched = desk.visitor.get(f"/media/image/{job.id}?disc=3")
    assert (fetched.content, f"{image.stem}-10.iso" in fetched.headers["content-disposition"]) == (b"10", True)
    assert desk.visitor.get(f"/media/image/{job.id}?disc=4").status_code == 404


def test_a_disc_is_burnt_in_a_drive_of_the_site_alone(desk: Desk) -> None:
    desk.put(study=desk.study)
    before = len(desk.jobs)
    assert "is no drive of this device" in desk.make(target="/etc/passwd")
    assert len(desk.jobs) == before
    drive = desk.folder / "burner"
    desk.make(target=str(drive))
    assert (desk.jobs[0].state, desk.jobs[0].destination) == (JobState.DONE, str(drive)), desk.jobs[0].reason
    assert drive.read_bytes() == Path(str(desk.jobs[0].parameters["image"])).read_bytes()


def test_a_name_that_is_none_makes_no_disc_and_is_kept(desk: Desk) -> None:
    desk.put(study=desk.study)
    before = len(desk.jobs)
    page = desk.make(label="what is this?!")
    assert "is no name of a disc" in page
    assert 'value="what is this?!"' in page
    assert len(desk.jobs) == before


def test_instances_of_a_second_patient_are_told_and_put_on_a_disc_only_when_that_is_said(desk: Desk) -> None:
    assert "patients are on this disc" not in desk.put(study=desk.study)
    page = desk.put(study=desk.other)
    assert "Instances of 2 patients are on this disc" in page
    assert "(P1)" in page
    assert "Second, Patient (P2)" in page
    before = len(desk.jobs)
    said = desk.make()
    assert "Nothing was made: there are instances of 2 patients" in said
    assert "(P1) and " in said
    assert len(desk.jobs) == before
    desk.make(several="yes")
    assert desk.jobs[0].state is JobState.DONE, desk.jobs[0].reason
    patients = {each.PatientID for each in read_files(desk.find_disc())}
    assert patients == {"P1", "P2"}


def test_a_disc_that_was_changed_elsewhere_is_looked_at_again(desk: Desk) -> None:
    desk.put(study=desk.study)
    version = re.search(r'name="version" value="(\d+)"', desk.visitor.get("/media").text)
    assert version
    desk.put(study=desk.other)
    before = len(desk.jobs)
    desk.visitor.post("/media/make", version=version[1], label="DISC", several="yes")
    assert "was changed meanwhile" in desk.visitor.get("/media").text
    assert len(desk.jobs) == before


@pytest.mark.requirement("MR-2.5.2-04", "MR-7.2.2-01", "MR-7.2.3-02", "MR-7.2.3-03")
def test_a_disc_is_listed_by_the_query_and_what_is_chosen_is_copied(desk: Desk) -> None:
    stick = desk.place.modality.site.folder / "stick"
    images = [path for patient in ("A", "B") for path in mr_series(desk.folder / patient, 2, PatientID=patient)]
    files = FileSet()
    for path in images:
        files.add(path)
    files.write(stick)
    files._stage["t"].cleanup()
    page = desk.list_disc("stick", "PATIENT", PatientID="A*")
    table = page.partition('action="/media/copy"')[2]
    assert table.count('name="record"') == 1
    assert 'value="A"' in table
    assert desk.list_disc("stick", "IMAGE").partition('action="/media/copy"')[2].count('name="record"') == 4
    chosen = str(dcmread(images[1]).SOPInstanceUID)
    assert "1 instance copied, 0 already here" in desk.copy(chosen)
    modality = desk.place.modality
    assert [each["SOPInstanceUID"] for each in modality.instances(PatientID="A")] == [chosen]
    assert modality.instances(PatientID="B") == []
    desk.list_disc("stick", "PATIENT")
    assert "2 instances copied" in desk.copy("B")
    assert len(modality.instances(PatientID="B")) == 2


def test_nothing_else_of_the_computer_is_read(desk: Desk) -> None:
    for root in ("/etc", "..", "", str(desk.folder)):
        desk.visitor.post("/media/disc", root=root, level="STUDY")
        assert "is not read here" in desk.visitor.get("/media").text
    desk.visitor.post("/media/disc", root="stick", level="BLOCK")
    assert "Reading the directory" not in desk.visitor.get("/media").text


def test_who_may_only_look_makes_nothing(desk: Desk) -> None:
    desk.place.add_user("view", "viewer")
    viewer = desk.place.log_in("view")
    for path in ("/media/add", "/media/make", "/media/choices", "/media/remove", "/media/disc", "/media/copy"):
        assert viewer.post(path, study=desk.study).status_code == 403
    assert viewer.get("/media").status_code == 200


@pytest.fixture(scope="module")
def program(desk: Desk) -> RestProgram:
    return add_program(desk.place, "discs")


def list_exports(desk: Desk) -> list[str]:
    """Who put what on record as leaving this device, newest first."""
    rows = desk.place.modality.audit.find(AuditSearch(kinds=(EventKind.EXPORT.value,))).rows
    return [row.entry.message for row in rows]


def test_a_program_makes_a_disc_and_fetches_its_image(desk: Desk, program: RestProgram) -> None:
    once = {"headers": {"idempotency-key": "disc"}}
    said = program.post("/media", {"studies": [desk.study], "label": "by rest"}, **once)
    assert program.post("/media", {"studies": [desk.study], "label": "by rest"}, **once) == said
    assert desk.place.modality.wait_until_idle(60)
    medium = said["medium"]
    assert medium.startswith("BY_REST-")
    assert {"medium": medium, "made_here": True, "is_there": True, "has_image": True} in program.get("/media")["items"]
    before = len(list_exports(desk))
    image = program.call("GET", f"/media/{medium}/image")
    assert image.headers["content-disposition"].endswith(f'"{medium}.iso"')
    exported, *others = list_exports(desk)
    assert len(others) == before, "that an image was fetched is an event of its own"
    assert ("discs" in exported, desk.study in exported, f"{medium}.iso" in exported) == (True, True, True)
    found = program.call("POST", "/media/records", content=image.content, headers=ISO, params={"level": "IMAGE"}).json()
    made = {each["SOPInstanceUID"] for each in desk.place.modality.instances(StudyInstanceUID=desk.study)}
    assert {each["SOPInstanceUID"] for each in found["items"]} == made
    assert program.get(f"/media/{medium}/records?level=IMAGE")["items"] == found["items"]
    first = program.get(f"/media/{medium}/records?level=IMAGE&limit=2")
    rest = program.get(f"/media/{medium}/records", params={"level": "IMAGE", "cursor": first["next"]})
    assert first["items"] + rest["items"] == found["items"]
    whole = {"whole": True, "problems": []}
    assert program.post(f"/media/{medium}/verify") == {"path": medium, **whole}
    assert program.post("/media/verify", content=image.content, headers=ISO) == {"path": "image", **whole}
    came = program.post("/media/retrieve", content=image.content, headers=ISO, params={"PatientID": "P1"})
    assert came == {"new": 0, "already_there": len(made), "different": 0, "problems": []}
    for path, name in ((f"/media/{medium}/retrieve", medium), ("/media/retrieve?PatientID=NOBODY", "image")):
        asked = (
            {"content": image.content, "headers": ISO} if name == "image" else {"json": {"keys": {"PatientID": "X"}}}
        )
        assert program.fail("POST", path, **asked)["detail"] == f"{name} has no such instances"


def test_an_image_is_unpacked_only_where_it_leaves_room(
    desk: Desk, program: RestProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter((1 << 40, 0))
    monkeypatch.setattr(UploadPlace, "check_space", lambda place, length: check_free(next(free), length))
    assert program.fail("POST", "/media/verify", content=b"no image", headers=ISO)["status"] == 507
    assert not list((desk.place.modality.site.data_folder / UPLOAD_FOLDER).iterdir())


def check_free(free: int, length: int) -> None:
    if free <= length:
        raise StorageFull("no room")


def test_a_disc_that_a_program_adds_to_has_no_image_until_it_is_made_anew(desk: Desk, program: RestProgram) -> None:
    medium = program.post("/media", {"studies": [desk.study], "pages": False})["medium"]
    assert desk.place.modality.wait_until_idle(60)
    job = program.post(f"/media/{medium}/update", {"studies": [desk.other], "several_patients": True, "pages": False})
    assert desk.place.modality.wait_until_idle(60)
    assert program.get(f"/jobs/{job['job']}")["state"] == "done"
    assert program.fail("GET", f"/media/{medium}/image")["status"] == 409
    made = program.post(f"/media/{medium}/iso", {"label": "MORE"})
    image = program.call("GET", f"/media/{medium}/image").content
    assert (made["image"], made["length_bytes"]) == (f"{medium}.iso", len(image))
    (folder,) = [each.root for each in desk.place.modality.media.list_media() if each.name == medium]
    assert {each.PatientID for each in read_files(folder)} == {"P1", "P2"}


def test_a_program_reads_what_the_site_names_and_nothing_else(desk: Desk, program: RestProgram) -> None:
    stick = program.get("/media")["items"][0]
    assert (stick["medium"], stick["made_here"]) == ("stick", False)
    for name in ("..", "etc", "%2e%2e", "%2Fetc", ".%2Fstick"):
        assert program.call("GET", f"/media/{name}/records").status_code == 404
    assert program.fail("POST", "/media", json={"studies": [desk.study], "drive": "/etc/x"})["status"] == 409
    assert program.fail("POST", "/media", json={"studies": ["1.2.3"]})["status"] == 404
    assert program.fail("POST", "/media", json={"studies": [desk.study], "label": "?!"})["status"] == 400
    broken = program.fail("POST", "/media/verify", content=b"CD001" * 9000, headers=ISO)
    assert broken["status"] == 422
    assert "/" not in broken["detail"], "where the upload lay is nothing to who sent it"
    assert program.fail("POST", "/media/verify", content=b"{}", headers={"content-type": "text/plain"})["status"] == 415
    looker = add_program(desk.place, "looker", ["view"])
    assert looker.call("GET", "/media").status_code == 200
    for path in ("/media/stick/records", "/media/stick/image"):
        assert looker.fail("GET", path)["status"] == 403
    assert looker.fail("POST", "/media", json={"studies": [desk.study]})["status"] == 403


@pytest.mark.requirement("RF-5.1.1-01", "RF-5.1.3.1-01", "RF-5.1.3.1-02")
def test_the_rf_device_exports_what_its_profile_takes_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        desk = start_desk(tmp_path / "rf", "rf", stack)
        image = next(instances("rf", "RF Image", None))[1]
        image.PatientID, image.PatientName = "P1", "First^<b>"
        source = tmp_path / "rf-image"
        source.mkdir()
        image.save_as(source / "image.dcm", enforce_file_format=True)
        desk.place.modality.import_files([source])
        assert "Look into a disc" not in desk.visitor.get("/media").text, "the statement reads no media"
        page = desk.put(patient="P1")
        assert "3 instances: profile STD-GEN-CD does not take SOP class MR Image Storage" in page
        assert "DVD, 4700 MB" in page
        said = desk.make(profile="STD-GEN-CD")
        assert desk.jobs[0].state is JobState.DONE, desk.jobs[0].reason
        assert "3 left out" in said
        (written,) = read_files(desk.find_disc())
        assert written.SOPClassUID == X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
