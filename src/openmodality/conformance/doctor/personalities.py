"""Recognises in a peer the personalities of the virtual hospital, by the outcomes of its operations.

``personalities.csv`` has a row for each operation and outcome. A peer that does to an echo what it does to another
request does it to every request, so that the row of Verification holds and the others with the same outcome do not.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from openmodality.value_class import dataclass

_FILE: Final = "personalities.csv"
_ANY_REQUEST: Final = "echo"


@dataclass(frozen=True, slots=True)
class Likeness:
    """A personality that the peer has shown, and what that means."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class _Row:
    operation: str
    outcome: str
    name: str
    meaning: str


@cache
def _read_rows() -> tuple[_Row, ...]:
    text = files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return tuple(_Row(**row) for row in csv.DictReader(text.splitlines()))


def name_personalities(observed: Sequence[tuple[str, str]]) -> list[Likeness]:
    """The personalities that have shown, in the order of the table."""
    seen = set(observed)
    general = {outcome for operation, outcome in seen if operation == _ANY_REQUEST}
    return [
        Likeness(row.name, row.meaning)
        for row in _read_rows()
        if (row.operation, row.outcome) in seen and (row.operation == _ANY_REQUEST or row.outcome not in general)
    ]
