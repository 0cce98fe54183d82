"""Pixel data that are shorter than the data set says, or native where they must be encapsulated (PS3.5 8, A.4)."""

from __future__ import annotations

from struct import pack

import pytest

from openmodality.encoding.headers import UNDEFINED_LENGTH, layout_of
from openmodality.encoding.pixel_check import PixelDataCheck, PixelDataMismatch
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import (
    BITS_ALLOCATED,
    COLUMNS,
    NUMBER_OF_FRAMES,
    PATIENT_ID,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_DATA,
    ROWS,
    SAMPLES_PER_PIXEL,
)
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE_8BIT,
    UNCOMPRESSED,
)

Said = dict[int, int | str]
GREY: Said = {SAMPLES_PER_PIXEL: 1, PHOTOMETRIC_INTERPRETATION: "MONOCHROME2", ROWS: 3, COLUMNS: 5, BITS_ALLOCATED: 16}


def encode(said: Said, pixels: bytes, transfer_syntax: str, length: int | None = None) -> bytes:
    layout = layout_of(transfer_syntax)
    values = {PATIENT_ID: "P1", **said}
    parts = []
    for tag in sorted(values):
        value = values[tag]
        raw = pack(">H" if layout.big_endian else "<H", value) if isinstance(value, int) else value.encode()
        vr = "US" if isinstance(value, int) else "CS"
        parts += [layout.write(tag, vr, len(raw)), raw]
    return b"".join((*parts, layout.write(PIXEL_DATA, "OW", len(pixels) if length is None else length), pixels))


def judge(raw: bytes, transfer_syntax: str, size: int = 1 << 16) -> PixelDataCheck:
    check = PixelDataCheck(transfer_syntax)
    walk = DataSetWalk(transfer_syntax, (check,))
    for start in range(0, len(raw), size):
        walk.feed(raw[start : start + size])
    walk.finish()
    return check


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
@pytest.mark.parametrize(
    ("said", "needed"),
    [
        (GREY, 30),
        ({**GREY, NUMBER_OF_FRAMES: "4 "}, 120),
        ({**GREY, SAMPLES_PER_PIXEL: 3, PHOTOMETRIC_INTERPRETATION: "RGB ", BITS_ALLOCATED: 8}, 46),
        ({**GREY, SAMPLES_PER_PIXEL: 3, PHOTOMETRIC_INTERPRETATION: "YBR_FULL_422", COLUMNS: 4, BITS_ALLOCATED: 8}, 24),
        ({**GREY, BITS_ALLOCATED: 1}, 2),
        ({**GREY, BITS_ALLOCATED: 12}, 24),
        ({tag: value for tag, value in GREY.items() if tag != SAMPLES_PER_PIXEL}, 30),
    ],
)
def test_pixel_data_have_what_the_data_set_says(transfer_syntax: str, said: Said, needed: int) -> None:
    for size in (1 << 16, 7):
        assert judge(encode(said, bytes(needed), transfer_syntax), transfer_syntax, size).is_native
        assert judge(encode(said, bytes(needed + 2), transfer_syntax), transfer_syntax, size).is_native
        with pytest.raises(ObjectInvalid, match=r"\(7FE0,0010\) has \d+ bytes, and Rows, Columns and Bits"):
            judge(encode(said, bytes(needed - 2), transfer_syntax), transfer_syntax, size)


@pytest.mark.parametrize("said", [{}, {ROWS: 3}, {**GREY, COLUMNS: 0}, {**GREY, NUMBER_OF_FRAMES: "many"}])
def test_what_is_not_said_is_not_judged(said: Said) -> None:
    pixels = bytes(30) if NUMBER_OF_FRAMES in said else b"ab"
    assert judge(encode(said, pixels, EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN).is_native


def test_nothing_is_said_of_a_data_set_without_pixels() -> None:
    raw = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write(PATIENT_ID, "LO", 2) + b"P1"
    assert judge(raw, EXPLICIT_VR_LITTLE_ENDIAN).is_native is None


def test_native_pixels_are_not_encapsulated_and_the_other_way_round() -> None:
    item, end = pack("<HHL", 0xFFFE, 0xE000, 0), pack("<HHL", 0xFFFE, 0xE0DD, 0)
    encapsulated = encode(GREY, item + item + end, EXPLICIT_VR_LITTLE_ENDIAN, UNDEFINED_LENGTH)
    native = encode(GREY, bytes(30), EXPLICIT_VR_LITTLE_ENDIAN)
    assert judge(encapsulated, JPEG_BASELINE_8BIT).is_native is False
    with pytest.raises(PixelDataMismatch, match="is encapsulated, and the transfer syntax needs it native"):
        judge(encapsulated, EXPLICIT_VR_LITTLE_ENDIAN)
    with pytest.raises(PixelDataMismatch, match="is native, and the transfer syntax needs it encapsulated"):
        judge(native, JPEG_BASELINE_8BIT)
    for raw in (encapsulated, native):  # of a private transfer syntax nothing is known
        judge(raw, "1.2.3.4")


def test_the_pixels_of_an_icon_are_not_those_of_the_image() -> None:
    layout = layout_of(IMPLICIT_VR_LITTLE_ENDIAN)
    icon = encode({ROWS: 64, COLUMNS: 64, BITS_ALLOCATED: 8}, b"ab", IMPLICIT_VR_LITTLE_ENDIAN)
    sequence = layout.write(0x00880200, "SQ", len(icon) + 8) + pack("<HHL", 0xFFFE, 0xE000, len(icon)) + icon
    raw = encode(GREY, bytes(30), IMPLICIT_VR_LITTLE_ENDIAN)
    pixels = raw.index(layout.write(PIXEL_DATA, "OW", 30))
    assert judge(raw[:pixels] + sequence + raw[pixels:], IMPLICIT_VR_LITTLE_ENDIAN).is_native


def test_the_byte_order_is_that_of_the_transfer_syntax() -> None:
    raw = encode({**GREY, ROWS: 256}, bytes(2560), EXPLICIT_VR_BIG_ENDIAN)  # 1 in the other byte order
    assert judge(raw, EXPLICIT_VR_BIG_ENDIAN).is_native
