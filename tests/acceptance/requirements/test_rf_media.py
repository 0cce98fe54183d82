"""R/F section 5: general purpose discs, by the device's commands; what is written is read by pydicom."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)

from openmodality import Modality
from openmodality.activities.media_job import MediumOrder
from openmodality.app.local_data import Chosen
from openmodality.device.site.site_file import MediaSettings
from openmodality.media.application_profile import USB
from openmodality.media.file_set import FileSetOptions, create_file_set
from openmodality.store.states import JobState
from tests.acceptance.requirements.media_device import MediaDevice, files_of, listed, make_device, uids_of
from tests.made_objects import report, worklist
from tests.peers import objects

CLASSES = (
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
    SecondaryCaptureImageStorage,
    ComputedRadiographyImageStorage,
)
PROFILES = ("STD-GEN-CD", "STD-GEN-DVD-JPEG")
STATED = 'implementation_class_uid = "2.16.840.1.113669.632.3.1.1.2.7"\nimplementation_version_name = "Harmony"\n'


def take_study(tmp_path: Path, device: MediaDevice) -> tuple[str, list[Path]]:
    """A study with an image of each SOP class, and an MR image that no profile takes."""
    first = objects.mr_image(rows=8, columns=8, transfer_syntax=ImplicitVRLittleEndian)
    paths = []
    for sop_class in CLASSES:
        image = objects.mr_image(rows=8, columns=8, StudyInstanceUID=first.StudyInstanceUID)
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = sop_class
        paths.append(objects.save(image, tmp_path / "source"))
    device.take(objects.save(first, tmp_path / "other"), *paths)
    return str(first.StudyInstanceUID), paths


@pytest.mark.requirement(
    "RF-5.1.1-01", "RF-5.1.2.1-01", "RF-5.2.1-01", "RF-5.2.1.2.1-01", "RF-5.2.1.2.1.1.1-01", "RF-5.3.1-01"
)
@pytest.mark.parametrize("profile", PROFILES)
def test_export_takes_the_images_of_the_profile(tmp_path: Path, profile: str) -> None:
    device = make_device(tmp_path, "rf")
    study, paths = take_study(tmp_path, device)
    status, said = device.do("media", "create", "disc", "--study", study, "--profile", profile)
    assert (status, said.count("left out:")) == (1, 1)
    assert uids_of(files_of(device.discs / "disc")) == uids_of(paths)
    directory = dcmread(device.discs / "disc" / "DICOMDIR")
    assert directory.file_meta.MediaStorageSOPClassUID == MediaStorageDirectoryStorage
    assert {str(record.ReferencedTransferSyntaxUIDInFile) for record in listed(device.discs / "disc")
            if "ReferencedFileID" in record} == {ExplicitVRLittleEndian}  # fmt: skip
    for path in files_of(device.discs / "disc"):
        assert dcmread(path).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


@pytest.mark.requirement("RF-5.1.2.1-01")
@pytest.mark.parametrize("level", ["series", "instance"])
def test_export_of_series_and_images(tmp_path: Path, level: str) -> None:
    device = make_device(tmp_path, "rf")
    _, paths = take_study(tmp_path, device)
    chosen = dcmread(paths[0])
    uid = chosen.SeriesInstanceUID if level == "series" else chosen.SOPInstanceUID
    device.ask("media", "create", "disc", f"--{level}", uid)
    assert uids_of(files_of(device.discs / "disc")) == {chosen.SOPInstanceUID}


@pytest.mark.requirement("RF-5.1.4-01", "RF-5.2.1.1-01")
def test_file_meta_information_of_each_file(tmp_path: Path) -> None:
    device = make_device(tmp_path, "rf", f"[device]\n{STATED}")
    study, _ = take_study(tmp_path, device)
    device.do("media", "create", "disc", "--study", study)
    for path in (device.discs / "disc" / "DICOMDIR", *files_of(device.discs / "disc")):
        meta = dcmread(path).file_meta
        assert meta.FileMetaInformationVersion == b"\0\1"
        assert meta.ImplementationClassUID == "2.16.840.1.113669.632.3.1.1.2.7"
        assert meta.ImplementationVersionName == "Harmony"
        assert "SourceApplicationEntityTitle" not in meta


@pytest.mark.requirement("RF-5.1.3.1-01")
def test_requests_are_queued_and_each_makes_a_new_set(tmp_path: Path) -> None:
    device = make_device(tmp_path, "rf")
    study, _ = take_study(tmp_path, device)
    for name in ("one", "two"):
        device.do("media", "create", name, "--study", study)
    jobs = device.ask("jobs", "list")
    assert [(job["kind"], job["state"]) for job in jobs] == [("media", "done"), ("media", "done")]
    assert device.do("media", "create", "one", "--study", study)[0] == 2


def test_a_job_whose_device_died_after_the_directory_tells_what_was_left_out(tmp_path: Path) -> None:
    device = make_device(tmp_path, "rf")
    study, paths = take_study(tmp_path, device)
    site, disc = device.folder / "site.toml", device.discs / "disc"
    with Modality(site, works=False) as stopped:
        job = stopped.media.put(Chosen(studies=[study]), MediumOrder("create", str(disc)))
    create_file_set(disc, paths, FileSetOptions(USB, ("1.2.3", "DIED"), durable=False))
    with Modality(site) as started:
        assert started.wait_until_idle()
        details = started.jobs.show(job.id)
    assert details.job.state is JobState.DONE
    reasons = {each.SOPInstanceUID: each.comment for each in details.instances}
    assert {uid for uid, reason in reasons.items() if reason == "it was on the medium already"} == uids_of(paths)
    assert sum("does not take SOP class" in reason for reason in reasons.values()) == 1
    assert (disc / "INDEX.HTM").exists()


@pytest.mark.requirement("RF-5.3.2-01")
@pytest.mark.parametrize("profile", ["PRI-GEN-CD", "AUG-GEN-CD", "STD-XABC-CD"])
def test_no_other_application_profile_is_written(tmp_path: Path, profile: str) -> None:
    device = make_device(tmp_path, "rf")
    study, _ = take_study(tmp_path, device)
    status, said = device.do("media", "create", "disc", "--study", study, "--profile", profile)
    assert (status, "there is no media profile" in said) == (2, True)
    assert not (device.discs / "disc").exists()


@pytest.mark.requirement("RF-5.4-01")
@pytest.mark.parametrize("setting", ['profile = "STD-GEN-CD"', 'source_ae_title = "RF"', "capacity_mb = 700"])
def test_media_are_not_configured(tmp_path: Path, setting: str) -> None:
    """The site file says where this system puts and finds discs and how it burns them, not what is on them."""
    device = make_device(tmp_path, "rf", f"[media]\n{setting}\n")
    status, said = device.do("media", "create", "disc", "--study", "1.2.3")
    assert (status, setting.split()[0] in said) == (2, True)
    assert set(MediaSettings.model_fields) == {"burn_command", "folder", "drives", "readers"}


@pytest.mark.requirement("RF-1-09")
def test_media_are_written_only_with_the_kit_and_never_read(tmp_path: Path) -> None:
    device = make_device(tmp_path, "rf")
    study, _ = take_study(tmp_path, device)
    device.do("media", "create", "disc", "--study", study)
    for words in (
        ("media", "list", "disc"),
        ("media", "retrieve", "disc"),
        ("media", "update", "disc", "--study", study),
    ):
        status, said = device.do(*words)
        assert (status, "media; it does this: create" in said) == (2, True), said
    without = make_device(tmp_path, "rf", "[parameters.kits]\nmedia = false\n")
    status, said = without.do("media", "create", "other", "--study", study)
    assert (status, "writes no media" in said) == (2, True)
    assert not (device.discs / "other").exists()


@pytest.mark.parametrize(("switch", "records"), [("false", 0), ("true", 1)])
def test_dose_reports_go_onto_media_where_the_site_says_so(tmp_path: Path, switch: str, records: int) -> None:
    device = make_device(tmp_path, "rf", f"[parameters.behaviour]\nmedia_dose_sr = {switch}\n")
    dose = report(worklist("Doe^Jane"))
    dose.save_as(tmp_path / "dose.dcm", enforce_file_format=True)
    device.take(tmp_path / "dose.dcm")
    status, _ = device.do("media", "create", "disc", "--study", dose.StudyInstanceUID)
    assert status == 1 - records
    types = [
        str(record.DirectoryRecordType)
        for record in dcmread(device.discs / "disc" / "DICOMDIR").DirectoryRecordSequence
    ]
    assert types.count("SR DOCUMENT") == records
