"""Results on stdout: aligned text or, on a terminal, a table; JSON for programs.

What comes from a peer or a file may hold anything; control characters are taken out before a terminal sees them.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

_GAP: Final = "  "
_WIDE: Final = ("W", "F")
_UNSAFE: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
_NUMBERS: Final = r"[\d:\- ]{0,19}"
"""What is hard to read in pieces: numbers, dates and times."""
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def print_json(value: Any) -> None:
    """One JSON document; characters that stdout cannot hold are escaped."""
    import json  # noqa: PLC0415 - start-up time

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    print(json.dumps(value, ensure_ascii=encoding != "utf8", indent=2))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
    """A table; where there are no rows, the line ``empty`` on stderr."""
    texts = [[clean(_cell(value)) for value in row] for row in rows]
    if not texts:
        if empty:
            say(empty)
    elif sys.stdout.isatty():
        _print_rich(headings, texts)
    else:
        print("\n".join(aligned([list(headings), *texts])))


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Names and values, one line each; values that are empty are left out."""
    shown = [[name, clean(_cell(value))] for name, value in fields if value or value == 0]
    print("\n".join(aligned(shown)))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width as a terminal shows them, without blanks at the ends of lines."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(text + " " * (columns - width(text)) for text, columns in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def width(text: str) -> int:
    """How many columns of a terminal a text takes: East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in _WIDE else 1
        for character in text
        if not unicodedata.combining(character)
    )


def say(text: str) -> None:
    """A line for a person, on stderr: a notice or an error."""
    print(clean(text), file=sys.stderr, flush=True)


def prompt(text: str) -> None:
    """The beginning of a line on stderr that a person goes on with."""
    print(clean(text), end="", file=sys.stderr, flush=True)


def say_lines(text: str) -> None:
    """Several lines, which are ours."""
    print(clean_lines(text), file=sys.stderr, flush=True)


def clean(text: str) -> str:
    """The text without what would make a terminal do something."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if unicodedata.category(each) in _UNSAFE else each for each in text)


def clean_lines(text: str) -> str:
    """The same where the lines are ours: those of a traceback."""
    return "\n".join(map(clean, text.split("\n")))


def moment(seconds: float | None) -> str:
    """Seconds since the epoch as local date and time; empty where there are none."""
    from datetime import datetime  # noqa: PLC0415 - start-up time

    return "" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def date_and_time(date: str, time: str) -> str:
    """``2026-11-22 08:40`` from DA and TM; whatever stands there where it is no such value."""
    if len(date) == 8 and date.isdigit():
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    if len(time) >= 4 and time[:4].isdigit():
        time = f"{time[:2]}:{time[2:4]}"
    return f"{date} {time}".strip()


def counted(number: int, noun: str) -> str:
    """``1 image``, ``2 images``, ``2 studies``."""
    if number == 1 or noun == "series":
        return f"{number} {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def _cell(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _print_rich(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - start-up time, and only a terminal gets it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    below = _is_uid_too_wide(headings, rows, console.width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for heading, column in zip(headings, zip(*rows, strict=True), strict=True):
        if not (below and heading == headings[-1]):
            table.add_column(heading, overflow="fold", no_wrap=all(re.fullmatch(_NUMBERS, text) for text in column))
    for row in rows:
        table.add_row(*(Text(text) for text in (row[:-1] if below else row)))
    console.print(table)
    if below:
        console.print(Text(f"\n{headings[-1]} of each, in the same order:", style="dim"))
        for row in rows:
            console.print(Text(row[-1]), soft_wrap=True)


def _is_uid_too_wide(headings: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> bool:
    """Whether the UIDs in the last column, which are there to be copied, would be cut into pieces."""
    widths = [max(map(width, column)) + 3 for column in zip(headings, *rows, strict=True)]
    return headings[-1].endswith("UID") and sum(widths) > columns
