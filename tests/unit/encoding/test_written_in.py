"""What a data set is written in, whatever it is said to be in."""

from __future__ import annotations

import pytest

from openmodality.encoding.deflate import deflate
from openmodality.encoding.headers import layout_of
from openmodality.encoding.transcode import write_anew
from openmodality.encoding.walk import DataSetWalk
from openmodality.encoding.written_in import (
    NotInTransferSyntax,
    check_layout,
    find_layout,
    find_other_layout,
    find_own_layout,
)
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import PATIENT_ID, SOP_CLASS_UID
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE_8BIT,
    UNCOMPRESSED,
)

PLAIN = layout_of(EXPLICIT_VR_LITTLE_ENDIAN)


def begin(transfer_syntax: str) -> bytes:
    write = layout_of(transfer_syntax).write
    return write(SOP_CLASS_UID, "UI", 4) + b"1.2\0" + write(PATIENT_ID, "LO", 2) + b"P1"


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_the_first_element_tells(transfer_syntax: str) -> None:
    raw = begin(transfer_syntax)
    assert find_layout(raw) == transfer_syntax
    assert [find_other_layout(raw, other) for other in UNCOMPRESSED] == [
        None if other == transfer_syntax else transfer_syntax for other in UNCOMPRESSED
    ]
    own = find_other_layout(raw, JPEG_BASELINE_8BIT)
    assert own == (None if transfer_syntax == EXPLICIT_VR_LITTLE_ENDIAN else transfer_syntax)
    assert find_other_layout(raw, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) == transfer_syntax
    assert find_own_layout(transfer_syntax) == transfer_syntax


@pytest.mark.parametrize("raw", [b"", b"\x08\0\x16\0UI\x04", b"garbage text", b"\x08\0\x16\0\xff\xff\xff\xff"])
def test_what_does_not_tell_contradicts_nothing(raw: bytes) -> None:
    assert find_layout(raw) is None
    for transfer_syntax in UNCOMPRESSED:
        check_layout(raw, transfer_syntax)


def test_a_deflated_stream_is_not_taken_for_another_layout() -> None:
    check_layout(b"".join(deflate([begin(EXPLICIT_VR_LITTLE_ENDIAN)])), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


def judge(raw: bytes, transfer_syntax: str, *, strict: bool = True, size: int = 1 << 16) -> None:
    walk = DataSetWalk(transfer_syntax, strict=strict)
    for start in range(0, len(raw), size):
        walk.feed(raw[start : start + size])
    walk.finish()


@pytest.mark.parametrize(
    ("written", "claimed"),
    [(a, b) for a in UNCOMPRESSED for b in (*UNCOMPRESSED, JPEG_BASELINE_8BIT) if find_own_layout(b) != a],
)
def test_a_strict_walk_names_both(written: str, claimed: str) -> None:
    with pytest.raises(NotInTransferSyntax, match=r"is written in .*, and is said to be in"):
        judge(begin(written), claimed)


IRREGULAR = [
    pytest.param(layout_of(IMPLICIT_VR_LITTLE_ENDIAN).write(PATIENT_ID, "LO", 2) + b"P1", id="without a VR"),
    pytest.param(b"\x10\0\x20\0ZZ\0\0\x02\0\0\0P1", id="a VR that nobody knows"),
    pytest.param(b"\x10\0\x20\0ZZ\x02\0P1", id="such a VR with a short length"),
]


@pytest.mark.parametrize("element", IRREGULAR)
@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("size", [3, 1 << 16])
def test_an_element_that_others_cannot_read_is_refused_or_written_anew(
    element: bytes, is_nested: bool, size: int
) -> None:
    if is_nested:  # of undefined length: those of a known length are stepped over
        element = b"\x40\0\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" + element
        element += b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    raw = begin(EXPLICIT_VR_LITTLE_ENDIAN)[:12] + element
    with pytest.raises(NotInTransferSyntax, match=r"\(0010,0020\) at byte \d+ has no VR"):
        judge(raw, EXPLICIT_VR_LITTLE_ENDIAN, size=size)
    judge(raw, EXPLICIT_VR_LITTLE_ENDIAN, strict=False)
    anew = b"".join(write_anew([raw], EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN))
    judge(anew, EXPLICIT_VR_LITTLE_ENDIAN)
    assert anew.endswith(b"P1") or is_nested


def test_what_is_encapsulated_keeps_its_fragments() -> None:
    header = layout_of(IMPLICIT_VR_LITTLE_ENDIAN).write(0x7FE00010, "OB", 0xFFFFFFFF)
    fragments = b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0\x04\0\0\0\xff\xd8\xff\xd9\xfe\xff\xdd\xe0\0\0\0\0"
    anew = b"".join(
        write_anew(
            [begin(IMPLICIT_VR_LITTLE_ENDIAN) + header + fragments], IMPLICIT_VR_LITTLE_ENDIAN, JPEG_BASELINE_8BIT
        )
    )
    assert anew == begin(EXPLICIT_VR_LITTLE_ENDIAN) + PLAIN.write(0x7FE00010, "OB", 0xFFFFFFFF) + fragments


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
@pytest.mark.parametrize("count", [8, 9, 13, 64, 500, 1 << 15])
def test_zeros_behind_a_data_set_only_fill_a_file_up(transfer_syntax: str, count: int) -> None:
    for size in (1 << 16, 5):
        judge(begin(transfer_syntax) + bytes(count), transfer_syntax, size=size)
    with pytest.raises(ObjectInvalid, match="cut off"):
        judge(begin(transfer_syntax) + b"\x20\0" + bytes(3), transfer_syntax)
