"""Tables: each list declares its columns once, with what a cell shows and what may be left out where there is no room.

On a terminal a table fits the width: columns are left out in the declared order, and a line on stderr says which; what
is left of a column of words is wrapped between words, between the groups of a name and after the slashes of a path.
Elsewhere, and with ``--wide``, everything is shown. A cell is never cut and no word is broken; UIDs that do not fit
stand below the table, one a line, to be copied.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from openmodality.cli.terminal.output import (
    GAP,
    align_rows,
    as_cell,
    pad,
    say,
    split_for_lines,
    terminal_width,
    width,
    wrap,
)

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser

Each = TypeVar("Each")
_FEWEST_OF_WORDS: Final = 16
"""Columns of a terminal below which words are no longer wrapped: the column next in order is left out first."""
_BOLD: Final = "\x1b[1m{}\x1b[0m"


class Column(Generic[Each]):
    """A column of a list.

    ``value`` gives the cell of a row. ``leave_out``: 0 stays; of the others the highest goes first. The last column of
    UIDs goes below the table instead, before all others where it has 0. ``words``: cells may be wrapped between words.
    """

    def __init__(
        self, heading: str, value: Callable[[Each], object], *, leave_out: int = 0, words: bool = False
    ) -> None:
        self.heading = heading
        self.value = value
        self.leave_out = leave_out
        self.words = words

    @property
    def is_uid(self) -> bool:
        """Whether its cells are there to be copied, and may stand below the table."""
        return self.heading.endswith("UID")


class _Filled:
    """A column with its cells as text."""

    def __init__(self, column: Column[Each], rows: Sequence[Each]) -> None:
        self.heading = column.heading
        self.leave_out = column.leave_out
        self.words = column.words
        self.is_uid = column.is_uid
        self.cells = [as_cell(column.value(row)) for row in rows]
        self.width = max(map(width, [self.heading, *self.cells]))
        self.fewest = self._find_fewest()
        """The columns of a terminal that it takes at least."""

    def _find_fewest(self) -> int:
        if not self.words or self.width <= _FEWEST_OF_WORDS:
            return self.width
        longest = max(width(piece.rstrip()) for cell in self.cells for piece in split_for_lines(cell))
        return max(_FEWEST_OF_WORDS, longest, width(self.heading))


def add_wide(parser: Parser) -> None:
    """Declare the option that shows all columns."""
    parser.add_argument("--wide", action="store_true", help="Show all columns, also where the terminal is too narrow.")


def print_rows(columns: Sequence[Column[Each]], rows: Iterable[Each], *, empty: str = "", wide: bool = False) -> None:
    """A table; where there are no rows, the line ``empty`` on stderr."""
    listed = list(rows)
    if not listed:
        if empty:
            say(empty)
        return
    filled = [_Filled(column, listed) for column in columns]
    if wide or not sys.stdout.isatty():
        _print_lines(filled, None)
        return
    room = terminal_width()
    shown, left_out, below = fit(filled, room)
    _print_lines(shown, room)
    if below is not None:
        print(f"\n{below.heading} of each, in the same order:")
        print("\n".join(below.cells))
    if left_out:
        say(f"not shown: {', '.join(each.heading for each in left_out)}; --wide shows all")


def fit(columns: Sequence[_Filled], room: int) -> tuple[list[_Filled], list[_Filled], _Filled | None]:
    """The columns that fit, those that are left out, and the one with UIDs that is to stand below."""
    shown, left_out = list(columns), list[_Filled]()
    uids = next((each for each in reversed(columns) if each.is_uid), None)

    def find_turn(each: _Filled) -> float:
        return each.leave_out or (inf if each is uids else 0)

    while _count_needed(shown) > room and (droppable := [each for each in shown if find_turn(each)]):
        first = max(droppable, key=find_turn)
        shown.remove(first)
        left_out.append(first)
    below = uids if uids in left_out else None
    return shown, [each for each in left_out if each is not below], below


def _count_needed(columns: Sequence[_Filled]) -> int:
    return sum(each.fewest for each in columns) + len(GAP) * (len(columns) - 1)


def _print_lines(columns: Sequence[_Filled], room: int | None) -> None:
    headings = [each.heading for each in columns]
    rows = list(zip(*(each.cells for each in columns), strict=True))
    if room is None:
        print("\n".join(align_rows([headings, *rows])))
        return
    widths = _share_widths(columns, room)
    top = GAP.join(map(pad, headings, widths)).rstrip()
    print(top if os.environ.get("TERM") == "dumb" else _BOLD.format(top))
    for row in rows:
        wrapped = [
            wrap(text, columns_) if each.words else [text]
            for each, text, columns_ in zip(columns, row, widths, strict=True)
        ]
        for number in range(max(map(len, wrapped))):
            cells = [lines[number] if number < len(lines) else "" for lines in wrapped]
            print(GAP.join(map(pad, cells, widths)).rstrip())


def _share_widths(columns: Sequence[_Filled], room: int) -> list[int]:
    """Of each column as it is printed: those of words share what the others leave."""
    spare = room - _count_needed(columns)
    widths = []
    for each in columns:
        more = max(0, min(spare, each.width - each.fewest))
        spare -= more
        widths.append(each.fewest + more)
    return widths
