"""What a data set that is held as an object may cost (PS3.5 6.2, 7)."""

import struct

import pytest
from pydicom.datadict import tag_for_keyword

from openmodality.dimse.channel import MAX_IDENTIFIER_LENGTH
from openmodality.dimse.data_set import MAX_VALUES, decode_data_set
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

REFERENCES = 20_000
FEW = 1000
ITEM = bytes.fromhex("feff00e000000000")


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> int:
    """A bound that is reached soon."""
    monkeypatch.setattr("openmodality.dimse.data_set.MAX_VALUES", FEW)
    return FEW


def implicit(keyword: str, value: bytes) -> bytes:
    tag = tag_for_keyword(keyword) or 0
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def explicit(keyword: str, vr: str, value: bytes) -> bytes:
    tag = tag_for_keyword(keyword) or 0
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(value)) + value


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SliceThickness", b"1\\"),
        ("OtherPatientNames", b"A\\"),
        ("ReferencedFrameNumber", b"1\\"),
        ("SOPInstanceUID", b"1\\"),
        ("RecommendedDisplayFrameRateInFloat", b"\0\0\0\0"),
        ("ReferencePixelX0", b"\0\0\0\0"),
        ("FrameIncrementPointer", b"\x08\0\x10\0"),
        ("PixelSpacingCalibrationType", b"\\\\"),
        ("ReferencedSOPSequence", ITEM),
    ],
)
def test_values_are_bounded_as_elements_are(keyword: str, value: bytes, bound: int) -> None:
    with pytest.raises(ObjectInvalid, match="more than 1000 elements and values"):
        decode_data_set(implicit(keyword, value * bound), IMPLICIT_VR_LITTLE_ENDIAN)


def test_empty_sequences_are_bounded(bound: int) -> None:
    with pytest.raises(ObjectInvalid, match="more than"):
        decode_data_set(implicit("ReferencedSOPSequence", b"") * (bound + 1), IMPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("SliceThickness", b"1\\"), ("RedPaletteColorLookupTableDescriptor", b"\0\0"), ("ReferencedSOPSequence", ITEM)],
)
def test_what_is_hidden_in_un_is_bounded(keyword: str, value: bytes, bound: int) -> None:
    with pytest.raises(ObjectInvalid, match="more than"):
        decode_data_set(explicit(keyword, "UN", value * bound), EXPLICIT_VR_LITTLE_ENDIAN)


def test_text_and_bytes_are_one_value_however_long(bound: int) -> None:
    text = "\\" * (2 * bound)
    raw = explicit("TextValue", "UT", text.encode()) + explicit("EncapsulatedDocument", "OB", text.encode())
    data_set = decode_data_set(raw, EXPLICIT_VR_LITTLE_ENDIAN)
    assert (data_set.TextValue, len(data_set.EncapsulatedDocument)) == (text, len(text))


def test_references_of_the_largest_exam_are_taken(bound: int) -> None:
    """In small: each takes four of what is counted."""
    reference = (
        implicit("RetrieveAETitle", b"ARCHIVE ")
        + implicit("ReferencedSOPClassUID", b"1.2.840.10008.5.1.4.1.1.4\0")
        + implicit("ReferencedSOPInstanceUID", b"1." * 31 + b"1\0")
    )
    item = ITEM[:4] + struct.pack("<L", len(reference)) + reference
    assert REFERENCES * len(item) < MAX_IDENTIFIER_LENGTH // 4
    assert REFERENCES < MAX_VALUES // 4
    count = bound // 4 - 1
    images = implicit("ReferencedImageSequence", item * count)
    raw = implicit("PerformedSeriesSequence", ITEM[:4] + struct.pack("<L", len(images)) + images)
    answered = decode_data_set(raw, IMPLICIT_VR_LITTLE_ENDIAN)
    assert len(answered.PerformedSeriesSequence[0].ReferencedImageSequence) == count
