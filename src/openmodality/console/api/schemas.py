"""The schemas of records, from the table that docs/json.md and docs/rest.md show (``app/records/members.csv``)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from openmodality.console.api.answers import name_schema

EVERYTHING: Final = "*"
"""A member of this name says that all members of another record belong to this one too, or any attribute does."""
_PLAIN: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "whole number": {"type": "integer"},
    "number": {"type": "number"},
    "true or false": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "status": {"type": "string", "pattern": "^[0-9A-F]{4}$"},
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "attributes": {"type": "object", "additionalProperties": True},
    "any value": {},
}


class Member(NamedTuple):
    """A member of a record: what it is, what it means, and whether it may be absent."""

    record: str
    name: str
    kind: str
    meaning: str

    @property
    def is_optional(self) -> bool:
        """Whether it is absent at times."""
        return "absent where" in self.meaning


@cache
def read_members() -> Mapping[str, tuple[Member, ...]]:
    """The members of each record, in their order."""
    text = files("openmodality.app.records").joinpath("members.csv").read_text(encoding="utf-8")
    found: dict[str, list[Member]] = {}
    for row in csv.reader(text.splitlines()[1:]):
        found.setdefault(row[0], []).append(Member(*row))
    return {record: tuple(members) for record, members in found.items()}


def make_schemas() -> dict[str, Any]:
    """The schema of each record, and of attributes, by its name in the document."""
    schemas = {name_schema(record): _make_schema(record) for record in read_members()}
    return {**schemas, name_schema("attributes"): {**_PLAIN["attributes"], "description": "Values by DICOM keyword."}}


def list_all_members(record: str) -> list[Member]:
    """The members of a record with those of the record that it has all of."""
    members: list[Member] = []
    for member in read_members()[record]:
        is_of_other = member.name == EVERYTHING and member.kind != "attributes"
        members += list_all_members(member.kind) if is_of_other else [member]
    return members


def _make_schema(record: str) -> dict[str, Any]:
    members = list_all_members(record)
    named = [member for member in members if member.name != EVERYTHING]
    return {
        "type": "object",
        "properties": {member.name: _describe(member) for member in named},
        "required": _list_required(named),
        "additionalProperties": len(named) < len(members),
    }


def _list_required(members: Iterable[Member]) -> list[str]:
    return [member.name for member in members if not member.is_optional]


def _describe(member: Member) -> dict[str, Any]:
    return {**_make_value(member.kind), **({"description": member.meaning} if member.meaning else {})}


def _make_value(kind: str) -> dict[str, Any]:
    if kind.endswith(" or null"):
        return {"anyOf": [_make_value(kind.removesuffix(" or null")), {"type": "null"}]}
    if kind.startswith("list of "):
        return {"type": "array", "items": _make_value(kind.removeprefix("list of "))}
    return dict(_PLAIN[kind]) if kind in _PLAIN else {"$ref": f"#/components/schemas/{name_schema(kind)}"}
