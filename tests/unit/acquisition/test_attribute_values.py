"""Attributes of a DICOM file that is a source of pixels."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import Tag

from openmodality.acquisition.attribute_values import allows_count, read_checked
from openmodality.dimse.mending import list_written
from openmodality.errors import ObjectInvalid


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
