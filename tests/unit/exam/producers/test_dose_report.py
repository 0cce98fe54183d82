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
from openmodality.standard.sop_classes import (
    X_RAY_RADIATION_DOSE_SR_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)
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
def test_nothing_irradiated_or_no_kit_makes_no_report(
    tmp_path: Path, events: list[IrradiationEvent], profile: str, more: str, count: int
) -> None:
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


def tell_partial(producer: DoseReportProducer, done: StepWork, at: float) -> StepWork:
    """``done`` with the PARTIAL report that is due, if one is."""
    series = producer.plan_series_meanwhile(done, at)
    if series is None:
        return done
    known = next((each for each in done.exam.series if each.series_instance_uid == series.series_instance_uid), None)
    exam = done.exam if known else replace(done.exam, series=(*done.exam.series, series))
    made = [
        replace(instance_of(known or series, 1, X_RAY_RADIATION_DOSE_SR_STORAGE), SOPInstanceUID=each.SOPInstanceUID)
        for each in producer.build_meanwhile(replace(done, exam=exam), known or series, at)
    ]
    return replace(done, exam=exam, instances=[*done.instances, *made])


@pytest.mark.parametrize(
    ("after_s", "more", "partial"),
    [
        (0.0, "", [1]),
        (299.0, "", [1]),
        (300.0, "", [1, 2]),
        (0.0, "[parameters.behaviour]\nrdsr_partial_interval_s = 0\n", [1, 2]),
        (-0.5, "[parameters.behaviour]\nrdsr_partial_interval_s = 0\n", [1, 2]),  # by a clock behind the generator's
        (300.0, "[parameters.behaviour]\nrdsr_partial = false\n", []),
    ],
)
def test_partial_reports_come_with_the_first_irradiation_and_then_not_too_often(
    tmp_path: Path, events: list[IrradiationEvent], after_s: float, more: str, partial: list[int]
) -> None:
    producer = DoseReportProducer(site(tmp_path, more=more))
    first, second = work(events[:1]), work(events[:2])
    assert events[0].started is not None
    ended = events[0].find_end(events[0].started).timestamp()
    told = tell_partial(producer, tell_partial(producer, first, ended), ended + 1e6)  # nothing new: no second one
    after = replace(second, exam=told.exam, instances=told.instances)
    told = tell_partial(producer, tell_partial(producer, after, ended + after_s), ended + after_s)
    assert len(told.instances) - len(first.instances) == len(partial)
    series = producer.plan_series_at_end(told, ended + 1e6)
    assert series is not None
    (complete,) = producer.build_at_end(told, series)
    named = [
        each.ReferencedSOPInstanceUID
        for study in complete.get("PredecessorDocumentsSequence", ())
        for each in study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    ]
    assert named == [each.SOPInstanceUID for each in told.instances_of(series)]
    assert (complete.CompletionFlag, len(named)) == ("COMPLETE", len(partial))


def test_exposures_of_long_ago_have_no_partial_report_each(tmp_path: Path, events: list[IrradiationEvent]) -> None:
    producer, told = DoseReportProducer(site(tmp_path)), work(events[:1])
    for count in (1, 2, 3):
        told = tell_partial(producer, replace(work(events[:count]), exam=told.exam, instances=told.instances), 1.9e9)
    assert len(told.instances) == len(work([]).instances) + 1
