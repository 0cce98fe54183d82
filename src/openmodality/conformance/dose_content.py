"""Lists the content tree of the dose report from reports that the device makes, so that it is written down only once.

Two reports are made of invented numbers: one with everything that can be stated, and one with the least. Items that
only the first has are in a report only where something is known (ANAP).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.conformance import model
from openmodality.device.site.site import Site
from openmodality.objects.exam_facts import ExamFacts, StepReference
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.report.dose_content import DoseCalibration, DoseContent, DoseUnitsName, ImageReference
from openmodality.objects.report.tid_10001 import make_dose_report
from openmodality.standard.sop_classes import X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
from openmodality.value_class import dataclass

_MOMENT: Final = datetime(2026, 1, 1, 12)
_EVENT_UID: Final = "1.2.3"
_EQUIPMENT: Final = {
    "Manufacturer": "-", "ManufacturerModelName": "-", "DeviceSerialNumber": "-", "StationName": "-",
}  # fmt: skip
_TECHNIQUE: Final[dict[str, object]] = {
    "KVP": 80, "XRayTubeCurrent": 200, "PulseWidth": 8, "FilterMaterial": ["COPPER"], "FilterThicknessMinimum": [0.1],
    "FilterThicknessMaximum": [0.1], "AnodeTargetMaterial": "TUNGSTEN", "Grid": "FOCUSED", "ColumnAngulation": 3,
    "BodyPartThickness": 210, "PatientOrientation": "erect", "PatientOrientationModifier": "standing",
    "CommentsOnRadiationDose": "-", "PositionerPrimaryAngle": -30, "PositionerPrimaryEndAngle": 30,
    "PositionerSecondaryAngle": 0, "TableHeadTiltAngle": 15, "DoseRP": 0.001, "DoseAreaProduct": 1e-5,
    "BodyPartExamined": "KNEE", "Laterality": "L", "FocalSpots": 0.6, "DistanceSourceToDetector": 1100,
    "DistanceSourceToPatient": 800, "PatientTableRelationship": "headfirst", "ProtocolName": "-",
    "CollimatedFieldArea": 0.04, "CollimatedFieldHeight": 0.2, "CollimatedFieldWidth": 0.2, "FocalSpotSize": 0.6,
    "DistanceSourceToIsocenter": 700, "TableLongitudinalPosition": 0, "TableLateralPosition": 0,
    "TableHeightPosition": 0, "TableHorizontalRotationAngle": 0, "TableCradleTiltAngle": 0,
    "TableLongitudinalEndPosition": 1, "TableLateralEndPosition": 1, "TableHeightEndPosition": 1,
    "PositionerSecondaryEndAngle": 1,
}  # fmt: skip
_KINDS: Final[tuple[dict[str, object], ...]] = (
    {"RadiationSetting": "SC", "PulseRate": 15, "IrradiationDuration": 4},
    {"RadiationSetting": "GR", "NumberOfPulses": 1},
)
"""Pulsed fluoroscopy and a stationary acquisition."""


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a report with where it is: the concepts above it and its own."""

    path: tuple[str, ...]
    data_set: Dataset
    depth: int
    template: str


def list_report_items(site: Site) -> Iterator[model.StatedReportItem]:
    """The items of a report in their order, each once."""
    units: DoseUnitsName = "standard" if site.parameters.text("behaviour.rdsr_units") == "standard" else "statement"
    always = {item.path for item in _walk(_make_least(units))}
    seen: set[tuple[str, ...]] = set()
    for item in _walk(_make_full(units)):
        if item.path not in seen:
            seen.add(item.path)
            yield _describe(item, is_always=item.path in always)


def _make_full(units: DoseUnitsName) -> Dataset:
    events = tuple(
        IrradiationEvent(**_TECHNIQUE | kind).begin(f"{_EVENT_UID}.{number}", _MOMENT, 60)
        for number, kind in enumerate(_KINDS)
    )
    image = ImageReference(X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE, "1.2.4", "1.2.5")
    content = DoseContent(
        events, True, "1.2.6", {event.uid: [image] for event in events}, units,
        calibration=DoseCalibration(_MOMENT, "-", protocol="-"), comment="-",
        labels={event.uid: "1" for event in events},
    )  # fmt: skip
    return make_dose_report(_make_exam(), content).to_data_set()


def _make_least(units: DoseUnitsName) -> Dataset:
    event = IrradiationEvent(KVP=80).begin(_EVENT_UID, _MOMENT, 0)
    exam = replace(_make_exam(), configuration=Dataset())
    return make_dose_report(exam, DoseContent((event,), True, "1.2.6", units=units)).to_data_set()


def _make_exam() -> ExamFacts:
    equipment = Dataset()
    for keyword, value in _EQUIPMENT.items():
        setattr(equipment, keyword, value)
    return ExamFacts("1.2.7", _MOMENT, step=StepReference("1.2.8", "1", _MOMENT), configuration=equipment)


def _walk(item: Dataset, above: tuple[str, ...] = (), template: str = "") -> Iterator[_Item]:
    concept = item.ConceptNameCodeSequence[0]
    path = (*above, f"{concept.CodeValue} {concept.CodingSchemeDesignator}")
    if "ContentTemplateSequence" in item:
        template = str(item.ContentTemplateSequence[0].TemplateIdentifier)
    yield _Item(path, item, len(above), template)
    for child in item.get("ContentSequence", ()):
        yield from _walk(child, path, template)


def _describe(item: _Item, *, is_always: bool) -> model.StatedReportItem:
    data_set = item.data_set
    concept = data_set.ConceptNameCodeSequence[0]
    values = data_set.get("ConceptCodeSequence") or [Dataset()]
    return model.StatedReportItem(
        depth=item.depth,
        relationship=str(data_set.get("RelationshipType", "")),
        value_type=str(data_set.ValueType),
        concept_code=str(concept.CodeValue),
        concept_scheme=str(concept.CodingSchemeDesignator),
        concept_meaning=str(concept.CodeMeaning),
        value_code=str(values[0].get("CodeValue", "")),
        value_scheme=str(values[0].get("CodingSchemeDesignator", "")),
        value_meaning=str(values[0].get("CodeMeaning", "")),
        units=_find_units(data_set),
        template=item.template,
        presence="ALWAYS" if is_always else "ANAP",
        path=item.path,
    )


def _find_units(data_set: Dataset) -> str:
    measured = data_set.get("MeasuredValueSequence")
    return str(measured[0].MeasurementUnitsCodeSequence[0].CodeValue) if measured else ""
