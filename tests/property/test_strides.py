"""Strides on series of data sets that are alike, less alike and damaged: a walk says and hears what it does without."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openmodality.encoding.headers import UNDEFINED_LENGTH, layout_of
from openmodality.encoding.listening import Listener
from openmodality.encoding.strides import StrideMemory
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import ITEM, PIXEL_DATA, SEQUENCE_DELIMITATION_ITEM
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED
from tests.property.data_sets import chunked, cut_lists

Element = tuple[int, str, bytes]
"""Tag, VR, value; a value of SQ that is not empty is an item, and the sequence has undefined length."""

TAGS = st.sampled_from(
    [
        0x00080005,
        0x00080016,
        0x00080018,
        0x00081140,
        0x00091001,
        0x00100010,
        0x00200013,
        0x00280010,
        PIXEL_DATA,
        0xFFFCFFFC,
    ]
)
VRS = st.sampled_from(["UI", "LO", "US", "SQ", "OB", "UN"])
VALUES = st.sampled_from([b"", b"1.", b"1.2.", b"2.1.", b"\x08\0\x16\0UI\x02\0", bytes(8), b"1234567890" * 3])
ELEMENTS = st.tuples(TAGS, VRS, VALUES)
SORTED = st.lists(ELEMENTS, max_size=12, unique_by=lambda element: element[0]).map(sorted)
LISTENED = st.frozensets(TAGS, max_size=4)


class Note(Listener):
    """Notes what it is told, in the order of all listeners; raises where it is told to."""

    def __init__(self, tags: frozenset[int], announced: int, notes: list[object], *, refuses: bool) -> None:
        self.tags, self.announced = tags, announced
        self._notes, self._refuses = notes, refuses

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        self._notes.append(sorted((tag, values[tag]) for tag in self.tags & values.keys()))
        if self._refuses:
            raise ObjectInvalid("it is not as it should be")

    def announce(self, vr: str, length: int) -> None:
        self._notes.append((self.announced, vr, length))


def write(elements: Sequence[Element], transfer_syntax: str) -> bytes:
    header = layout_of(transfer_syntax).write
    raw = b""
    for tag, vr, value in elements:
        if vr == "SQ" and value:
            raw += header(tag, vr, UNDEFINED_LENGTH) + header(ITEM, "", 0) + header(SEQUENCE_DELIMITATION_ITEM, "", 0)
        else:
            raw += header(tag, vr, len(value)) + value
    return raw


def change_value(elements: list[Element], place: int, new: Element) -> list[Element]:
    tag, vr, _ = elements[place]
    return [*elements[:place], (tag, vr, new[2]), *elements[place + 1 :]]


def replace_element(elements: list[Element], place: int, new: Element) -> list[Element]:
    return [*elements[:place], new, *elements[place + 1 :]]


def leave_out(elements: list[Element], place: int, _: Element) -> list[Element]:
    return elements[:place] + elements[place + 1 :]


def put_in(elements: list[Element], place: int, new: Element) -> list[Element]:
    return [*elements[:place], new, *elements[place:]]


def put_in_order(elements: list[Element], _: int, new: Element) -> list[Element]:
    return sorted([*elements, new])


EDITS: st.SearchStrategy[Callable[[list[Element], int, Element], list[Element]]] = st.sampled_from(
    [change_value, change_value, replace_element, leave_out, put_in, put_in_order]
)


@st.composite
def series(draw: st.DrawFn) -> list[list[Element]]:
    """Data sets of which each is the one before, or the first one, with some elements otherwise."""
    data_sets = [draw(SORTED)]
    for _ in range(draw(st.integers(1, 8))):
        elements = draw(st.sampled_from([data_sets[0], data_sets[-1]]))
        for _ in range(draw(st.integers(0, 2)) if elements else 0):
            edit = draw(EDITS)
            if elements:
                elements = edit(elements, draw(st.integers(0, len(elements) - 1)), draw(ELEMENTS))
        data_sets.append(elements)
    return data_sets


def damage(raw: bytes, place: int, how: int) -> bytes:
    """Nothing in most cases; a byte that is another one, or an end that comes too soon."""
    at = place % (len(raw) + 1)
    if how == 0:
        return raw[:at]
    return raw[:at] + bytes((raw[at] ^ how,)) + raw[at + 1 :] if 0 < how < 9 and at < len(raw) else raw


def walk(
    chunks: Sequence[bytes], listening: Callable[[list[object]], list[Note]], memory: Any, **how: Any
) -> list[object]:
    """All that is told of a data set, what is wrong with it, and whether the walk ended before its end."""
    notes: list[object] = []
    walked = DataSetWalk(listeners=listening(notes), **how)
    if memory is not None:
        walked.stride_by(memory)
    try:
        for chunk in chunks:
            walked.feed(memoryview(chunk))
        walked.finish()
    except ObjectInvalid as error:
        notes.append((type(error), str(error)))
    return [*notes, walked.is_done]


@given(
    data_sets=series(),
    transfer_syntax=st.sampled_from(UNCOMPRESSED),
    asked=st.lists(st.tuples(LISTENED, st.sampled_from([0, 0x00200013, PIXEL_DATA]), st.booleans()), max_size=3),
    how=st.fixed_dictionaries({"strict": st.booleans(), "only_for_listeners": st.booleans()}),
    damages=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30)), min_size=9, max_size=9),
    cuts=cut_lists,
)
def test_strides_change_nothing_but_the_time(
    data_sets: list[list[Element]],
    transfer_syntax: str,
    asked: list[tuple[frozenset[int], int, bool]],
    how: dict[str, bool],
    damages: list[tuple[int, int]],
    cuts: list[int],
) -> None:
    def listen(notes: list[object]) -> list[Note]:
        return [
            Note(tags if not header else frozenset(tag for tag in tags if tag < header), header, notes, refuses=refuses)
            for tags, header, refuses in asked
        ]

    memory = StrideMemory()
    for elements, (place, kind) in zip(data_sets, damages, strict=False):
        raw = damage(write(elements, transfer_syntax), place, kind)
        for chunks in ([raw], chunked(raw, cuts)):
            plain = walk(chunks, listen, None, transfer_syntax=transfer_syntax, **how)
            assert walk(chunks, listen, memory, transfer_syntax=transfer_syntax, **how) == plain
