"""Values of worklist items as they come: absent, empty, unreadable."""

from __future__ import annotations

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.device.item_values import find_element_with_value
from openmodality.dimse.reading import read_items

CODES = int(Tag("RequestedProcedureCodeSequence"))


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize("value", ["", " ", "^^", "\0", "=^"])
def test_a_name_of_delimiters_only_is_no_value(value: str) -> None:
    data_set = Dataset()
    data_set.add(DataElement("PatientName", "PN", value))
    assert find_element_with_value(data_set, int(Tag("PatientName"))) is None


def test_a_value_is_found_beside_empty_ones() -> None:
    found = find_element_with_value(item(OtherPatientIDs=["", "2"]), int(Tag("OtherPatientIDs")))
    assert found is not None
    assert found.value[1] == "2"
    assert find_element_with_value(item(), int(Tag("PatientID"))) is None
    assert find_element_with_value(item(PatientID="1"), int(Tag("PatientID"))) is not None


def test_a_sequence_has_a_value_where_one_of_its_items_has() -> None:
    empty = item(RequestedProcedureCodeSequence=[item(CodeValue=""), item()])
    filled = item(RequestedProcedureCodeSequence=[item(CodeValue=""), item(CodeValue="A")])
    assert find_element_with_value(empty, CODES) is None
    assert find_element_with_value(filled, CODES) is not None
    assert find_element_with_value(item(RequestedProcedureCodeSequence=[]), CODES) is None


def test_items_of_what_is_no_sequence_are_none() -> None:
    assert [
        entry.CodeValue for entry in read_items(item(RequestedProcedureCodeSequence=[item(CodeValue="A")]), CODES)
    ] == ["A"]
    assert read_items(item(), CODES) == ()
    assert read_items(item(PatientID="1"), int(Tag("PatientID"))) == ()
