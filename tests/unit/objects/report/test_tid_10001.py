"""The root of the dose report (TID 10001) and who made it (TID 1002)."""

from __future__ import annotations

from dataclasses import replace

from openmodality.objects.report.dose_content import DoseContent
from openmodality.objects.report.tid_10001 import make_dose_report
from tests.content_tree import find_items
from tests.made_objects import UIDS, exam, irradiation_events, report


def test_containers_and_templates() -> None:
    data_set = report(None)
    root = data_set.ContentTemplateSequence[0]
    assert (root.MappingResource, root.TemplateIdentifier) == ("DCMR", "10001")
    assert data_set.ContinuityOfContent == "SEPARATE"
    (accumulated,) = find_items(data_set, "113702")
    events = find_items(data_set, "113706")
    assert accumulated.ContentTemplateSequence[0].TemplateIdentifier == "10002"
    assert [event.ContentTemplateSequence[0].TemplateIdentifier for event in events] == ["10003"] * 4
    for container in (accumulated, *events):
        (plane,) = find_items(container, "113764")
        assert plane.ConceptCodeSequence[0].CodeValue == "113622"


def test_observer_and_scope() -> None:
    data_set = report(None)
    assert find_items(data_set, "121016")[0].TextValue == data_set.DeviceSerialNumber
    (step,) = find_items(data_set, "121126")
    assert step.UID
    content = DoseContent(irradiation_events(), True, UIDS())
    facts = replace(exam(None), step=None)
    without_step = make_dose_report(facts, content).to_data_set()
    assert facts.study_instance_uid == find_items(without_step, "110180")[0].UID
