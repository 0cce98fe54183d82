"""Items of sequences as plain values, against what pydicom makes of the same values."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from openmodality.objects.rules.elements import make_sequence
from openmodality.objects.rules.sequence_items import (
    Code,
    SequenceItem,
    encode_sequence,
    find_attribute,
    list_special_texts,
)
from openmodality.objects.rules.template import encode_with_pydicom

CONTENT = find_attribute("ContentSequence")
CONCEPT = find_attribute("ConceptNameCodeSequence")
TEXT = find_attribute("TextValue")
NAME = find_attribute("PersonName")
FRAMES = find_attribute("ReferencedFrameNumber")
NUMBER = find_attribute("NumericValue")
UID = find_attribute("UID")
TYPE = find_attribute("ValueType")
TERMS: dict[tuple[str, ...], str] = {
    (): "plain",
    ("ISO_IR 100",): "Müller^Jürgen",
    ("ISO_IR 13",): "ﾔﾏﾀﾞ",
    ("", "ISO 2022 IR 87"): "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ("GB18030",): "Wang^XiaoDong=王^小东",
    ("ISO_IR 192",): "胃 and Müller",
}


def make_items(text: str) -> tuple[SequenceItem, ...]:
    """Items of two levels, with their attributes in no order: values of odd and even length, several, and none."""
    code = Code("1", "99TEST", text)
    inner = SequenceItem({TEXT: text + "\r\nlines", TYPE: "TEXT", CONCEPT: code, NAME: text})
    other = SequenceItem({UID: "1.2.3", NUMBER: "-1.5E-10", FRAMES: "2\\11", TYPE: "NUM", CONCEPT: code, TEXT: ""})
    return (
        SequenceItem({CONTENT: (inner, other), TYPE: "CONTAINER", CONCEPT: Code("2", "DCM", "plain")}),
        SequenceItem({CONTENT: ()}),
        SequenceItem({}),
    )


@pytest.mark.parametrize(("terms", "text"), TERMS.items())
def test_the_bytes_are_those_of_pydicom(terms: tuple[str, ...], text: str) -> None:
    items = make_items(text)
    data_sets = [item.to_data_set() for item in items]
    expected = bytes(encode_with_pydicom(make_sequence(CONTENT[0], data_sets), list(terms)))
    made = encode_sequence(CONTENT, items, terms)
    assert (made.tag, made.VR, made.length) == (CONTENT[0], "SQ", len(expected) - 12)
    assert made.value == expected[12:]


def test_an_item_is_a_data_set_with_the_same_values() -> None:
    data_set = make_items("said")[0].to_data_set()
    expected, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "2", "DCM", "plain"
    expected.ValueType, expected.ConceptNameCodeSequence = "CONTAINER", [code]
    expected.ContentSequence = data_set.ContentSequence
    assert data_set == expected
    assert list(data_set.ContentSequence[1].ReferencedFrameNumber) == [2, 11]


def test_texts_that_decide_about_the_character_set_are_found_at_any_depth() -> None:
    texts = list_special_texts(make_items("胃"))
    assert texts == {TEXT: {"胃\r\nlines"}, find_attribute("CodeMeaning"): {"胃"}, NAME: {"胃"}}
    assert list_special_texts((SequenceItem({TEXT: "said", TYPE: "TEXT", CONCEPT: Code("1", "DCM", "plain")}),)) == {}


def test_a_sequence_that_is_taken_is_there_no_longer() -> None:
    item = make_items("said")[0]
    assert len(item.take_items(CONTENT)) == 2
    assert item.take_items(CONTENT) == ()
    assert "ContentSequence" not in item.to_data_set()
