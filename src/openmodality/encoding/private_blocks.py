"""VRs of private elements that Implicit VR does not say, by the creator that reserves their block (PS3.5 7.8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from openmodality.buffer import Buffer
from openmodality.encoding.uid import strip_padding
from openmodality.encoding.vr import PRIVATE_CREATORS, is_private

PrivateVrs: TypeAlias = Mapping[tuple[str, int], Mapping[int, str]]
"""VRs by the low byte of the element, for each creator and group."""

NO_PRIVATE: Final[PrivateVrs] = MappingProxyType({})
_LONGEST_CREATOR: Final = 64


class PrivateBlocks:
    """Which blocks of a data set are whose, and so what VR an element in them has.

    Elements are told in the order in which they stand. Sequences stay UN: their bytes would have to be written anew.
    """

    def __init__(self, vrs: PrivateVrs) -> None:
        self._vrs = vrs
        self._levels: list[dict[int, Mapping[int, str]]] = [{}]
        self._reading = 0  # the creator element whose value comes now
        self._value = bytearray()

    def enter_item(self) -> None:
        """An item begins: it has blocks of its own."""
        self._levels.append({})

    def leave_item(self) -> None:
        """An item ends."""
        self._levels.pop()

    def find_vr(self, tag: int, vr: str, length: int) -> str:
        """The VR of the next element, which is ``vr`` so far."""
        self._reading = 0
        if not is_private(tag):
            return vr
        if tag & 0xFFFF in PRIVATE_CREATORS:
            self._reading, self._value = (tag, bytearray()) if length <= _LONGEST_CREATOR else (0, bytearray())
            return vr
        known = self._levels[-1].get(tag >> 8, {}).get(tag & 0xFF, vr) if vr == "UN" else vr
        return vr if known == "SQ" else known

    def see_value(self, data: Buffer, remaining: int) -> None:
        """A part of the value of that element; ``remaining`` bytes of it are to come."""
        if not self._reading:
            return
        self._value += data
        if not remaining:
            group, block = self._reading >> 16, self._reading & 0xFF
            self._levels[-1][group << 8 | block] = self._vrs.get((strip_padding(self._value), group), {})
