"""One walk: whether a data set is whole (PS3.5 7.1), and what its listeners are given."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from collections.abc import Sequence as Chunks
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, Sequence

from openmodality.dimse.data_set import encode_data_set
from openmodality.encoding.deflate import deflate
from openmodality.encoding.headers import layout_of
from openmodality.encoding.listening import MAX_KEPT_BYTES, KeptValues, Listener, Tokens
from openmodality.encoding.tokenizer import (
    ElementStart,
    ItemEnd,
    ItemStart,
    Passed,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
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


def judge(chunks: Chunks[bytes], transfer_syntax: str) -> str:
    """What is wrong with a data set; empty where it is whole."""
    walk = DataSetWalk(transfer_syntax)
    try:
        for chunk in chunks:
            walk.feed(chunk)
        walk.finish()
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
        assert judge(pieces(raw, size), transfer_syntax) == ""
        for end in range(len(raw) - 64 - 7, len(raw)):
            assert "is cut off at byte" in judge(pieces(raw[:end], size), transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_is_cut_is_named(transfer_syntax: str) -> None:
    raw = encoded(transfer_syntax)
    said = f"the data set is cut off at byte {len(raw) - 10}, in or after (7FE0,0010)"
    assert judge([raw[:-10]], transfer_syntax) == judge(pieces(raw[:-10], 5), transfer_syntax) == said


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_is_no_element_is_not_taken_for_one(transfer_syntax: str) -> None:
    assert judge([encoded(transfer_syntax), b"\xff" * 40], transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_an_empty_last_element_is_whole(transfer_syntax: str) -> None:
    data_set = Dataset()
    data_set.PatientID = ""
    assert judge([encode_data_set(data_set, transfer_syntax)], transfer_syntax) == ""


def test_what_is_deflated_is_looked_at_inflated() -> None:
    raw = encoded(EXPLICIT_VR_LITTLE_ENDIAN)
    whole = b"".join(deflate([raw]))
    assert judge(pieces(whole, 9), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == ""
    assert judge([whole[:-6]], DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == "the deflated data set is cut off"
    cut = b"".join(deflate([raw[:-2]]))
    assert "is cut off at byte" in judge([cut], DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


@given(st.binary(max_size=200), st.sampled_from(UNCOMPRESSED), st.integers(1, 30))
def test_chunking_makes_no_difference(raw: bytes, transfer_syntax: str, size: int) -> None:
    assert judge(pieces(raw, size), transfer_syntax) == judge([raw], transfer_syntax)


TAILS = [
    pack("<HH", 0xFFFE, tag) + rest for tag in (0xE000, 0xE00D, 0xE0DD) for rest in (bytes(4), b"LO\0\0", b"UI\0\0")
]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("transfer_syntax", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN])
def test_an_item_or_delimiter_is_no_element(transfer_syntax: str, tail: bytes) -> None:
    element = layout_of(transfer_syntax).write(0x00090001, "LO", 2) + b"AB"
    said = "stands where no item or delimiter may be"
    assert said in judge([element + tail], transfer_syntax)
    assert judge([element + tail + element], transfer_syntax)


# What listeners are given

WANTED = frozenset((0x00080016, 0x00080018))
CHARACTER_SET = b"\x08\0\x05\0CS\x0a\0ISO_IR 100"
LANGUAGES = (
    b"\x08\0\x06\0SQ\0\0\xff\xff\xff\xff"
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\0\x18\0UI\x04\x009.9\0\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
)
CLASS = b"\x08\0\x16\0UI\x06\x001.2.3\0"
INSTANCE = b"\x08\0\x18\0UI\x06\x001.2.4\0"
DATE = b"\x08\0\x20\0DA\x08\x0020260101"
BOTH = {0x00080016: b"1.2.3\0", 0x00080018: b"1.2.4\0"}


class Head:
    """What a walk gives of a data set that is looked at as far as needed."""

    def __init__(self, syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> None:
        self.found = KeptValues(WANTED)
        self.walk = DataSetWalk(syntax, (self.found,), only_for_listeners=True)

    def feed(self, chunk: bytes | memoryview) -> bool:
        self.walk.feed(chunk)
        return self.walk.is_done

    @property
    def values(self) -> dict[int, bytes]:
        return self.found.values


@pytest.mark.parametrize("head", [CHARACTER_SET + CLASS + INSTANCE, LANGUAGES + CLASS + INSTANCE + DATE])
def test_found_in_the_first_chunk(head: bytes) -> None:
    found = Head()
    assert found.feed(memoryview(head))
    assert found.values == BOTH


def test_found_byte_by_byte_and_nested_ones_do_not_count() -> None:
    found = Head()
    done = [found.feed(bytes((byte,))) for byte in LANGUAGES + CLASS + INSTANCE]
    assert done.index(True) == len(done) - 1
    assert found.values == BOTH


def test_a_later_tag_says_that_one_is_absent() -> None:
    found = Head()
    assert found.feed(CLASS + DATE)
    assert found.values == {0x00080016: b"1.2.3\0"}
    assert found.feed(INSTANCE), "what comes after done is not looked at"
    assert 0x00080018 not in found.values


def test_the_end_of_the_data_set_says_so_too() -> None:
    found = Head()
    assert not found.feed(CLASS)
    found.walk.finish()
    assert found.values == {0x00080016: b"1.2.3\0"}


def test_empty_values_are_found() -> None:
    found = Head()
    assert not found.feed(CLASS[:-6])
    assert found.feed(b"1.2.3\0" + INSTANCE[:6] + b"\0\0" + DATE)
    assert found.values == {0x00080016: b"1.2.3\0", 0x00080018: b""}


def test_unwanted_values_are_not_kept() -> None:
    found = Head()
    found.feed(b"\x08\0\x05\0UT\0\0" + pack("<L", 1 << 30))
    for _ in range(1024):
        assert not found.feed(bytes(1 << 20))
    assert found.feed(CLASS + INSTANCE)
    assert found.values == BOTH


@pytest.mark.parametrize("whole", [True, False])
def test_wanted_values_have_a_bound(whole: bool) -> None:
    long = b"\x08\0\x16\0UT\0\0" + pack("<L", 70_000)
    found = Head()
    chunks = [long + bytes(70_000), INSTANCE, DATE] if whole else [long, bytes(70_000), INSTANCE, DATE]
    with pytest.raises(ObjectInvalid, match=r"\(0008,0016\) is too long"):
        any(map(found.feed, chunks))


def test_cut_off_before_what_is_wanted() -> None:
    found = Head()
    found.feed(CLASS + INSTANCE[:-1])
    with pytest.raises(ObjectInvalid, match="cut off"):
        found.walk.finish()


def test_deflated_data_sets_are_looked_into() -> None:
    stream = zlib.compressobj(wbits=-15)
    data = stream.compress(CHARACTER_SET + CLASS + INSTANCE + DATE + bytes(1000)) + stream.flush()
    found = Head(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    assert any([found.feed(data[:10]), found.feed(data[10:])])
    assert found.values == BOTH


class Record(Listener):
    """Notes what it is given."""

    def __init__(self, tags: frozenset[int] = frozenset(), vrs: frozenset[str] = frozenset()) -> None:
        self.tags, self.vrs = tags, vrs
        self.noted: list[object] = []

    def take(self, tag: int, value: bytes | None) -> None:
        self.noted.append((tag, value))

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        self.noted.append({tag: values[tag] for tag in self.tags & values.keys()})

    def see(self, token: Token) -> None:
        self.noted.append(bytes(token.data) if isinstance(token, Passed | Value) else type(token))


def test_a_listener_is_given_its_values_as_soon_as_none_comes_any_more() -> None:
    early, late = Record(WANTED), Record(frozenset({0x00080016, 0x00280010}))
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN, (late, early))
    walk.feed(CLASS + INSTANCE)
    assert early.noted == []
    walk.feed(DATE)
    assert early.noted == [BOTH]
    assert late.noted == []
    walk.finish()
    assert late.noted == [{0x00080016: b"1.2.3\0"}]


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_of_an_element_that_comes_twice_the_first_counts(size: int) -> None:
    found = Record(WANTED)
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN, (found,))
    for piece in pieces(CLASS + INSTANCE + CLASS.replace(b"3", b"9") + DATE, size):
        walk.feed(piece)
    assert found.noted == [BOTH]


@pytest.mark.parametrize("size", [1, 5, 100_000, 1_000_000])
def test_a_value_that_is_too_long_is_told_of_and_not_kept(size: int) -> None:
    found = Record(frozenset({0x00080005}), frozenset({"UT"}))
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN, (found,))
    long = b"\x08\0\x05\0UT\0\0" + pack("<L", MAX_KEPT_BYTES + 2) + bytes(MAX_KEPT_BYTES + 2)
    for piece in pieces(long + CLASS, size):
        walk.feed(piece)
    assert found.noted == [(0x00080005, None), {0x00080005: None}]


def test_only_what_is_irregular_comes_as_tokens() -> None:
    private = b"\x09\0\x10\0LO\2\0AB"
    found = Record()
    found.tokens = Tokens.IRREGULAR
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN, (found,))
    walk.feed(CLASS + INSTANCE + private + DATE + LANGUAGES)
    walk.finish()
    nested = [SequenceStart, ItemStart, ElementStart, b"9.9\0", ItemEnd, SequenceEnd]
    assert found.noted == [CLASS + INSTANCE, ElementStart, b"AB", DATE, *nested]


def test_a_listener_can_come_before_the_first_bytes() -> None:
    found = KeptValues(WANTED)
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN)
    walk.listen(found)
    walk.feed(CLASS + INSTANCE)
    walk.finish()
    assert found.values == BOTH
