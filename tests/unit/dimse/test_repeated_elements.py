"""Data sets of messages are what pydicom reads of the same bytes, and none shares anything with another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.repeated_elements import build_data_set
from openmodality.encoding.headers import layout_of
from openmodality.encoding.tokenizer import Tokenizer
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.peers.objects import worklist_item
from tests.property.data_sets import FLAGS, data_sets, decode, encode


def build(raw: bytes, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Dataset | None:
    return build_data_set(Tokenizer(transfer_syntax).feed(raw), layout_of(transfer_syntax), ["iso8859"])


@given(data_sets(), st.sampled_from(list(FLAGS)))
def test_it_is_what_pydicom_reads(data_set: Dataset, transfer_syntax: str) -> None:
    raw = encode(data_set, transfer_syntax)
    built = build(raw, transfer_syntax)
    if built is not None:
        assert built == decode(raw, transfer_syntax)
        assert encode_data_set(built, transfer_syntax) == encode_data_set(decode(raw, transfer_syntax), transfer_syntax)


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ("ISO_IR 192", "山田^太郎"),
        ("ISO_IR 100", "Müller^Jörg"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ],
)
def test_text_is_read_in_the_character_set_of_its_data_set_or_item(terms: str | list[str], name: str) -> None:
    item = worklist_item(SpecificCharacterSet=terms, PatientName=name)
    step = item.ScheduledProcedureStepSequence[0]
    step.ScheduledPerformingPhysicianName = name
    own = Dataset()
    own.SpecificCharacterSet, own.PatientName = "ISO_IR 144", "Люкceмбypг"
    item.ReferencedStudySequence = [own]
    built = build(encode(item, EXPLICIT_VR_LITTLE_ENDIAN))
    assert built is not None
    assert built.PatientName == name == built.ScheduledProcedureStepSequence[0].ScheduledPerformingPhysicianName
    assert built.ReferencedStudySequence[0].PatientName == "Люкceмбypг"


def test_a_change_of_one_leaves_others_as_they_are() -> None:
    raw = encode_data_set(worklist_item(OtherPatientIDs=["1", "2"]), EXPLICIT_VR_LITTLE_ENDIAN)
    one, other = (decode_data_set(raw, EXPLICIT_VR_LITTLE_ENDIAN) for _ in range(2))
    one.PatientID = "changed"
    one.OtherPatientIDs.append("3")
    one.ScheduledProcedureStepSequence[0].Modality = "CT"
    assert other == decode(raw, EXPLICIT_VR_LITTLE_ENDIAN)


def test_what_is_unusual_is_left_to_pydicom() -> None:
    data_set = Dataset()
    data_set.add(DataElement(0x00090010, "LO", "SOMEBODY"))
    raw = encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)
    assert build(raw) is None
    assert decode_data_set(raw, EXPLICIT_VR_LITTLE_ENDIAN) == data_set
