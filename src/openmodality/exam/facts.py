"""What images, dose report and performed step of an exam have in common: worklist, operator, equipment, step."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.device.mapping import map_to_image
from openmodality.device.site import Site
from openmodality.exam.record import ExamRecord, SeriesRecord, StepRecord, from_json
from openmodality.objects.definition import ObjectDefinition
from openmodality.objects.exam_facts import ExamFacts, PerformedStep, SeriesFacts

UTF_8: Final = ("ISO_IR 192",)


def exam_facts(site: Site, exam: ExamRecord, step: StepRecord | None) -> ExamFacts:
    """An exam as the builders of objects want it; a step that no RIS is told of is not referred to."""
    return ExamFacts(
        study_instance_uid=exam.study_instance_uid,
        started=exam.started,
        study_id=exam.study_id,
        accession_number=exam.accession_number,
        step=_performed(step) if step and step.n_create else None,
        worklist=map_to_image(items_of(exam), site.mapping),
        user=from_json(exam.user),
        configuration=equipment(site),
    )


def items_of(exam: ExamRecord) -> list[Dataset]:
    """The worklist items that the exam serves."""
    return [from_json(item) for item in exam.items]


def _performed(step: StepRecord) -> PerformedStep:
    return PerformedStep(step.uid, step.step_id, datetime.fromtimestamp(step.started_at))


def series_facts(series: SeriesRecord) -> SeriesFacts:
    """A series as the builders of objects want it."""
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


def equipment(site: Site) -> Dataset:
    """The attributes of the General Equipment module (PS3.3 C.7.5.1) and of the place where a step is performed."""
    own = site.equipment
    values = Dataset()
    values.Manufacturer = own.manufacturer
    values.ManufacturerModelName = own.model
    values.DeviceSerialNumber = own.serial_number
    values.SoftwareVersions = list(own.software_versions)
    values.StationName = own.station_name
    values.InstitutionName = own.institution_name
    values.InstitutionAddress = own.institution_address
    values.InstitutionalDepartmentName = own.department
    values.PerformedStationName = own.station_name
    values.PerformedLocation = own.location
    return values


def definition_of(site: Site, object_name: str) -> ObjectDefinition:
    """An object of the profile with the site's switches and character sets.

    UTF-8 stands last: a name that no configured character set holds must not stop an exam.
    """
    off = [key for key, value in site.parameters.items() if value is False]
    definition = ObjectDefinition.of(site.profile, object_name, switches_off=off)
    return ObjectDefinition(
        definition.information_object,
        definition.rules,
        definition.optional_modules,
        (*site.character_sets, UTF_8),
        definition.switches_off,
    )
