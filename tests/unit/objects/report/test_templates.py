"""Finished reports against the templates of PS3.16 and, row by row, against Table 8.1-28 of the R/F statement."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from openmodality import IrradiationEvent
from openmodality.objects.report.dose_content import DoseCalibration, DoseContent, ImageReference, ReferencePoint
from openmodality.objects.report.tid_10001 import make_dose_report
from tests.content_tree import find_items
from tests.dose_templates import find_faults
from tests.made_objects import NAMES, NOW, exam, irradiation_events, report, worklist

STATEMENT = Path("tests/data/spec/rf/rdsr_content.csv")
LEAST = IrradiationEvent(KVP=80).begin("1.2.3", NOW, 0)
CALIBRATED = DoseCalibration(datetime(2026, 1, 15), "Maker", 1.02, 5.0, "Protocol 7")
# What newer editions code in SNOMED CT, the statement codes in SNOMED RT; DECISIONS R/F 39 and 40 on scope and units.
NEW_CODES = {
    "G-C0E8": "363703001", "R-408C3": "261004008", "A-2C090": "15869005", "P5-06000": "44491008",
    "C-120F9": "12503006", "T-D0010": "818981001", "F-10470": "102540008", "F-10450": "102538003",
    "F-10340": "40199007",
}  # fmt: skip


def content(*events: IrradiationEvent, **changes: object) -> DoseContent:
    images = {event.uid: [ImageReference("1.2.840.10008.5.1.4.1.1.12.2", "1.2.9", "1.2.8")] for event in events}
    return replace(DoseContent(events, True, "1.2.3", images, calibration=CALIBRATED), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("units", ["standard", "statement"])
def test_the_report_of_an_exam(units: str) -> None:
    made = report(worklist(NAMES["ascii"]), units=units)  # type: ignore[arg-type]
    assert find_faults(made, statement_units=units == "statement") == []


def test_the_least_that_can_be_stated_makes_a_whole_report() -> None:
    made = make_dose_report(exam(None), content(LEAST, calibration=None, images={})).to_data_set()
    assert find_faults(made) == []


def test_all_that_can_be_stated() -> None:
    event = IrradiationEvent(
        KVP=80, XRayTubeCurrent=200, PulseWidth=8, PulseRate=15, IrradiationDuration=4, RadiationSetting="SC",
        FilterMaterial=["COPPER", "TIN"], FilterThicknessMinimum=[0.1, 0.2], FilterThicknessMaximum=[0.1, 0.3],
        AnodeTargetMaterial="TUNGSTEN", Grid="FOCUSED", ColumnAngulation=3, BodyPartThickness=210,
        PatientOrientation="erect", PatientOrientationModifier="standing", CommentsOnRadiationDose="said",
        PositionerPrimaryAngle=-30, PositionerPrimaryEndAngle=30, TableHeadTiltAngle=15, DoseRP=0.001,
        BodyPartExamined="KNEE", Laterality="L",
    ).begin("1.2.3", NOW, 60)  # fmt: skip
    named = ReferencePoint("15cm from Isocenter toward Source", 600)
    said = content(event, reference_point=named, comment="of the whole", labels={event.uid: "4"})
    made = make_dose_report(exam(None), said).to_data_set()
    assert find_faults(made) == []
    (label,), (side,) = find_items(made, "113605"), find_items(made, "272741003")
    assert (label.TextValue, label.ContentSequence[0].ConceptCodeSequence[0].CodeMeaning) == ("4", "Series Number")
    assert side.ConceptCodeSequence[0].CodeMeaning == "Left"
    assert find_items(made, "121049")[0].ConceptCodeSequence[0].CodeValue == "en"


KINDS = [
    {"RadiationSetting": "SC", "PulseRate": 7.5},
    {"RadiationSetting": "SC"},
    {"RadiationSetting": "SC", "NumberOfPulses": 3},
    {"RadiationSetting": "GR", "PulseRate": 3},
    {"IrradiationEventType": "Stepping Acquisition", "PulseRate": 3, "IrradiationDuration": 2},
]


@pytest.mark.parametrize("kind", KINDS)
def test_pulses_are_told_of_where_the_template_has_them(kind: dict[str, object]) -> None:
    """Pulse Rate of pulsed fluoroscopy alone, Number of Pulses of all but continuous radiation."""
    event = IrradiationEvent(KVP=80, **kind).begin("1.2.3", NOW, 1)
    assert find_faults(make_dose_report(exam(None), content(event)).to_data_set()) == []


def test_a_grid_of_no_known_kind_is_not_called_another() -> None:
    """PS3.3 C.8.7.2 knows IN and NONE alone; CID 10017 has kinds."""
    for stated, meaning in (("IN", []), ("NONE", ["No grid"]), ("PARALLEL", ["Parallel grid"])):
        event = IrradiationEvent(KVP=80, Grid=stated).begin("1.2.3", NOW, 1)
        made = make_dose_report(exam(None), content(event)).to_data_set()
        assert find_faults(made) == []
        assert [item.ConceptCodeSequence[0].CodeMeaning for item in find_items(made, "111635")] == meaning


def test_a_distance_that_changes_is_that_of_each_event() -> None:
    near, far = (
        IrradiationEvent(KVP=80, DistanceSourceToReferencePoint=mm).begin(f"1.2.{mm}", NOW, 1) for mm in (500, 600)
    )
    for events in ([near], [near, far]):
        made = make_dose_report(exam(None), content(*events)).to_data_set()
        assert find_faults(made) == []
        assert len(find_items(find_items(made, "113702")[0], "113737")) == (len(events) == 1)


def test_the_walk_finds_faults() -> None:
    made = report(None)
    for index, change in enumerate(_spoil()):
        spoiled = deepcopy(made)
        change(spoiled)
        assert find_faults(spoiled) != [], index


def _spoil() -> Iterator[Callable[[Dataset], object]]:
    def event(data_set: Dataset) -> Dataset:
        return find_items(data_set, "113706")[0]

    yield lambda data_set: event(data_set).ContentSequence.pop(1)
    yield lambda data_set: event(data_set).ContentSequence.append(deepcopy(event(data_set).ContentSequence[1]))
    yield lambda data_set: setattr(event(data_set).ContentSequence[0], "RelationshipType", "CONTAINS")
    yield lambda data_set: setattr(data_set.ContentSequence[-1].ConceptNameCodeSequence[0], "CodeMeaning", "Source")
    yield lambda data_set: setattr(event(data_set).ContentTemplateSequence[0], "TemplateIdentifier", "10002")


@pytest.mark.requirement("RF-8.1.1.8-04")
def test_all_rows_of_the_statement_are_there() -> None:
    run, shot = irradiation_events()[0], irradiation_events()[2]
    made = make_dose_report(exam(None), content(run, shot)).to_data_set()
    found = list(_flatten(made, ()))
    rows = list(csv.DictReader(STATEMENT.read_text("utf-8").splitlines()))
    assert len(rows) == 74
    parents = {row["row"]: row for row in rows}
    missing = [row["row"] for row in rows if _describe(row, parents) not in found]
    # The scope of a performed step names the step and not the study (DECISIONS R/F 40).
    assert missing == ["10"]


def _describe(row: dict[str, str], parents: dict[str, dict[str, str]]) -> tuple[str, ...]:
    path = []
    current: dict[str, str] | None = row
    while current is not None:
        path.append(NEW_CODES.get(current["concept_code"], current["concept_code"]))
        current = parents.get(current["parent_row"])
    return (row["relationship"], row["value_type"], *reversed(path))


def _flatten(item: Dataset, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    own = (*path, str(item.ConceptNameCodeSequence[0].CodeValue))
    yield (str(item.get("RelationshipType", "")), str(item.ValueType), *own)
    for child in item.get("ContentSequence", ()):
        yield from _flatten(child, own)
