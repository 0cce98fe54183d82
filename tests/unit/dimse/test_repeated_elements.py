"""Data sets of messages are what pydicom reads of the same bytes, and none shares anything with another."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.repeated_elements import build_data_set
from openmodality.encoding.deflate import deflate
from openmodality.encoding.headers import layout_of
from openmodality.encoding.walk import DataSetWalk
from openmodality.standard.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN
from tests.peers.objects import worklist_item
from tests.property.data_sets import FLAGS, data_sets, decode, encode


def build(raw: bytes, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Dataset | None:
    return build_data_set(raw, layout_of(transfer_syntax), ["iso8859"])


@given(data_sets(), st.sampled_from(list(FLAGS)))
def test_it_is_what_pydicom_reads(data_set: Dataset, transfer_syntax: str) -> None:
    raw = encode(data_set, transfer_syntax)
    built = build(raw, transfer_syntax)
    if built is not None:
        assert built == decode(raw, transfer_syntax)
        assert encode_data_set(built, transfer_syntax) == encode_data_set(decode(raw, transfer_syntax), transfer_syntax)


@given(st.data(), data_sets() | st.just(worklist_item()), st.sampled_from(list(FLAGS)))
def test_of_what_is_damaged_nothing_is_built_that_the_walk_refuses(
    data: st.DataObject, data_set: Dataset, transfer_syntax: str
) -> None:
    raw = bytearray(encode(data_set, transfer_syntax))
    assume(raw)
    for _ in range(data.draw(st.integers(1, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from((0, 1, 0x20, 0xFE, 0xFF)))
    cut = bytes(raw[: data.draw(st.integers(1, len(raw)))])
    try:
        built = build(cut, transfer_syntax)
    except Exception:  # noqa: BLE001 - of a value that cannot be read pydicom raises many kinds
        return
    if built is not None:
        walk = DataSetWalk(transfer_syntax)
        walk.feed(cut)
        walk.finish()
        read = decode(cut, transfer_syntax)
        assert list(built.iterall()) == list(read.iterall())  # which decodes it: else it is written as it came
        assert encode_data_set(built, transfer_syntax) == encode_data_set(read, transfer_syntax)


def test_an_element_and_a_data_set_are_like_those_that_pydicom_makes() -> None:
    item = worklist_item(PatientWeight="70.5", OtherPatientIDs=["1", "2"], PatientComments="a\nb")
    raw = encode_data_set(item, EXPLICIT_VR_LITTLE_ENDIAN)
    built, read = build(raw), decode(raw, EXPLICIT_VR_LITTLE_ENDIAN)
    assert built is not None
    for element in read:
        own = built[element.tag]
        own_facts, facts = dict(own.__dict__), dict(element.__dict__)
        for each in (own_facts, facts):
            each.pop("file_tell")
        assert own_facts.keys() == facts.keys()
        assert (own.value, type(own.value), own.VR) == (element.value, type(element.value), element.VR)
    assert built.__dict__.keys() == Dataset().__dict__.keys()
    assert built.original_encoding == read.original_encoding
    assert built.original_character_set == read.original_character_set


def test_a_deflated_data_set_is_read() -> None:
    raw = encode_data_set(worklist_item(), EXPLICIT_VR_LITTLE_ENDIAN)
    deflated = b"".join(deflate([raw]))
    assert decode_data_set(deflated, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == decode(raw, EXPLICIT_VR_LITTLE_ENDIAN)


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
