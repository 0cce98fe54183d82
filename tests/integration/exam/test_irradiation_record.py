"""Irradiation events on record: each once, and none over another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import XRayRadiofluoroscopicImageStorage

from openmodality import IrradiationEvent, Modality
from openmodality.errors import ObjectInvalid, StoreError, UsageError
from openmodality.exam.session import Exam
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.listing.irradiation import read_irradiation
from openmodality.store.states import ExamState
from tests.peers import objects

SHOT: dict[str, Any] = {
    "KVP": 80, "XRayTubeCurrent": 200, "ExposureTime": 50, "ImageAndFluoroscopyAreaDoseProduct": 1.1,
}  # fmt: skip
RUN: dict[str, Any] = {
    "KVP": 70, "RadiationSetting": "SC", "IrradiationDuration": 30, "XRayTubeCurrent": 3, "ExposureTime": 30000,
}  # fmt: skip
PIXELS = np.zeros((3, 4, 4), dtype=np.uint16)


@pytest.fixture
def modality(tmp_path: Path) -> Iterator[Modality]:
    (tmp_path / "site.toml").write_text('profile = "rf"\n[device]\nserial_number = "1"\n', "utf-8")
    with Modality(tmp_path / "site.toml") as opened:
        yield opened


@pytest.fixture
def exam(modality: Modality) -> Exam:
    return modality.register({"PatientID": "1", "PatientName": "DOE^JANE", "PatientBirthDate": "19700101"})


def recorded(exam: Exam) -> list[IrradiationEvent]:
    with exam._workflow.store.database.read() as snapshot:
        return [IrradiationEvent.from_json(each.event) for each in read_irradiation(snapshot, exam.id)]


def test_events_without_a_moment_follow_each_other(exam: Exam) -> None:
    events = [exam.irradiation(**RUN), exam.irradiation(**RUN), exam.irradiation(IrradiationEvent(**SHOT))]
    assert exam.state is ExamState.IN_PROGRESS
    assert recorded(exam) == events
    assert len({event.uid for event in events}) == 3
    for earlier, later in pairwise(events):
        assert earlier.started is not None
        assert later.started is not None
        assert later.started >= earlier.find_end(earlier.started)


def test_an_overlap_that_is_stated_is_refused_and_the_exam_goes_on(exam: Exam) -> None:
    began = exam.irradiation(**RUN).started
    assert began is not None
    within = (began + timedelta(seconds=29)).strftime("%Y%m%d%H%M%S.%f")
    with pytest.raises(ObjectInvalid, match="overlaps in time"):
        exam.irradiation(**SHOT, AcquisitionDateTime=within)
    before = exam.irradiation(**SHOT, AcquisitionDateTime=(began - timedelta(seconds=1)).isoformat())
    assert before.started == began - timedelta(seconds=1)
    assert exam.complete().state is ExamState.COMPLETED


def test_images_share_the_dose_of_their_event(exam: Exam) -> None:
    with exam.series("STOMACH", BodyPartExamined="ABDOMEN") as series:
        uids = series.add(PIXELS, irradiation=IrradiationEvent(**SHOT))
    (event,) = recorded(exam)
    assert event.number_of_frames == 3
    assert (event.text("BodyPartExamined"), event.text("AcquisitionProtocol")) == ("ABDOMEN", "STOMACH")
    with exam._workflow.store.database.read() as snapshot:
        (record,) = read_irradiation(snapshot, exam.id)
    assert record.images == set(uids)
    assert record.series_instance_uid == series.series_instance_uid
    assert Decimal(str(event["DoseAreaProduct"])) == Decimal("1.1e-5")


def test_the_same_uid_is_the_same_event(exam: Exam) -> None:
    run = IrradiationEvent(**RUN, IrradiationEventUID="1.2.3.4", NumberOfFrames=2)
    with exam.series("RUN") as series:
        series.add(PIXELS[0], irradiation=run)
        series.add(PIXELS[1], irradiation=run)
        with pytest.raises(ObjectInvalid, match="one more image"):
            series.add(PIXELS[2], irradiation=run)
    assert [event.uid for event in recorded(exam)] == ["1.2.3.4"]


@pytest.mark.parametrize("stated", [{}, {"IrradiationEventUID": "1.2.3.4"}])
def test_an_exposure_whose_image_found_no_room_is_given_again_and_counts_once(
    exam: Exam, stated: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("no space left")

    with exam.series("SHOT") as series:
        with monkeypatch.context() as patched:
            patched.setattr(InstanceFiles, "create", fail)
            with pytest.raises(StoreError, match="no space left"):
                series.add(PIXELS[:2], irradiation=IrradiationEvent(**SHOT, **stated))
        uids = series.add(PIXELS[:2], irradiation=IrradiationEvent(**SHOT, **stated))
    with exam._workflow.store.database.read() as snapshot:
        (record,) = read_irradiation(snapshot, exam.id)
    assert record.images == set(uids)


def test_the_uid_of_another_exam_is_refused(exam: Exam, modality: Modality) -> None:
    stated = IrradiationEvent(**SHOT, IrradiationEventUID="1.2.3.4")
    exam.irradiation(stated)
    exam.complete()
    other = modality.register({"PatientID": "2"})
    with pytest.raises(ObjectInvalid, match="another exam"):
        other.irradiation(stated)
    with pytest.raises(UsageError):
        exam.irradiation(**SHOT)


def test_a_moment_is_kept_as_it_was_stated(exam: Exam) -> None:
    moment = datetime(2026, 11, 29, 8, 30)
    assert exam.irradiation(**SHOT, DateTimeStarted=moment).started == moment


def test_dicom_files_of_ones_own_bring_their_exposures(exam: Exam, tmp_path: Path) -> None:
    moments = ("100000", "100010")
    for number, (time, current) in enumerate(zip(moments, (200, 250), strict=True), 1):
        said: dict[str, Any] = {"XRayTubeCurrent": current, "AcquisitionTime": time, "AcquisitionDate": "20260101"}
        image = objects.mr_image(
            SOPClassUID=XRayRadiofluoroscopicImageStorage, Modality="RF", InstanceNumber=number, PatientID="1",
            PatientName="DOE^JANE", PatientBirthDate="19700101", AccessionNumber="", KVP=80, ExposureTime=50,
            ImageAndFluoroscopyAreaDoseProduct=1.1, ImageType=["ORIGINAL", "PRIMARY", "SINGLE PLANE"], **said,
        )  # fmt: skip
        objects.save(image, tmp_path / "files")
    [series] = exam.acquire(tmp_path / "files")
    assert not any("no exposure record" in notice for notice in series.notices)
    events = recorded(exam)
    assert [(event["KVP"], event["XRayTubeCurrent"]) for event in events] == [(80, 200), (80, 250)]
    assert [event["DoseAreaProduct"] for event in events] == pytest.approx([1.1e-5, 1.1e-5])
    made = [dcmread(exam._workflow.store.files.path(each.SOPInstanceUID)) for each in exam.instances()]
    images = [each for each in made if each.Modality == "RF"]  # beside a PARTIAL dose report
    assert {image.IrradiationEventUID for image in images} == {event.uid for event in events}
    assert sorted(image.AcquisitionTime for image in images) == [*moments]
    [again] = exam.acquire(tmp_path / "files", irradiation=IrradiationEvent(**SHOT, NumberOfFrames=2))
    assert len(recorded(exam)) == 3, "one that is given for all goes before"
    assert again.notices == []
