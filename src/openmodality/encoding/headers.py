"""The header of one data element: tag, VR and length (PS3.5 7.1), read and written in each of the three layouts.

Reading takes what real files hold. In Explicit VR, a VR that is not two capital letters means that the writer slipped
into Implicit VR, as some do inside sequences. A VR of capital letters that this edition does not know has a 32-bit
length (PS3.5 6.2, Note), unless the bytes that would be reserved are in use: then it is a 16-bit length. Both become
UN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from struct import Struct
from typing import Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.encoding.vr import LONG_VRS, SHORT_VRS, dictionary
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

UNDEFINED_LENGTH: Final = 0xFFFFFFFF
MAX_HEADER_BYTES: Final = 12
"""The longest header; with so many bytes at hand any header can be read."""

MIN_HEADER_BYTES: Final = 8
"""The shortest header."""

HeaderReader = Callable[[Buffer, int, int], tuple[int, str, int, int] | None]
"""(buffer, offset, bytes available there) -> (tag, VR, value length, header size), or None where bytes are missing.

The VR of (FFFE,xxxx) items and delimiters is empty.
"""
HeaderWriter = Callable[[int, str, int], bytes]
"""(tag, VR, value length) -> header."""

SHORT_CODES: Final = {vr.encode("ascii"): vr for vr in SHORT_VRS}
"""The VRs with a length of 16 bits, by their two bytes in a header."""
LONG_CODES: Final = {vr.encode("ascii"): vr for vr in LONG_VRS}
"""The VRs with a length of 32 bits."""


def vr_codes(vrs: Iterable[str], *, big_endian: bool) -> frozenset[int]:
    """VRs as the numbers that their two bytes are in a header; to look up one costs less than bytes."""
    return frozenset(int.from_bytes(vr.encode("ascii"), "big" if big_endian else "little") for vr in vrs)


class Layout(NamedTuple):
    """One of the three ways to write data elements (PS3.5 A.1, A.2, A.3)."""

    explicit: bool
    big_endian: bool
    read: HeaderReader
    write: HeaderWriter


def format_tag(tag: int) -> str:
    """``(gggg,eeee)``, as in the standard."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=128)  # UIDs come from peers: bounded
def layout_of(transfer_syntax: str) -> Layout:
    """The layout of a transfer syntax; for a deflated one that of the data set after inflating.

    Unknown ones are taken as Explicit VR Little Endian, as every encapsulated transfer syntax is (PS3.5 A.4).
    """
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
    return make_layout(syntax.explicit, syntax.big_endian) if syntax else make_layout(explicit=True, big_endian=False)


def make_layout(explicit: bool, big_endian: bool) -> Layout:
    """The layout with these properties; Implicit VR is Little Endian (there is no other in the standard)."""
    return _make_layout(explicit, explicit and big_endian)


@cache
def _make_layout(explicit: bool, big_endian: bool) -> Layout:
    if not explicit:
        return Layout(False, False, _make_implicit_reader(), _make_implicit_writer())
    order = ">" if big_endian else "<"
    return Layout(True, big_endian, _make_explicit_reader(order), _make_explicit_writer(order))


def _make_implicit_reader() -> HeaderReader:
    unpack, vrs = Struct("<HHL").unpack_from, dictionary()

    def read(buffer: Buffer, offset: int, available: int) -> tuple[int, str, int, int] | None:
        if available < 8:
            return None
        group, element, length = unpack(buffer, offset)
        tag = group << 16 | element
        return tag, "" if group == 0xFFFE else vrs[tag], length, 8

    return read


def _make_explicit_reader(order: str) -> HeaderReader:
    unpack, unpack_length = Struct(order + "HH2sH").unpack_from, Struct(order + "L").unpack_from

    def read(buffer: Buffer, offset: int, available: int) -> tuple[int, str, int, int] | None:
        if available < 8:
            return None
        group, element, code, length = unpack(buffer, offset)
        tag = group << 16 | element
        if code in SHORT_CODES and group != 0xFFFE:
            return tag, SHORT_CODES[code], length, 8
        if group == 0xFFFE:
            return tag, "", unpack_length(buffer, offset + 4)[0], 8
        vr = LONG_CODES.get(code, "UN")
        if code not in LONG_CODES:
            if not (code.isalpha() and code.isupper()):
                return tag, dictionary()[tag], unpack_length(buffer, offset + 4)[0], 8
            if length:
                return tag, "UN", length, 8
        return None if available < 12 else (tag, vr, unpack_length(buffer, offset + 8)[0], 12)

    return read


def _make_implicit_writer() -> HeaderWriter:
    pack = Struct("<HHL").pack

    def write(tag: int, vr: str, length: int) -> bytes:
        return pack(tag >> 16, tag & 0xFFFF, length)

    return write


def _make_explicit_writer(order: str) -> HeaderWriter:
    pack_bare, pack_short, pack_long = (Struct(order + code).pack for code in ("HHL", "HH2sH", "HH2sHL"))
    short, long = ({vr: code for code, vr in codes.items()} for codes in (SHORT_CODES, LONG_CODES))

    def write(tag: int, vr: str, length: int) -> bytes:
        if vr in short and length <= 0xFFFF:
            return pack_short(tag >> 16, tag & 0xFFFF, short[vr], length)
        if not vr:
            return pack_bare(tag >> 16, tag & 0xFFFF, length)
        return pack_long(tag >> 16, tag & 0xFFFF, long.get(vr, b"UN"), 0, length)

    return write
