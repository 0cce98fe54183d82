"""Irradiation Event X-Ray Data (PS3.16 TID 10003, with its parts 10003A, 10003B and 10003C)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from openmodality.objects.irradiation.event import IrradiationEvent, XRayFilter
from openmodality.objects.irradiation.quantities import SOME_GRID
from openmodality.objects.irradiation.stating import convert_dose
from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import contains, dcm, make_container, relate
from openmodality.objects.report.dose_codes import NUMBERS, SCT, TERM_CONCEPTS, UNITS, WORDS
from openmodality.objects.report.dose_content import DoseContent, make_acquisition_plane
from openmodality.objects.rules.sequence_items import Code, SequenceItem
from openmodality.standard.body_part_codes import find_target_region

_ALWAYS: Final = frozenset(
    {"KVP", "XRayTubeCurrent", "ExposureTime", "PulseWidth", "IrradiationDuration", "DistanceSourceToReferencePoint"}
)
"""What Table 8.1-28 of the R/F statement has in every event; where nobody knows it, the item says so."""

_FIELD: Final = ("FocalSpotSize", "CollimatedFieldArea", "CollimatedFieldHeight", "CollimatedFieldWidth")
_TECHNIQUE: Final = (
    "KVP", "XRayTubeCurrent", "ExposureTime", "Exposure", "PulseWidth",
    "IrradiationDuration",
)  # fmt: skip
_MECHANICS: Final = (
    "PositionerPrimaryAngle", "PositionerSecondaryAngle", "PositionerPrimaryEndAngle", "PositionerSecondaryEndAngle",
    "ColumnAngulation", "DistanceSourceToReferencePoint", "DistanceSourceToDetector", "DistanceSourceToIsocenter",
    "TableLongitudinalPosition", "TableLateralPosition", "TableHeightPosition", "TableHeadTiltAngle",
    "TableHorizontalRotationAngle", "TableCradleTiltAngle", "TableLongitudinalEndPosition", "TableLateralEndPosition",
    "TableHeightEndPosition",
)  # fmt: skip
_ENDS: Final = {
    "PositionerPrimaryEndAngle": "PositionerPrimaryAngle",
    "PositionerSecondaryEndAngle": "PositionerSecondaryAngle",
    "TableLongitudinalEndPosition": "TableLongitudinalPosition",
    "TableLateralEndPosition": "TableLateralPosition",
    "TableHeightEndPosition": "TableHeightPosition",
}
"""Where something ended that did not move is where it began."""


def make_irradiation_event(event: IrradiationEvent, content: DoseContent) -> SequenceItem:
    """The container of one irradiation event."""
    units = content.dose_units
    protocol, comment = event.text("AcquisitionProtocol"), event.text("Comment")
    items = [
        sr.make_date_time(dcm("111526", "DateTime Started"), event.started or datetime.min),
        _make_term(event, "IrradiationEventType"),
        *([sr.make_text(dcm("125203", "Acquisition Protocol"), protocol)] if protocol else []),
        content.make_reference_point(),
        sr.make_uidref(dcm("113769", "Irradiation Event UID"), event.uid),
        *_make_label(event, content),
        units.make_area_product(dcm("122130", "Dose Area Product"), event.get("DoseAreaProduct")),
        units.make_kerma(dcm("113738", "Dose (RP)"), event.get("DoseRP")),
        *_make_source_data(event),
        _make_target_region(event),
        *_make_grid(event),
        *_make_numbers(event, ("PatientEquivalentThickness",)),
        *_make_mechanical_data(event, content),
        *_make_patient_position(event),
        *_make_detector_data(event, content),
        *([sr.make_text(dcm("121106", "Comment"), comment)] if comment else []),
    ]
    children = [make_acquisition_plane(), *contains(*items)]
    return make_container(dcm("113706", "Irradiation Event X-Ray Data"), children, template="10003")


def _make_detector_data(event: IrradiationEvent, content: DoseContent) -> Iterator[SequenceItem]:
    """X-Ray Detector Data (TID 10003A)."""
    for image in content.images.get(event.uid, ()):
        yield sr.make_image(dcm("113795", "Acquired Image"), image.sop_class_uid, image.sop_instance_uid)


def _make_source_data(event: IrradiationEvent) -> Iterator[SequenceItem]:
    """X-Ray Source Data (TID 10003B)."""
    for each in event.filters:
        yield _make_filter(each)
    yield from _make_numbers(event, _FIELD)
    if event.is_fluoroscopy:
        yield _make_term(event, "FluoroMode")
    yield from _make_pulses(event)
    yield from _make_numbers(event, _TECHNIQUE)
    if event.text("AnodeTargetMaterial"):
        yield _make_term(event, "AnodeTargetMaterial")


def _make_pulses(event: IrradiationEvent) -> Iterator[SequenceItem]:
    """Pulse Rate of pulsed fluoroscopy alone, Number of Pulses of all that is not continuous (TID 10003B)."""
    mode = event.text("FluoroMode") if event.is_fluoroscopy else ""
    if mode == "Pulsed":
        yield _make_number("PulseRate", event.get("PulseRate"))
    if mode != "Continuous":
        yield _make_number("NumberOfPulses", event.get("NumberOfPulses"))


def _make_label(event: IrradiationEvent, content: DoseContent) -> list[SequenceItem]:
    """What a person knows the event by: the number of the series of its images, where these were kept."""
    label = content.labels.get(event.uid)
    if label is None:
        return []
    kind = relate(sr.HAS_CONCEPT_MOD, sr.make_code(dcm("113606", "Label Type"), dcm("113607", "Series Number")))
    return [sr.make_text(dcm("113605", "Irradiation Event Label"), label, [kind])]


def _make_mechanical_data(event: IrradiationEvent, content: DoseContent) -> Iterator[SequenceItem]:
    """X-Ray Mechanical Data (TID 10003C); the distance of the reference point is the site's where none is stated."""
    values = {name: event.get(name) for name in _MECHANICS}
    values |= {end: values[begin] for end, begin in _ENDS.items() if values[end] is None}
    if values["DistanceSourceToReferencePoint"] is None:
        values["DistanceSourceToReferencePoint"] = content.reference_point.distance_mm
    for name in _MECHANICS:
        if values[name] is not None:
            yield _make_number(name, values[name])


