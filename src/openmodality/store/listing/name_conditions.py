"""Patient's Name as a condition of a query: by the names as they are compared, which have an index each.

A key of one component group matches any group of the name, one of several matches group by group (PS3.5 6.2.1). Case
and accents do not count (:func:`openmodality.standard.text_rules.fold_name`).
"""

from __future__ import annotations

import re
from typing import Final

from openmodality.standard.text_rules import fold_name_group
from openmodality.store.listing.key_conditions import match_pattern
from openmodality.store.listing.reader import Condition, combine

_COLUMNS: Final = ("patients.alphabetic_name", "patients.ideographic_name", "patients.phonetic_name")
_BEHIND_ALL: Final = "\U0010ffff"
"""Behind every other character, in SQLite and in the collation C of PostgreSQL."""


def match_patient_name(value: str, dialect: str) -> Condition:
    """Whether the patient has a name that matches a key."""
    groups = [fold_name_group(group) for group in value.split("=")]
    if len(groups) == 1:
        return combine([_match_group(column, groups[0], dialect) for column in _COLUMNS], "OR")
    asked = zip(_COLUMNS, groups, strict=False)
    return combine([_match_group(column, group, dialect) for column, group in asked if group])


def _match_group(column: str, pattern: str, dialect: str) -> Condition:
    if set(pattern) <= {"*"}:
        return combine([])
    ordered = column if dialect == "sqlite" else f'{column} COLLATE "C"'
    if not re.search(r"[*?]", pattern):
        return Condition(f"{ordered} = ?", (pattern,))
    beginning = pattern.removesuffix("*")
    if not re.search(r"[*?]", beginning):  # as a range, which an index answers
        return Condition(f"({ordered} >= ? AND {ordered} < ?)", (beginning, beginning + _BEHIND_ALL))
    return match_pattern(column, pattern, dialect)
