"""Which keys of a query are answered, and which are honoured, found without knowing what the peer has.

First everything is asked for. Then the query is narrowed by one key, with a value that was seen: there must be matches,
and all of them must have this value. Where all items have the same value, a value that none has must bring no match
(PS3.4 C.2.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Final

from pydicom import Dataset

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.find_probe import FoundItems
from openmodality.conformance.doctor.findings import KeyAnswer, KeyMatching, KeyReturn, Severity
from openmodality.device.paths import TagPath, format_keywords, parse_path
from openmodality.dimse.reading import read_items_at, read_texts
from openmodality.encoding.vr import dictionary
from openmodality.value_class import dataclass

AskNarrowed = Callable[[dict[TagPath, object]], FoundItems]
"""Puts the query with further values."""


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """The query whose keys are tried, and whether its association is still there."""

    ask: AskNarrowed
    is_open: Callable[[], bool]


class Matching(Enum):
    """How a key is narrowed (PS3.4 C.2.2.2.1, C.2.2.2.4, C.2.2.2.5)."""

    SINGLE = "single value"
    WILDCARD = "wildcard"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class TriedKey:
    """A key and how it is narrowed."""

    path: TagPath
    matching: Matching = Matching.SINGLE

    @classmethod
    def of(cls, keywords: str, matching: Matching = Matching.SINGLE) -> TriedKey:
        """By keywords, such as ``ScheduledProcedureStepSequence>Modality``."""
        return cls(parse_path(keywords), matching)

    @property
    def name(self) -> str:
        """Its keywords, for people."""
        return format_keywords(self.path)


_NOBODY_HAS: Final = {"DA": "19000101-19000102", "UI": "1.2.3.4.5.6.7.8.9", "CS": "ZZ", "PN": "ZZNOBODY*"}
_NOBODY: Final = "ZZNOBODY"
_PREFIX_CHARACTERS: Final = 2


def judge_returned(path: TagPath, items: Sequence[Dataset]) -> KeyReturn:
    """Whether a return key comes with a value, empty, or not at all."""
    if not items:
        return KeyReturn.UNKNOWN
    if any(collect_values(item, path) for item in items):
        return KeyReturn.VALUE
    return KeyReturn.EMPTY if any(_is_present(item, path) for item in items) else KeyReturn.ABSENT


def _is_present(item: Dataset, path: TagPath) -> bool:
    return any(path[-1] in each for each in read_items_at(item, path[:-1]))


def collect_values(item: Dataset, path: TagPath) -> tuple[str, ...]:
    """The values of an attribute at its path, without those that are empty; of a sequence, that it has items."""
    found: list[str] = []
    for each in read_items_at(item, path[:-1]):
        if path[-1] in each and each[path[-1]].VR == "SQ":
            found += ["item"] * len(each[path[-1]].value)
        else:
            found += [text.strip() for text in read_texts(each, path[-1])]
    return tuple(text for text in found if text)


def try_key(key: TriedKey, items: Sequence[Dataset], ask: AskNarrowed) -> tuple[KeyMatching, FoundItems | None]:
    """How the peer treats a key, and the query that failed, if one did."""
    seen = _choose_value(key, items)
    if seen is None:
        return KeyMatching.UNTRIED, None
    found = ask({key.path: _narrow(key, seen)})
    if not found.is_done:
        return KeyMatching.REFUSED, found
    if not found.items:
        return KeyMatching.WRONG, None
    if not all(_fits(key, seen, item) for item in found.items):
        return KeyMatching.IGNORED, None
    if not all(_fits(key, seen, item) for item in items):
        return KeyMatching.HONOURED, None
    return _try_nobody(key, ask)


def try_keys(
    examination: Examination, area: str, keys: Sequence[TriedKey], items: Sequence[Dataset], query: KeyQuery
) -> dict[TagPath, KeyMatching]:
    """How the peer treats each key, as long as there is time and an association; empty where it has no items."""
    tried: dict[TagPath, KeyMatching] = {}
    for key in keys if items else ():
        if not examination.has_time or not query.is_open():
            break
        tried[key.path], failed = try_key(key, items, query.ask)
        if failed is not None and not failed.outcome.startswith("status"):
            examination.observe(area, failed.outcome)
            text = f"narrowing by {key.name} ends the association: {failed.outcome}"
            examination.note(area, key.name, text, Severity.PROBLEM)
            break
    return tried


def _try_nobody(key: TriedKey, ask: AskNarrowed) -> tuple[KeyMatching, FoundItems | None]:
    vr = dictionary()[key.path[-1]].split(" or ")[0]
    found = ask({key.path: _NOBODY_HAS.get(vr, _NOBODY)})
    if not found.is_done:
        return KeyMatching.REFUSED, found
    return (KeyMatching.IGNORED if found.items else KeyMatching.HONOURED), None


def _choose_value(key: TriedKey, items: Sequence[Dataset]) -> str | None:
    """A value that is simple enough for a query, if possible one that not all items have."""
    plain = list(dict.fromkeys(_list_plain(key, items)))
    for value in plain:
        if any(not _fits(key, value, item) for item in items):
            return value
    return plain[0] if plain else None


def _list_plain(key: TriedKey, items: Iterable[Dataset]) -> Iterator[str]:
    for item in items:
        for value in collect_values(item, key.path):
            if (
                value.isascii()
                and not set(value) & set("*?\\")
                and (key.matching is not Matching.RANGE or len(value) == 8)
            ):
                yield value


def _narrow(key: TriedKey, value: str) -> str:
    if key.matching is Matching.WILDCARD:
        return f"{value[:_PREFIX_CHARACTERS]}*"
    return f"{value}-{value}" if key.matching is Matching.RANGE else value


def _fits(key: TriedKey, value: str, item: Dataset) -> bool:
    """Whether an item is one that a query narrowed by the value may bring."""
    values = collect_values(item, key.path)
    if key.matching is Matching.WILDCARD:
        prefix = value[:_PREFIX_CHARACTERS].casefold()
        return any(each.casefold().startswith(prefix) for each in values)
    return value in values


_KEY_WORDS: Final = (
    (KeyMatching.HONOURED, Severity.FACT, "it narrows by"),
    (KeyMatching.IGNORED, Severity.NOTE, "it ignores the matching keys"),
    (KeyMatching.WRONG, Severity.PROBLEM, "it leaves out what matches"),
    (KeyMatching.REFUSED, Severity.PROBLEM, "it refuses a query that is narrowed by"),
)


def note_keys(examination: Examination, area: str, answers: Sequence[KeyAnswer]) -> None:
    """A finding for each thing that the peer does with keys."""
    for word, verdict, text in _KEY_WORDS:
        names = [each.path for each in answers if each.matching == word]
        if names:
            examination.note(area, "matching keys", f"{text} {', '.join(names)}", verdict)
    absent = [each.path for each in answers if each.returned == KeyReturn.ABSENT]
    if absent:
        examination.note(area, "return keys", f"it does not return {', '.join(absent)}", Severity.NOTE)
    elif any(each.returned != KeyReturn.UNKNOWN for each in answers):
        examination.note(area, "return keys", f"it returns all {len(answers)} that were asked for")
