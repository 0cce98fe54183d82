"""Results that programs read: the one shape of ``--json`` (docs/json.md is the promise, ADR 40).

A command that ends prints one document: an object with ``schema_version``, the list ``items``, and what is to be said
of the whole. A command that runs on prints lines, each an object with ``schema_version`` and ``event``. No other module
of the command line writes JSON. What the objects in them are is said in ``app.records``, for the REST API as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from openmodality.app.records.values import clean_values

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser

SCHEMA_VERSION: Final = 1
"""Rises where a member goes away or changes its meaning; a new member does not raise it."""

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


def _print(value: JsonObject, indent: int | None) -> None:
    """Texts are cleaned; characters that stdout cannot hold are escaped."""
    import json  # noqa: PLC0415 - start-up time

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    text = json.dumps(clean_values(value), ensure_ascii=encoding != "utf8", indent=indent, allow_nan=False)
    print(text, flush=indent is None)
