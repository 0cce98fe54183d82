"""Pixels of an x-ray detector from files, with a record of their exposure: images, step and dose report agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from openmodality import IrradiationEvent, Modality
from openmodality.acquisition.drop_folder import DroppedFile
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.exam.session import Exam
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.irradiation import EventRecord, read_irradiation
from tests.acceptance.in_process import call
from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.content_tree import find_items
from tests.devices import quick_source
from tests.peers.process import wait_until

RF, DOSE_SR = "1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.1.88.67"
SHOT: dict[str, Any] = {
    "KVP": 83, "XRayTubeCurrent": 320, "ExposureTime": 45, "ImageAndFluoroscopyAreaDoseProduct": 9.61,
    "DistanceSourceToDetector": 1100, "EntranceDoseInmGy": 1.7,
}  # fmt: skip
NOTICE = "no exposure record: the dose report does not have these images"
PATIENT = {"PatientID": "1", "PatientName": "DOE^JANE", "PatientBirthDate": "19700101"}


def write_pages(path: Path) -> Path:
    """A TIFF file of two images."""
    first, second = (Image.fromarray(np.full((8, 8), value, np.uint16)) for value in (100, 900))
    first.save(path, save_all=True, append_images=[second])
    return path


@pytest.fixture
def modality(tmp_path: Path) -> Iterator[Modality]:
    (tmp_path / "site.toml").write_text('profile = "rf"\n[device]\nserial_number = "1"\n', "utf-8")
    with Modality(tmp_path / "site.toml") as opened:
        yield opened


@pytest.fixture
def exam(modality: Modality) -> Exam:
    return modality.register(PATIENT)


def list_recorded(exam: Exam) -> list[EventRecord]:
    with exam._workflow.store.database.read() as snapshot:
        return read_irradiation(snapshot, exam.id)


def list_images(exam: Exam) -> list[InstanceReference]:
    return [each for each in exam.instances() if each.SOPClassUID != DOSE_SR]


def read_number(item: Dataset) -> Decimal:
    return Decimal(str(item.MeasuredValueSequence[0].NumericValue))


def test_image_step_and_report_have_the_exposure_of_a_file(tmp_path: Path) -> None:
    write_pages(tmp_path / "run.tif")
    (tmp_path / "run.json").write_text('{"BodyPartExamined": "PELVIS", "KVP": 60}')
    (tmp_path / "shot.json").write_text(json.dumps(SHOT))
    with recorded_device(tmp_path / "rf", "rf") as recorded, recorded.modality() as modality:
        exam = modality.register(PATIENT)
        words = ["exam", "acquire", str(exam.id), "run.tif", "--exposure", "shot.json", "-c", str(recorded.site)]
        status, printed = call(words, tmp_path)
        assert (status, NOTICE in printed) == (0, False), printed
        assert "RF Image takes KVP from the exam" in printed
        assert "exam 1: 2 images made" in printed  # a PARTIAL dose report beside them
        exam.complete()
        assert modality.wait_until_idle(20)
        wait_until(lambda: len(recorded.recorder.requests("C-STORE-RQ")) == 4)
        wait_until(lambda: recorded.recorder.requests("N-SET-RQ") != [])
        sent = [each.data for each in recorded.recorder.requests("C-STORE-RQ")]
        step = recorded.recorder.requests("N-SET-RQ")[0].data
    images = [each for each in sent if each.SOPClassUID == RF]
    partial, report = (each for each in sent if each.SOPClassUID == DOSE_SR)
    assert (partial.CompletionFlag, report.CompletionFlag) == ("PARTIAL", "COMPLETE")
    assert find_items(partial, "122130") == find_items(report, "122130")
    (event,) = find_items(report, "113706")
    assert [(each.KVP, each.XRayTubeCurrent, each.BodyPartExamined) for each in images] == [(83, 320, "PELVIS")] * 2
    assert {each.IrradiationEventUID for each in images} == {find_items(event, "113769")[0].UID}
    product = sum(Decimal(str(each.ImageAndFluoroscopyAreaDoseProduct)) for each in images)
    assert product == Decimal("9.61") == Decimal(str(step.ImageAndFluoroscopyAreaDoseProduct))
    assert read_number(find_items(event, "122130")[0]) * 100000 == product
    assert sum(Decimal(str(each.EntranceDoseInmGy)) for each in images) == Decimal(str(step.EntranceDoseInmGy))
    assert (step.TotalNumberOfExposures, step.ExposureDoseSequence[0].KVP) == (1, 83)
    assert read_number(find_items(event, "113733")[0]) == 83
    assert find_items(event, "123014")[0].ConceptCodeSequence[0].CodeMeaning == "Pelvis"
    referred = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in find_items(event, "113795")]
    assert sorted(referred) == sorted(each.SOPInstanceUID for each in images)


def test_pixels_without_a_record_are_named(exam: Exam, tmp_path: Path) -> None:
    (series,) = exam.acquire(write_pages(tmp_path / "a.tif"))
    assert (series.object_name, series.notices) == ("SC Image", [NOTICE])
    assert list_recorded(exam) == []


def test_a_companion_states_the_exposure_of_its_file(exam: Exam, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 4), np.uint16))
    (tmp_path / "a.toml").write_text("object = 'CR Image'\n[exposure]\nKVP = 70\nDoseAreaProduct = 1e-5\n")
    (series,) = exam.acquire(tmp_path / "a.npy", irradiation=IrradiationEvent(KVP=99))
    (record,) = list_recorded(exam)
    assert (series.object_name, record.event["numbers"]["KVP"]) == ("CR Image", 70)
    assert series.notices == ["the exposure of the companion is recorded, not the one that was given for all"]
    assert record.images == {each.SOPInstanceUID for each in list_images(exam)}


def test_a_file_of_a_watched_folder_that_comes_twice_is_one_exposure(exam: Exam, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 4), np.uint16))
    (tmp_path / "a.json").write_text(json.dumps({"exposure": SHOT}))
    for _ in range(2):
        exam.take(DroppedFile(tmp_path / "a.npy", "a"))
    (record,) = list_recorded(exam)
    assert (len(record.images), len(list_images(exam))) == (1, 1)


def test_images_that_fail_leave_no_exposure(exam: Exam, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1.0, np.nan]]))
    with pytest.raises(ObjectInvalid, match="NaN"):
        exam.acquire(tmp_path / "a.npy", irradiation=IrradiationEvent(**SHOT))
    assert list_recorded(exam) == []
    with pytest.raises(ObjectInvalid, match="NumberOfFrames is 1, and this is one more image"):
        exam.acquire(write_pages(tmp_path / "b.tif"), irradiation=IrradiationEvent(**SHOT, NumberOfFrames=1))
    assert (list_recorded(exam), exam.instances()) == ([], [])


def test_a_folder_of_several_exposures_is_refused(exam: Exam, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("1", "2"):
        np.save(folder / f"{name}.npy", np.ones((4, 4), np.uint16))
        (folder / f"{name}.json").write_text(json.dumps({"exposure": SHOT}))
    with pytest.raises(ObjectInvalid, match="2 of its files state an exposure, and a series has one"):
        exam.acquire(folder)
    (folder / "2.json").unlink()
    exam.acquire(folder)
    (record,) = list_recorded(exam)
    assert (len(record.images), record.event["numbers"]["NumberOfFrames"]) == (2, 2)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.json", '{"XRayTubeCurrent": 200}', "e.json: (0018,0060) KVP"),
        ("e.toml", "KVP = -3", "e.toml: (0018,0060) KVP is -3"),
        ("e.toml", "KVP = 70\nTubeVoltage = 3", "e.toml: TubeVoltage is no keyword of an irradiation event"),
        ("e.json", f'{{"KVP": 1{"0" * 400}}}', "e.json: (0018,0060) KVP is no number"),
        ("e.json", "[1]", "e.json: not a JSON object"),
        ("e.json", " " * ((1 << 20) + 1), "e.json: too large"),
    ],
)
def test_a_record_that_is_none_is_refused(exam: Exam, tmp_path: Path, name: str, content: str, words: str) -> None:
    write_pages(tmp_path / "a.tif")
    (tmp_path / name).write_text(content)
    status, printed = call(["exam", "acquire", str(exam.id), "a.tif", "--exposure", name], tmp_path)
    assert (status != 0, words in printed) == (True, True), printed
    assert (exam.record.series, list_recorded(exam)) == ((), [])


def test_what_takes_no_record_says_so(exam: Exam, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(json.dumps(SHOT))
    status, printed = call(["exam", "acquire", str(exam.id), "--simulate", "--exposure", "e.json"], tmp_path)
    assert (status, "the simulator states its own" in printed) == (2, True)
    with pytest.raises(UsageError, match="irradiation is no IrradiationEvent"):
        exam.acquire(write_pages(tmp_path / "a.tif"), irradiation=SHOT)
    (tmp_path / "mr").mkdir()
    (tmp_path / "mr" / "site.toml").write_text('profile = "mr"\n[device]\nserial_number = "1"\n', "utf-8")
    with Modality(tmp_path / "mr" / "site.toml") as other:
        mr = other.register(PATIENT)
        with pytest.raises(UsageError, match="makes no dose report"):
            mr.acquire(tmp_path / "a.tif", irradiation=IrradiationEvent(**SHOT))
        (tmp_path / "a.json").write_text(json.dumps({"exposure": SHOT}))
        (series,) = mr.acquire(tmp_path / "a.tif")
        assert (series.unused, series.notices) == ({"exposure": "this device makes no dose report"}, [])


def test_dicom_files_of_one_run_share_the_exposure_that_is_stated(exam: Exam, tmp_path: Path) -> None:
    exam.acquire(write_pages(tmp_path / "a.tif"), object="RF Image")
    folder = tmp_path / "run"
    folder.mkdir()
    for number, instance in enumerate(exam.instances()):
        shutil.copy(exam._workflow.store.files.path(instance.SOPInstanceUID), folder / str(number))
    (series,) = exam.acquire(folder)
    assert series.notices == [NOTICE]
    (series,) = exam.acquire(folder, irradiation=IrradiationEvent(**SHOT))
    (record,) = list_recorded(exam)
    assert (len(record.images), series.notices) == (2, [])
    made = [each for each in exam.instances() if each.SeriesInstanceUID == series.series_instance_uid]
    assert record.images == {each.SOPInstanceUID for each in made}


def test_an_object_that_is_named_is_made_of_an_exposure_too(exam: Exam, tmp_path: Path) -> None:
    (series,) = exam.acquire(write_pages(tmp_path / "a.tif"), object="SC Image", irradiation=IrradiationEvent(**SHOT))
    (record,) = list_recorded(exam)
    assert (series.object_name, len(record.images)) == ("SC Image", 2)


class Detector:
    """A program's own source of pixels, which states its exposure or does not."""

    def __init__(self, irradiation: IrradiationEvent | None = None) -> None:
        self._irradiation = irradiation

    def series(self) -> Iterator[AcquiredSeries]:
        frames = [AcquiredFrame(np.full((4, 4), value, np.uint16), Dataset()) for value in (1, 2)]
        for frame in frames:
            frame.attributes.BitsStored = 12
        yield AcquiredSeries("run", "RF", RF, frames, 2, irradiation=self._irradiation)


