"""Puts the advice of errors, jobs and notices into the words of the place where it is read: a page, or the API.

The device gives advice for its command line, with names of commands and options. A page has buttons and places instead,
the API has resources. ``place_words.csv`` is the one list of replacements. A command that it does not list can only be
done at the machine, such as ``openmodality recover``, and is named as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from pydicom.uid import UID

ReadingPlace = Literal["page", "api"]
_NUMBER: Final = "{n}"
_HINTS: Final = ("openmodality ", "--", "exam acquire ")
"""What a text has at least one of where there is something to say otherwise."""
_ROOT: Final = "1.2.840.10008."
_REGISTERED: Final = re.compile(r"(?<![\d.])1\.2\.840\.10008(?:\.\d+)+")
_OF_JOBS: Final = ("reason", "detail", "comment", "waiting_for")


def name_classes(text: str) -> str:
    """A text with the names of SOP Classes and of others that PS3.6 registers in place of their UIDs."""
    return _REGISTERED.sub(lambda found: UID(found[0]).name, text) if _ROOT in text else text


def tell_place(text: str, place: ReadingPlace) -> str:
    """A text with what it advises in the words of a place."""
    if not any(hint in text for hint in _HINTS):
        return text
    for pattern, words in _read_words()[place]:
        text = pattern.sub(words, text)
    return text


def tell_on_page(text: str) -> str:
    """A text in the words of a page, which names what has a name."""
    return tell_place(name_classes(text), "page")


def tell_job(record: Any) -> Any:
    """A record of a job with its reasons in the words of the API, down to its history."""
    if isinstance(record, Mapping):
        return {
            name: tell_place(value, "api") if name in _OF_JOBS and isinstance(value, str) else tell_job(value)
            for name, value in record.items()
        }
    return list(map(tell_job, record)) if isinstance(record, list | tuple) else record


@cache
def _read_words() -> Mapping[ReadingPlace, tuple[tuple[re.Pattern[str], str], ...]]:
    """The replacements of each place in table order, where a longer text comes before its own beginning."""
    text = files("openmodality.console").joinpath("place_words.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {"page": tuple(_compile(row, "page") for row in rows), "api": tuple(_compile(row, "api") for row in rows)}


def _compile(row: Mapping[str, str], place: ReadingPlace) -> tuple[re.Pattern[str], str]:
    pattern = re.escape(row["said"]).replace(re.escape(_NUMBER), r"(\d+)")
    return re.compile(pattern), row[place].replace("\\", r"\\").replace(_NUMBER, r"\1")
