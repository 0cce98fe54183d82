"""Options that many commands have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from openmodality.acquisition.readers.tree import parse_json
from openmodality.cli.terminal.values import parse_integer
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser

_KEY_HELP: Final = (
    "A matching key, such as PatientID=123 or PatientName=DOE*; without =VALUE a further return key. A tag"
    " (0010,0020) does as well, and A>B for an attribute B inside sequence A. May be repeated."
)


def add_keys(parser: Parser, text: str = _KEY_HELP) -> None:
    """Declare the option for attributes, each ``Keyword=value``."""
    parser.add_argument("-k", "--key", dest="keys", metavar="KEYWORD=VALUE", action="append", default=[], help=text)


def add_limit(parser: Parser, usual: int | None = None) -> None:
    """Declare the option for the most matches; ``usual`` is what help says of a command that has a limit anyway."""
    text = "Most matches to take; the peer is told to stop there."
    default = f"  [default: {usual}]" if usual else ""
    parser.add_argument("--limit", metavar="N", type=parse_integer(1), help=f"{text}{default}")


def split_key(text: str) -> tuple[str, str]:
    """Name and value of ``Keyword=value``; the value is empty where there is none."""
    name, _, value = text.partition("=")
    return name.strip(), value


def parse_attributes(texts: Iterable[str]) -> dict[str, Any]:
    """Names and values of attributes; a value that begins as a list or a table is JSON, such as items of a sequence.

    Raises :class:`UsageError` where it is none.
    """
    return {name: _parse_value(name, value) for name, value in map(split_key, texts)}


def _parse_value(name: str, value: str) -> Any:
    if not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return parse_json(value)
    except ValueError as error:
        raise UsageError(
            f"--key {name}: the value is no JSON", advice="""write items as [{"Keyword": "value"}], lists as [1, 2]"""
        ) from error
