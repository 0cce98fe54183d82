"""Attribute matching (PS3.4 C.2.2.2) as conditions of a query."""

from __future__ import annotations

import re

from pydicom.datadict import dictionary_VR
from sqlalchemy import Column, ColumnElement, and_, func, or_, true

_TEMPORAL = frozenset({"DA", "TM", "DT"})
_WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_ESCAPE = "!"
_GROUP_PATTERNS = ("{}", "{}=*", "*={}", "*={}=*")


def matches(column: Column[str], value: str, dialect: str) -> ColumnElement[bool]:
    """Universal, list of UID, range, wild card or single value matching, as the key's VR and value ask for.

    Names of persons match without regard to case (PS3.4 C.2.2.2.1), all else with it.
    """
    vr = dictionary_VR(column.name)
    if value in ("", "*"):
        return true()
    if vr == "UI":
        return column.in_(value.split("\\"))
    if vr in _TEMPORAL and "-" in value:
        return _within(column, value)
    if vr == "PN":
        return _name(column, value, dialect)
    if vr in _WILD and re.search(r"[*?]", value):
        return _like(column, value, dialect)
    return column == value


def _name(column: Column[str], value: str, dialect: str) -> ColumnElement[bool]:
    """A name matches as a whole or by one of its groups: alphabetic, ideographic, phonetic (PS3.5 6.2.1)."""
    name = func.lower(column)
    wanted = value.rstrip("^= ").lower()
    if "=" in wanted:
        return _like(name, wanted, dialect)
    return or_(*(_like(name, pattern.format(wanted), dialect) for pattern in _GROUP_PATTERNS))


def _within(column: Column[str], value: str) -> ColumnElement[bool]:
    """Both ends belong to the range; a last end of less precision takes all of its hour, minute or second."""
    first, _, last = value.partition("-")
    conditions = [column != ""]
    if first.strip():
        conditions.append(column >= first.strip())
    if last.strip():
        conditions.append(func.substr(column, 1, len(last.strip())) <= last.strip())
    return and_(*conditions)


def _like(subject: ColumnElement[str], value: str, dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":  # its LIKE ignores case, its GLOB has the wild cards of DICOM
        return subject.op("GLOB", is_comparison=True)(value.replace("[", "[[]"))
    escaped = re.sub(r"([!%_])", r"!\1", value).replace("*", "%").replace("?", "_")
    return subject.like(escaped, escape=_ESCAPE)
