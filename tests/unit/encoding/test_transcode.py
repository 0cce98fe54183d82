"""What conversion does at the edges: long values, context-dependent VRs, UN, group lengths, wrong input."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from struct import pack

import pytest
from pydicom.data import get_testdata_file

from openmodality.encoding.part10 import read_file_meta
from openmodality.encoding.transcode import Transcoder, can_transcode, transcode
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE_8BIT,
    UNCOMPRESSED,
)
from tests.property.data_sets import flat

IMPLICIT, EXPLICIT, BIG = IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return pack("<HHL", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def converted(data: bytes, source: str, target: str) -> bytes:
    return b"".join(transcode([data], source, target))


def explicit_vr(data: bytes) -> list[bytes]:
    """VRs of the top-level elements of an Explicit VR Little Endian data set, as written."""
    return [vr.encode() for path, vr, _ in flat(data, EXPLICIT) if path.count("/") == 1]


def without_group_lengths(data: bytes, syntax: str) -> list[tuple[str, bytes]]:
    return [(path, value) for path, _, value in flat(data, syntax) if not path.endswith("0000")]


@pytest.mark.parametrize("name", ["MR_small.dcm", "rtplan.dcm", "reportsi.dcm", "ExplVR_BigEnd.dcm", "image_dfl.dcm"])
@pytest.mark.parametrize("target", UNCOMPRESSED)
def test_files_of_others_survive(name: str, target: str) -> None:
    data = Path(str(get_testdata_file(name))).read_bytes()
    meta = read_file_meta(data)
    chunks = [data[i : i + 1001] for i in range(meta.data_set_offset, len(data), 1001)]
    plain = b"".join(transcode(chunks, meta.transfer_syntax_uid, EXPLICIT))
    after = b"".join(transcode(chunks, meta.transfer_syntax_uid, target))
    assert without_group_lengths(after, target) == without_group_lengths(plain, EXPLICIT)


def test_same_transfer_syntax_passes_through_untouched() -> None:
    chunk = b"anything at all"
    assert Transcoder(JPEG_BASELINE_8BIT, JPEG_BASELINE_8BIT).feed(chunk)[0] is chunk
    assert list(transcode([chunk], JPEG_BASELINE_8BIT, JPEG_BASELINE_8BIT)) == [chunk]
    assert Transcoder(EXPLICIT, EXPLICIT).finish() == []


def test_what_can_be_converted() -> None:
    assert can_transcode(IMPLICIT, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    assert can_transcode(JPEG_BASELINE_8BIT, JPEG_BASELINE_8BIT)
    assert not can_transcode(JPEG_BASELINE_8BIT, EXPLICIT)
    with pytest.raises(UsageError, match=r"1\.2\.840\.10008\.1\.2\.4\.50"):
        Transcoder(JPEG_BASELINE_8BIT, EXPLICIT)
    with pytest.raises(UsageError):
        list(transcode([], EXPLICIT, JPEG_BASELINE_8BIT))


def test_a_value_too_long_for_its_vr_becomes_unknown_and_stays_little_endian() -> None:
    words = bytes(range(256)) * 257
    data = implicit(0x00281101, words)  # US or SS
    assert converted(data, IMPLICIT, EXPLICIT) == b"\x28\0\x01\x11UN\0\0" + pack("<L", len(words)) + words
    assert converted(data, IMPLICIT, BIG) == b"\0\x28\x11\x01UN\0\0" + pack(">L", len(words)) + words
    assert converted(converted(data, IMPLICIT, BIG), BIG, IMPLICIT) == data


def test_group_lengths_are_dropped() -> None:
    data = implicit(0x00080000, b"\x0a\0\0\0") + implicit(0x00080005, b"") + implicit(0x00090000, bytes(4))
    assert converted(data, IMPLICIT, EXPLICIT) == b"\x08\0\x05\0CS\0\0"


def test_private_elements_become_unknown_and_creators_stay_text() -> None:
    data = implicit(0x00090010, b"SOMEBODY") + implicit(0x00091001, b"\1\0")
    assert converted(data, IMPLICIT, EXPLICIT) == (
        b"\x09\0\x10\0LO\x08\0SOMEBODY" + b"\x09\0\x01\x10UN\0\0\2\0\0\0\1\0"
    )


@pytest.mark.parametrize(("representation", "vr"), [(None, b"US"), (0, b"US"), (1, b"SS")])
def test_pixel_representation_chooses_between_us_and_ss(representation: int | None, vr: bytes) -> None:
    before = b"" if representation is None else implicit(0x00280103, pack("<H", representation))
    data = before + implicit(0x00280106, b"\1\0")
    assert converted(data, IMPLICIT, EXPLICIT)[-10:] == b"\x28\0\x06\1" + vr + b"\2\0\1\0"


def test_pixel_representation_reaches_into_items_and_ends_with_its_own() -> None:
    def item(content: bytes) -> bytes:
        return implicit(0xFFFEE000, content)

    smallest = implicit(0x00280106, b"\1\0")
    signed, unsigned = implicit(0x00280103, b"\1\0"), implicit(0x00280103, b"\0\0")
    data = signed + implicit(0x0040A730, item(smallest) + item(unsigned + smallest) + item(smallest)) + smallest
    found = [vr for path, vr, _ in flat(converted(data, IMPLICIT, EXPLICIT), EXPLICIT) if path.endswith("00280106")]
    assert found == ["SS", "SS", "US", "SS"], "pydicom's order: top level first"


def test_bulk_data_of_implicit_vr_are_words() -> None:
    tags = (0x00281200, 0x00283006, 0x54001010, 0x60003000, 0x60023000, 0x7FE00010)
    data = b"".join(implicit(tag, b"\1\2") for tag in tags)
    assert explicit_vr(converted(data, IMPLICIT, EXPLICIT)) == [b"OW"] * len(tags)
    assert converted(data, IMPLICIT, BIG).count(b"\2\1") == len(tags)


def test_unknown_of_undefined_length_becomes_the_sequence_it_is() -> None:
    rows = implicit(0x00280010, b"\1\2")
    content = implicit(0xFFFEE000, rows, 0xFFFFFFFF) + implicit(0xFFFEE00D, b"") + implicit(0xFFFEE0DD, b"")
    after_in_big = b"\0\x28\0\x11US\0\2\3\4"
    big = converted(b"\0\x09\x10\x01UN\0\0\xff\xff\xff\xff" + content + after_in_big, BIG, EXPLICIT)
    assert big == (
        b"\x09\0\x01\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff\x28\0\x10\0US\2\0\1\2"
        b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" + b"\x28\0\x11\0US\2\0\4\3"
    )
    little = converted(b"\x09\0\x01\x10UN\0\0\xff\xff\xff\xff" + content, EXPLICIT, IMPLICIT)
    assert little == b"\x09\0\x01\x10\xff\xff\xff\xff" + content


def test_a_value_of_wrong_length_keeps_its_last_bytes() -> None:
    assert converted(b"\x28\0\x10\0US\3\0\1\2\3", EXPLICIT, BIG) == b"\0\x28\0\x10US\0\3\2\1\3"


def test_encapsulated_pixel_data_are_refused() -> None:
    with pytest.raises(ObjectInvalid, match=r"\(7FE0,0010\) is encapsulated"):
        converted(b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff", EXPLICIT, IMPLICIT)


def test_a_data_set_that_is_cut_off_is_not_converted() -> None:
    with pytest.raises(ObjectInvalid, match="cut off"):
        converted(implicit(0x00100010, b"A", 2), IMPLICIT, EXPLICIT)


@pytest.mark.parametrize("target", [EXPLICIT, BIG])
def test_pixel_data_are_never_held(target: str) -> None:
    transcoder = Transcoder(IMPLICIT, target)
    chunk = bytes(64 * 1024 + 1)
    tracemalloc.start()
    try:
        transcoder.feed(pack("<HHL", 0x7FE0, 0x10, 0xFFFFFFF0))
        pieces = [len(transcoder.feed(chunk)) for _ in range(200)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(pieces) <= 2
    assert peak < 4 * len(chunk)
