"""Results on stdout as aligned text for people; notices and errors on stderr. For programs: ``json_output``.

What comes from a peer or a file may hold anything; control characters are taken out before a terminal sees them.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from openmodality.standard.text_rules import clean_text

GAP: Final = "  "
_USUAL_WIDTH: Final = 80
_WIDE: Final = ("W", "F")
_FIRST_MARK: Final = "\u0300"
"""Below it, in Latin letters, only the soft hyphen has no width of one."""
_SOFT_HYPHEN: Final = "\u00ad"
_WITHOUT_WIDTH: Final = ("Mn", "Me", "Cf")


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Names and values, one line each, wrapped on a terminal; values that are empty are left out."""
    shown = [(name, as_cell(value)) for name, value in fields if value or value == 0]
    left = max(width(name) for name, _ in shown) + len(GAP)
    room = terminal_width() - left if sys.stdout.isatty() else None
    for name, value in shown:
        first, *others = [value] if room is None else wrap(value, room)
        print(f"{pad(name, left)}{first}".rstrip())
        for line in others:
            print(f"{' ' * left}{line}")


def align_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width as a terminal shows them, without blanks at the ends of lines."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [GAP.join(pad(text, columns) for text, columns in zip(row, widths, strict=True)).rstrip() for row in rows]


def pad(text: str, columns: int) -> str:
    """The text with blanks up to this width."""
    return text + " " * (columns - width(text))


def width(text: str) -> int:
    """How many columns of a terminal a text takes: East Asian characters take two, marks and joiners none."""
    if text.isascii() or (max(text) < _FIRST_MARK and _SOFT_HYPHEN not in text):
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in _WIDE else 1
        for character in text
        if not _is_without_width(character)
    )


def _is_without_width(character: str) -> bool:
    """Accents, variation selectors, joiners, and the vowels and ends of Korean syllables that are written in parts."""
    return unicodedata.category(character) in _WITHOUT_WIDTH or "\u1160" <= character <= "\u11ff"


def split_for_lines(text: str) -> list[str]:
    """The pieces between which a line may end: words, the groups of a name, the folders of a path."""
    return re.findall(r"[^ =/]*[ =/]+|[^ =/]+", text)


def wrap(text: str, room: int) -> list[str]:
    """The lines of a text; a word that is longer than the room stays whole."""
    lines = [""]
    for piece in split_for_lines(text):
        if lines[-1] and width((lines[-1] + piece).rstrip()) > room:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def terminal_width() -> int:
    """The columns of the terminal: as the user says with ``COLUMNS``, else as the terminal does."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return _USUAL_WIDTH


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
    return clean_text(text)


def clean_lines(text: str) -> str:
    """The same where the lines are ours: those of a traceback."""
    return "\n".join(map(clean, text.split("\n")))


def date_and_time(date: str, time: str) -> str:
    """``2026-11-22 08:40`` from DA and TM; whatever stands there where it is no such value."""
    if len(date) == 8 and date.isdigit():
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    if len(time) >= 4 and time[:4].isdigit():
        time = f"{time[:2]}:{time[2:4]}"
    return f"{date} {time}".strip()


def as_cell(value: object) -> str:
    """A value as a table shows it, without what would make a terminal do something."""
    if isinstance(value, tuple | list):
        return clean(", ".join(map(str, value)))
    return "" if value is None else clean(str(value))
