"""Results that programs read: the one shape of ``--json`` (docs/json.md is the promise, ADR 40).

A command that ends prints one document: an object with ``schema_version``, the list ``items``, and what is to be said
of the whole. A command that runs on prints lines, each an object with ``schema_version`` and ``event``. No other module
of the command line writes JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from openmodality.standard.text_rules import clean_text

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser

SCHEMA_VERSION: Final = 1
"""Rises where a member goes away or changes its meaning; a new member does not raise it."""
NUMBER_VRS: Final = ("IS", "US", "UL", "SS", "SL")
"""Value representations of whole numbers (PS3.5 6.2)."""

JsonObject = Mapping[str, Any]


def add_json(parser: Parser) -> None:
    """Declare the option for output that programs read."""
    parser.add_argument("--json", dest="as_json", action="store_true", help="Print the result as JSON.")


def print_document(items: Iterable[JsonObject], **whole: Any) -> None:
    """The one document of a command; ``whole`` is what holds of all items together."""
    _print({"schema_version": SCHEMA_VERSION, **whole, "items": list(items)}, indent=2)


def print_event(event: str, **members: Any) -> None:
    """A line of a command that runs on, at once."""
    _print({"schema_version": SCHEMA_VERSION, "event": event, **members}, indent=None)


def format_zoned(seconds: float | None) -> str | None:
    """Seconds since the epoch as local date and time with zone, as in ISO 8601 and RFC 3339; ``None`` stays."""
    from datetime import UTC, datetime  # noqa: PLC0415 - start-up time

    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(timespec="milliseconds")


def convert_value(text: str, vr: str) -> str | int | None:
    """The value of an attribute that is kept as text: a number where its VR is one, ``None`` where it is empty.

    What is no number in spite of its VR stays text.
    """
    if not text:
        return None
    digits = text.strip()
    is_number = vr in NUMBER_VRS and digits.removeprefix("-").removeprefix("+").isdecimal() and digits.isascii()
    return int(digits) if is_number else text


def _print(value: JsonObject, indent: int | None) -> None:
    """Texts are cleaned; characters that stdout cannot hold are escaped."""
    import json  # noqa: PLC0415 - start-up time

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    text = json.dumps(_clean_values(value), ensure_ascii=encoding != "utf8", indent=indent, allow_nan=False)
    print(text, flush=indent is None)


def _clean_values(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value, lines=True)
    if isinstance(value, Mapping):
        return {_clean_values(key): _clean_values(each) for key, each in value.items()}
    return list(map(_clean_values, value)) if isinstance(value, list | tuple) else value
