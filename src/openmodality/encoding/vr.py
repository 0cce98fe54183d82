"""Value Representations: how each is written (PS3.5 6.2, 7.1.2) and which one a tag has (PS3.6)."""

from __future__ import annotations

from functools import cache
from typing import Final

from openmodality.encoding.vr_table import REPEATING, TAGS

SHORT_VRS: Final = frozenset(
    "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()  # noqa: SIM905 - reads as the table
)
"""VRs with a 16-bit length in Explicit VR (PS3.5 Table 7.1-2)."""

LONG_VRS: Final = frozenset("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # noqa: SIM905
"""VRs with two reserved bytes and a 32-bit length in Explicit VR (PS3.5 Table 7.1-1)."""

SWAP_WIDTH: Final = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
"""Bytes per word of the VRs that depend on byte order (PS3.5 7.3); AT is two words of two bytes."""

PRIVATE_CREATORS: Final = range(0x10, 0x100)
"""Elements (gggg,0010-00FF) of an odd group, which name the owner of a private block (PS3.5 7.8.1)."""


def is_private(tag: int) -> bool:
    """Whether the tag is of an odd group (PS3.5 7.8)."""
    return bool(tag & 0x10000)


class _Dictionary(dict[int, str]):
    """Tag to VR; tags that are not listed are worked out, and not kept, so that its size has a bound."""

    def __init__(self, repeating: list[tuple[int, int, str]]) -> None:
        super().__init__()
        self._repeating = repeating

    def __missing__(self, tag: int) -> str:
        if tag & 0xFFFF == 0:
            return "UL"
        if is_private(tag):
            return "LO" if tag & 0xFFFF in PRIVATE_CREATORS else "UN"
        return next((vr for mask, value, vr in self._repeating if tag & mask == value), "UN")


@cache
def dictionary() -> dict[int, str]:
    """Maps any tag to its VR; alternatives such as ``US or SS`` stay so, what is unknown or private is UN.

    Group lengths (gggg,0000) are UL, private creators LO (PS3.5 7.2, 7.8.1), repeating groups follow PS3.5 7.6.
    """
    masks = [(*_mask(text), vr) for vr, texts in REPEATING.items() for text in texts.split()]
    table = _Dictionary(masks)
    for vr, tags in TAGS.items():
        table.update(dict.fromkeys([int(tag, 16) for tag in tags.split()], vr))
    return table


def _mask(text: str) -> tuple[int, int]:
    """``60xx3000`` as the bits that must agree, and their values."""
    return int("".join("0" if digit == "x" else "F" for digit in text), 16), int(text.replace("x", "0"), 16)
