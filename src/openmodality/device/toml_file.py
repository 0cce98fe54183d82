"""Reads a TOML file into a model, and says which file, line and key is wrong, and what is allowed there.

TOML parsers give no line numbers, so the line of a key is found in the text by its table header and name.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from openmodality.errors import ConfigurationError

Location: TypeAlias = tuple[str | int, ...]

_M = TypeVar("_M", bound=BaseModel)

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")


def parse_toml(text: str, shown: str) -> dict[str, Any]:
    """The TOML document. Raises :class:`ConfigurationError` where the text is no TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number of thousands of digits
        raise ConfigurationError(f"{shown}: not readable as TOML: {error}") from error


def read_model(model: type[_M], text: str, shown: str) -> _M:
    """The TOML text as a model; all mistakes are named in one error, one line each."""
    data = parse_toml(text, shown)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = list_key_lines(text)
        problems = [_describe_problem(model, detail, lines, shown) for detail in error.errors(include_url=False)]
        raise ConfigurationError("\n".join(problems)) from None


def name_place(location: Location, lines: Mapping[Location, int], shown: str) -> str:
    """``site.toml line 12: peers.pacs.port``: how errors name a place."""
    line = find_line(location, lines)
    where = f"{shown} line {line}" if line else shown
    return f"{where}: {join_dotted(location)}" if location else where


def join_dotted(location: Location) -> str:
    """The key as TOML writes it: ``peers.pacs.services[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def find_line(location: Location, lines: Mapping[Location, int]) -> int | None:
    """The line of the key, or of the nearest table around it; None where no part of it is in the file."""
    candidates = (location[:length] for length in range(len(location), 0, -1))
    return next((lines[candidate] for candidate in candidates if candidate in lines), None)


def list_key_lines(text: str) -> dict[Location, int]:
    """The line on which each table header and key of a TOML document stands."""
    lines: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _HEADER.match(line):
            table = _resolve(_list_parts(match[2]), counts)
            if match[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif match := _ASSIGNMENT.match(line):
            lines.setdefault((*table, *_list_parts(match[1])), number)
    return lines


def _resolve(parts: Location, counts: Mapping[Location, int]) -> Location:
    """The header's names with the number of the last item after each array of tables above it."""
    found: Location = ()
    for index, part in enumerate(parts):
        found = (*found, part)
        if found in counts and index < len(parts) - 1:
            found = (*found, counts[found])
    return found


def _list_parts(dotted_key: str) -> Location:
    return tuple(part.strip("\"'") for part in re.findall(_NAME, dotted_key))


def _describe_problem(model: type[BaseModel], detail: ErrorDetails, lines: Mapping[Location, int], shown: str) -> str:
    # Pydantic appends "[key]" where the name of a table is wrong, not what is in it.
    location = tuple(part for part in detail["loc"] if part != "[key]")
    where = name_place(location, lines, shown)
    if detail["type"] == "extra_forbidden":
        return f"{where} is not a setting{_suggest(str(location[-1]), _list_names_at(model, location[:-1]))}"
    if detail["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {detail['msg'].removeprefix('Value error, ')}"


def _suggest(wrong: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(wrong, allowed, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; allowed are {', '.join(allowed)}" if allowed else ""


def _list_names_at(model: type[BaseModel], location: Location) -> tuple[str, ...]:
    """The names allowed in the table at ``location`` of the model."""
    annotation: Any = model
    for part in location:
        fields = next((found.model_fields for found in _list_models_in(annotation)), {})
        if isinstance(part, str) and part in fields:
            annotation = fields[part].annotation
    return tuple(name for found in _list_models_in(annotation) for name in found.model_fields)


def _list_models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The model classes inside ``dict[str, Peer]``, ``tuple[Peer, ...]`` or ``Peer | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (dict, list, tuple, Union, UnionType, Mapping):
        for argument in get_args(annotation):
            yield from _list_models_in(argument)
