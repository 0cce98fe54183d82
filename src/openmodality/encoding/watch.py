"""What the listeners of one walk still wait for, and who is told of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from openmodality.encoding.headers import vr_codes
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.tokenizer import Token

NO_TAG: Final = sys.maxsize
"""Greater than every tag."""


class Watch:
    """Is asked for every element of every instance, so the steps read its members and fill ``values`` directly.

    ``tags`` and ``codes`` (VRs as :func:`openmodality.encoding.headers.vr_codes` gives them) are what the steps look
    for. Once they have passed the tag ``last``, a listener is to be told. Before the group ``next_group`` nobody waits
    for anything, and for no header before the tag ``first_announced``. Where ``is_for_irregular`` is set, private
    elements, group lengths and sequences go to the tokenizer.
    """

    __slots__ = (
        "_listeners",
        "_stage",
        "_stages",
        "_vrs",
        "codes",
        "first_announced",
        "hears_all",
        "is_for_irregular",
        "last",
        "next_group",
        "sees",
        "tags",
        "values",
    )

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)
        self._vrs: dict[str, list[Listener]] = {}
        self._stages: tuple[_Stage, ...] = _NO_STAGES
        self._stage = 0
        self.values: dict[int, bytes | None] = {}
        self.tags: frozenset[int] = frozenset()
        self.codes: frozenset[int] = frozenset()
        self.last = NO_TAG
        self.next_group = 0
        self.first_announced = NO_TAG
        self.sees: list[Callable[[Token], None]] = []
        self.hears_all = self.is_for_irregular = False

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for anything."""
        return self.last == NO_TAG and not self.codes and not self.sees

    @property
    def has_all_values(self) -> bool:
        """Whether each tag that is waited for has come."""
        return not self._stages[self._stage].is_for_header and self.values.keys() >= self.tags

    def add(self, listener: Listener) -> None:
        """Add a listener before the walk begins."""
        self._listeners.append(listener)

    def begin(self, *, big_endian: bool) -> None:
        """Read what the listeners ask for."""
        asked = []
        for listener in self._listeners:
            asked.append((listener.tags, listener.announced))
            self.first_announced = min(self.first_announced, listener.announced or NO_TAG)
            for vr in listener.vrs:
                self._vrs.setdefault(vr, []).append(listener)
            if listener.tokens is not Tokens.NONE:
                self.sees.append(listener.see)
                self.hears_all = self.hears_all or listener.tokens is Tokens.ALL
        self.is_for_irregular = bool(self.sees)
        self.codes = vr_codes(self._vrs, big_endian=big_endian) if self._vrs else frozenset()
        self._stages = _plan_stages(tuple(asked))
        self._enter(0)

    def is_for(self, tag: int, vr: str) -> bool:
        """Whether somebody waits for the value of this element."""
        return tag in self.tags or vr in self._vrs

    def give(self, tag: int, vr: str, value: bytes | None) -> None:
        """Keep a value for those that wait for its tag, and give it to those that wait for its VR."""
        if tag in self.tags:
            self.values.setdefault(tag, value)
        for listener in self._vrs.get(vr, ()):
            listener.take(tag, value)

    def pass_by(self, tag: int, vr: str = "", length: int = 0) -> None:
        """Note that the walk has reached the header of an element.

        Listeners that wait for tags before it only are given their values, and those to whom it is announced hear it.
        """
        passed, stage = self._stages, self._stage
        before = stage
        while passed[stage].last < tag:
            stage += 1
        self._enter(stage)
        for each in passed[before:stage]:
            listener = self._listeners[each.listener]
            if not each.is_for_header:
                listener.take_values(self.values)
            elif each.last + 1 == tag:
                listener.announce(vr, length)

    def _enter(self, number: int) -> None:
        stage = self._stages[number]
        self._stage, self.last, self.tags = number, stage.last, stage.tags
        self.next_group = 0 if self.codes or self.sees else stage.next_group


class _Stage(NamedTuple):
    """What is waited for until a tag behind ``last`` comes, and which listener is told then.

    Where ``is_for_header`` is set it is told of the header of ``last`` + 1, else of values.
    """

    last: int
    tags: frozenset[int]
    next_group: int
    listener: int
    is_for_header: bool


_NO_STAGES: Final = (_Stage(NO_TAG, frozenset(), 0, 0, False),)


@lru_cache(maxsize=256)
def _plan_stages(asked: tuple[tuple[frozenset[int], int], ...]) -> tuple[_Stage, ...]:
    """The stages of a walk for listeners that ask for these tags and headers; cached, because few combinations occur.

    A listener that has begun to wait keeps the steps from going on to the next group.
    """
    events = [(max(tags), False, min(tags), number) for number, (tags, _) in enumerate(asked) if tags]
    events += [(header - 1, True, header, number) for number, (_, header) in enumerate(asked) if header]
    events.sort()
    stages = []
    for place, (last, is_for_header, _, number) in enumerate(events):
        rest = events[place:]
        tags = frozenset[int]().union(*(asked[other][0] for _, is_header, _, other in rest if not is_header))
        first, reached = min(begin for _, _, begin, _ in rest), events[place - 1][0] if place else NO_TAG
        stages.append(_Stage(last, tags, first >> 16 if first > reached else 0, number, is_for_header))
    return (*stages, *_NO_STAGES)
