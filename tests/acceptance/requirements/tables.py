"""Paths of attributes in what was recorded, and the types that a statement's table asks for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset

from openmodality.device.paths import TagPath, parse_path

NOT_ALLOWED = "Not allowed"


def paths_of(data_set: Dataset, above: TagPath = ()) -> Iterator[TagPath]:
    """The path of each attribute, those in items of sequences too, each once."""
    for element in data_set:
        path = (*above, int(element.tag))
        yield path
        if element.VR == "SQ":
            yield from dict.fromkeys(inner for item in element.value for inner in paths_of(item, path))


def value_at(data_set: Dataset, path: TagPath) -> object:
    """The value of an attribute in the first items; a sequence with items counts as none of its own."""
    *sequences, last = path
    for tag in sequences:
        data_set = data_set[tag].value[0]
    element = data_set[last]
    return None if element.VR == "SQ" else element.value


@dataclass(frozen=True, slots=True)
class Row:
    """An attribute and its type for the SCU in one kind of request."""

    path: TagPath
    type: str


def typed(table: Path, column: str) -> list[Row]:
    """The rows of a table of attributes."""
    with table.open(encoding="utf-8", newline="") as lines:
        return [Row(parse_path(row["path"]), row[column]) for row in csv.DictReader(lines)]


def broken_types(data_set: Dataset, rows: list[Row]) -> list[str]:
    """What a data set breaks: type 1 without value, type 2 missing, what is not allowed or not in the table.

    Types 1C and 2C hold inside the items that are there (the condition of all of the tables' rows with such a type).
    """
    found = [f"{path} is not in the table" for path in paths_of(data_set) if path not in {row.path for row in rows}]
    for row in rows:
        found += [f"{row.path} {problem}" for problem in _problems(data_set, row.path, row.type)]
    return found


def _problems(data_set: Dataset, path: TagPath, type_: str) -> Iterator[str]:
    tag, *below = path
    if below:
        for item in data_set.get(tag).value if tag in data_set else ():
            yield from _problems(item, tuple(below), type_)
        return
    if type_ == NOT_ALLOWED:
        if tag in data_set:
            yield "is not allowed"
    elif type_ in ("1", "1C", "2", "2C"):
        if tag not in data_set:
            yield f"is missing, type {type_}"
        elif type_.startswith("1") and not data_set[tag].value:
            yield f"has no value, type {type_}"
