"""The facts that images, dose report and performed step of an exam share: worklist, operator, equipment, step."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.device.mapping import map_to_image, map_to_mpps
from openmodality.device.site.site import Site
from openmodality.objects.exam_facts import ExamFacts, SeriesFacts, StepReference
from openmodality.objects.references import list_requests
from openmodality.objects.site_objects import make_equipment_attributes
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord

_POSITIONER: Final = "positioner.motion"


def describe_exam(site: Site, exam: ExamRecord, step: StepRecord | None) -> ExamFacts:
    """An exam for the builders of objects; a step that no RIS is told of is not referred to."""
    items = list_items(exam)
    scheduled = map_to_mpps(items, site.mapping).get("ScheduledStepAttributesSequence", ())
    return ExamFacts(
        study_instance_uid=exam.study_instance_uid,
        started=exam.started,
        study_id=exam.study_id,
        accession_number=exam.accession_number,
        step=_refer_to_step(step) if step and step.n_create else None,
        worklist=map_to_image(items, site.mapping),
        user=from_json(exam.user),
        configuration=describe_equipment(site),
        requests=tuple(list_requests(scheduled, exam.study_instance_uid)),
    )


def list_items(exam: ExamRecord) -> list[Dataset]:
    """The worklist items that the exam serves."""
    return [from_json(item) for item in exam.items]


def _refer_to_step(step: StepRecord) -> StepReference:
    return StepReference(step.uid, step.step_id, datetime.fromtimestamp(step.started_at))


def describe_series(series: SeriesRecord) -> SeriesFacts:
    """A series for the builders of objects."""
    return SeriesFacts(
        series_instance_uid=series.series_instance_uid,
        number=series.number,
        started=datetime.fromtimestamp(series.started),
        modality=series.modality,
        description=series.description,
        images_in_acquisition=series.images,
        frame_of_reference_uid=series.frame_of_reference_uid,
        attributes=from_json(series.attributes),
    )


def describe_equipment(site: Site) -> Dataset:
    """The equipment (PS3.3 C.7.5.1), its positioner, and the place where a step is performed."""
    values = make_equipment_attributes(site.equipment)
    values.PerformedStationName = site.equipment.station_name
    values.PerformedLocation = site.equipment.location
    if _POSITIONER in site.parameters and (motion := site.parameters.text(_POSITIONER)) != "not sent":
        values.PositionerMotion = motion
    return values
