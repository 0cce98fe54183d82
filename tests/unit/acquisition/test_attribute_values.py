"""Attributes of a DICOM file that is a source of pixels."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import Tag

from openmodality.acquisition.attribute_values import allows_count, find_fault, read_checked
from openmodality.dimse.mending import list_written
from openmodality.errors import ObjectInvalid
from openmodality.standard.item_counts import SINGLE_ITEM
from openmodality.standard.quantities import NEVER_NEGATIVE


def file_with(keyword: str, vr: str, raw: bytes) -> Dataset:
    """A data set as it is read: the value is decoded when it is asked for."""
    tag = Tag(keyword)
    return Dataset({tag: RawDataElement(tag, vr, len(raw), raw, 0, False, True)})


def read(keyword: str, vr: str, raw: bytes) -> DataElement:
    return read_checked(file_with(keyword, vr, raw), int(Tag(keyword)), "a.dcm")


@pytest.mark.parametrize(
    ("keyword", "vr", "raw", "written"),
    [
        ("PixelSpacing", "DS", b"0.456412596987676812\\0,5", ["0.45641259698768", "0.5"]),
        ("EchoTrainLength", "IS", b"1.0", ["1"]),
        ("EchoTime", "DS", b"10,5", ["10.5"]),
        ("ContentDate", "DA", b"2026.01.01", ["20260101"]),
        ("ProtocolName", "LO", b"x" * 70, ["x" * 64]),
        ("EchoTime", "DS", b"", []),
    ],
)
def test_what_can_mean_one_thing_only_is_mended(keyword: str, vr: str, raw: bytes, written: list[str]) -> None:
    assert list_written(read(keyword, vr, raw)) == written


@pytest.mark.parametrize(
    ("keyword", "vr", "raw", "words"),
    [
        ("EchoTime", "DS", b"NaN", "(0018,0081) EchoTime: no number, 'NaN'"),
        ("EchoTime", "DS", b"1\\2", "(0018,0081) EchoTime: 2 values, '1\\\\2'"),
        ("EchoTime", "DS", b"1\x1b[2J", "(0018,0081) EchoTime: no number, '1\ufffd[2J'"),
        ("EchoTime", "DS", b"9" * 5000 + b"x", f"(0018,0081) EchoTime: no number, '{'9' * 40}'"),
        ("PixelSpacing", "DS", b"0\\0", "(0028,0030) PixelSpacing: a distance that is not above zero, '0\\\\0'"),
        ("NumberOfPhaseEncodingSteps", "US", b"\x01", "(0018,0089) NumberOfPhaseEncodingSteps cannot be read"),
    ],
)
def test_what_can_mean_anything_is_refused_by_name(keyword: str, vr: str, raw: bytes, words: str) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        read(keyword, vr, raw)
    assert caught.value.message == f"a.dcm: {words}"


def test_items_are_looked_at_too() -> None:
    data_set = Dataset()
    data_set.MRTimingAndRelatedParametersSequence = [file_with("RepetitionTime", "DS", b"10,5")]
    tag = int(Tag("MRTimingAndRelatedParametersSequence"))
    (item,) = read_checked(data_set, tag, "a.dcm").value
    assert item.RepetitionTime == 10.5


@pytest.mark.parametrize(
    ("multiplicity", "allowed", "refused"),
    [
        ("1", [1], [2]),
        ("2", [2], [1, 3]),
        ("1-2", [1, 2], [3]),
        ("1-n", [1, 9], []),
        ("2-n", [2, 3], [1]),
        ("2-2n", [2, 4], [1, 3]),
        ("3-3n", [3, 6], [2, 4]),
        ("1 or 2", [7], []),
    ],
)
def test_how_many_values_an_attribute_may_have(multiplicity: str, allowed: list[int], refused: list[int]) -> None:
    assert all(allows_count(multiplicity, count) for count in allowed)
    assert not any(allows_count(multiplicity, count) for count in refused)


@pytest.mark.parametrize("keyword", sorted(NEVER_NEGATIVE))
def test_what_is_never_below_zero_may_be_zero(keyword: str) -> None:
    vr = dictionary_VR(keyword)
    assert find_fault(DataElement(keyword, vr, 0)) is None
    if vr not in ("US", "UL"):  # which hold no other numbers
        assert find_fault(DataElement(keyword, vr, [1, -1])) == ("a number below zero", "a number not below zero")


@pytest.mark.parametrize("keyword", ["SliceLocation", "ImagePositionPatient", "TagAngleFirstAxis", "RescaleIntercept"])
def test_other_numbers_may_be_below_zero(keyword: str) -> None:
    assert find_fault(DataElement(keyword, dictionary_VR(keyword), -1)) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a^b^c^d^e", ""),
        ("a^b=c^d=e^f", ""),
        ("", ""),
        ("a^b^c^d^e^f", "a name of 6 components"),
        ("a=b=c^^^^^", "a name of 6 components"),
        ("a=b=c=d", "a name of 4 groups"),
    ],
)
def test_a_name_has_three_groups_of_five_components(name: str, problem: str) -> None:
    fault = find_fault(DataElement("OperatorsName", "PN", ["Doe^Jane", name]))
    assert (fault or ("",))[0] == problem


@pytest.mark.parametrize("keyword", sorted(SINGLE_ITEM))
def test_a_sequence_of_a_single_item_has_no_second(keyword: str) -> None:
    assert find_fault(DataElement(keyword, "SQ", [Dataset()])) is None
    assert find_fault(DataElement(keyword, "SQ", [Dataset(), Dataset()])) == ("2 items", "a single item")
