"""MR sections 2.5 and 7: media, by the device's commands; what is written is read by pydicom and DCMTK."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

from openmodality import Modality
from openmodality.activities.media_job import MediumOrder
from openmodality.app.local_data import Chosen
from openmodality.media.application_profile import USB
from openmodality.media.file_set import FileSetOptions, create_file_set
from openmodality.store.states import JobState
from tests.acceptance.in_process import call
from tests.acceptance.requirements.media_device import MediaDevice, files_of, listed, make_device, uids_of
from tests.peers import objects
from tests.peers.process import run

CLASSES = (MRImageStorage, EnhancedMRImageStorage, SecondaryCaptureImageStorage)


@pytest.fixture
def device(tmp_path: Path) -> MediaDevice:
    return make_device(tmp_path, "mr")


@pytest.fixture
def images(tmp_path: Path, device: MediaDevice) -> list[Path]:
    """Two series of one study, known to the device."""
    made = objects.mr_series(tmp_path / "source", 3, rows=8, columns=8, PatientName="Doe^Jane", PatientID="7")
    study = dcmread(made[0]).StudyInstanceUID
    made += objects.mr_series(tmp_path / "source", 2, rows=8, columns=8, StudyInstanceUID=study, PatientName="Doe^Jane",
                              PatientID="7", SeriesNumber=2)  # fmt: skip
    device.take(*made)
    return made


def study_of(paths: list[Path]) -> str:
    return str(dcmread(paths[0]).StudyInstanceUID)


@pytest.mark.requirement("MR-2.5-01", "MR-2.5.2-03", "MR-7-02", "MR-7.2.1-01", "MR-7.2.1.1-01")
def test_create_makes_a_file_set_for_the_dvd(device: MediaDevice, images: list[Path]) -> None:
    made = device.ask_one("media", "create", "disc", "--study", study_of(images), "--profile", "STD-CTMR-DVD")
    assert made["state"] == "done"
    assert uids_of(files_of(device.discs / "disc")) == uids_of(images)
    types = [str(record.DirectoryRecordType) for record in listed(device.discs / "disc")]
    assert types == ["PATIENT", "STUDY", "SERIES", *["IMAGE"] * 3, "SERIES", *["IMAGE"] * 2]


@pytest.mark.requirement("MR-7-03", "MR-7-05", "MR-7-06", "MR-7.2.5-01", "MR-7.2.5-03", "MR-7.2.5.1-01")
@pytest.mark.needs("isoinfo", "7z")
def test_write_to_cd_makes_one_directory_and_its_files(device: MediaDevice, images: list[Path]) -> None:
    device.ask("media", "create", "disc", "--study", study_of(images), "--profile", "STD-CTMR-CD", "--iso", "cd.iso",
               "--no-pages")  # fmt: skip
    names = run("isoinfo", "-f", "-i", device.discs / "cd.iso").output.split()
    assert [name for name in names if name.startswith("/DICOMDIR")] == ["/DICOMDIR.;1"]
    assert run("7z", "x", f"-o{device.discs / 'read'}", device.discs / "cd.iso").status == 0
    assert uids_of(files_of(device.discs / "read")) == uids_of(images)
    assert (device.discs / "cd.iso").stat().st_size <= 650_000_000
    status, said = device.do("media", "update", "disc", "--study", study_of(images), "--profile", "STD-CTMR-CD")
    assert (status, "does not update media" in said) == (2, True)


@pytest.mark.requirement("MR-7-07", "MR-7.2.4-02", "MR-7.2.5-02")
@pytest.mark.parametrize(("act", "profile"), [("create", "STD-CTMR-CD"), ("update", "STD-CTMR-DVD")])
def test_other_sop_classes_are_eliminated(tmp_path: Path, device: MediaDevice, act: str, profile: str) -> None:
    first = objects.save(objects.mr_image(rows=8, columns=8), tmp_path / "source")
    same = {"StudyInstanceUID": study_of([first]), "SeriesInstanceUID": dcmread(first).SeriesInstanceUID}
    taken, other = [], objects.save(objects.ct_image(rows=8, columns=8, **same), tmp_path / "source")
    for sop_class in CLASSES:
        image = objects.mr_image(rows=8, columns=8, **same)
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = sop_class
        taken.append(objects.save(image, tmp_path / "source"))
    device.take(first)
    if act == "update":
        device.ask("media", "create", "disc", "--study", study_of([first]))
    device.take(*taken, other)
    status, said = device.do("media", act, "disc", "--study", study_of([first]), "--profile", profile)
    assert status == 1
    assert f"profile {profile} does not take SOP class {dcmread(other).SOPClassUID}" in said
    assert uids_of(files_of(device.discs / "disc")) == uids_of([first, *taken])


@pytest.mark.requirement("MR-2.5.2-06", "MR-7.2.4-01", "MR-7.2.4.1-01")
def test_store_adds_to_a_set(tmp_path: Path, device: MediaDevice, images: list[Path]) -> None:
    device.ask("media", "create", "disc", "--series", dcmread(images[0]).SeriesInstanceUID)
    assert uids_of(files_of(device.discs / "disc")) == uids_of(images[:3])
    device.ask("media", "update", "disc", "--series", dcmread(images[3]).SeriesInstanceUID)
    assert uids_of(files_of(device.discs / "disc")) == uids_of(images)


@pytest.mark.requirement("MR-7-09")
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian])
def test_instances_are_written_in_explicit_little_endian(tmp_path: Path, device: MediaDevice, syntax: str) -> None:
    source = objects.save(objects.mr_image(rows=8, columns=8, transfer_syntax=syntax), tmp_path / "source")
    device.take(source)
    device.ask("media", "create", "disc", "--study", study_of([source]))
    (written,) = files_of(device.discs / "disc")
    assert dcmread(written).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (dcmread(written).pixel_array == dcmread(source).pixel_array).all()


@pytest.mark.requirement("MR-7-08", "MR-2.5.2-05", "MR-7.2.3-01", "MR-7.2.3-02", "MR-7.2.3.1-01")
@pytest.mark.needs("dcmmkdir")
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian])
def test_instances_are_retrieved_from_a_disc_of_others(tmp_path: Path, device: MediaDevice, syntax: str) -> None:
    disc = device.discs / "theirs"
    disc.mkdir()
    objects.mr_image(rows=8, columns=8, transfer_syntax=syntax, PatientID="7").save_as(disc / "IM1")
    assert run("dcmmkdir", "-Nxc", "-Nrc", "IM1", cwd=disc).status == 0
    assert device.ask_one("media", "retrieve", "theirs")["new"] == 1
    (instance,) = device.ask("instances", "list")
    shown = device.ask_one("instances", "show", instance["SOPInstanceUID"])
    assert dcmread(shown["path"]) == dcmread(disc / "IM1")


@pytest.mark.requirement("MR-7.2.3-03")
def test_only_instances_that_match_are_retrieved(tmp_path: Path, device: MediaDevice) -> None:
    paths = objects.mr_series(tmp_path / "a", 2, rows=8, columns=8, PatientID="A")
    others = objects.mr_series(tmp_path / "b", 2, rows=8, columns=8, PatientID="B")
    options = FileSetOptions(USB, ("1.2.3", "OTHERS"), durable=False)
    create_file_set(device.discs / "disc", [*paths, *others], options)
    device.ask("media", "retrieve", "disc", "-k", "PatientID=B", "-k", "InstanceNumber=2")
    assert {each["SOPInstanceUID"] for each in device.ask("instances", "list")} == uids_of(others[1:])


@pytest.mark.requirement("MR-2.5.2-04", "MR-7.2.2-01", "MR-7.2.2-02", "MR-7.2.2.1-01")
def test_a_query_lists_only_what_matches(device: MediaDevice, images: list[Path]) -> None:
    device.ask("media", "create", "disc", "--study", study_of(images))
    series = device.ask("media", "list", "disc", "--level", "SERIES", "-k", "SeriesNumber=2")
    assert [each["SeriesInstanceUID"] for each in series] == [dcmread(images[3]).SeriesInstanceUID]
    status, said = device.do("media", "list", "disc")
    assert (status, "Doe^Jane" in said, study_of(images) in said) == (0, True, True)
    assert device.do("media", "list", "disc", "-k", "PatientID=8")[0] == 1


@pytest.mark.requirement("MR-2.5.3-01")
def test_retrieve_needs_a_medium_that_something_was_stored_on(device: MediaDevice) -> None:
    (device.discs / "empty").mkdir()
    status, said = device.do("media", "retrieve", "empty")
    assert (status, "DICOMDIR" in said) == (1, True)
    options = FileSetOptions(USB, ("1.2.3", "OTHERS"), durable=False)
    create_file_set(device.discs / "blank", [], options)
    status, said = device.do("media", "retrieve", "blank")
    assert (status, "has no such instances" in said) == (1, True)


@pytest.mark.requirement("MR-2.5.4-01", "MR-7.1-01")
def test_file_meta_information_is_configured(tmp_path: Path) -> None:
    more = (
        '[device]\nimplementation_class_uid = "1.2.840.99999.7"\nimplementation_version_name = "VERSION7"\n'
        '[application_entities.device]\nae_title = "OTHER_TITLE"\n'
    )
    device = make_device(tmp_path, "mr", more)
    source = objects.save(objects.mr_image(rows=8, columns=8), tmp_path / "source")
    device.take(source)
    device.ask("media", "create", "disc", "--study", study_of([source]))
    for path in (device.discs / "disc" / "DICOMDIR", *files_of(device.discs / "disc")):
        meta = dcmread(path).file_meta
        assert meta.ImplementationClassUID == "1.2.840.99999.7"
        assert meta.ImplementationVersionName == "VERSION7"
        assert meta.SourceApplicationEntityTitle == "OTHER_TITLE"


@pytest.mark.requirement("MR-2.5-02", "MR-7-04")
def test_more_than_a_medium_holds_is_split_or_refused(
    tmp_path: Path, device: MediaDevice, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openmodality.activities.media_profiles._MEGABYTE", 1630)  # a CD of 650 MB has 1.06 MB
    study = study_of(images)
    status, said = device.do("media", "create", "disc", "--study", study, "--profile", "STD-CTMR-CD", "--no-pages")
    assert (status, "1 MB of STD-CTMR-CD" in said) == (1, True)
    assert list(device.discs.iterdir()) == []
    device.ask("media", "create", "disc", "--study", study, "--profile", "STD-CTMR-DVD", "--no-pages")
    assert len(files_of(device.discs / "disc")) == 5


@pytest.mark.requirement("MR-2.5.1-03", "MR-2.5.2-02")
def test_a_request_is_a_job_that_another_process_may_do(device: MediaDevice, images: list[Path]) -> None:
    made = device.ask_one("media", "create", "disc", "--study", study_of(images))
    shown = device.ask_one("jobs", "show", made["job"])
    assert (shown["kind"], shown["state"]) == ("media", "done")
    assert len(shown["instances"]) == 5


@pytest.mark.requirement("MR-2.5.1-04", "MR-2.5.1-05", "MR-7-01")
@pytest.mark.needs("dcmdump")
def test_a_file_set_is_created_updated_and_read_for_interchange(device: MediaDevice, images: list[Path]) -> None:
    acts = (("create", images[0]), ("update", images[3]))
    for act, first in acts:
        device.ask("media", act, "disc", "--series", dcmread(first).SeriesInstanceUID)
        for path in (device.discs / "disc" / "DICOMDIR", *files_of(device.discs / "disc")):
            assert run("dcmdump", "+fo", path).status == 0
        directory = dcmread(device.discs / "disc" / "DICOMDIR")
        assert directory.file_meta.MediaStorageSOPClassUID == MediaStorageDirectoryStorage
        assert directory.FileSetConsistencyFlag == 0
    assert len(device.ask("media", "list", "disc", "--level", "IMAGE")) == len(images)
    assert device.ask_one("media", "retrieve", "disc")["already_there"] == len(images)


@pytest.mark.requirement("MR-2.5.1-02")
def test_instances_of_any_origin_go_onto_a_medium(tmp_path: Path, device: MediaDevice, images: list[Path]) -> None:
    retrieved = objects.mr_series(tmp_path / "other", 1, rows=8, columns=8, PatientName="Doe^Jane", PatientID="7")
    create_file_set(device.discs / "theirs", retrieved, FileSetOptions(USB, ("1.2.3", "OTHERS"), durable=False))
    device.ask("media", "retrieve", "theirs")
    device.ask("media", "create", "disc", "--study", study_of(images), "--study", study_of(retrieved))
    assert uids_of(files_of(device.discs / "disc")) == uids_of([*images, *retrieved])


@pytest.mark.requirement("MR-2.5.1-01")
def test_a_request_is_for_one_medium(device: MediaDevice, images: list[Path]) -> None:
    status, said = device.do("media", "create", "one", "two", "--study", study_of(images))
    assert (status, "two" in said) == (2, True)
    device.ask("media", "create", "one", "--study", study_of(images))
    assert [path.parent.name for path in device.discs.rglob("DICOMDIR")] == ["one"]


@pytest.mark.requirement("MR-2.5.2-01")
def test_media_requests_are_done_while_the_device_runs(device: MediaDevice, images: list[Path]) -> None:
    chosen, site = Chosen(studies=[study_of(images)]), device.folder / "site.toml"
    with Modality(site, works=False) as stopped:
        job = stopped.media.put(chosen, MediumOrder("create", str(device.discs / "disc")))
        assert stopped.jobs.show(job.id).job.state is JobState.TODO
    assert not (device.discs / "disc").exists()
    with Modality(site) as started:
        assert started.wait_until_idle()
        assert started.jobs.show(job.id).job.state is JobState.DONE
    with Modality(site, works=False) as stopped:
        later = stopped.media.put(chosen, MediumOrder("create", str(device.discs / "later")))
        assert stopped.jobs.show(later.id).job.state is JobState.TODO
    assert uids_of(files_of(device.discs / "disc")) == uids_of(images)
    assert not (device.discs / "later").exists()


def test_what_is_wrong_is_said_before_anything_is_queued(device: MediaDevice, images: list[Path]) -> None:
    study = study_of(images)
    for words, expected in [
        (("media", "create", "disc"), "nothing is chosen"),
        (("media", "create", "disc", "--study", "1.2.3"), "has no such instances"),
        (("media", "create", "disc", "--study", study, "--profile", "STD-GEN-CD"), "there is no media profile"),
        (("media", "create", "disc", "--study", study, "--label", "a name that is too long"), "no name of a disc"),
        (("media", "create", "disc", "--study", study, "--burn", "/dev/sr0"), "burnt from an image"),
        (("media", "update", ".", "--study", study), "has no DICOMDIR"),
        (("media", "list", "."), "DICOMDIR"),
    ]:
        status, said = device.do(*words)
        assert status in (1, 2)
        assert expected in said
        assert said.count("\n") == 1
    assert device.ask("jobs", "list") == []


def test_iso_and_verify_need_no_device(device: MediaDevice, images: list[Path]) -> None:
    device.ask("media", "create", "disc", "--study", study_of(images))
    assert call(["media", "verify", "disc"], device.discs) == (0, "disc is whole\n")
    status, said = call(["media", "iso", "disc", "x.iso"], device.discs)
    assert (status, said.startswith("x.iso: ")) == (0, True)
    assert call(["media", "verify", "x.iso"], device.discs) == (0, "x.iso is whole\n")
    assert device.ask("media", "list", "x.iso") == device.ask("media", "list", "disc")
    assert device.ask("media", "retrieve", "x.iso")[0]["already_there"] == len(images)
    (device.discs / "noise.iso").write_bytes(bytes(70_000))
    status, said = call(["media", "verify", "noise.iso"], device.discs)
    assert (status, "is no image of a disc (ISO 9660)" in said, said.count("\n")) == (1, True, 1)
    files_of(device.discs / "disc")[0].unlink()
    assert call(["media", "verify", "disc"], device.discs)[0] == 1
    assert call(["media", "iso", "disc", "x.iso"], device.discs)[0] == 2


@pytest.mark.parametrize(("spoil", "expected"), [("", 0), ("printf x | dd of={device} conv=notrunc 2>/dev/null", 1)])
def test_a_disc_is_burnt_and_compared(tmp_path: Path, spoil: str, expected: int) -> None:
    burner = tmp_path / "burner.sh"
    burner.write_text(f'#!/bin/sh\ncp "$1" "$2"\n{spoil.format(device=chr(34) + "$2" + chr(34))}\n', encoding="utf-8")
    burner.chmod(0o755)
    device = make_device(tmp_path, "mr", f'[media]\nburn_command = "{burner} {{image}} {{device}}"\n')
    source = objects.save(objects.mr_image(rows=8, columns=8), tmp_path / "source")
    device.take(source)
    status, said = device.do("media", "create", "disc", "--study", study_of([source]), "--iso", "cd.iso", "--burn",
                             tmp_path / "drive")  # fmt: skip
    assert status == expected, said
    same = (tmp_path / "drive").read_bytes() == (device.discs / "cd.iso").read_bytes()
    assert same is (expected == 0)
    assert ("differs from the image" in said) is (expected == 1)
