"""The way of a list to a database: queries as text for SQLite and PostgreSQL alike, rows by their columns.

A value is a ``?`` in the text, in the order of the values; the text itself holds names of ours only. Names of columns
that are keywords stand in double quotes, because PostgreSQL would put them into lower case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

StoredRow = Mapping[str, Any]
Json = dict[str, Any]
"""What a column of type JSON holds."""


class Reader(Protocol):
    """One consistent state of the database: a snapshot of the device's, or of a command that only looks."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        ...

    @property
    def device_id(self) -> int:
        """The device that reads: a database may be that of several."""
        ...

    def rows(self, sql: str, values: Sequence[object] = ()) -> Sequence[StoredRow]:
        """All rows of a query."""
        ...


class Condition(NamedTuple):
    """A part of a WHERE clause, with the values of its ``?``."""

    sql: str
    values: tuple[object, ...] = ()


def is_one_of(column: str, values: Sequence[object], dialect: str = "") -> Condition:
    """Whether a column has one of the values; without any values no row does.

    PostgreSQL, where it is named, takes them as one array: its plan is then the same however many there are.
    """
    if not values:
        return Condition("1 = 0")
    if dialect == "postgresql":
        return Condition(f"{column} = ANY(?)", (list(values),))
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def combine(conditions: Sequence[Condition], word: str = "AND") -> Condition:
    """All of the conditions (``AND``), or any of them (``OR``), as one that stands on its own."""
    if not conditions:
        return Condition("1 = 1")
    joined = f" {word} ".join(each.sql for each in conditions)
    return Condition(f"({joined})", tuple(value for each in conditions for value in each.values))


def decode_json(value: Any) -> Any:
    """A column of JSON: PostgreSQL's driver decodes it, SQLite's gives the text."""
    return json.loads(value) if isinstance(value, str) else value
