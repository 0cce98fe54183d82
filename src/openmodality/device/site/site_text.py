"""Changes settings in the text of a site file, and leaves everything else as it stands there: comments, order, blanks.

A setting is found by its line. The changed text is loaded and compared: where it does not differ in this setting alone,
such as with inline tables, the change is refused, and a person has to edit the file.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from openmodality.device.site.settings_doc import format_toml_key, format_toml_value
from openmodality.device.toml_file import Location, join_dotted, list_key_lines, parse_toml
from openmodality.errors import ConfigurationError

SettingKey: TypeAlias = tuple[str, ...]
"""The place of a setting, such as ``("peers", "pacs", "port")``."""
_HEADER: Final = re.compile(r"\s*\[")
_MOST_LINES: Final = 400
_NOTHING: Final = object()


def set_value(text: str, key: SettingKey, value: object) -> str:
    """The text with one setting set. Raises :class:`ConfigurationError` where that cannot be done by itself."""
    lines, where = text.splitlines(), list_key_lines(text)
    given = f"{format_toml_key(key[-1])} = {format_toml_value(value)}"
    found = where.get(key, 0)
    if found and not _is_header(lines, found):
        first, last, comment = _find_extent(lines, found - 1, key)
        name = lines[first].partition("=")[0]
        changed = [*lines[:first], f"{name}= {format_toml_value(value)}{comment}", *lines[last + 1 :]]
    else:
        place = _find_place(lines, where, key)
        header = ["", _format_header(key[:-1])] if place is None else []
        at = len(lines) if place is None else place
        changed = [*lines[:at], *header, given, *lines[at:]]
    return _prove(text, changed, key, value)


def remove_value(text: str, key: SettingKey) -> str:
    """The text without a setting, which then has its default; as it is where it is not set."""
    lines, found = text.splitlines(), list_key_lines(text).get(key)
    if found is None:
        return text
    if _is_header(lines, found):
        return remove_table(text, key)
    first, last, _ = _find_extent(lines, found - 1, key)
    return _prove(text, [*lines[:first], *lines[last + 1 :]], key, _NOTHING)


def remove_table(text: str, key: SettingKey) -> str:
    """The text without a table and the tables in it, up to the blank line behind each of them."""
    lines, where = text.splitlines(), list_key_lines(text)
    gone: set[int] = set()
    for place, number in where.items():
        if place[: len(key)] == key and _is_header(lines, number):
            last = max([number, *_list_assignments(lines, where, number)])
            gone.update(range(number - 1, _find_end(lines, last - 1) + 1))
    kept = [line for number, line in enumerate(lines) if number not in gone]
    while len(lines) - 1 in gone and kept and not kept[-1].strip():
        del kept[-1]
    return _prove(text, kept, key, _NOTHING)


def _is_header(lines: Sequence[str], number: int) -> bool:
    return _HEADER.match(lines[number - 1]) is not None


def _list_assignments(lines: Sequence[str], where: Mapping[Location, int], header: int) -> Iterator[int]:
    """The lines of the assignments between a header and the next one."""
    following = (number for number in where.values() if number > header and _is_header(lines, number))
    until = min(following, default=len(lines) + 1)
    return (number for number in where.values() if header < number < until)


def _find_end(lines: Sequence[str], last: int) -> int:
    """The last line that belongs together with ``last``: up to a blank one, which goes too."""
    while last + 1 < len(lines) and lines[last + 1].strip() and not _HEADER.match(lines[last + 1]):
        last += 1
    return last + 1 if last + 1 < len(lines) and not lines[last + 1].strip() else last


def _format_header(table: SettingKey) -> str:
    return f"[{'.'.join(map(format_toml_key, table))}]"


def _find_extent(lines: Sequence[str], first: int, key: SettingKey) -> tuple[int, int, str]:
    """The lines of an assignment, and the comment behind its value."""
    begun = lines[first].partition("=")[2]
    for last in range(first, min(first + _MOST_LINES, len(lines))):
        value = "\n".join([begun, *lines[first + 1 : last + 1]])
        if _is_value(value):
            return first, last, _find_comment(value)
    raise _make_refusal(key)


def _find_comment(value: str) -> str:
    """The comment at the end of the last line of a value, with the blanks before it."""
    before, _, line = value.rpartition("\n")
    for place in (number for number, character in enumerate(line) if character == "#"):
        if _is_value(f"{before}\n{line[:place]}" if before else line[:place]):
            return line[len(line[:place].rstrip()) :]
    return ""


def _is_value(text: str) -> bool:
    try:
        tomllib.loads(f"x = {text}")
    except (ValueError, RecursionError):
        return False
    return True


def _find_place(lines: Sequence[str], where: Mapping[Location, int], key: SettingKey) -> int | None:
    """Before which line a new setting goes: behind its own commented line, else behind the last one of its table.

    ``None`` where there is no such table yet.
    """
    header = where.get(key[:-1], 0)
    if key[:-1] and (not header or not _is_header(lines, header)):
        return None
    until = next((number for number in range(header, len(lines)) if _HEADER.match(lines[number])), len(lines))
    commented = re.compile(rf"\s*#\s*{re.escape(key[-1])}\s*=")
    own = next((number + 1 for number in range(header, until) if commented.match(lines[number])), None)
    if own is not None:
        return own
    last = max((number for number in where.values() if header < number <= until), default=0)
    return _find_extent(lines, last - 1, key)[1] + 1 if last else header


def _prove(before: str, lines: Sequence[str], key: SettingKey, value: object) -> str:
    """Check that the new lines differ from the old text in this setting alone; returns them as a text."""
    expected = copy.deepcopy(parse_toml(before, "the site file"))
    _put(expected, key, value)
    text = "\n".join(lines) + "\n"
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError):
        raise _make_refusal(key) from None
    if _leave_out_empty(said) != _leave_out_empty(expected):
        raise _make_refusal(key)
    return text


def _put(tables: dict[str, Any], key: SettingKey, value: object) -> None:
    for part in key[:-1]:
        tables = tables.setdefault(part, {})
        if not isinstance(tables, dict):
            raise _make_refusal(key)
    if value is _NOTHING:
        tables.pop(key[-1], None)
    else:
        tables[key[-1]] = list(value) if isinstance(value, tuple) else value


def _leave_out_empty(value: Any) -> Any:
    """A table without empty tables in it, which say nothing."""
    if not isinstance(value, dict):
        return value
    inner = {name: _leave_out_empty(each) for name, each in value.items()}
    return {name: each for name, each in inner.items() if each != {}}


def _make_refusal(key: SettingKey) -> ConfigurationError:
    return ConfigurationError(
        f"{join_dotted(key)} is written in a way that is not changed here", advice="change it in the site file"
    )
