"""Steps over the top-level elements of a data set, from header to header.

A sender looks at every file before it lets the last fragment go, and a receiver at every instance before it answers
Success, so a header must cost 0.2 to 0.4 us: a step is one loop without a token, an object or a call for what nobody
asked for. It stops where only a :class:`openmodality.encoding.tokenizer.Tokenizer` can go on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import Struct
from typing import Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.encoding.headers import LONG_CODES, MAX_HEADER_BYTES, SHORT_CODES, UNDEFINED_LENGTH, vr_codes
from openmodality.encoding.listening import MAX_KEPT_BYTES
from openmodality.encoding.vr import dictionary
from openmodality.encoding.watch import Watch

UNSETTLED: Final = -1
"""The header does not tell where its element ends, or what is inside was asked for."""
PASSED: Final = -2
"""The header is behind all tags that somebody waits for, or the group has been reached up to which to step."""

NO_GROUP: Final = 0xFFFE
"""The group of items, which no element has: to step up to it is to step to the end."""
_ITEM_GROUP: Final = NO_GROUP
_IMPLICIT_HEADER_BYTES: Final = 8


Step = Callable[[Buffer, int, int, int], tuple[int, int]]
"""(buffer, offset of a header, size, group) -> (offset of the last header read, offset of the one behind it).

The latter lies beyond the buffer where a value goes on, less than a header before its end where a header may be cut,
and is ``UNSETTLED`` where that last header does not tell where its element ends, ``PASSED`` where it is of the group or
of one behind it.
"""
WatchfulStep = Callable[[Buffer, int, int, Watch], tuple[int, int]]
"""As ``Step``, and gives the values that are watched for and lie in the buffer as a whole. ``PASSED`` is possible."""


class Steps(NamedTuple):
    """Both ways to step, in one of the three layouts; a header is read where ``smallest`` bytes are at hand."""

    bare: Step
    watchful: WatchfulStep
    smallest: int


@cache
def make_steps(explicit: bool, big_endian: bool) -> Steps:
    """The steps for a layout (PS3.5 A.1, A.2, A.3)."""
    if not explicit:
        return Steps(_step_implicit, _step_implicit_watchfully, _IMPLICIT_HEADER_BYTES)
    order = ">" if big_endian else "<"
    return Steps(_make_explicit_step(order), _make_watchful_step(order), MAX_HEADER_BYTES)


_IMPLICIT: Final = Struct("<HHL")


def _step_implicit(chunk: Buffer, offset: int, size: int, until: int) -> tuple[int, int]:
    unpack, start = _IMPLICIT.unpack_from, offset
    while size - offset >= _IMPLICIT_HEADER_BYTES:
        start = offset
        group, _, length = unpack(chunk, offset)
        if group >= until:
            return start, UNSETTLED if group >= NO_GROUP else PASSED
        if length == UNDEFINED_LENGTH:
            return start, UNSETTLED
        offset += _IMPLICIT_HEADER_BYTES + length
    return start, offset


def _step_implicit_watchfully(chunk: Buffer, offset: int, size: int, watch: Watch) -> tuple[int, int]:
    unpack, start, vrs = _IMPLICIT.unpack_from, offset, dictionary()
    is_for, last, irregular = watch.is_for, watch.last, watch.is_for_irregular
    while size - offset >= _IMPLICIT_HEADER_BYTES:
        start = offset
        group, element, length = unpack(chunk, offset)
        tag = group << 16 | element
        if tag > last:
            return start, PASSED
        if length == UNDEFINED_LENGTH or group == _ITEM_GROUP:
            return start, UNSETTLED
        vr = vrs[tag]
        if irregular and (group & 1 or not element or vr == "SQ"):
            return start, UNSETTLED
        offset += _IMPLICIT_HEADER_BYTES + length
        if is_for(tag, vr) and offset <= size and vr != "SQ":
            watch.give(tag, vr, bytes(chunk[offset - length : offset]) if length <= MAX_KEPT_BYTES else None)
    return start, offset


def _make_explicit_step(order: str) -> Step:
    unpack, unpack_length = Struct(order + "H2xHH").unpack_from, Struct(order + "L").unpack_from
    shorts, longs = (vr_codes(codes.values(), big_endian=order == ">") for codes in (SHORT_CODES, LONG_CODES))

    def step(chunk: Buffer, offset: int, size: int, until: int) -> tuple[int, int]:
        start = offset
        while size - offset >= MAX_HEADER_BYTES:
            start = offset
            group, code, length = unpack(chunk, offset)
            if group >= until:
                return start, UNSETTLED if group >= NO_GROUP else PASSED
            if code in shorts:
                offset += 8 + length
                continue
            (length,) = unpack_length(chunk, offset + 8)
            if code not in longs or length == UNDEFINED_LENGTH:
                return start, UNSETTLED
            offset += 12 + length
        return start, offset

    return step


def _make_watchful_step(order: str) -> WatchfulStep:
    unpack, unpack_length = Struct(order + "HHHH").unpack_from, Struct(order + "L").unpack_from
    vrs = (*SHORT_CODES.values(), *LONG_CODES.values())
    names = {code: vr for vr in vrs for code in vr_codes((vr,), big_endian=order == ">")}
    shorts, longs = (vr_codes(codes.values(), big_endian=order == ">") for codes in (SHORT_CODES, LONG_CODES))
    (sequence,) = vr_codes(("SQ",), big_endian=order == ">")

    def step(chunk: Buffer, offset: int, size: int, watch: Watch) -> tuple[int, int]:
        start = offset
        tags, codes, last, irregular = watch.tags, watch.codes, watch.last, watch.is_for_irregular
        values = watch.values
        while size - offset >= MAX_HEADER_BYTES:
            start = offset
            group, element, code, length = unpack(chunk, offset)
            tag = group << 16 | element
            if tag > last:
                return start, PASSED
            if group == _ITEM_GROUP or (irregular and (group & 1 or not element or code == sequence)):
                return start, UNSETTLED
            if code in shorts:
                offset += 8 + length
            else:
                (length,) = unpack_length(chunk, offset + 8)
                if code not in longs or length == UNDEFINED_LENGTH:
                    return start, UNSETTLED
                offset += 12 + length
            if (tag in tags or code in codes) and offset <= size and code != sequence:
                value = bytes(chunk[offset - length : offset]) if length <= MAX_KEPT_BYTES else None
                if code in codes:
                    watch.give(tag, names[code], value)
                else:
                    values.setdefault(tag, value)
        return start, offset

    return step