def test_a_source_of_a_program_takes_the_exposure_that_is_stated(exam: Exam) -> None:
    (series,) = exam.acquire(Detector(), irradiation=IrradiationEvent(**SHOT))
    (record,) = list_recorded(exam)
    assert record.images == {each.SOPInstanceUID for each in list_images(exam)}
    assert (series.object_name, len(record.images)) == ("RF Image", 2)


def test_a_source_that_states_its_exposure_takes_no_other(exam: Exam, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="series run: its source states its exposure"):
        exam.acquire(Detector(IrradiationEvent(KVP=70)), irradiation=IrradiationEvent(**SHOT))
    assert (list_recorded(exam), exam.record.series) == ([], ())
    (tmp_path / "site.toml").write_text('profile = "mr"\n', "utf-8")
    with Modality(tmp_path / "site.toml", works=False) as mr, pytest.raises(UsageError, match="makes no dose report"):
        mr.register(PATIENT).acquire(quick_source("mr"), irradiation=IrradiationEvent(**SHOT))


@pytest.mark.parametrize("kind", [np.float64, np.uint32, np.int16])
def test_pixels_of_any_type_have_an_exposure(exam: Exam, kind: type[np.generic]) -> None:
    """A volume of one exposure, by both ways of adding it; where its values fit no image nothing is on record."""
    pixels = (np.arange(32).reshape(2, 4, 4) * 3).astype(kind)
    series = exam.series("run", sop_class_uid=RF)
    uids = series.add(pixels, irradiation=IrradiationEvent(**SHOT))
    uids += series.add_volume(pixels[0], irradiation=IrradiationEvent(**SHOT))
    run, shot = list_recorded(exam)
    assert (len(run.images), len(shot.images), set(run.images | shot.images)) == (2, 1, set(uids))
    assert run.event["numbers"]["NumberOfFrames"] == 2
    with pytest.raises(ObjectInvalid):
        series.add(-1.0 - pixels, irradiation=IrradiationEvent(**SHOT))
    assert len(list_recorded(exam)) == 2