def _make_patient_position(event: IrradiationEvent) -> Iterator[SequenceItem]:
    if event.text("PatientTableRelationship"):
        yield _make_term(event, "PatientTableRelationship")
    if event.text("PatientOrientation"):
        modifier = relate(sr.HAS_CONCEPT_MOD, _make_term(event, "PatientOrientationModifier"))
        yield _make_term(event, "PatientOrientation", [modifier])


def _make_target_region(event: IrradiationEvent) -> SequenceItem:
    value, meaning = find_target_region(event.text("BodyPartExamined"))
    side = [relate(sr.HAS_CONCEPT_MOD, _make_term(event, "Laterality"))] if event.text("Laterality") else []
    return sr.make_code(dcm("123014", "Target Region"), Code(value, SCT, meaning), side)


def _make_grid(event: IrradiationEvent) -> list[SequenceItem]:
    """The grid; none where nobody says anything, as the statement has it, and nothing for one of no known kind."""
    grid = event.text("XRayGrid") or "No grid"
    return [] if grid == SOME_GRID else [sr.make_code(TERM_CONCEPTS["XRayGrid"], WORDS[grid])]


def _make_filter(each: XRayFilter) -> SequenceItem:
    items = contains(
        sr.make_code(dcm("113772", "X-Ray Filter Type"), WORDS[each.type]),
        sr.make_code(dcm("113757", "X-Ray Filter Material"), WORDS[each.material]),
        sr.make_num(dcm("113758", "X-Ray Filter Thickness Minimum"), each.thickness_minimum_mm, UNITS["mm"]),
        sr.make_num(dcm("113773", "X-Ray Filter Thickness Maximum"), each.thickness_maximum_mm, UNITS["mm"]),
    )
    return make_container(dcm("113771", "X-Ray Filters"), items)


def _make_numbers(event: IrradiationEvent, names: tuple[str, ...]) -> Iterator[SequenceItem]:
    for name in names:
        value = event.get(name)
        if value is not None or name in _ALWAYS:
            yield _make_number(name, value)


def _make_number(name: str, value: float | None) -> SequenceItem:
    concept, unit, factor = NUMBERS[name]
    return sr.make_num(concept, convert_dose(value, factor), unit)


def _make_term(event: IrradiationEvent, name: str, children: Sequence[SequenceItem] = ()) -> SequenceItem:
    return sr.make_code(TERM_CONCEPTS[name], WORDS[event.text(name)], children)
