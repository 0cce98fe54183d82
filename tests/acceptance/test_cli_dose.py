"""``openmodality dose``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openmodality import IrradiationEvent, Modality
from tests.acceptance.in_process import call
from tests.made_objects import NAMES, irradiation_events, report, worklist

SITE = 'profile = "rf"\n[device]\nserial_number = "1"\n'
SHOT = IrradiationEvent(
    KVP=80, XRayTubeCurrent=200, ExposureTime=50, BodyPartExamined="CHEST", ImageAndFluoroscopyAreaDoseProduct=1.5
)


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    report(worklist(NAMES["latin"])).save_as(tmp_path / "report.dcm", enforce_file_format=True)
    return tmp_path / "report.dcm"


def test_a_report_as_tables(tmp_path: Path, report_file: Path) -> None:
    ended, said = call(["dose", str(report_file)], tmp_path)
    assert ended == 0
    for event in irradiation_events():
        assert f"{event['DoseAreaProduct'] * 1e5:.4g}" in said
    assert "48.0 cm Chamber Patient Distance" in said


def test_a_report_as_a_page_that_needs_nothing_else(tmp_path: Path, report_file: Path) -> None:
    page = tmp_path / "dose.html"
    ended, _ = call(["dose", str(report_file), "--html", str(page)], tmp_path)
    text = page.read_text("utf-8")
    assert (ended, text.count("<svg"), text.count("<circle")) == (0, 2, len(irradiation_events()))
    assert not [word for word in ("http", "<script", "Müller") if word in text]


def test_the_events_of_an_exam_before_there_is_a_report(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    with Modality(tmp_path / "site.toml") as modality:
        exam = modality.register({"PatientID": "1"})
        exam.irradiation(SHOT)
        ended, said = call(["dose", str(exam.id), "--json", "-c", str(tmp_path)], tmp_path)
        document = json.loads(said[said.index("{\n") :])
        assert (ended, document["completion"]) == (0, None)
        assert document["reference_point"] == "48.0 cm Chamber Patient Distance"
        (event,) = document["items"]
        assert (event["target_region"], event["dose_area_product_dgy_cm2"]) == ("Chest", 1.5)
        assert document["total"]["dose_rp_mgy"] is None
        other = modality.register({"PatientID": "2"})
        ended, said = call(["dose", str(other.id), "-c", str(tmp_path)], tmp_path)
        assert (ended, "has irradiated nothing" in said) == (2, True)


def test_the_reference_point_of_an_exam_is_that_of_the_site(tmp_path: Path) -> None:
    point = '[parameters.dose]\nreference_point_definition = "30.0 cm Plate"\n'
    (tmp_path / "site.toml").write_text(SITE + point, "utf-8")
    with Modality(tmp_path / "site.toml") as modality:
        exam = modality.register({"PatientID": "1"})
        exam.irradiation(SHOT)
        ended, said = call(["dose", str(exam.id), "--html", "dose.html", "-c", str(tmp_path)], tmp_path)
    assert (ended, "reference point: 30.0 cm Plate" in said) == (0, True)
    assert "Reference point: 30.0 cm Plate" in (tmp_path / "dose.html").read_text("utf-8")


@pytest.mark.parametrize("content", [b"", b"text" * 100])
def test_what_is_no_report_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.dcm").write_bytes(content)
    ended, said = call(["dose", "other.dcm"], tmp_path)
    assert (ended, "cannot be read as a dose report" in said) == (2, True)