def test_the_body_part_of_an_exposure_is_one_of_the_device(exam: Exam) -> None:
    series = exam.series("run", sop_class_uid=RF)
    with pytest.raises(UsageError, match="'STOMACH' is no Body Part Examined"):
        series.add(np.ones((4, 4), np.uint16), irradiation=IrradiationEvent(**SHOT, BodyPartExamined="STOMACH"))
    assert (list_recorded(exam), list_images(exam)) == ([], [])
    exam.irradiation(**SHOT, BodyPartExamined="STOMACH")  # no image takes it, and the report has a code for it


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"KVP": 80, "DoseAreaProduct": -1e-5}, ["DoseAreaProduct is -1e-05", "give a number in Gy.m2 not below 0"]),
    ({"XRayTubeCurrent": 200, "DoseRP": -1}, ["DoseRP is -1", "(0018,0060) KVP is missing", "in kV, such as 80"]),
    (
        {"KVP": 80, "CollimatedFieldArea": 0.09, "DoseAreaProduct": 1e-5},
        ["a collimated field without distance", "give (0018,1110) DistanceSourceToDetector in mm"],
    ),
    (
        {"XRayTubeCurrent": -3, "EntranceDoseInmGy": "much", "KVP": 0},
        ["KVP is 0", "XRayTubeCurrent is -3", "EntranceDoseInmGy is no number"],
    ),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_what_is_wrong_is_one_error_and_the_step_can_be_ended(
    exam: Exam, wrong: dict[str, Any], words: list[str]
) -> None:
    series = exam.series("run", sop_class_uid=RF)
    series.add(np.ones((4, 4), np.uint16), irradiation=IrradiationEvent(**SHOT))
    with pytest.raises(ObjectInvalid) as refused:
        exam.irradiation(**wrong)
    assert [word for word in words if word not in refused.value.message] == []
    assert exam.complete().state == "COMPLETED"
    (record,) = list_recorded(exam)
    (report,) = (each for each in exam.instances() if each.SOPClassUID == DOSE_SR)
    assert len(record.images) == 1
    assert report.SOPInstanceUID
