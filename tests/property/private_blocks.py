"""Random data sets with private blocks, each made together with what a device that knows some of them leaves.

Nothing here reads a block: what is left follows from how each was made (PS3.5 7.8.1). Blocks of several creators share
a group, one creator has several, an item has elements in a block that only the data set around it reserves, a creator
differs from a known one by a letter or its group, is padded, empty or too long, and private elements stand in no block.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

LONGEST: Final = "ACME " + "X" * 59
KNOWN: Final = frozenset({("ACME 1", 0x0009), ("ACME 1", 0x0029), ("ACME 2", 0x0029), (LONGEST, 0x0029)})
VRS: Final = {each: {0x00: "US", 0x01: "LO", 0xFF: "UT"} for each in KNOWN}
"""What a dictionary says of the known sets; the VR of other offsets is UN."""

_VALUES: Final = {"US": 513, "LO": "text", "UT": "more", "UN": b"\1\2\3\4"}
SEQUENCE: Final = 0x00400260
"""(0040,0260) Performed Protocol Code Sequence: the blocks around its items stand before it."""
SEQUENCE_OFFSET: Final = 0x40
RESERVED_SEQUENCE: Final = 0x00290012
"""A sequence where a creator would stand; in Implicit VR it cannot be told from one."""
_PLACES: Final = [(0x0009, 0x10), (0x0009, 0xFF), (0x0029, 0x10), (0x0029, 0x11), (0x0031, 0x10)]
_CREATORS: Final = (
    *("ACME 1", "ACME 1", "ACME 2", "ACME 2 ", " ACME 1", LONGEST, None, None, None),
    *("OTHER", "acme 1", "ACME 10", "ACME", "", LONGEST + "X", "ACME 1" + " " * 60),
)
_OUTSIDE: Final = (0x00090001, 0x0029000F, 0x00290100, 0x00310FFF, RESERVED_SEQUENCE)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A data set and what is left of it; ``is_plain`` where no private attribute is a sequence or stands in one."""

    whole: Dataset
    left: Dataset
    is_plain: bool


@dataclass(frozen=True, slots=True)
class _Block:
    """One block: who reserves it, where somebody does, and what stands in it."""

    place: tuple[int, int]
    creator: str | None
    offsets: list[int]
    has_sequence: bool
    undefined_length: bool

    @property
    def set_of(self) -> tuple[str, int] | None:
        """The known set that it is of."""
        creator = "" if self.creator is None or len(self.creator) > len(LONGEST) else self.creator.strip(" ")
        return (creator, self.place[0]) if (creator, self.place[0]) in KNOWN else None

    def list_elements(self) -> list[DataElement]:
        group, block = self.place
        first = group << 16 | block << 8
        vrs = {} if self.set_of is None else VRS[self.set_of]
        elements = [] if self.creator is None else [DataElement(group << 16 | block, "LO", self.creator)]
        for offset in self.offsets:
            vr = vrs.get(offset, "UN")
            elements.append(DataElement(first | offset, vr, _VALUES[vr]))
        if self.has_sequence:
            elements.append(_sequence(first | SEQUENCE_OFFSET, [_nested(), Dataset()], self.undefined_length))
        return elements


def _sequence(tag: int, items: list[Dataset], undefined_length: bool) -> DataElement:
    element = DataElement(tag, "SQ", Sequence(items))
    element.is_undefined_length = undefined_length
    return element


def _nested() -> Dataset:
    """An item with a sequence of its own, and nothing private: Implicit VR hides it all."""
    item = Dataset()
    item.ProcedureCodeSequence = [Dataset()]
    item.ProcedureCodeSequence[0].CodeValue = "C"
    item.PatientID = "2"
    return item


def _make(blocks: list[_Block], outside: list[int], items: list[Filtered], undefined_length: bool) -> Filtered:
    is_plain = not any(block.has_sequence for block in blocks) and RESERVED_SEQUENCE not in outside
    is_plain &= not any(element.tag.is_private for item in items for element in item.whole.iterall())
    made = Filtered(Dataset(), Dataset(), is_plain)
    for block in blocks:
        for element in block.list_elements():
            made.whole[element.tag] = element
            if block.set_of is not None:
                made.left[element.tag] = element
    for tag in outside:
        is_sequence = tag == RESERVED_SEQUENCE
        made.whole[tag] = (
            _sequence(tag, [_nested()], undefined_length=False) if is_sequence else DataElement(tag, "UN", b"12")
        )
    for data_set, inner in (made.whole, [item.whole for item in items]), (made.left, [item.left for item in items]):
        data_set.PatientID = "1"
        data_set.is_undefined_length_sequence_item = undefined_length
        if inner:
            data_set[SEQUENCE] = _sequence(SEQUENCE, inner, undefined_length)
    return made


@cache
def filtered_data_sets() -> st.SearchStrategy[Filtered]:
    """Data sets of three levels."""
    blocks = st.builds(
        _Block,
        place=st.sampled_from(_PLACES),
        creator=st.sampled_from(_CREATORS),
        offsets=st.sampled_from([[0x00], [0x01, 0x10], [0xFF], [0x00, 0x01, 0xFF]]),
        has_sequence=st.sampled_from((False, False, False, True)),
        undefined_length=st.booleans(),
    )
    blocks_of_one = st.lists(blocks, max_size=len(_PLACES), unique_by=lambda block: block.place)
    outside = st.lists(st.sampled_from(_OUTSIDE), max_size=1)
    level = st.builds(_make, blocks_of_one, outside, st.just([]), st.booleans())
    for _ in range(2):
        level = st.builds(_make, blocks_of_one, outside, st.lists(level, max_size=2), st.booleans())
    return level
