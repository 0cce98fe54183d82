"""Strides: what was so far as it is now is compared at once, what is not is learned or left to the steps."""

from __future__ import annotations

import pytest

from openmodality.encoding.headers import MAX_HEADER_BYTES, UNDEFINED_LENGTH, layout_of
from openmodality.encoding.listening import KeptValues
from openmodality.encoding.pixel_check import PixelDataCheck
from openmodality.encoding.strides import MAX_CHANGES, REST_DATA_SETS, StrideMemory, Strides
from openmodality.encoding.walk import DataSetWalk
from openmodality.encoding.watch import Watch
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import PATIENT_ID, PIXEL_DATA, ROWS, SEQUENCE_DELIMITATION_ITEM, SOP_INSTANCE_UID
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED

MODALITY = 0x00080060
STUDY_ID = 0x00200010
SEQUENCE = 0x00081140
IMAGE_COMMENTS = 0x00204000
SYNTAXES = pytest.mark.parametrize("syntax", UNCOMPRESSED)


def encode(values: dict[int, bytes], syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> bytes:
    """Elements that the dictionary knows, all as UI but for numbers and pixels, and the begin of another one."""
    write = layout_of(syntax).write
    vrs = {ROWS: "US", PIXEL_DATA: "OW"}
    return b"".join(write(tag, vrs.get(tag, "UI"), len(value)) + value for tag, value in values.items())


def advance(strides: Strides, data: bytes, *tags: int) -> tuple[int, dict[int, bytes | None]]:
    """The offset that is reached, and the values that somebody waits for."""
    watch = Watch((KeptValues(frozenset(tags)),))
    watch.begin(big_endian=False)
    strides.begin()
    return strides.advance(data, 0, len(data), watch)[0], watch.values


def look_at(series: list[bytes], *tags: int, syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> list[dict[int, bytes]]:
    """The values that walks with one memory find."""
    memory, found = StrideMemory(), []
    for data in series:
        kept = KeptValues(frozenset(tags))
        walk = DataSetWalk(syntax, (kept, PixelDataCheck(syntax)), strict=True)
        walk.stride_by(memory)
        walk.feed(data)
        walk.finish()
        found.append(kept.values)
    return found


def make_strides(*tags: int, end: int = PIXEL_DATA, syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Strides:
    return Strides(layout_of(syntax), frozenset(tags), end)


IMAGE = {SOP_INSTANCE_UID: b"1.2.", MODALITY: b"MR", PATIENT_ID: b"P1", STUDY_ID: b"S1", ROWS: b"\1\0"}
PIXELS = {PIXEL_DATA: bytes(20)}


@SYNTAXES
def test_elements_before_the_pixels_are_one_stride(syntax: str) -> None:
    strides, head = make_strides(PATIENT_ID, ROWS, syntax=syntax), encode(IMAGE, syntax)
    for _ in range(2):
        reached = advance(strides, head + encode(PIXELS, syntax), PATIENT_ID, ROWS)
        assert reached == (len(head), {PATIENT_ID: b"P1", ROWS: b"\1\0"})


@SYNTAXES
def test_values_and_lengths_that_change_are_read(syntax: str) -> None:
    others = [IMAGE | {PATIENT_ID: value, ROWS: b"\2\0"} for value in (b"P1", b"P2", b"P123", b"", b"P3")]
    series = [encode(values | PIXELS, syntax) for values in (IMAGE, *others, IMAGE)]
    found = look_at(series, PATIENT_ID, ROWS, syntax=syntax)
    assert found == [{tag: values[tag] for tag in (PATIENT_ID, ROWS)} for values in (IMAGE, *others, IMAGE)]


def test_a_run_goes_on_behind_what_has_changed() -> None:
    strides, head = make_strides(), encode(IMAGE)
    advance(strides, head + encode(PIXELS))
    for changes in ({PATIENT_ID: b"P234"}, {MODALITY: b"CT"}, {STUDY_ID: b""}):
        longer = encode(IMAGE | changes)
        assert advance(strides, longer + encode(PIXELS)) == (len(longer), {})


def test_an_optional_element_is_learned() -> None:
    strides = make_strides(IMAGE_COMMENTS)
    without, with_it = encode(IMAGE), encode(dict(sorted((IMAGE | {IMAGE_COMMENTS: b"OK"}).items())))
    for head, values in ((without, {}), (with_it, {IMAGE_COMMENTS: b"OK"})) * 3:
        assert advance(strides, head + encode(PIXELS), IMAGE_COMMENTS) == (len(head), values)


def test_runs_end_before_what_is_announced() -> None:
    strides, before = make_strides(end=ROWS), encode({tag: IMAGE[tag] for tag in IMAGE if tag != ROWS})
    for _ in range(2):
        assert advance(strides, encode(IMAGE | PIXELS))[0] == len(before)


def test_runs_end_where_only_a_tokenizer_can_go_on_and_where_tags_descend() -> None:
    write = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write
    head, sequence = encode({SOP_INSTANCE_UID: b"1.2."}), write(SEQUENCE, "SQ", UNDEFINED_LENGTH)
    for rest in (
        sequence + bytes(20),
        encode({SOP_INSTANCE_UID: b"1.3."}),
        write(MODALITY, "CS", 2).replace(b"CS", b"??"),
    ):
        strides = make_strides()
        for _ in range(2):
            assert advance(strides, head + rest + bytes(MAX_HEADER_BYTES))[0] == len(head)


def test_a_value_that_goes_on_behind_the_chunk_is_left_to_the_steps() -> None:
    strides, whole = make_strides(PATIENT_ID), encode(IMAGE | PIXELS)
    advance(strides, whole, PATIENT_ID)
    advance(strides, encode(IMAGE | {PATIENT_ID: b"P234"} | PIXELS), PATIENT_ID)
    cut = encode({SOP_INSTANCE_UID: b"1.2.", MODALITY: b"MR", PATIENT_ID: bytes(30)})[:-1]
    assert advance(strides, cut, PATIENT_ID) == (0, {})


def test_of_two_elements_the_first_counts() -> None:
    twice = encode({SOP_INSTANCE_UID: b"1.2."}) + encode({SOP_INSTANCE_UID: b"1.3."} | PIXELS)
    assert look_at([twice, twice], SOP_INSTANCE_UID) == [{SOP_INSTANCE_UID: b"1.2."}] * 2


def test_of_two_elements_around_a_sequence_the_first_counts() -> None:
    write = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write
    sequence = write(SEQUENCE, "SQ", UNDEFINED_LENGTH) + write(SEQUENCE_DELIMITATION_ITEM, "", 0)
    for first in (b"1.2.", b"1.20", b"1.2000"):
        raw = encode({SOP_INSTANCE_UID: first}) + sequence + encode({SOP_INSTANCE_UID: b"1.3."} | PIXELS)
        assert look_at([raw, raw], SOP_INSTANCE_UID, PATIENT_ID) == [{SOP_INSTANCE_UID: first}] * 2


def test_a_sequence_has_no_value() -> None:
    write, item = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write, bytes.fromhex("feff00e000000000")
    series = [
        encode({SOP_INSTANCE_UID: b"1.2."}) + write(SEQUENCE, "SQ", 8 * count) + item * count + encode(PIXELS)
        for count in (1, 1, 2, 1, 3)
    ]
    assert look_at(series, SOP_INSTANCE_UID, SEQUENCE) == [{SOP_INSTANCE_UID: b"1.2."}] * 5


def test_what_is_not_alike_is_left_to_the_steps_for_a_while() -> None:
    strides = make_strides()
    heads = [encode({(number + 8) << 16 | 0x10: b"AB", PIXEL_DATA: bytes(20)}) for number in range(MAX_CHANGES + 1)]
    assert [advance(strides, head)[0] for head in heads] == [10] * 8 + [0] * (MAX_CHANGES - 7)
    rest = REST_DATA_SETS - 9
    assert [advance(strides, heads[0])[0] for _ in range(rest - (MAX_CHANGES - 8) - 1)] == [0] * (
        rest - MAX_CHANGES + 7
    )
    assert advance(strides, heads[0])[0] == 10


def test_pixels_that_are_too_short_are_found_in_a_data_set_that_is_alike() -> None:
    image = IMAGE | {0x00280011: b"\1\0", 0x00280100: b"\x10\0"} | PIXELS
    write = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write
    raw = encode(image).replace(write(0x00280011, "UI", 2), write(0x00280011, "US", 2))
    raw = raw.replace(write(0x00280100, "UI", 2), write(0x00280100, "US", 2))
    look_at([raw, raw])
    with pytest.raises(ObjectInvalid, match=r"\(7FE0,0010\) has 20 bytes, and Rows, Columns and Bits"):
        look_at([raw, raw, raw.replace(b"US\2\0\1\0", b"US\2\0\0\1", 1)])
