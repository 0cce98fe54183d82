"""What the database keeps of a data set comes back from JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from openmodality.store.data_set_json import from_json, to_json, to_json_text
from tests.peers.objects import worklist_item
from tests.property.data_sets import data_sets


def test_a_data_set_comes_back_as_it_was() -> None:
    step = Dataset()
    step.ScheduledProcedureStepID = "SPS1"
    data_set = Dataset()
    data_set.SpecificCharacterSet = "ISO_IR 192"
    data_set.PatientName = "Müller^Jörg=山田^太郎"
    data_set.PatientSize = "1.80"
    data_set.OtherPatientIDs = ["1", "2"]
    data_set.ScheduledProcedureStepSequence = [step]
    data_set.AccessionNumber = ""
    kept = from_json(json.loads(json.dumps(to_json(data_set))))
    assert kept == data_set
    assert kept.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == "SPS1"


@pytest.mark.parametrize(
    ("vr", "text"), [("DS", "70"), ("DS", "-1.5e3"), ("IS", "12"), ("US", 4), ("UL", 70000), ("DS", "1\\2")]
)
def test_a_number_is_written_as_pydicom_writes_it(vr: str, text: str | int) -> None:
    data_set = Dataset()
    data_set.add_new({"DS": 0x00101030, "IS": 0x00200013, "US": 0x001021C0, "UL": 0x00081197}[vr], vr, text)
    assert json.dumps(to_json(data_set)) == json.dumps(data_set.to_json_dict())


def test_an_element_that_no_json_can_hold_is_left_out() -> None:
    data_set = Dataset()
    data_set.PatientID = "1"
    data_set.add_new(0x00101030, "DS", "")
    data_set._dict[data_set["PatientWeight"].tag]._value = "heavy"  # type: ignore[union-attr]  # as a peer may send it
    assert list(to_json(data_set)) == ["00100020"]


def test_what_no_database_takes_is_replaced_or_left_out() -> None:
    item = Dataset()
    item.PatientName = "A\0B=\ud800"
    item.add_new(0x00101030, "DS", float("nan"))
    data_set = Dataset()
    data_set.PatientComments, data_set.PatientID, data_set.PatientSize = "1\n2\x1b", "\udcff", "1.8"
    data_set.add_new(0x00189073, "FD", float("inf"))
    data_set.ScheduledProcedureStepSequence = [item]
    text = json.dumps(to_json(data_set), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text
    kept = from_json(json.loads(text.encode("utf-8")))
    assert (kept.PatientComments, kept.PatientID, kept.PatientSize) == ("1\n2\ufffd", "\ufffd", 1.8)
    assert "AcquisitionDuration" not in kept
    (step,) = kept.ScheduledProcedureStepSequence
    assert step.PatientName == "A\ufffdB=\ufffd"
    assert "PatientWeight" not in step


def test_it_is_the_json_of_pydicom() -> None:
    item = worklist_item(OtherPatientIDs=["1", "2"], PatientName="A^B=山^田", PatientSize="1.80", MedicalAlerts="")
    item.add_new(0x00091001, "LO", "private")
    item.SpecificCharacterSet = "ISO_IR 192"
    assert to_json(item) == item.to_json_dict()
    assert from_json(to_json(item)) == Dataset.from_json(item.to_json_dict())


def test_what_comes_back_twice_is_changed_once() -> None:
    kept = to_json(worklist_item())
    one, other = from_json(kept), from_json(kept)
    one.PatientID = "changed"
    assert other.PatientID != "changed"


@given(data_sets() | st.just(worklist_item(PatientName="Müller^Änne=山田", PatientWeight="70.5")))
def test_the_text_of_a_data_set_is_that_of_its_json(data_set: Dataset) -> None:
    assert to_json_text(data_set) == json.dumps(to_json(data_set))
