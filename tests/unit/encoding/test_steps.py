"""Steps from header to header, in each layout."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from openmodality.encoding.headers import UNDEFINED_LENGTH, make_layout
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.steps import NO_GROUP, PASSED, UNSETTLED, make_steps
from openmodality.encoding.watch import Watch
from openmodality.standard.tags import PATIENT_ID, PIXEL_DATA, SOP_CLASS_UID

PATIENT_NAME = 0x00100010
LAYOUTS = pytest.mark.parametrize(("explicit", "big_endian"), [(False, False), (True, False), (True, True)])
TAIL = b"\0" * 16  # so that the last header, too, is surely whole


class Waiting(Listener):
    """Waits for values."""

    def __init__(self, *tags: int, vrs: tuple[str, ...] = (), tokens: Tokens = Tokens.NONE) -> None:
        self.tags, self.vrs, self.tokens = frozenset(tags), frozenset(vrs), tokens
        self.given: list[tuple[int, bytes | None]] = []

    def take(self, tag: int, value: bytes | None) -> None:
        self.given.append((tag, value))

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        raise AssertionError("steps give values to the watch only")


def encode(explicit: bool, big_endian: bool, *elements: tuple[int, str, bytes]) -> bytes:
    write = make_layout(explicit, big_endian).write
    return b"".join(write(tag, vr, len(value)) + value for tag, vr, value in elements)


def watch_for(listener: Listener, *, big_endian: bool) -> Watch:
    watch = Watch((listener,))
    watch.begin(big_endian=big_endian)
    return watch


@LAYOUTS
def test_a_bare_step_goes_to_the_end(explicit: bool, big_endian: bool) -> None:
    first = encode(explicit, big_endian, (SOP_CLASS_UID, "UI", b"1.20"))
    raw = first + encode(explicit, big_endian, (PIXEL_DATA, "OW", b"ab" * 20))
    assert make_steps(explicit, big_endian).bare(raw, 0, len(raw), NO_GROUP) == (len(first), len(raw))


@LAYOUTS
def test_a_value_that_goes_on_ends_beyond_the_buffer(explicit: bool, big_endian: bool) -> None:
    raw = encode(explicit, big_endian, (PIXEL_DATA, "OW", b"ab" * 20))
    assert make_steps(explicit, big_endian).bare(raw, 0, len(raw) - 10, NO_GROUP) == (0, len(raw))


@LAYOUTS
def test_a_header_that_may_be_cut_is_not_read(explicit: bool, big_endian: bool) -> None:
    steps = make_steps(explicit, big_endian)
    first = encode(explicit, big_endian, (SOP_CLASS_UID, "UI", b"1.2.840.10008.5.1.4.1.1.4\0"))
    raw = first + encode(explicit, big_endian, (PATIENT_ID, "LO", b"P1"))
    assert steps.bare(raw, 0, len(first) + steps.smallest - 1, NO_GROUP) == (0, len(first))


@LAYOUTS
@pytest.mark.parametrize(("tag", "vr"), [(PIXEL_DATA, "OB"), (0x00081140, "SQ")])
def test_an_undefined_length_is_for_the_tokenizer(explicit: bool, big_endian: bool, tag: int, vr: str) -> None:
    raw = make_layout(explicit, big_endian).write(tag, vr, UNDEFINED_LENGTH) + TAIL
    assert make_steps(explicit, big_endian).bare(raw, 0, len(raw), NO_GROUP) == (0, UNSETTLED)
    watch = watch_for(Waiting(0x7FE10010), big_endian=big_endian)
    assert make_steps(explicit, big_endian).watchful(raw, 0, len(raw), watch) == (0, UNSETTLED)


@LAYOUTS
def test_values_that_are_watched_for_are_given(explicit: bool, big_endian: bool) -> None:
    listener = Waiting(SOP_CLASS_UID, PIXEL_DATA, vrs=("PN",))
    watch = watch_for(listener, big_endian=big_endian)
    elements = [(SOP_CLASS_UID, "UI", b"1.20"), (PATIENT_NAME, "PN", b"A^B "), (PATIENT_ID, "LO", b"P1")]
    raw = encode(explicit, big_endian, *elements)
    make_steps(explicit, big_endian).watchful(raw + TAIL, 0, len(raw) + len(TAIL), watch)
    assert watch.values == {SOP_CLASS_UID: b"1.20"}
    assert listener.given == [(PATIENT_NAME, b"A^B ")]


@LAYOUTS
def test_a_tag_behind_all_that_is_watched_for_ends_the_step(explicit: bool, big_endian: bool) -> None:
    watch = watch_for(Waiting(SOP_CLASS_UID), big_endian=big_endian)
    first = encode(explicit, big_endian, (SOP_CLASS_UID, "UI", b"1.20"))
    raw = first + encode(explicit, big_endian, (PATIENT_ID, "LO", b"P1")) + TAIL
    assert make_steps(explicit, big_endian).watchful(raw, 0, len(raw), watch) == (len(first), PASSED)


@LAYOUTS
def test_what_is_irregular_is_for_the_tokenizer_where_somebody_listens(explicit: bool, big_endian: bool) -> None:
    raw = encode(explicit, big_endian, (0x00091001, "LO", b"ab")) + TAIL
    steps = make_steps(explicit, big_endian)
    listening = watch_for(Waiting(PIXEL_DATA, tokens=Tokens.IRREGULAR), big_endian=big_endian)
    assert steps.watchful(raw, 0, len(raw), listening) == (0, UNSETTLED)
    other = watch_for(Waiting(PIXEL_DATA), big_endian=big_endian)
    assert steps.watchful(raw, 0, steps.smallest, other)[0] == 0
