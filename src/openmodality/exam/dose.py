"""The dose of an exam: irradiation events kept with their series, and the report at the end (PS3.16 TID 10001)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final, Literal, cast

from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.exam.delivery import produced
from openmodality.exam.facts import exam_facts, series_facts
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.identity import Uids
from openmodality.objects.report.dose_content import DoseContent, ImageReference
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.report.dose_summary import sum_radiation_dose
from openmodality.objects.report.irradiation import (
    IrradiationEvent,
    IrradiationEventType,
    TablePosition,
    XRayGeometry,
    XRayTechnique,
)
from openmodality.objects.site_objects import definition_at
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.store.listing.reader import Json
from openmodality.store.transaction import Snapshot

DOSE_SR: Final = "Dose SR"
SERIES_NUMBER: Final = 9000
"""Series Number of the first dose report; the others of an exam follow."""


def event_to_json(event: IrradiationEvent) -> Json:
    """An irradiation event as the database keeps it."""
    return asdict(event) | {"event_type": event.event_type.name, "started": event.started.isoformat()}


def event_from_json(value: Json) -> IrradiationEvent:
    """An irradiation event that was kept."""
    parts = {
        "event_type": IrradiationEventType[value["event_type"]],
        "started": datetime.fromisoformat(value["started"]),
        "technique": XRayTechnique(**value["technique"]),
        "geometry": XRayGeometry(**value["geometry"]),
        "table": TablePosition(**value["table"]),
    }
    return IrradiationEvent(**value | parts)


def events_of(exam: ExamRecord, step: StepRecord | None) -> list[IrradiationEvent]:
    """The irradiation events of a step, or of the whole exam where there is none, in their order."""
    return [event_from_json(event) for series in _of_step(exam, step) for event in series.events]


def has_dose_report(site: Site) -> bool:
    """Whether the device makes dose reports: the profile has the object and its kit is installed (RF-4.4)."""
    names = {item.name for item in site.profile.objects}
    measured = "kits.dap" not in site.parameters or site.parameters.boolean("kits.dap")
    return DOSE_SR in names and measured


def mpps_dose(events: Sequence[IrradiationEvent]) -> Dataset:
    """The dose attributes of the performed step; none where nothing was irradiated."""
    return sum_radiation_dose(events) if events else Dataset()


def report_series(site: Site, exam: ExamRecord, step: StepRecord | None, uids: Uids, at: float) -> SeriesRecord:
    """The series of the dose report of a step; the same one whenever it is asked for."""
    key = step.sop_instance_uid if step else exam.study_instance_uid
    earlier = sum(series.object_name == DOSE_SR for series in exam.series)
    return SeriesRecord(
        series_instance_uid=uids.derived(f"{key}/dose report/series"),
        number=SERIES_NUMBER + earlier + 1,
        object_name=DOSE_SR,
        modality=site.profile.object_named(DOSE_SR).modality,
        description="Dose report",
        started=at,
        step_uid=step.sop_instance_uid if step else "",
    )


def build_report(
    site: Site, snapshot: Snapshot, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord, uids: Uids
) -> Dataset:
    """The dose report of a step that ends."""
    units = site.parameters.text("behaviour.rdsr_units") if "behaviour.rdsr_units" in site.parameters else "standard"
    content = DoseContent(
        events=events_of(exam, step),
        complete=True,
        device_observer_uid=uids.derived(f"device/{site.equipment.serial_number}"),
        images=_images(snapshot, exam),
        units=cast(Literal["standard", "statement"], units),
    )
    moment = datetime.fromtimestamp(series.started)
    instance = InstanceFacts(uids.derived(f"{series.series_instance_uid}/1"), 1, moment)
    return build_dose_report(
        definition_at(site, DOSE_SR), exam_facts(site, exam, step), series_facts(series), instance, content
    )


def _images(snapshot: Snapshot, exam: ExamRecord) -> dict[str, list[ImageReference]]:
    """The images of each irradiation event: those of the series that it made."""
    by_series: dict[str, list[ImageReference]] = {}
    for each in produced(snapshot, exam):
        reference = ImageReference(each.SOPClassUID, each.SOPInstanceUID, each.SeriesInstanceUID)
        by_series.setdefault(each.SeriesInstanceUID, []).append(reference)
    return {
        event["uid"]: by_series.get(series.series_instance_uid, []) for series in exam.series for event in series.events
    }


def _of_step(exam: ExamRecord, step: StepRecord | None) -> list[SeriesRecord]:
    return [series for series in exam.series if step is None or series.step_uid == step.sop_instance_uid]
