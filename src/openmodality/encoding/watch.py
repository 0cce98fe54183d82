"""What the listeners of one walk still wait for, and who is told of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from openmodality.encoding.headers import vr_codes
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.tokenizer import Token

NO_TAG: Final = sys.maxsize
"""Greater than every tag."""


class Watch:
    """Is asked for every element of every instance, so the steps read its members and fill ``values`` directly.

    ``tags`` and ``codes`` (VRs as :func:`openmodality.encoding.headers.vr_codes` gives them) are what the steps look
    for. Once they have passed the tag ``last``, a listener is to be given its values. Where ``is_for_irregular`` is
    set, private elements, group lengths and sequences go to the tokenizer.
    """

    __slots__ = (
        "_listeners",
        "_vrs",
        "_waiting",
        "codes",
        "hears_all",
        "is_for_irregular",
        "last",
        "sees",
        "tags",
        "values",
    )

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)
        self._vrs: dict[str, list[Listener]] = {}
        self._waiting: list[tuple[int, Listener]] = []
        self.values: dict[int, bytes | None] = {}
        self.tags: frozenset[int] = frozenset()
        self.codes: frozenset[int] = frozenset()
        self.last = NO_TAG
        self.sees: list[Callable[[Token], None]] = []
        self.hears_all = self.is_for_irregular = False

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for anything."""
        return not self.tags and not self.codes and not self.sees

    @property
    def has_all_values(self) -> bool:
        """Whether each tag that is waited for has come."""
        return self.values.keys() >= self.tags

    def add(self, listener: Listener) -> None:
        """Add a listener before the walk begins."""
        self._listeners.append(listener)

    def begin(self, *, big_endian: bool) -> None:
        """Read what the listeners ask for."""
        for listener in self._listeners:
            if listener.tags:
                self._waiting.append((_find_last(listener.tags), listener))
            for vr in listener.vrs:
                self._vrs.setdefault(vr, []).append(listener)
            if listener.tokens is not Tokens.NONE:
                self.sees.append(listener.see)
                self.hears_all = self.hears_all or listener.tokens is Tokens.ALL
        self.is_for_irregular = bool(self.sees)
        self.codes = vr_codes(self._vrs, big_endian=big_endian)
        self._waiting.sort(key=_by_last)
        self._look_for_tags()

    def is_for(self, tag: int, vr: str) -> bool:
        """Whether somebody waits for the value of this element."""
        return tag in self.tags or vr in self._vrs

    def give(self, tag: int, vr: str, value: bytes | None) -> None:
        """Keep a value for those that wait for its tag, and give it to those that wait for its VR."""
        if tag in self.tags:
            self.values.setdefault(tag, value)
        for listener in self._vrs.get(vr, ()):
            listener.take(tag, value)

    def pass_by(self, tag: int) -> None:
        """Note that the walk has reached a tag: give their values to the listeners that wait for tags before it
        only.
        """
        waiting = self._waiting
        passed = [listener for last, listener in waiting if last < tag]
        self._waiting = waiting[len(passed) :]
        self._look_for_tags()
        for listener in passed:
            listener.take_values(self.values)

    def _look_for_tags(self) -> None:
        self.last = self._waiting[0][0] if self._waiting else NO_TAG
        self.tags = _unite(tuple([listener.tags for _, listener in self._waiting]))


@lru_cache(maxsize=256)
def _find_last(tags: frozenset[int]) -> int:
    """The greatest of the tags; cached, because listeners of a kind ask for the same tags each time."""
    return max(tags)


@lru_cache(maxsize=256)
def _unite(tags: tuple[frozenset[int], ...]) -> frozenset[int]:
    """All tags that listeners ask for."""
    return frozenset().union(*tags)


def _by_last(waiting: tuple[int, Listener]) -> int:
    return waiting[0]
