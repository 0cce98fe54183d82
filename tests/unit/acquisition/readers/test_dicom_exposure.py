"""What a DICOM file says of its exposure becomes the event of its images, or a word on why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openmodality.acquisition.files import FileSource
from openmodality.acquisition.source import AcquiredSeries
from openmodality.objects.irradiation.event import IrradiationEvent
from tests.peers import objects

EXPOSED = {"KVP": "80", "XRayTubeCurrent": "200", "ExposureTime": "50", "DistanceSourceToDetector": "1150"}


def read(folder: Path, *files: dict[str, Any], **options: Any) -> AcquiredSeries:
    (folder / "in").mkdir()
    for number, values in enumerate(files, 1):
        image = objects.ct_image(InstanceNumber=number, ImagePositionPatient=[0, 0, number], **values)
        objects.save(image, folder / "in").rename(folder / "in" / f"{number}.dcm")
    [series] = FileSource([folder / "in"], has_dose_report=True, **options).series()
    return series


def events_of(series: AcquiredSeries) -> list[IrradiationEvent | None]:
    return [frame.irradiation for frame in series.frames]


def test_each_file_has_the_exposure_that_it_states(tmp_path: Path) -> None:
    series = read(tmp_path, EXPOSED, {**EXPOSED, "KVP": "90", "AcquisitionTime": "120101"})
    first, second = events_of(series)
    assert first is not None
    assert second is not None
    assert (first["KVP"], second["KVP"]) == (80, 90)
    assert (first["XRayTubeCurrent"], first["ExposureTime"], first["DistanceSourceToDetector"]) == (200, 50, 1150)
    assert series.notices == ()


def test_the_files_of_a_run_share_its_event(tmp_path: Path) -> None:
    first, second = events_of(read(tmp_path, *[{**EXPOSED, "IrradiationEventUID": "1.2.3"}] * 2))
    assert first is second
    assert first is not None
    assert (first.uid, first.number_of_frames) == ("1.2.3", 2)


def test_exposures_at_one_moment_come_one_after_the_other(tmp_path: Path) -> None:
    at_once = {**EXPOSED, "AcquisitionDate": "20260101", "AcquisitionTime": "120000"}
    series = read(tmp_path, at_once, at_once)
    assert [event.started for event in events_of(series) if event] == [None, None]
    assert "overlap in time" in " ".join(series.notices)


def test_what_contradicts_itself_and_what_is_derived_is_no_record(tmp_path: Path) -> None:
    wrong, derived = {**EXPOSED, "KVP": "-3"}, {**EXPOSED, "ImageType": ["DERIVED", "PRIMARY"]}
    series = read(tmp_path, wrong, derived)
    assert events_of(series) == [None, None]
    told = " ".join(series.notices)
    assert "1.dcm: (0018,0060) KVP is -3" in told
    assert "no exposure record" in told


def test_what_is_given_for_all_goes_before_and_a_derived_object_has_none(tmp_path: Path) -> None:
    given = IrradiationEvent(KVP=60)
    (tmp_path / "a").mkdir()
    assert events_of(read(tmp_path / "a", EXPOSED, irradiation=given)) == [None]
    (tmp_path / "b").mkdir()
    assert events_of(read(tmp_path / "b", EXPOSED, derive="SC Image")) == [None]
