"""Reads the CSV tables of a profile, and says exactly where one is wrong.

Every error is a ConfigurationError that names file, line and column, and what is allowed there. Nothing else escapes,
whatever the file holds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import NoReturn, TypeVar

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from openmodality.device.paths import TagPath, parse_path
from openmodality.dimse.attribute_names import keyword_of, name_of, vr_of
from openmodality.encoding.vr import is_private
from openmodality.errors import ConfigurationError
from openmodality.value_class import dataclass

_T = TypeVar("_T")
_S = TypeVar("_S", bound=str)

_YES_NO: Mapping[str, bool] = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One line of a table; the readers check a cell and return its meaning."""

    file: str
    line: int
    cells: Mapping[str, str]

    def refuse(self, problem: str) -> NoReturn:
        """Raise the error that names this line."""
        raise ConfigurationError(f"{self.file} line {self.line}: {problem}")

    def text(self, column: str) -> str:
        """The cell, without blanks around it; may be empty."""
        return self.cells[column]

    def required(self, column: str) -> str:
        """The cell, which must not be empty."""
        return self.cells[column] or self.refuse(f"{column} is empty")

    def one_of(self, column: str, allowed: Sequence[_S]) -> _S:
        """The cell, which must be one of ``allowed``; the empty text counts only where it is listed."""
        found = next((choice for choice in allowed if choice == self.cells[column]), None)
        if found is None:
            self.refuse(f"{column} {self.cells[column]!r} is not one of {', '.join(repr(str(one)) for one in allowed)}")
        return found

    def flag(self, column: str) -> bool:
        """``yes`` or ``no``."""
        return _YES_NO[self.one_of(column, tuple(_YES_NO))]

    def words(self, column: str) -> tuple[str, ...]:
        """The cell's parts between blanks."""
        return tuple(self.cells[column].split())

    def alternatives(self, column: str) -> tuple[str, ...]:
        """The cell's parts between ``|``."""
        return tuple(part.strip() for part in self.cells[column].split("|")) if self.cells[column] else ()

    def integer(self, column: str, minimum: int, maximum: int) -> int:
        """A whole number within limits."""
        number = self._convert(column, int, "a whole number")
        if not minimum <= number <= maximum:
            self.refuse(f"{column} {number} is outside {minimum}-{maximum}")
        return number

    def number(self, column: str) -> float | None:
        """A number; None for an empty cell."""
        return self._convert(column, float, "a number") if self.cells[column] else None

    def _convert(self, column: str, convert: Callable[[str], _T], wanted: str) -> _T:
        try:
            return convert(self.cells[column])
        except ValueError:
            self.refuse(f"{column} {self.cells[column]!r} is not {wanted}")

    def uid(self, column: str) -> UID:
        """A UID that PS3.6 registers."""
        return self._read_registered(column, self.required(column))

    def uids(self, column: str) -> tuple[UID, ...]:
        """UIDs that PS3.6 registers, between blanks; at least one."""
        self.required(column)
        return tuple(self._read_registered(column, part) for part in self.words(column))

    def _read_registered(self, column: str, text: str) -> UID:
        if text not in UID_dictionary:
            self.refuse(f"{column} {text!r} is not a UID of PS3.6")
        return UID(text)

    def path(self, column: str) -> TagPath | None:
        """A path of attributes; None for an empty cell."""
        if not self.cells[column]:
            return None
        try:
            return parse_path(self.cells[column])
        except ValueError as error:
            self.refuse(f"{column}: {error}")

    def attribute(self) -> tuple[TagPath, str, str]:
        """Path, keyword and VR of the columns of these names, which must agree with PS3.6."""
        path = self.path("path") or self.refuse("path is empty")
        keyword, vr = self.cells["keyword"], self.cells["vr"]
        if keyword != keyword_of(path[-1]):
            self.refuse(f"keyword {keyword!r} does not belong to {name_of(path[-1])}")
        if not is_private(path[-1]) and vr not in vr_of(path[-1]).split(" or "):
            self.refuse(f"vr {vr!r} of {name_of(path[-1])} is {vr_of(path[-1])} in PS3.6")
        return path, keyword, vr


def read_table(file: Traversable, shown: str, columns: Sequence[str]) -> tuple[ProfileRow, ...]:
    """All lines of a CSV file that has exactly these columns; ``shown`` is how errors name the file."""
    reader = csv.reader(io.StringIO(_text(file, shown), newline=""), strict=True)
    rows: list[ProfileRow] = []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if header != list(columns):
            raise ConfigurationError(f"{shown} line 1: the columns must be {','.join(columns)}")
        for cells in reader:
            if len(cells) != len(columns):
                raise ConfigurationError(
                    f"{shown} line {reader.line_num}: {len(cells)} cells, but the table has {len(columns)} columns"
                )
            stripped = (cell.strip() for cell in cells)
            rows.append(ProfileRow(shown, reader.line_num, dict(zip(columns, stripped, strict=True))))
    except csv.Error as error:
        raise ConfigurationError(f"{shown} line {reader.line_num}: not readable as CSV: {error}") from error
    return tuple(rows)


def is_file(file: Traversable) -> bool:
    """Whether the file is there; a name that the file system cannot even hold is not."""
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def _text(file: Traversable, shown: str) -> str:
    try:
        text = file.read_bytes().decode("utf-8-sig")  # as a text file, the beginning of a byte order mark is no error
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{shown}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise ConfigurationError(f"{shown}: cannot be read: {error.strerror}") from error
