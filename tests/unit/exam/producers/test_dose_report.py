"""The dose of a step: which series it adds, what the report says, and what the performed step says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.exam.producers.dose_report import DoseReportProducer, list_events
from openmodality.exam.producers.producer import StepWork
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.standard.sop_classes import X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
from openmodality.store.listing.exams import SeriesRecord
from openmodality.store.listing.irradiation import EventRecord
from tests.exam_records import STEP, exam_of, instance_of, step_of
from tests.made_objects import irradiation_events

SERIES = SeriesRecord("1.2.1", 1, "XRF Image", "RF", "Swallow", 1.7e9, STEP)
UNMEASURED = "[parameters.kits]\ndap = false\n"


@pytest.fixture(scope="module")
def events() -> list[IrradiationEvent]:
    return irradiation_events()


def site(folder: Path, profile: str = "rf", more: str = "") -> Site:
    (folder / "site.toml").write_text(f'profile = "{profile}"\n{more}', "utf-8")
    return load_site(folder)


def work(events: Sequence[IrradiationEvent], images: int = 2) -> StepWork:
    instances = [instance_of(SERIES, number + 1, X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE) for number in range(images)]
    made = frozenset(each.SOPInstanceUID for each in instances)
    records = [
        EventRecord(event.uid, STEP, event.to_json(), SERIES.series_instance_uid, frozenset() if number else made)
        for number, event in enumerate(events)
    ]
    return StepWork(exam_of(SERIES), step_of(), instances, records)


def test_events_come_in_the_order_in_which_they_began(events: list[IrradiationEvent]) -> None:
    assert list_events(work(events)) == list_events(work(events[::-1])) == events


def test_the_same_series_whenever_it_is_asked_for(tmp_path: Path, events: list[IrradiationEvent]) -> None:
    producer = DoseReportProducer(site(tmp_path))
    first, again = (producer.plan_series_at_end(work(events), 1.8e9) for _ in range(2))
    assert first == again
    assert first is not None
    assert (first.number, first.modality, first.step_uid, first.object_name) == (9001, "SR", STEP, "Dose SR")
    whole_exam = producer.plan_series_at_end(replace(work(events), step=None), 1.8e9)
    assert whole_exam is not None
    assert whole_exam.series_instance_uid != first.series_instance_uid


def test_a_second_report_has_the_next_number(tmp_path: Path, events: list[IrradiationEvent]) -> None:
    producer, once = DoseReportProducer(site(tmp_path)), work(events)
    earlier = producer.plan_series_at_end(once, 1.8e9)
    assert earlier is not None
    appended = replace(once, exam=replace(once.exam, series=(*once.exam.series, earlier)))
    later = producer.plan_series_at_end(appended, 1.9e9)
    assert later is not None
    assert later.number == 9002


@pytest.mark.parametrize(("profile", "more", "count"), [("rf", "", 0), ("mr", "", 1), ("rf", UNMEASURED, 1)])
def test_no_report(tmp_path: Path, events: list[IrradiationEvent], profile: str, more: str, count: int) -> None:
    producer = DoseReportProducer(site(tmp_path, profile, more))
    assert producer.plan_series_at_end(work(events[:count]), 1.8e9) is None


def test_the_report_names_the_images(tmp_path: Path, events: list[IrradiationEvent]) -> None:
    producer, done = DoseReportProducer(site(tmp_path)), work(events)
    series = producer.plan_series_at_end(done, 1.8e9)
    assert series is not None
    (report,), (again,) = (producer.build_at_end(done, series) for _ in range(2))
    assert report.SOPInstanceUID == again.SOPInstanceUID
    assert (report.SeriesInstanceUID, report.SeriesNumber) == (series.series_instance_uid, 9001)
    text = report.to_json()
    assert all(instance.SOPInstanceUID in text for instance in done.instances)


def test_what_the_performed_step_says(tmp_path: Path, events: list[IrradiationEvent]) -> None:
    producer = DoseReportProducer(site(tmp_path))
    assert len(producer.describe_step(work([]))) == 0
    assert producer.describe_step(work(events)).TotalNumberOfExposures > 0


def test_events_of_another_step_do_not_count(tmp_path: Path, events: list[IrradiationEvent]) -> None:
    other_step = replace(work(events), step=step_of("1.2.8"))
    assert list_events(other_step) == []
    assert DoseReportProducer(site(tmp_path)).plan_series_at_end(other_step, 1.8e9) is None
