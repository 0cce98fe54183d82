"""Elements for new objects: copies that forget where they come from."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from openmodality.objects.rules.elements import (
    copy_element,
    copy_item,
    data_set_of,
    has_length,
    index_values,
    make_data_set,
    make_decimals,
    make_element,
    make_elements,
    prepare_attributes,
)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("StudyID", "7"), ("StudyID", ""), ("StudyID", None), ("Rows", 0), ("SliceThickness", 0.0), ("PatientName", ""),
     ("ImageType", ["A", "B"]), ("ReferencedStudySequence", []), ("PixelData", b""), ("PatientName", "A^B")],
)  # fmt: skip
def test_an_element_has_a_length_where_pydicom_says_so(keyword: str, value: object) -> None:
    data_set = data_set_of(**{keyword: value})
    assert has_length(data_set[keyword]) is not data_set[keyword].is_empty
    assert bool(index_values(data_set)) is has_length(data_set[keyword])


def test_a_name_is_encoded_anew_after_it_was_copied() -> None:
    written = Dataset()
    written.SpecificCharacterSet, written.PatientName = "ISO_IR 100", "Müller"
    buffer = BytesIO()
    dcmwrite(buffer, written, implicit_vr=True, little_endian=True)
    buffer.seek(0)
    copy = copy_item(dcmread(buffer, force=True))
    assert "SpecificCharacterSet" not in copy
    copy.SpecificCharacterSet = "ISO_IR 192"
    buffer = BytesIO()
    dcmwrite(buffer, copy, implicit_vr=True, little_endian=True)
    assert "Müller".encode() in buffer.getvalue()


def test_copies_share_no_list_and_no_item() -> None:
    data_set = data_set_of(ImageType=["A", "B"], ReferencedStudySequence=[data_set_of(StudyID="1")])
    types, items = (copy_element(data_set[keyword]) for keyword in ("ImageType", "ReferencedStudySequence"))
    types.value[0] = "C"
    items.value[0].StudyID = "2"
    assert data_set.ImageType[0] == "A"
    assert data_set.ReferencedStudySequence[0].StudyID == "1"


def test_a_number_may_be_given_as_text() -> None:
    assert make_element(0x00280010, "US", "16").value == 16


def test_elements_of_attributes_that_were_looked_up_before() -> None:
    made = make_elements(prepare_attributes("Rows", "StudyID"), 3, "7")
    assert [(element.keyword, element.VR, element.value) for element in made.values()] == [
        ("Rows", "US", 3),
        ("StudyID", "SH", "7"),
    ]


def test_a_data_set_made_of_elements_is_as_pydicom_makes_it() -> None:
    elements = {each.tag: each for each in data_set_of(PatientID="1", Rows=2, ImageType=["A", "B"])}
    made, expected = make_data_set(elements), Dataset(elements)  # type: ignore[arg-type]
    assert {**vars(made)} == {**vars(expected)}
    assert (made, made.Rows, list(made.ImageType)) == (expected, 2, ["A", "B"])
    other = make_data_set({})
    for name, value in vars(made).items():
        assert not isinstance(value, dict | list) or value is not vars(other)[name], name
    made.add_new(0x00090010, "LO", "OURS")
    made.private_block(0x0009, "OURS", create=True).add_new(1, "LO", "x")
    assert 0x00090010 not in other


@pytest.mark.parametrize(
    ("keyword", "texts"), [("SliceLocation", "-7.25"), ("ImagePositionPatient", ["1e-05", "0", "-120.5"])]
)
def test_decimals_are_as_pydicom_makes_them(keyword: str, texts: str | list[str]) -> None:
    theirs, ours = Dataset(), Dataset()
    setattr(theirs, keyword, texts)
    ours.add(make_decimals(theirs[keyword].tag, texts))
    known = {**vars(theirs[keyword]), "validation_mode": vars(ours[keyword])["validation_mode"]}
    assert vars(ours[keyword]) == known
    made, given = ours[keyword].value, theirs[keyword].value
    assert type(made) is type(given)
    pairs = list(zip(made, given, strict=True)) if isinstance(texts, list) else [(made, given)]
    assert all(vars(one) == vars(other) and float(one) == float(other) for one, other in pairs)
    if isinstance(texts, list):
        assert vars(made).keys() == vars(given).keys()
        made[0] = "5.50"
        assert (made[0], str(made[0])) == (5.5, "5.50")
