"""A complete data set is told from one that is cut off (PS3.5 7.1)."""

from collections.abc import Sequence as Values
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, Sequence

from openmodality.dimse.data_set import encode_data_set
from openmodality.encoding.deflate import deflate
from openmodality.encoding.headers import layout_of
from openmodality.encoding.skim import Skimmer
from openmodality.encoding.skim import _steps as skim_steps
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)


def encoded(transfer_syntax: str, *, undefined: bool = False) -> bytes:
    item = Dataset()
    item.ScheduledProcedureStepID = "1"
    data_set = Dataset()
    data_set.SOPInstanceUID = "1.2.3"
    data_set.RequestAttributesSequence = Sequence([item])
    data_set["RequestAttributesSequence"].is_undefined_length = undefined
    data_set.Rows = 4
    data_set.add_new("PixelData", "OW", bytes(64))
    return encode_data_set(data_set, transfer_syntax)


def skim(chunks: Values[bytes], transfer_syntax: str) -> str:
    """What is wrong with a data set; empty where it is whole."""
    skimmer = Skimmer(transfer_syntax)
    try:
        for chunk in chunks:
            skimmer.feed(chunk)
        skimmer.finish()
    except ObjectInvalid as error:
        return str(error)
    return ""


def pieces(raw: bytes, size: int) -> list[bytes]:
    return [raw[start : start + size] for start in range(0, len(raw), size)]


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_only_the_whole_is_whole(transfer_syntax: str, undefined: bool) -> None:
    raw = encoded(transfer_syntax, undefined=undefined)
    for size in (1, 2, 7, 12, 50, len(raw)):
        assert skim(pieces(raw, size), transfer_syntax) == ""
        for end in range(len(raw) - 64 - 7, len(raw)):
            assert "is cut off at byte" in skim(pieces(raw[:end], size), transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_is_cut_is_named(transfer_syntax: str) -> None:
    raw = encoded(transfer_syntax)
    said = f"the data set is cut off at byte {len(raw) - 10}, in or after (7FE0,0010)"
    assert skim([raw[:-10]], transfer_syntax) == skim(pieces(raw[:-10], 5), transfer_syntax) == said


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_is_no_element_is_not_taken_for_one(transfer_syntax: str) -> None:
    assert skim([encoded(transfer_syntax), b"\xff" * 40], transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_an_empty_last_element_is_whole(transfer_syntax: str) -> None:
    data_set = Dataset()
    data_set.PatientID = ""
    assert skim([encode_data_set(data_set, transfer_syntax)], transfer_syntax) == ""


def test_what_is_deflated_is_looked_at_inflated() -> None:
    raw = encoded(EXPLICIT_VR_LITTLE_ENDIAN)
    whole = b"".join(deflate([raw]))
    assert skim(pieces(whole, 9), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == ""
    assert skim([whole[:-6]], DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == "the deflated data set is cut off"
    cut = b"".join(deflate([raw[:-2]]))
    assert "is cut off at byte" in skim([cut], DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


@given(st.binary(max_size=200), st.sampled_from(UNCOMPRESSED), st.integers(1, 30))
def test_chunking_makes_no_difference(raw: bytes, transfer_syntax: str, size: int) -> None:
    assert skim(pieces(raw, size), transfer_syntax) == skim([raw], transfer_syntax)


TAILS = [
    pack("<HH", 0xFFFE, tag) + rest for tag in (0xE000, 0xE00D, 0xE0DD) for rest in (bytes(4), b"LO\0\0", b"UI\0\0")
]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_came_before_changes_nothing(transfer_syntax: str, tail: bytes) -> None:
    """An item or delimiter of 8 bytes behind elements that are known, alone and after others like them."""
    write = layout_of(transfer_syntax).write
    elements = b"".join(write(0x00090001 + number, "LO", 2) + b"AB" for number in range(10))
    usual = elements + write(0x00100010, "LO", 4) + bytes(4)
    skim_steps.cache_clear()
    fresh = skim([elements + tail], transfer_syntax)
    skim_steps.cache_clear()
    for _ in range(3):
        assert skim([usual], transfer_syntax) == ""
    assert skim([elements + tail], transfer_syntax) == fresh
    assert skim([elements + write(0x00100010, "LO", 0)], transfer_syntax) == ""
    assert skim([elements + tail], transfer_syntax) == fresh
