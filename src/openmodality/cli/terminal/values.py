"""What the value of an option or a word may be: functions for ``type=`` of argparse.

They raise ``ArgumentTypeError`` with what is wrong with the text.
"""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from openmodality.errors import UsageError
from openmodality.standard.media import clean_volume_label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BEYOND_COUNTING = 2**53


class Number:
    """A number between limits, which both are allowed."""

    def __init__(
        self, convert: Callable[[str], float], name: str, minimum: float | None, maximum: float | None
    ) -> None:
        self._convert = convert
        self._name = name
        self._minimum = minimum
        self._maximum = maximum

    def __call__(self, text: str) -> float:
        """The number of a text."""
        try:
            number = self._convert(text)
        except ValueError:
            number = float("nan")
        if number != number:
            raise ArgumentTypeError(f"{text!r} is not {self._name}")
        is_small = self._minimum is not None and number < self._minimum
        if is_small or (self._maximum is not None and number > self._maximum):
            raise ArgumentTypeError(f"{text!r} is out of range ({self.limits})")
        return number

    @property
    def limits(self) -> str:
        """The limits in words; empty where there are none. What only the database limits is no limit to a person."""
        if self._maximum is not None and self._maximum < _BEYOND_COUNTING:
            return f"{self._minimum:g} to {self._maximum:g}"
        return "" if self._minimum is None else f"{self._minimum:g} or more"


def parse_integer(minimum: int | None = None, maximum: int | None = None) -> Number:
    """A whole number."""
    return Number(int, "a whole number", minimum, maximum)


def parse_number(minimum: float, maximum: float | None = None) -> Number:
    """A number; not nan."""
    return Number(float, "a number", minimum, maximum)


def not_empty(text: str) -> str:
    """Refuse an empty text. An unset shell variable leaves one, and a study would be meant in place of a series."""
    if not text.strip():
        raise ArgumentTypeError("it is empty")
    return text


def volume_label(text: str) -> str:
    """A File-set ID: at most 16 capital letters, digits and underscores (PS3.10 8.1)."""
    try:
        return clean_volume_label(text)
    except UsageError as error:
        raise ArgumentTypeError(f"{error.message}: {error.advice}") from error


def existing_path(text: str) -> Path:
    """A file or folder that can be read."""
    return _path(text, "file or folder", must_exist=True)


def existing_file(text: str) -> Path:
    """A file that can be read."""
    return _path(text, "file", must_exist=True)


def existing_folder(text: str) -> Path:
    """A folder that can be read."""
    return _path(text, "folder", must_exist=True)


def any_folder(text: str) -> Path:
    """A folder, or where one is to be made."""
    return _path(text, "folder", must_exist=False)


def any_path(text: str) -> Path:
    """A path, whatever is there."""
    from pathlib import Path  # noqa: PLC0415 - start-up time: most commands name no file

    return Path(text)


def _path(text: str, kind: str, *, must_exist: bool) -> Path:
    path = any_path(not_empty(text))  # an empty path would be the current folder
    try:
        path.stat()
    except (OSError, ValueError):
        if must_exist:
            raise ArgumentTypeError(f"{kind} {text!r} does not exist") from None
        return path
    if kind == "file" and path.is_dir():
        raise ArgumentTypeError(f"{text!r} is a folder, not a file")
    if kind == "folder" and not path.is_dir():
        raise ArgumentTypeError(f"{text!r} is a file, not a folder")
    if not os.access(path, os.R_OK):
        raise ArgumentTypeError(f"{text!r} may not be read")
    return path
