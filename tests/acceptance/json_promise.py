"""The promise of docs/json.md, read from the page: what each command prints, and of which kind each member is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from tests.acceptance.documents import ROOT

PAGE: Final = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
_ROW: Final = re.compile(r"^\| (.*?) \| (.*?) \|(?: (.*?) ?\|)?$", flags=re.MULTILINE)
_KEYWORD: Final = re.compile(r"[A-Z][A-Za-z0-9]+|[0-9A-F]{8}")
_HAS_SCHEMA: Final = "](conformance.schema.json)"
_OPTIONAL: Final = "absent where"


def check_document(command: str, document: Mapping[str, Any]) -> None:
    """Fail where what a command printed is not what the page says."""
    kind, whole = _documents()[command]
    assert isinstance(document["items"], list)
    assert document["schema_version"] == 1
    _check_members(document, {**whole, "schema_version": "whole number", "items": f"list of {kind}"}, command)


def check_event(command: str, line: Mapping[str, Any]) -> None:
    """Fail where a line that a command printed is not what the page says."""
    kinds = _events()[command]
    kind = kinds.get(line["event"]) or kinds["any other"]
    assert line["schema_version"] == 1
    members = {name: value for name, value in line.items() if name not in {"schema_version", "event"}}
    _check_value(members, kind, f"{command} {line['event']}")


def promised_commands() -> set[str]:
    """The commands of the page."""
    return {*_documents(), *_events()}


def promised_values(kind: str, member: str) -> set[str]:
    """The values of a member that the page names."""
    (meaning,) = [meaning for name, _, meaning in _rows(_section(kind)) if name == f"`{member}`"]
    return set(re.findall(r"`([^`]+)`", meaning))


def _section(name: str) -> str:
    found = re.search(rf"^#+ {re.escape(name)}\n(.*?)(?=^#|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found, f"the page has no section {name}"
    return found[1]


def _rows(text: str) -> list[tuple[str, str, str]]:
    return [(row[1], row[2], row[3] or "") for row in _ROW.finditer(text) if "`" in row[1]]


@cache
def _documents() -> dict[str, tuple[str, dict[str, str]]]:
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for commands, kind, whole in _rows(_section("Documents")):
        members = dict(re.findall(r"`(\w+)`: ([\w ]+)", whole))
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", commands), (kind, members))
    return found


@cache
def _events() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for command, event, kind in _rows(_section("Events")):
        found.setdefault(command.strip("`"), {})[event.strip("`")] = kind
    return found


def _check_value(value: object, kind: str, where: str) -> None:
    if kind.endswith(" or null"):
        if value is None:
            return
        kind = kind.removesuffix(" or null")
    if kind.startswith("list of "):
        assert isinstance(value, list), where
        for number, each in enumerate(value):
            _check_value(each, kind.removeprefix("list of "), f"{where}[{number}]")
    elif kind in _PLAIN:
        assert _PLAIN[kind](value), f"{where} is no {kind}: {value!r}"
    else:
        assert isinstance(value, dict), where
        section = _section(kind)
        if _HAS_SCHEMA in section:  # tests/unit/conformance/test_as_json.py holds the rest to it
            value = {name: each for name, each in value.items() if name in _members_of(section)}
        is_open = re.search(r"^(Attributes, and|.*its attributes|And members of its own)", section, flags=re.MULTILINE)
        _check_members(value, _members_of(section), where, is_open=bool(is_open) or _is_open_above(section))


def _is_open_above(section: str) -> bool:
    above = re.search(r"^All of \[(.*?)\]", section, flags=re.MULTILINE)
    return above is not None and "its attributes" in _section(above[1])


def _members_of(section: str) -> dict[str, str]:
    above = re.search(r"^All of \[(.*?)\]", section, flags=re.MULTILINE)
    members = _members_of(_section(above[1])) if above else {}
    for name, kind, meaning in _rows(section):
        members[name.strip("`")] = f"?{kind}" if _OPTIONAL in meaning else kind
    return members


def _check_members(value: Mapping[str, Any], members: Mapping[str, str], where: str, *, is_open: bool = False) -> None:
    for name, kind in members.items():
        if name in value or not kind.startswith("?"):
            assert name in value, f"{where}: {name} is missing"
            _check_value(value[name], kind.removeprefix("?"), f"{where}.{name}")
    more = {name: each for name, each in value.items() if name not in members}
    if is_open:
        assert all(_is_attribute(each) for each in more.values()), where
    else:
        assert not more, f"{where}: the page does not know {sorted(more)}"


def _is_attribute(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_attribute, value))
    return _are_attributes(value) if isinstance(value, dict) else value is None or isinstance(value, str | int | float)


def _are_attributes(value: object) -> bool:
    return isinstance(value, dict) and all(
        _KEYWORD.fullmatch(name) and _is_attribute(each) for name, each in value.items()
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: object) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


_PLAIN: Final = {
    "text": lambda value: isinstance(value, str),
    "whole number": _is_count,
    "number": _is_number,
    "true or false": lambda value: isinstance(value, bool),
    "time": _is_time,
    "status": lambda value: isinstance(value, str) and re.fullmatch("[0-9A-F]{4}", value) is not None,
    "counts": lambda value: isinstance(value, dict) and all(map(_is_count, value.values())),
    "attributes": _are_attributes,
}
