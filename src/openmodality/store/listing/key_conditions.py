"""Attribute matching (PS3.4 C.2.2.2) as conditions of a query."""

from __future__ import annotations

import re
from typing import Final

from openmodality.standard.vr_groups import MOMENT_VRS, WILDCARD_VRS
from openmodality.store.listing.reader import Condition, combine, is_one_of

_ESCAPE: Final = "!"
_GROUP_PATTERNS: Final = ("{}", "{}=*", "*={}", "*={}=*")


def match_key(column: str, vr: str, value: str, dialect: str) -> Condition:
    """Universal, list of UID, range, wild card or single value matching, as the key's VR and value ask for.

    Names of persons match without regard to case (PS3.4 C.2.2.2.1), all else with it.
    """
    if value in ("", "*"):
        return combine([])
    if vr == "UI":
        return is_one_of(column, value.split("\\"))
    if vr in MOMENT_VRS and "-" in value:
        return _match_range(column, value)
    if vr == "PN":
        return _match_name(column, value, dialect)
    if vr in WILDCARD_VRS and re.search(r"[*?]", value):
        return match_pattern(column, value, dialect)
    return Condition(f"{column} = ?", (value,))


def _match_name(column: str, value: str, dialect: str) -> Condition:
    """A name matches as a whole or by one of its groups: alphabetic, ideographic, phonetic (PS3.5 6.2.1)."""
    name = f"lower({column})"
    wanted = value.rstrip("^= ").lower()
    if "=" in wanted:
        return match_pattern(name, wanted, dialect)
    return combine([match_pattern(name, pattern.format(wanted), dialect) for pattern in _GROUP_PATTERNS], "OR")


def _match_range(column: str, value: str) -> Condition:
    """Both ends belong to the range; a last end of less precision takes all of its hour, minute or second."""
    first, last = (end.strip() for end in value.split("-", 1))
    conditions = [Condition(f"{column} <> ''")]
    if first:
        conditions.append(Condition(f"{column} >= ?", (first,)))
    if last:
        conditions.append(Condition(f"substr({column}, 1, {len(last)}) <= ?", (last,)))
        conditions += _bound_above(column, last)
    return combine(conditions)


def _bound_above(column: str, last: str) -> list[Condition]:
    """The same as a comparison of the whole column, which an index answers: below the number that follows."""
    following = str(int(last) + 1) if last.isdecimal() and last.isascii() else ""
    return [Condition(f"{column} < ?", (following,))] if len(following) == len(last) and last[0] != "0" else []


def match_pattern(subject: str, value: str, dialect: str) -> Condition:
    """Whether a text matches a pattern with the wild cards of DICOM."""
    if dialect == "sqlite":  # its LIKE ignores case, its GLOB has the wild cards of DICOM
        return Condition(f"{subject} GLOB ?", (value.replace("[", "[[]"),))
    escaped = re.sub(r"([!%_])", r"!\1", value).replace("*", "%").replace("?", "_")
    return Condition(f"{subject} LIKE ? ESCAPE '{_ESCAPE}'", (escaped,))
