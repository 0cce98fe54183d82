"""The dose of an exam: a report at the end of each step that irradiated (PS3.16 TID 10001), and the sums in MPPS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, cast

from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.instances import find_uid_maker
from openmodality.exam.irradiation_record import event_from_json
from openmodality.exam.producers.producer import StepWork
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.report.dose_content import DoseContent, ImageReference
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.report.dose_summary import sum_radiation_dose
from openmodality.objects.report.irradiation import IrradiationEvent
from openmodality.objects.site_objects import make_definition
from openmodality.store.listing.exams import SeriesRecord

DOSE_SR: Final = "Dose SR"
DOSE_SERIES_NUMBER: Final = 9000
"""Series Number of the first dose report is the next one; those of an exam follow each other."""


class DoseReportProducer:
    """Fulfils :class:`openmodality.exam.producers.producer.Producer`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._uids = find_uid_maker(site)
        self._is_dose_measured = "kits.dap" not in site.parameters or site.parameters.boolean("kits.dap")

    def plan_series_at_end(self, work: StepWork, at: float) -> SeriesRecord | None:
        """A series where something was irradiated, the profile has the object and its kit is installed (RF-4.4)."""
        if not (self._makes_reports and list_events(work)):
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

    def build_at_end(self, work: StepWork, series: SeriesRecord) -> Sequence[Dataset]:
        """One report of all irradiation of the step."""
        parameters = self._site.parameters
        units = parameters.text("behaviour.rdsr_units") if "behaviour.rdsr_units" in parameters else "standard"
        content = DoseContent(
            events=list_events(work),
            complete=True,
            device_observer_uid=self._uids.derived(f"device/{self._site.equipment.serial_number}"),
            images=_list_images(work),
            units=cast(Literal["standard", "statement"], units),
        )
        moment = datetime.fromtimestamp(series.started)
        instance = InstanceFacts(self._uids.derived(f"{series.series_instance_uid}/1"), 1, moment)
        facts = describe_exam(self._site, work.exam, work.step)
        definition = make_definition(self._site, DOSE_SR)
        return [build_dose_report(definition, facts, describe_series(series), instance, content)]

    def describe_step(self, work: StepWork) -> Dataset:
        """The dose attributes of the performed step; none where nothing was irradiated."""
        events = list_events(work)
        return sum_radiation_dose(events) if events else Dataset()

    @property
    def _makes_reports(self) -> bool:
        return self._is_dose_measured and any(item.name == DOSE_SR for item in self._site.profile.objects)


def list_events(work: StepWork) -> list[IrradiationEvent]:
    """The irradiation events of a step, in their order."""
    return [event_from_json(event) for series in work.series for event in series.events]


def _list_images(work: StepWork) -> dict[str, list[ImageReference]]:
    """The images of each irradiation event: those of the series that it made."""
    return {
        event["uid"]: [
            ImageReference(each.SOPClassUID, each.SOPInstanceUID, each.SeriesInstanceUID)
            for each in work.instances_of(series)
        ]
        for series in work.exam.series
        for event in series.events
    }
