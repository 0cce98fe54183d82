"""X-Ray Radiation Dose SR of a projection X-ray exam (PS3.3 A.35.8, PS3.16 TID 10001, 10002, 10003; R/F Table 8.1-28).

One container holds the accumulated dose, one more each irradiation event. While the performed procedure step is
IN PROGRESS the report is PARTIAL, when the step ends it is COMPLETE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydicom.dataset import Dataset

from openmodality.objects.exam_facts import ExamFacts, InstanceFacts, SeriesFacts, values_of
from openmodality.objects.image.image import finished
from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import Code, container, contains, dcm, related
from openmodality.objects.report.irradiation import (
    DGY_CM2_PER_GY_M2,
    MGY_PER_GY,
    DoseTotals,
    IrradiationEvent,
    IrradiationEventType,
    accumulate,
)
from openmodality.objects.rules.definition import ObjectDefinition

MM, MS, S, KV, MA = (sr.ucum(unit) for unit in ("mm", "ms", "s", "kV", "mA"))
COUNT = sr.ucum("1", "no units")
PULSES_PER_S = sr.ucum("{pulse}/s", "pulse/s")
SQUARE_METRE = sr.ucum("m2")
SINGLE_PLANE = dcm("113622", "Single Plane")
ACQUISITION_PLANE = dcm("113764", "Acquisition Plane")
REFERENCE_POINT = dcm("113780", "Reference Point Definition")
EVENT_TYPES: Mapping[IrradiationEventType, Code] = {
    IrradiationEventType.FLUOROSCOPY: Code("44491008", "SCT", "Fluoroscopy"),
    IrradiationEventType.STATIONARY_ACQUISITION: dcm("113611", "Stationary Acquisition"),
    IrradiationEventType.STEPPING_ACQUISITION: dcm("113612", "Stepping Acquisition"),
    IrradiationEventType.ROTATIONAL_ACQUISITION: dcm("113613", "Rotational Acquisition"),
}

Units = Literal["standard", "statement"]


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image that an irradiation event made."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True)
class DoseUnits:
    """Units of dose: those that TID 10002 and 10003 fix, or those of the R/F statement."""

    area_product: Code
    area_product_per_gy_m2: float
    kerma: Code
    kerma_per_gy: float


UNITS: Mapping[Units, DoseUnits] = {
    "standard": DoseUnits(sr.ucum("Gy.m2"), 1.0, sr.ucum("Gy"), 1.0),
    "statement": DoseUnits(sr.ucum("dGy.cm2"), DGY_CM2_PER_GY_M2, sr.ucum("mGy"), MGY_PER_GY),
}


@dataclass(frozen=True, slots=True)
class DoseContent:
    """What a report tells. ``images`` are those of each irradiation event, by Irradiation Event UID."""

    events: Sequence[IrradiationEvent]
    complete: bool
    device_observer_uid: str
    images: Mapping[str, Sequence[ImageReference]] = field(default_factory=dict)
    units: Units = "standard"
    reference_point: str = "48.0 cm Chamber Patient Distance"


def build_dose_report(
    definition: ObjectDefinition, exam: ExamFacts, series: SeriesFacts, instance: InstanceFacts, content: DoseContent
) -> Dataset:
    """The report as a data set with its file meta information.

    Raises:
        ObjectInvalid: a mandatory attribute has no value.
    """
    header = Dataset()
    header.CompletionFlag = "COMPLETE" if content.complete else "PARTIAL"
    header.VerificationFlag = "UNVERIFIED"
    values = values_of(exam, series, instance, header)
    # The report stands for the whole step and its own series refers to none (R/F Table 8.1-25).
    values.automatic.ReferencedPerformedProcedureStepSequence = []
    document = _root(exam, content)
    document.update(_evidence(exam, content))
    return finished(definition, values, document)


def _root(exam: ExamFacts, content: DoseContent) -> Dataset:
    units = UNITS[content.units]
    intent = sr.code(Code("363703001", "SCT", "Has Intent"), Code("261004008", "SCT", "Diagnostic Intent"))
    reported = sr.code(
        dcm("121058", "Procedure reported"),
        dcm("113704", "Projection X-Ray"),
        [related(sr.HAS_CONCEPT_MOD, intent)],
    )
    children = [
        related(sr.HAS_CONCEPT_MOD, reported),
        *(related(sr.HAS_OBS_CONTEXT, item) for item in _observer(content, exam.configuration)),
        related(sr.HAS_OBS_CONTEXT, _scope(exam)),
        *contains(_accumulated(content, units)),
        *contains(*(_event(event, content, units) for event in content.events)),
        *contains(sr.code(dcm("113854", "Source of Dose Information"), dcm("113856", "Automated Data Collection"))),
    ]
    return container(dcm("113701", "X-Ray Radiation Dose Report"), children, template="10001")


def _evidence(exam: ExamFacts, content: DoseContent) -> Dataset:
    """Current Requested Procedure Evidence Sequence (0040,A375): all images that the report refers to, by series."""
    by_series: dict[str, list[Dataset]] = {}
    for event in content.events:
        for image in content.images.get(event.uid, ()):
            item = Dataset()
            item.ReferencedSOPClassUID = image.sop_class_uid
            item.ReferencedSOPInstanceUID = image.sop_instance_uid
            by_series.setdefault(image.series_instance_uid, []).append(item)
    data_set = Dataset()
    if by_series:
        study = Dataset()
        study.ReferencedSeriesSequence = [_series_reference(uid, items) for uid, items in by_series.items()]
        study.StudyInstanceUID = exam.study_instance_uid
        data_set.CurrentRequestedProcedureEvidenceSequence = [study]
    return data_set


def _series_reference(series_instance_uid: str, items: list[Dataset]) -> Dataset:
    data_set = Dataset()
    data_set.ReferencedSOPSequence = items
    data_set.SeriesInstanceUID = series_instance_uid
    return data_set


def _observer(content: DoseContent, equipment: Dataset) -> list[Dataset]:
    """The device as observer (TID 1002, 1004), in the words of the equipment attributes."""
    items = [
        sr.code(dcm("121005", "Observer Type"), dcm("121007", "Device")),
        sr.uidref(dcm("121012", "Device Observer UID"), content.device_observer_uid),
    ]
    names = (("121014", "Manufacturer", "Manufacturer"), ("121015", "Model Name", "ManufacturerModelName"),
             ("121016", "Serial Number", "DeviceSerialNumber"))  # fmt: skip
    for value, what, keyword in names:
        if equipment.get(keyword):
            items.append(sr.text(dcm(value, f"Device Observer {what}"), str(equipment.get(keyword))))
    return items


def _scope(exam: ExamFacts) -> Dataset:
    """What the doses are summed over: the performed step, or the study where there is none."""
    if exam.step is not None:
        scope = dcm("113016", "Performed Procedure Step")
        uid = sr.uidref(dcm("121126", "Performed Procedure Step SOP Instance UID"), exam.step.sop_instance_uid)
    else:
        scope = dcm("113014", "Study")
        uid = sr.uidref(dcm("110180", "Study Instance UID"), exam.study_instance_uid)
    return sr.code(dcm("113705", "Scope of Accumulation"), scope, [related(sr.HAS_PROPERTIES, uid)])


def _accumulated(content: DoseContent, units: DoseUnits) -> Dataset:
    """Accumulated X-Ray Dose (TID 10002 and 10004)."""
    dose = accumulate(content.events)
    plane = related(sr.HAS_CONCEPT_MOD, sr.code(ACQUISITION_PLANE, SINGLE_PLANE))
    items = [
        *_totals(dose.total, units, ("113722", "Dose Area Product Total"), ("113725", "Dose (RP) Total")),
        *_totals(
            dose.fluoroscopy, units,
            ("113726", "Fluoro Dose Area Product Total"), ("113728", "Fluoro Dose (RP) Total"),
        ),
        sr.num(dcm("113730", "Total Fluoro Time"), dose.fluoroscopy.time_s, S),
        *_totals(
            dose.acquisition, units,
            ("113727", "Acquisition Dose Area Product Total"), ("113729", "Acquisition Dose (RP) Total"),
        ),
        sr.num(dcm("113855", "Total Acquisition Time"), dose.acquisition.time_s, S),
        sr.text(REFERENCE_POINT, content.reference_point),
        sr.num(dcm("113731", "Total Number of Radiographic Frames"), dose.acquisition.frames, COUNT),
    ]  # fmt: skip
    children = [plane, *contains(*items)]
    return container(dcm("113702", "Accumulated X-Ray Dose Data"), children, template="10002", continuity="CONTINUOUS")


def _totals(
    totals: DoseTotals, units: DoseUnits, area_product: tuple[str, str], reference_point: tuple[str, str]
) -> list[Dataset]:
    return [
        _area_product(dcm(*area_product), totals.dose_area_product_gy_m2, units),
        _kerma(dcm(*reference_point), totals.dose_rp_gy, units),
    ]


def _event(event: IrradiationEvent, content: DoseContent, units: DoseUnits) -> Dataset:
    """Irradiation Event X-Ray Data (TID 10003)."""
    plane = related(sr.HAS_CONCEPT_MOD, sr.code(ACQUISITION_PLANE, SINGLE_PLANE))
    items = [
        sr.date_time(dcm("111526", "DateTime Started"), event.started),
        sr.code(dcm("113721", "Irradiation Event Type"), EVENT_TYPES[event.event_type]),
        sr.text(dcm("125203", "Acquisition Protocol"), event.protocol),
        sr.text(REFERENCE_POINT, content.reference_point),
        sr.uidref(dcm("113769", "Irradiation Event UID"), event.uid),
        _area_product(dcm("122130", "Dose Area Product"), event.dose_area_product_gy_m2, units),
        _kerma(dcm("113738", "Dose (RP)"), event.dose_rp_gy, units),
        *_source_data(event),
        *_mechanical_data(event),
        sr.code(dcm("123014", "Target Region"), Code("38266002", "SCT", "Entire body")),
        *(
            sr.image(dcm("113795", "Acquired Image"), image.sop_class_uid, image.sop_instance_uid)
            for image in content.images.get(event.uid, ())
        ),
    ]
    return container(dcm("113706", "Irradiation Event X-Ray Data"), [plane, *contains(*items)], template="10003")


def _source_data(event: IrradiationEvent) -> list[Dataset]:
    """X-Ray Source Data (TID 10003B)."""
    technique, geometry = event.technique, event.geometry
    items = [_filter(technique.filter_thickness_mm_al)] if technique.filter_thickness_mm_al else []
    items += [
        sr.num(dcm("113766", "Focal Spot Size"), technique.focal_spot_mm, MM),
        sr.num(dcm("113790", "Collimated Field Area"), geometry.field_area_m2, SQUARE_METRE),
        sr.num(dcm("113788", "Collimated Field Height"), geometry.field_height_mm, MM),
        sr.num(dcm("113789", "Collimated Field Width"), geometry.field_width_mm, MM),
    ]
    if event.is_fluoroscopy:
        pulsed = technique.pulse_rate > 0
        mode = dcm("113631", "Pulsed") if pulsed else dcm("113630", "Continuous")
        items.append(sr.code(dcm("113732", "Fluoro Mode"), mode))
    if technique.pulse_rate:
        items.append(sr.num(dcm("113791", "Pulse Rate"), technique.pulse_rate, PULSES_PER_S))
    return [
        *items,
        sr.num(dcm("113768", "Number of Pulses"), technique.number_of_pulses, COUNT),
        sr.num(dcm("113733", "KVP"), technique.kvp, KV),
        sr.num(dcm("113734", "X-Ray Tube Current"), technique.tube_current_ma, MA),
        sr.num(dcm("113824", "Exposure Time"), technique.exposure_time_ms, MS),
        sr.num(dcm("113793", "Pulse Width"), technique.pulse_width_ms, MS),
        sr.num(dcm("113742", "Irradiation Duration"), event.duration_s, S),
        sr.code(dcm("111635", "X-Ray Grid"), dcm("111646", "No grid")),
    ]


def _filter(thickness_mm: float) -> Dataset:
    aluminium = Code("105830007", "SCT", "Aluminum or Aluminum compound")
    items = contains(
        sr.code(dcm("113772", "X-Ray Filter Type"), dcm("113650", "Strip filter")),
        sr.code(dcm("113757", "X-Ray Filter Material"), aluminium),
        sr.num(dcm("113758", "X-Ray Filter Thickness Minimum"), thickness_mm, MM),
        sr.num(dcm("113773", "X-Ray Filter Thickness Maximum"), thickness_mm, MM),
    )
    return container(dcm("113771", "X-Ray Filters"), items)


def _mechanical_data(event: IrradiationEvent) -> list[Dataset]:
    """X-Ray Mechanical Data (TID 10003C)."""
    geometry, table = event.geometry, event.table
    return [
        sr.num(dcm("113737", "Distance Source to Reference Point"), geometry.source_to_reference_point_mm, MM),
        sr.num(dcm("113750", "Distance Source to Detector"), geometry.source_to_detector_mm, MM),
        sr.num(dcm("113748", "Distance Source to Isocenter"), geometry.source_to_isocenter_mm, MM),
        sr.num(dcm("113751", "Table Longitudinal Position"), table.longitudinal_mm, MM),
        sr.num(dcm("113752", "Table Lateral Position"), table.lateral_mm, MM),
        sr.num(dcm("113753", "Table Height Position"), table.height_mm, MM),
    ]


def _area_product(concept: Code, gy_m2: float, units: DoseUnits) -> Dataset:
    return sr.num(concept, gy_m2 * units.area_product_per_gy_m2, units.area_product)


def _kerma(concept: Code, gy: float, units: DoseUnits) -> Dataset:
    return sr.num(concept, gy * units.kerma_per_gy, units.kerma)
