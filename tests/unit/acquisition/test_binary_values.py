"""Values of bytes, words and tags, as a program or a file in JSON gives them."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.tag import Tag

from openmodality.acquisition.binary_values import make_bytes, make_tag, pick_vr
from openmodality.acquisition.keywords import attributes_of
from openmodality.errors import ObjectInvalid


@pytest.mark.parametrize(
    ("vr", "given", "held"),
    [
        ("OW", [1, 65535], b"\x01\x00\xff\xff"),
        ("OB", [1, 2, 255], b"\x01\x02\xff\x00"),
        ("OB", b"abc", b"abc\0"),
        ("OW", np.array([[1], [2]]), b"\x01\x00\x02\x00"),
        ("OF", [1.5], np.float32(1.5).tobytes()),
        ("OB", {"InlineBinary": "AQI="}, b"\x01\x02"),
        ("OB", "", b""),
    ],
)
def test_bytes_are_given_as_bytes_or_numbers(vr: str, given: object, held: bytes) -> None:
    assert make_bytes(vr, given) == held


@pytest.mark.parametrize("given", [[65536], [-1], [1.5]])
def test_numbers_that_are_no_words_are_refused(given: object) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        make_bytes("OW", given)


@pytest.mark.parametrize("given", ["text", [True], ["1"], {"Other": ""}, 1])
def test_what_is_neither_bytes_nor_numbers_is_refused(given: object) -> None:
    with pytest.raises(TypeError):
        make_bytes("OW", given)


@pytest.mark.parametrize("given", ["TriggerTime", "0018,1060", "(0018,1060)", "00181060", 0x00181060])
def test_a_tag_is_named_in_several_ways(given: object) -> None:
    assert make_tag(given) == Tag("TriggerTime")
    assert list(make_tag([given, given])) == [Tag("TriggerTime")] * 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("possible", "given", "vr"),
    [
        ("US or SS", 5, "US"), ("US or SS", [-1, 0], "SS"), ("US or OW", [1, 2], "US"), ("US or OW", b"ab", "OW"),
        ("OB or OW", [1], "OW"), ("DS", -1, "DS"),
    ],
)  # fmt: skip
def test_a_value_decides_where_there_is_a_choice(possible: str, given: object, vr: str) -> None:
    assert pick_vr(possible, given) == vr


def test_an_attribute_of_bytes_that_gets_none_is_refused_by_name() -> None:
    with pytest.raises(ObjectInvalid, match="RedPaletteColorLookupTableData does not fit its value representation OW"):
        attributes_of({"RedPaletteColorLookupTableData": "red"}, "api")
