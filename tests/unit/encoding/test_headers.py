"""Element headers as PS3.5 7.1 draws them."""

from __future__ import annotations

import pytest

from openmodality.encoding.headers import MAX_HEADER_BYTES, Layout, format_tag, layout_of, make_layout
from openmodality.standard.tags import ITEM
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_2000,
    TRANSFER_SYNTAXES,
)

LITTLE, BIG, IMPLICIT = (make_layout(*flags) for flags in ((True, False), (True, True), (False, False)))


@pytest.mark.parametrize(
    ("used", "header", "tag", "vr", "length"),
    [
        (LITTLE, b"\x08\0\x18\0UI\x1a\0", 0x00080018, "UI", 26),
        (LITTLE, b"\xe0\x7f\x10\0OW\0\0\0\0\2\0", 0x7FE00010, "OW", 0x20000),
        (LITTLE, b"\xfe\xff\0\xe0\xff\xff\xff\xff", ITEM, "", 0xFFFFFFFF),
        (LITTLE, b"\xfe\xff\0\xe0US\0\0", ITEM, "", 0x5355),
        (BIG, b"\0\x08\0\x18UI\0\x1a", 0x00080018, "UI", 26),
        (BIG, b"\x7f\xe0\0\x10OW\0\0\0\2\0\0", 0x7FE00010, "OW", 0x20000),
        (IMPLICIT, b"\x08\0\x18\0\x1a\0\0\0", 0x00080018, "UI", 26),
        (IMPLICIT, b"\xfe\xff\0\xe0\0\0\0\0", ITEM, "", 0),
    ],
)
def test_read_and_written(used: Layout, header: bytes, tag: int, vr: str, length: int) -> None:
    assert used.read(b"--" + header, 2, len(header)) == (tag, vr, length, len(header))
    assert used.write(tag, vr, length) == header
    assert all(used.read(header, 0, available) is None for available in range(len(header)))
    assert len(header) <= MAX_HEADER_BYTES


def test_a_length_that_does_not_fit_makes_it_unknown() -> None:
    assert LITTLE.write(0x00280010, "US", 0x10000) == b"\x28\0\x10\0UN\0\0\0\0\1\0"


def test_layouts_of_transfer_syntaxes() -> None:
    assert layout_of(IMPLICIT_VR_LITTLE_ENDIAN) is make_layout(False, False)
    assert layout_of(EXPLICIT_VR_BIG_ENDIAN) is make_layout(True, True)
    assert layout_of(JPEG_2000) is layout_of("1.2.3.4.5") is make_layout(True, False)
    assert {layout_of(uid) for uid in TRANSFER_SYNTAXES} == {LITTLE, BIG, IMPLICIT}


def test_tags_are_shown_as_in_the_standard() -> None:
    assert format_tag(0x7FE00010) == "(7FE0,0010)"
