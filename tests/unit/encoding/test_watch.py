"""Who is told of which value, and when."""

from __future__ import annotations

from collections.abc import Mapping

from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.tokenizer import Token
from openmodality.encoding.watch import NO_TAG, Watch
from openmodality.standard.tags import PATIENT_ID, SOP_CLASS_UID, SOP_INSTANCE_UID


class Record(Listener):
    """Notes what it is told."""

    def __init__(self, *tags: int, vrs: tuple[str, ...] = (), tokens: Tokens = Tokens.NONE) -> None:
        self.tags, self.vrs, self.tokens = frozenset(tags), frozenset(vrs), tokens
        self.told: list[object] = []

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        self.told.append(dict(values))

    def take(self, tag: int, value: bytes | None) -> None:
        self.told.append((tag, value))

    def see(self, token: Token) -> None:
        self.told.append(token)


def begun(*listeners: Listener) -> Watch:
    watch = Watch(listeners)
    watch.begin(big_endian=False)
    return watch


def test_a_watch_without_listeners_is_idle() -> None:
    watch = begun()
    assert watch.is_idle
    assert (watch.last, watch.tags, watch.codes) == (NO_TAG, frozenset(), frozenset())


def test_values_are_given_once_their_last_tag_is_behind() -> None:
    early, late = Record(SOP_CLASS_UID, SOP_INSTANCE_UID), Record(PATIENT_ID)
    watch = begun(late, early)
    waited_for = [watch.last]
    watch.give(SOP_CLASS_UID, "UI", b"1.2\0")
    watch.give(SOP_INSTANCE_UID, "UI", b"1.3\0")
    watch.pass_by(SOP_INSTANCE_UID)
    counts = [len(early.told)]
    watch.pass_by(SOP_INSTANCE_UID + 1)
    assert early.told == [{SOP_CLASS_UID: b"1.2\0", SOP_INSTANCE_UID: b"1.3\0"}]
    counts.append(len(late.told))
    waited_for.append(watch.last)
    assert watch.tags == {PATIENT_ID}
    watch.pass_by(NO_TAG)
    counts.append(len(late.told))
    assert counts == [0, 0, 1]
    assert waited_for == [SOP_INSTANCE_UID, PATIENT_ID]
    assert watch.is_idle


def test_of_an_element_that_comes_twice_the_first_counts() -> None:
    watch = begun(Record(PATIENT_ID))
    had_all = [watch.has_all_values]
    watch.give(PATIENT_ID, "LO", b"P1")
    watch.give(PATIENT_ID, "LO", b"P2")
    had_all.append(watch.has_all_values)
    assert had_all == [False, True]
    assert watch.values == {PATIENT_ID: b"P1"}


def test_a_listener_to_a_vr_is_told_at_once_and_of_each() -> None:
    names = Record(vrs=("PN",))
    watch = begun(names)
    assert watch.is_for(0x00100010, "PN")
    assert not watch.is_for(PATIENT_ID, "LO")
    watch.give(0x00100010, "PN", b"A")
    watch.give(0x00101060, "PN", None)
    assert names.told == [(0x00100010, b"A"), (0x00101060, None)]
    assert not watch.values


def test_tokens_are_for_those_that_ask_for_them() -> None:
    quiet, curious = Record(PATIENT_ID), Record(tokens=Tokens.IRREGULAR)
    watch = begun(quiet, curious)
    assert watch.sees == [curious.see]
    assert (watch.is_for_irregular, watch.hears_all) == (True, False)
    assert begun(Record(tokens=Tokens.ALL)).hears_all


def test_a_listener_can_be_added_before_the_walk_begins() -> None:
    watch = Watch(())
    watch.add(Record(PATIENT_ID))
    watch.begin(big_endian=True)
    assert watch.tags == {PATIENT_ID}
