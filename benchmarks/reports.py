"""A dose report of many irradiation events, from the record of an exam to the file in the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from benchmarks.data import cache
from openmodality.device.site.site_loader import load_site
from openmodality.exam.instances import keep_instance
from openmodality.exam.producers.dose_report import DoseReportProducer
from openmodality.exam.producers.producer import StepWork
from openmodality.standard.sop_classes import X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
from openmodality.store.listing.exams import SeriesRecord
from openmodality.store.listing.irradiation import EventRecord
from openmodality.store.local import open_store
from tests.exam_records import STEP, exam_of, instance_of, step_of
from tests.made_objects import NOW, irradiation_events

EVENTS: Final = 500
_SERIES: Final = SeriesRecord("1.2.1", 1, "XRF Image", "RF", "Swallow", 1.7e9, STEP)


def time_report(events: int) -> tuple[float, float]:
    """The CPU seconds in which a report of so many events, with an image each, is built and stored, and its MB."""
    with TemporaryDirectory(dir=cache()) as name:
        Path(name, "site.toml").write_text('profile = "rf"\n', "utf-8")
        site = load_site(Path(name))
        producer, work = DoseReportProducer(site), _make_work(events)
        series = producer.plan_series_at_end(work, 1.8e9)
        assert series is not None
        with open_store(Path(name, "data"), durability="os") as store:
            begun = process_time()
            (report,) = producer.build_at_end(replace(work, exam=exam_of(_SERIES, series)), series)
            keep_instance(site, store, report)
            seconds = process_time() - begun
            size = store.files.path(str(report.SOPInstanceUID)).stat().st_size
    return seconds, size / 1e6


def _make_work(events: int) -> StepWork:
    known = irradiation_events()
    images, records = [], []
    for number in range(events):
        image = instance_of(_SERIES, number + 1, X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE)
        uid, begun = f"1.2.2.{number + 1}", NOW + timedelta(minutes=number)
        said = known[number % len(known)].to_json() | {"uid": uid, "started": begun.isoformat()}
        images.append(image)
        records.append(EventRecord(uid, STEP, said, "1.2.1", frozenset({image.SOPInstanceUID})))
    return StepWork(exam_of(_SERIES), step_of(), images, records)
