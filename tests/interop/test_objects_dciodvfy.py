"""dciodvfy finds no error in any object that the two devices make, whatever the patient's name is written in."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.acquisition.xray_protocol import UPPER_GI
from openmodality.objects.report.dose_content import DoseUnitsName
from openmodality.objects.rules.check import check
from openmodality.objects.rules.standard_rules import UNPAIRED
from openmodality.standard.body_part_codes import ORGAN_REGIONS, REGIONS
from tests.made_objects import NAMES, OBJECTS, WRITTEN, instances, report, worklist
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.process import run

pytestmark = pytest.mark.needs("dciodvfy")


@pytest.mark.parametrize(
    ("profile", "name", "script"),
    [(profile, name, script) for profile, name in OBJECTS for script in WRITTEN[profile]],
)
def test_instances_of_a_scheduled_exam_are_valid(tmp_path: Path, profile: str, name: str, script: str) -> None:
    for definition, data_set in instances(profile, name, worklist(NAMES[script])):
        path = tmp_path / f"{data_set.InstanceNumber}.dcm"
        data_set.save_as(path, enforce_file_format=True)
        assert dciodvfy_errors(path) == []
        assert [str(finding) for finding in check(data_set, definition)] == []
        assert str(dcmread(path).PatientName) == NAMES[script]


@pytest.mark.parametrize(("profile", "name"), OBJECTS)
def test_instances_of_an_unscheduled_exam_are_valid(tmp_path: Path, profile: str, name: str) -> None:
    for definition, data_set in instances(profile, name, None):
        path = tmp_path / f"{data_set.InstanceNumber}.dcm"
        data_set.save_as(path, enforce_file_format=True)
        assert dciodvfy_errors(path) == []
        assert [str(finding) for finding in check(data_set, definition)] == []


@pytest.mark.parametrize("units", ["standard", "statement"])
@pytest.mark.parametrize("script", [*WRITTEN["rf"], None])
def test_a_dose_report_is_valid(tmp_path: Path, script: str | None, units: DoseUnitsName) -> None:
    data_set = report(worklist(NAMES[script]) if script else None, units=units)
    data_set.save_as(tmp_path / "dose.dcm", enforce_file_format=True)
    assert dciodvfy_errors(tmp_path / "dose.dcm") == []


@pytest.mark.needs("dsrdump")
def test_dcmtk_reads_the_dose_report(tmp_path: Path) -> None:
    report(worklist(NAMES["ascii"])).save_as(tmp_path / "dose.dcm", enforce_file_format=True)
    dump = run("dsrdump", tmp_path / "dose.dcm")
    assert dump.status == 0
    assert "X-Ray Radiation Dose Report" in dump.output
    assert dump.output.count("Irradiation Event X-Ray Data") == len(UPPER_GI)
    assert "Completion Flag" in dump.output


def test_laterality_is_asked_for_where_a_part_has_two_sides(tmp_path: Path) -> None:
    faults = {}
    for part in (*REGIONS, *ORGAN_REGIONS, "OTHER", ""):
        for _, data_set in instances("rf", "CR Image", worklist(NAMES["ascii"]), BodyPartExamined=part):
            assert str(data_set.BodyPartExamined or "") == part
            assert ("Laterality" in data_set) is (part not in UNPAIRED)
            data_set.save_as(tmp_path / "cr.dcm", enforce_file_format=True)
            faults[part] = dciodvfy_errors(tmp_path / "cr.dcm")
    assert {part: found for part, found in faults.items() if found} == {}
