"""The tokenizer on the oddities of PS3.5 7 and of real files."""

from __future__ import annotations

import tracemalloc
from struct import pack

import pytest

from openmodality.encoding.headers import UNDEFINED_LENGTH
from openmodality.encoding.tokenizer import (
    ElementStart,
    FragmentStart,
    ItemEnd,
    ItemStart,
    Passed,
    SequenceEnd,
    SequenceStart,
    Token,
    Tokenizer,
    Value,
)
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE_8BIT,
)

ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
UNDEFINED = b"\xff\xff\xff\xff"
CONTENT_SEQUENCE = b"\x40\0\x30\xa7"
NAME = b"\x10\0\x10\0PN\2\0A "
IMPLICIT_NAME = b"\x10\0\x10\0\2\0\0\0A "


def tokens_of(data: bytes, syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> list[Token]:
    tokenizer = Tokenizer(syntax)
    tokens = tokenizer.feed(data)
    tokenizer.finish()
    assert tokenizer.position == len(data)
    return tokens


def explicit_sequence(content: bytes, length: bytes | None = None) -> bytes:
    return CONTENT_SEQUENCE + b"SQ\0\0" + (pack("<L", len(content)) if length is None else length) + content


def test_an_element_is_a_start_and_a_value() -> None:
    start, value = tokens_of(NAME)
    assert start == ElementStart(0x00100010, "PN", 2, 0, 0)
    assert isinstance(value, Value)
    assert (bytes(value.data), value.remaining) == (b"A ", 0)


def test_nothing_is_a_data_set() -> None:
    assert tokens_of(b"") == []


def test_sequence_of_defined_and_undefined_lengths() -> None:
    defined = explicit_sequence(ITEM + pack("<L", len(NAME)) + NAME)
    delimited = explicit_sequence(ITEM + UNDEFINED + NAME + ITEM_END + SEQUENCE_END, UNDEFINED)
    kinds = [SequenceStart, ItemStart, ElementStart, Value, ItemEnd, SequenceEnd]
    assert [type(token) for token in tokens_of(defined)] == kinds
    assert [type(token) for token in tokens_of(delimited)] == kinds
    assert [token.depth for token in tokens_of(defined) if not isinstance(token, Passed | Value)] == [0, 1, 1, 1, 0]


def test_implicit_sequence_of_defined_length_is_known_by_its_tag() -> None:
    item = ITEM + pack("<L", len(IMPLICIT_NAME)) + IMPLICIT_NAME
    tokens = tokens_of(CONTENT_SEQUENCE + pack("<L", len(item)) + item, IMPLICIT_VR_LITTLE_ENDIAN)
    assert tokens[0] == SequenceStart(0x0040A730, "SQ", len(item), 0, 0)
    assert tokens[2] == ElementStart(0x00100010, "PN", 2, 1, 16)


def test_empty_sequence_and_empty_item() -> None:
    assert [type(token) for token in tokens_of(explicit_sequence(b""))] == [SequenceStart, SequenceEnd]
    tokens = tokens_of(explicit_sequence(ITEM + bytes(4)))
    assert [type(token) for token in tokens] == [SequenceStart, ItemStart, ItemEnd, SequenceEnd]


def test_encapsulated_pixel_data_are_fragments() -> None:
    data = (
        b"\xe0\x7f\x10\0OB\0\0"
        + UNDEFINED
        + ITEM
        + bytes(4)
        + ITEM
        + pack("<L", 4)
        + b"\xff\xd8\xff\xd9"
        + SEQUENCE_END
    )
    tokens = tokens_of(data, JPEG_BASELINE_8BIT)
    assert tokens[0] == SequenceStart(0x7FE00010, "OB", UNDEFINED_LENGTH, 0, 0)
    assert tokens[1:3] == [FragmentStart(0, 1, 12), FragmentStart(4, 1, 20)]
    assert tokens[3].data == b"\xff\xd8\xff\xd9"  # type: ignore[union-attr]
    assert isinstance(tokens[4], SequenceEnd)


def test_unknown_of_undefined_length_holds_implicit_vr_in_every_transfer_syntax() -> None:
    inside = UNDEFINED + ITEM + UNDEFINED + IMPLICIT_NAME + ITEM_END + SEQUENCE_END
    little = tokens_of(b"\x09\0\x01\x10UN\0\0" + inside + NAME)
    big = tokens_of(b"\0\x09\x10\x01UN\0\0" + inside, EXPLICIT_VR_BIG_ENDIAN)
    assert little[:-2] == big
    assert little[0] == SequenceStart(0x00091001, "UN", UNDEFINED_LENGTH, 0, 0)
    assert little[2] == ElementStart(0x00100010, "PN", 2, 1, 20)
    assert little[-2] == ElementStart(0x00100010, "PN", 2, 0, 46)


def test_an_element_that_slipped_into_implicit_vr() -> None:
    tokens = tokens_of(NAME + IMPLICIT_NAME + NAME)
    assert [token.vr for token in tokens if isinstance(token, ElementStart)] == ["PN", "PN", "PN"]


def test_vrs_of_other_editions() -> None:
    long_form = b"\x10\0\x10\0ZZ\0\0" + pack("<L", 2) + b"A "
    short_form = b"\x10\0\x10\0ZZ\2\0A "
    for data in (long_form, short_form):
        assert tokens_of(data)[0] == ElementStart(0x00100010, "UN", 2, 0, 0)


def test_delimiters_that_say_what_a_length_said_already() -> None:
    item = ITEM + pack("<L", len(NAME) + 8) + NAME + ITEM_END
    tokens = tokens_of(explicit_sequence(item + SEQUENCE_END))
    kinds = [SequenceStart, ItemStart, ElementStart, Value, ItemEnd, SequenceEnd]
    assert [type(token) for token in tokens] == kinds


def test_order_is_not_checked() -> None:
    assert len(tokens_of(NAME + b"\x08\0\x05\0CS\0\0")) == 3


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (NAME[:5], "in its first element"),
        (NAME[:9], r"cut off at byte 9, in or after \(0010,0010\)"),
        (explicit_sequence(ITEM + UNDEFINED + NAME, UNDEFINED), "cut off"),
        (explicit_sequence(NAME), r"\(0010,0010\) at byte 12 stands where \(0040,A730\) needs an item"),
        (explicit_sequence(ITEM + pack("<L", 4) + NAME), r"\(0010,0010\) .* beyond the end"),
        (
            explicit_sequence(ITEM + pack("<L", 28) + explicit_sequence(ITEM + UNDEFINED + NAME, UNDEFINED)),
            "beyond the end",
        ),
        (explicit_sequence(ITEM + pack("<L", 400)), r"\(FFFE,E000\) .* beyond the end"),
        (ITEM + bytes(4), "no item or delimiter"),
        (ITEM_END, "no item or delimiter"),
        (explicit_sequence(ITEM_END), "no item or delimiter"),
        (b"\x10\0\x10\0UT\0\0" + UNDEFINED, "undefined length, which UT cannot have"),
        (b"\xe0\x7f\x10\0OB\0\0" + UNDEFINED + ITEM + UNDEFINED, "a fragment .* undefined length"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, text: str) -> None:
    with pytest.raises(ObjectInvalid, match=text):
        tokens_of(data)


def test_depth_has_a_limit() -> None:
    nested = (CONTENT_SEQUENCE + b"SQ\0\0" + UNDEFINED + ITEM + UNDEFINED) * 10_000
    with pytest.raises(ObjectInvalid, match="deeper than 64"):
        tokens_of(nested)
    tokenizer = Tokenizer(EXPLICIT_VR_LITTLE_ENDIAN, max_depth=2)
    one = CONTENT_SEQUENCE + b"SQ\0\0" + UNDEFINED + ITEM + UNDEFINED
    tokenizer.feed(one * 2)
    with pytest.raises(ObjectInvalid, match="deeper than 2"):
        tokenizer.feed(one)


def test_a_declared_length_costs_nothing_and_a_chunk_of_a_long_value_is_one_token() -> None:
    tokenizer = Tokenizer(EXPLICIT_VR_LITTLE_ENDIAN)
    chunk = bytes(1024 * 1024)
    tracemalloc.start()
    try:
        tokenizer.feed(b"\xe0\x7f\x10\0OW\0\0" + pack("<L", 0xFFFFFFFE))
        assert all(len(tokenizer.feed(chunk)) == 1 for _ in range(500))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
