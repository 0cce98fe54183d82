"""Whether a data set that is wholly at hand is complete, told from its top-level headers alone.

A sender looks at every file before it lets the last fragment go, so this must cost microseconds; what cannot be
settled here is left to :class:`Tokenizer`.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from openmodality.encoding.headers import UNDEFINED_LENGTH, Buffer, layout_of
from openmodality.encoding.vr import LONG_VRS, SHORT_VRS

_SHORT: Final = frozenset(vr.encode("ascii") for vr in SHORT_VRS)
_LONG: Final = frozenset(vr.encode("ascii") for vr in LONG_VRS)


def is_whole(data_set: Buffer, transfer_syntax: str) -> bool:
    """True when elements of defined length fill the data set exactly; False says only that this cannot be seen."""
    layout = layout_of(transfer_syntax)
    if layout.explicit:
        return _is_whole_explicit(data_set, ">" if layout.big_endian else "<")
    unpack_length = Struct("<L").unpack_from
    offset, size = 0, len(data_set)
    while size - offset >= 8:
        (length,) = unpack_length(data_set, offset + 4)
        if length == UNDEFINED_LENGTH:
            return False
        offset += 8 + length
    return offset == size


def _is_whole_explicit(data_set: Buffer, order: str) -> bool:
    unpack, unpack_length = Struct(order + "4x2sH").unpack_from, Struct(order + "L").unpack_from
    offset, size = 0, len(data_set)
    while size - offset >= 12:
        vr, length = unpack(data_set, offset)
        if vr in _SHORT:
            offset += 8 + length
        elif vr in _LONG:
            (length,) = unpack_length(data_set, offset + 8)
            if length == UNDEFINED_LENGTH:
                return False
            offset += 12 + length
        else:
            return False
    return offset == size
