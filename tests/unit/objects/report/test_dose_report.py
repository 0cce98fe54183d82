"""Dose report and dose of the performed step: both tell what the irradiation events add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from openmodality.device.profile.loader import load_profile
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.report.dose_content import DoseContent
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.report.dose_summary import sum_radiation_dose
from openmodality.objects.report.irradiation import accumulate
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import ObjectDefinition
from tests.made_objects import NAMES, NOW, UIDS, exam, irradiation_events, report, worklist


def items(parent: Dataset, code: str) -> list[Dataset]:
    """Content items below ``parent`` with this concept, at any depth."""
    return [item for item in _below(parent) if item.ConceptNameCodeSequence[0].CodeValue == code]


def _below(parent: Dataset) -> Iterator[Dataset]:
    for item in parent.get("ContentSequence") or ():
        yield item
        yield from _below(item)


def number(parent: Dataset, code: str) -> tuple[float, str]:
    (item,) = items(parent, code)
    measured = item.MeasuredValueSequence[0]
    return float(measured.NumericValue), measured.MeasurementUnitsCodeSequence[0].CodeValue


@pytest.mark.requirement("RF-8.1.1.4-01", "RF-8.1.1.8-01", "RF-8.1.1.8-02", "RF-8.1.1.8-03")
def test_header_follows_the_statement() -> None:
    data_set = report(worklist(NAMES["ascii"]))
    definition = ObjectDefinition.of(load_profile("rf"), "Dose SR")
    assert check(data_set, definition) == []
    assert (data_set.Modality, data_set.SeriesNumber, data_set.InstanceNumber) == ("SR", 9001, 1)
    assert len(data_set.ReferencedPerformedProcedureStepSequence) == 0
    assert len(data_set.PerformedProcedureCodeSequence) == 0
    assert data_set.VerificationFlag == "UNVERIFIED"
    assert "PatientAge" not in data_set


@pytest.mark.parametrize(("complete", "flag"), [(True, "COMPLETE"), (False, "PARTIAL")])
def test_it_is_complete_when_the_step_ends(complete: bool, flag: str) -> None:
    assert report(None, complete=complete).CompletionFlag == flag


@pytest.mark.requirement("RF-8.1.1.8-05")
def test_containers_and_templates() -> None:
    data_set = report(None)
    root = data_set.ContentTemplateSequence[0]
    assert (root.MappingResource, root.TemplateIdentifier) == ("DCMR", "10001")
    assert data_set.ContinuityOfContent == "SEPARATE"
    (accumulated,) = items(data_set, "113702")
    events = items(data_set, "113706")
    assert accumulated.ContentTemplateSequence[0].TemplateIdentifier == "10002"
    assert [event.ContentTemplateSequence[0].TemplateIdentifier for event in events] == ["10003"] * 4
    for container in (accumulated, *events):
        (plane,) = items(container, "113764")
        assert plane.ConceptCodeSequence[0].CodeValue == "113622"


@pytest.mark.requirement("RF-8.1.1.8-06")
def test_observer_and_scope() -> None:
    data_set = report(None)
    assert items(data_set, "121016")[0].TextValue == data_set.DeviceSerialNumber
    (step,) = items(data_set, "121126")
    assert step.UID
    definition = ObjectDefinition.of(load_profile("rf"), "Dose SR")
    without_step = build_dose_report(
        definition, replace(exam(None), step=None), SeriesFacts(UIDS(), 9001, NOW, "SR"),
        InstanceFacts(UIDS(), 1, NOW), DoseContent(irradiation_events(), True, UIDS()),
    )  # fmt: skip
    assert without_step.StudyInstanceUID == items(without_step, "110180")[0].UID


def test_totals_are_the_sums_of_the_events() -> None:
    data_set = report(None)
    (accumulated,) = items(data_set, "113702")
    events = items(data_set, "113706")
    for total, single in (("113722", "122130"), ("113725", "113738")):
        assert number(accumulated, total)[0] == pytest.approx(
            sum(number(event, single)[0] for event in events), rel=1e-6
        )
    assert number(accumulated, "113722")[0] == pytest.approx(
        number(accumulated, "113726")[0] + number(accumulated, "113727")[0], rel=1e-6
    )
    value, unit = number(accumulated, "113730")
    assert value == pytest.approx(3.2)
    assert unit == "s"


def test_standard_units() -> None:
    (accumulated,) = items(report(None), "113702")
    expected = accumulate(irradiation_events()).total
    value, unit = number(accumulated, "113722")
    assert value == pytest.approx(expected.dose_area_product_gy_m2, rel=1e-6)
    assert unit == "Gy.m2"
    value, unit = number(accumulated, "113725")
    assert value == pytest.approx(expected.dose_rp_gy, rel=1e-6)
    assert unit == "Gy"


@pytest.mark.requirement("RF-8.1.1.8-08")
def test_units_of_the_statement() -> None:
    data_set = report(None, units="statement")
    (accumulated,) = items(data_set, "113702")
    expected = accumulate(irradiation_events()).total
    value, unit = number(accumulated, "113722")
    assert value == pytest.approx(expected.dose_area_product_gy_m2 * 1e5, rel=1e-6)
    assert unit == "dGy.cm2"
    value, unit = number(accumulated, "113725")
    assert value == pytest.approx(expected.dose_rp_gy * 1e3, rel=1e-6)
    assert unit == "mGy"
    assert {number(event, "122130")[1] for event in items(data_set, "113706")} == {"dGy.cm2"}


def test_events_refer_to_their_images_and_the_evidence_lists_them() -> None:
    data_set = report(None)
    referred = {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in items(data_set, "113795")}
    (study,) = data_set.CurrentRequestedProcedureEvidenceSequence
    listed = {
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert referred == listed
    assert study.StudyInstanceUID == data_set.StudyInstanceUID


def test_the_protocol_name_counts_for_the_character_set() -> None:
    events = [replace(irradiation_events()[0], protocol="胃")]
    definition = ObjectDefinition.of(load_profile("rf"), "Dose SR")
    data_set = build_dose_report(
        definition, exam(None), SeriesFacts(UIDS(), 9001, NOW, "SR"), InstanceFacts(UIDS(), 1, NOW),
        DoseContent(events, True, UIDS()),
    )  # fmt: skip
    assert data_set.SpecificCharacterSet == "GB18030"


def test_dose_of_the_step() -> None:
    events = irradiation_events()
    total = accumulate(events).total
    dose = sum_radiation_dose(events)
    assert (dose.TotalTimeOfFluoroscopy, dose.TotalNumberOfExposures) == (3, 2)
    assert float(dose.EntranceDoseInmGy) == pytest.approx(total.entrance_dose_gy * 1000, rel=1e-5)
    assert float(dose.ImageAndFluoroscopyAreaDoseProduct) == pytest.approx(
        total.dose_area_product_gy_m2 * 1e5, rel=1e-5
    )
    assert [float(item.KVP) for item in dose.ExposureDoseSequence] == [85.0, 85.0, 90.0, 80.0]
    assert float(dose.ExposureDoseSequence[2].XRayTubeCurrentInuA) == 320000.0
    assert float(dose.DistanceSourceToDetector) == 1100.0


def test_dose_of_the_step_without_radiation() -> None:
    nothing = sum_radiation_dose([])
    assert (nothing.TotalTimeOfFluoroscopy, nothing.TotalNumberOfExposures) == (0, 0)
    assert len(nothing.ExposureDoseSequence) == 0
