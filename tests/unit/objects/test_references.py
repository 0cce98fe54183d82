"""References to requests and studies."""

from __future__ import annotations

from pydicom import Dataset

from openmodality.objects.references import list_requests
from tests.rule_tables import data

STUDY = data(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID="1.2.3.4")


def step(step_id: str, **more: object) -> Dataset:
    return data(ScheduledProcedureStepID=step_id, **more)


def test_each_request_stands_once_with_all_that_it_must_say() -> None:
    first = {"RequestedProcedureID": "RP1", "AccessionNumber": "A1", "ReferencedStudySequence": [STUDY, Dataset()]}
    requests = list(
        list_requests([step("1", **first), step("2", **first), step("3", RequestedProcedureID="RP2")], "1.2.3")
    )
    assert [each.RequestedProcedureID for each in requests] == ["RP1", "RP2"]
    assert [len(each.ReferencedStudySequence) for each in requests] == [1, 0]
    assert all(each.StudyInstanceUID == "1.2.3" for each in requests)
    assert all("PlacerOrderNumberImagingServiceRequest" in each for each in requests)
    assert all(len(each.RequestedProcedureCodeSequence) == 0 for each in requests)


def test_what_nobody_requested_is_no_request() -> None:
    assert list(list_requests([step(""), Dataset()], "1.2.3")) == []
