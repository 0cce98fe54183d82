"""Private elements of Implicit VR get the VR of their creator's dictionary, and no others do."""

from __future__ import annotations

from struct import pack

import pytest

from openmodality.encoding.private_blocks import PrivateVrs
from openmodality.encoding.transcode import transcode

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
VRS: PrivateVrs = {("ACME 1", 0x0009): {0x01: "US", 0x02: "LO", 0x03: "SQ"}}


def implicit(tag: int, value: bytes) -> bytes:
    return pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def explicit(tag: int, vr: bytes, value: bytes) -> bytes:
    if vr in (b"UN", b"SQ"):
        return pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value
    return pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


CREATOR = implicit(0x00090011, b"ACME 1")


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_known_creator_says_the_vr_wherever_its_block_is(step: int) -> None:
    data = CREATOR + implicit(0x00091101, b"\1\0") + implicit(0x00091102, b"ab") + implicit(0x00091103, b"")
    data += implicit(0x00091104, b"zz")
    chunks = [data[start : start + step] for start in range(0, len(data), step)]
    written = b"".join(map(bytes, transcode(chunks, IMPLICIT, EXPLICIT, private_vrs=VRS)))
    assert written == (
        explicit(0x00090011, b"LO", b"ACME 1")
        + explicit(0x00091101, b"US", b"\1\0")
        + explicit(0x00091102, b"LO", b"ab")
        + explicit(0x00091103, b"UN", b"")
        + explicit(0x00091104, b"UN", b"zz")
    )


def test_words_are_turned_for_big_endian() -> None:
    data = CREATOR + implicit(0x00091101, b"\1\0")
    written = b"".join(map(bytes, transcode([data], IMPLICIT, BIG, private_vrs=VRS)))
    assert written.endswith(b"US\0\2\0\1")


@pytest.mark.parametrize(
    "creator", [b"", implicit(0x00090010, b"ACME 1"), implicit(0x00090011, b"OTHER "), implicit(0x00110011, b"ACME 1")]
)
def test_other_blocks_stay_unknown(creator: bytes) -> None:
    data = creator + implicit(0x00091101 if creator[:2] != b"\x11\0" else 0x00111101, b"\1\0")
    assert b"UN" in b"".join(map(bytes, transcode([data], IMPLICIT, EXPLICIT, private_vrs=VRS)))


def test_an_item_has_blocks_of_its_own() -> None:
    def item(content: bytes) -> bytes:
        return implicit(0x00081140, implicit(0xFFFEE000, content))

    inside = implicit(0x00091101, b"\1\0")
    written = b"".join(map(bytes, transcode([item(CREATOR + inside)], IMPLICIT, EXPLICIT, private_vrs=VRS)))
    assert explicit(0x00091101, b"US", b"\1\0") in written
    data = item(CREATOR) + inside
    written = b"".join(map(bytes, transcode([data], IMPLICIT, EXPLICIT, private_vrs=VRS)))
    assert explicit(0x00091101, b"UN", b"\1\0") in written
