"""What counts as a value of an element that a peer sent."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.tag import Tag

from openmodality.dimse.reading import has_value, is_filled, read_items

CODES = "RequestedProcedureCodeSequence"


def item(**values: Any) -> Dataset:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


@pytest.mark.parametrize(
    ("data_set", "is_there", "says_something"),
    [
        (item(PatientID="1"), True, True),
        (item(PatientID=""), False, False),
        (item(PatientName="^^="), True, False),
        (item(OtherPatientIDs=["", "2"]), True, True),
        (item(RequestedProcedureCodeSequence=[]), False, False),
        (item(RequestedProcedureCodeSequence=[item()]), True, False),
        (item(RequestedProcedureCodeSequence=[item(CodeValue="")]), True, False),
        (item(RequestedProcedureCodeSequence=[item(CodeValue="A")]), True, True),
    ],
)
def test_a_value_is_there_and_says_something(data_set: Dataset, is_there: bool, says_something: bool) -> None:
    (element,) = data_set
    assert has_value(data_set, element.tag) is is_there
    assert is_filled(element) is says_something


def test_only_a_sequence_has_items() -> None:
    assert read_items(item(RequestedProcedureCodeSequence=[item(CodeValue="A")]), Tag(CODES))[0].CodeValue == "A"
    assert read_items(item(PatientID="1"), Tag("PatientID")) == ()
    assert read_items(item(), Tag(CODES)) == ()
