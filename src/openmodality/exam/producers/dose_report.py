"""The dose of an exam: a report at the end of each step that irradiated (PS3.16 TID 10001), and the sums in MPPS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.exam.dose_settings import read_dose_settings
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.producers.producer import StepWork
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.report.dose_content import DoseContent, ImageReference
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.report.dose_summary import sum_radiation_dose
from openmodality.objects.site_objects import find_uid_maker, make_definition
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import SeriesRecord

DOSE_SR: Final = "Dose SR"
DOSE_SERIES_NUMBER: Final = 9000
"""Series Number of the first dose report is the next one; those of an exam follow each other."""


class DoseReportProducer:
    """Fulfils :class:`openmodality.exam.producers.producer.Producer`.

    Raises :class:`ConfigurationError` where the site's words on the calibration make no sense.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._uids = find_uid_maker(site)
        self._settings = read_dose_settings(site)
        self._is_dose_measured = "kits.dap" not in site.parameters or site.parameters.boolean("kits.dap")

    def plan_series_at_end(self, work: StepWork, at: float) -> SeriesRecord | None:
        """A series where something was irradiated, the profile has the object and its kit is installed (RF-4.4)."""
        if not (self._makes_reports and work.events):
            return None
        earlier = sum(series.object_name == DOSE_SR for series in work.exam.series)
        return SeriesRecord(
            series_instance_uid=self._uids.derived(f"{work.key}/dose report/series"),
            number=DOSE_SERIES_NUMBER + earlier + 1,
            object_name=DOSE_SR,
            modality=self._site.profile.find_object(DOSE_SR).modality,
            description="Dose report",
            started=at,
            step_uid=work.step.sop_instance_uid if work.step else "",
        )

    def plan_series_meanwhile(self, work: StepWork, at: float) -> SeriesRecord | None:
        """The series of the report of the end, which has the PARTIAL ones as well; None where none is due."""
        planned = self.plan_series_at_end(work, at) if self._settings.makes_partial else None
        return planned if planned is not None and self._is_partial_due(work, planned, at) else None

    def build_meanwhile(self, work: StepWork, series: SeriesRecord, at: float) -> Sequence[Dataset]:
        """One PARTIAL report of the irradiation so far; the same one until there is more."""
        uid = self._derive_partial_uid(series, len(work.events))
        return [self._build(work, series, uid, at, is_complete=False)]

    def _is_partial_due(self, work: StepWork, planned: SeriesRecord, at: float) -> bool:
        """Whether there is news for a PARTIAL report, and the one before it is old enough (ADR 56).

        A report is as old as the last irradiation that it tells of. The mean over the step bounds how many there are
        where exposures are stated to have been long ago.
        """
        made = {each.SOPInstanceUID for each in work.instances_of(planned)}
        told = next((n for n in range(len(work.events), 0, -1) if self._derive_partial_uid(planned, n) in made), 0)
        interval_s = self._settings.partial_interval_s
        if told == len(work.events):
            return False
        if not told or not interval_s:
            return True  # with the first series, or with each: no clock is asked, whatever end the exposures state
        begun = next(each.started for each in work.series if each.series_instance_uid == planned.series_instance_uid)
        events = [IrradiationEvent.from_json(record.event) for record in work.events[:told]]
        last = max(event.find_end(event.started).timestamp() if event.started else begun for event in events)
        return at >= max(last + interval_s, begun + interval_s * len(made))

    def _derive_partial_uid(self, series: SeriesRecord, events: int) -> str:
        return self._uids.derived(f"{series.series_instance_uid}/partial/{events}")

    def build_at_end(self, work: StepWork, series: SeriesRecord) -> Sequence[Dataset]:
        """One COMPLETE report of all irradiation of the step."""
        ending = work.exam.ending
        uid = self._uids.derived(f"{series.series_instance_uid}/1")
        return [self._build(work, series, uid, ending.at if ending else series.started, is_complete=True)]

    def describe_step(self, work: StepWork) -> Dataset:
        """The dose attributes of the performed step; none where nothing was irradiated."""
        events = list_events(work)
        return sum_radiation_dose(events) if events else Dataset()

    @property
    def _makes_reports(self) -> bool:
        return self._is_dose_measured and any(item.name == DOSE_SR for item in self._site.profile.objects)

    def _build(self, work: StepWork, series: SeriesRecord, uid: str, at: float, *, is_complete: bool) -> Dataset:
        earlier = [_refer_to(each) for each in work.instances_of(series) if each.SOPInstanceUID != uid]
        content = DoseContent(
            events=list_events(work),
            complete=is_complete,
            device_observer_uid=self._uids.derived(f"device/{self._site.equipment.serial_number}"),
            images=_list_images(work),
            units=self._settings.units,
            reference_point=self._settings.reference_point,
            calibration=self._settings.calibration,
            predecessors=earlier,
            labels=_list_labels(work),
        )
        instance = InstanceFacts(uid, len(earlier) + 1, datetime.fromtimestamp(at))
        facts = describe_exam(self._site, work.exam, work.step)
        definition = make_definition(self._site, DOSE_SR)
        return build_dose_report(definition, facts, describe_series(series), instance, content)


def list_events(work: StepWork) -> list[IrradiationEvent]:
    """The irradiation events of a step, in the order in which they began."""
    events = [IrradiationEvent.from_json(record.event) for record in work.events]
    return sorted(events, key=lambda event: event.started or datetime.min)


def _list_images(work: StepWork) -> dict[str, list[ImageReference]]:
    """The images of each irradiation event that were kept."""
    kept = {each.SOPInstanceUID: each for each in work.instances}
    order = {uid: number for number, uid in enumerate(kept)}
    return {
        record.uid: [_refer_to(kept[uid]) for uid in sorted(record.images & kept.keys(), key=order.__getitem__)]
        for record in work.events
    }


def _list_labels(work: StepWork) -> dict[str, str]:
    """The Series Number of each irradiation event that has images in a series of its own."""
    numbers = {each.series_instance_uid: str(each.number) for each in work.exam.series}
    return {
        record.uid: numbers[record.series_instance_uid]
        for record in work.events
        if record.images and record.series_instance_uid in numbers
    }


def _refer_to(instance: InstanceReference) -> ImageReference:
    return ImageReference(instance.SOPClassUID, instance.SOPInstanceUID, instance.SeriesInstanceUID)
