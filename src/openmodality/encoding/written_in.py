"""In which transfer syntax a data set is written, whatever it is said to be in.

Some writers say Explicit VR, or JPEG, and write Implicit VR; some leave the wrong Transfer Syntax UID in the head of a
file they converted. The first element tells: it is of group 0008 in every instance, and short.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from openmodality.buffer import Buffer
from openmodality.encoding.headers import LONG_CODES, SHORT_CODES, format_tag, layout_of
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
    UNCOMPRESSED,
)

LAYOUT_BYTES: Final = 8
"""How many bytes of a data set tell how it is written."""

_MAX_FIRST_BYTES: Final = 0x4000
"""No first element is so long; and no VR, read as a length, is so short."""


class NotInTransferSyntax(ObjectInvalid):
    """A data set that is not written in the transfer syntax that it is said to be in."""

    advice = "name the transfer syntax that it is written in, or export it again"


def find_layout(head: Buffer) -> str | None:
    """The uncompressed transfer syntax whose layout a data set has, by its first bytes; ``None`` if they do not tell.

    Encapsulated ones have the layout of Explicit VR Little Endian (PS3.5 A.4).
    """
    start = bytes(head[:LAYOUT_BYTES])
    if len(start) < LAYOUT_BYTES:
        return None
    is_explicit = is_known_vr(start[4:6])
    if start[:2] == b"\x08\0":
        if is_explicit:
            return EXPLICIT_VR_LITTLE_ENDIAN
        return IMPLICIT_VR_LITTLE_ENDIAN if int.from_bytes(start[4:], "little") < _MAX_FIRST_BYTES else None
    return EXPLICIT_VR_BIG_ENDIAN if is_explicit and start[:2] == b"\0\x08" else None


def find_own_layout(transfer_syntax: str) -> str:
    """The uncompressed transfer syntax with the layout of this one."""
    return next(uid for uid in UNCOMPRESSED if layout_of(uid) is layout_of(transfer_syntax))


def find_other_layout(head: Buffer, transfer_syntax: str) -> str | None:
    """The layout that a data set has in place of that of its transfer syntax; ``None`` where nothing contradicts."""
    return _find_other_layout(bytes(head[:LAYOUT_BYTES]), transfer_syntax)


@lru_cache(maxsize=256)
def _find_other_layout(start: bytes, transfer_syntax: str) -> str | None:
    """Cached, because most instances begin as the instance before."""
    found, syntax = find_layout(start), TRANSFER_SYNTAXES.get(transfer_syntax)
    if found is None:
        return None
    is_deflated = syntax is not None and syntax.deflated
    return found if is_deflated or layout_of(found) is not layout_of(transfer_syntax) else None


def check_layout(head: Buffer, transfer_syntax: str) -> None:
    """Raises :class:`NotInTransferSyntax` where the first bytes of a data set show another layout."""
    if (found := find_other_layout(head, transfer_syntax)) is not None:
        names = [TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid for uid in (found, transfer_syntax)]
        raise NotInTransferSyntax(f"the data set is written in {names[0]}, and is said to be in {names[1]}")


def is_known_vr(code: Buffer) -> bool:
    """Whether the two bytes in a header are a VR of this edition."""
    vr = bytes(code)
    return vr in SHORT_CODES or vr in LONG_CODES


def check_vr(code: Buffer, tag: int, length: int, position: int) -> None:
    """Raises :class:`NotInTransferSyntax` where an element has no VR that others can read; zeros only fill up."""
    if not is_known_vr(code) and (tag or length):
        raise NotInTransferSyntax(f"{format_tag(tag)} at byte {position} has no VR that the transfer syntax knows")
