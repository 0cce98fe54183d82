"""Attribute matching (PS3.4 C.2.2.2) as conditions of a query."""

from __future__ import annotations

import re

from pydicom.datadict import dictionary_VR
from sqlalchemy import Column, ColumnElement, and_, func, literal, true

_TEMPORAL = frozenset({"DA", "TM", "DT"})
_WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_ESCAPE = "!"


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
    folded = vr == "PN"
    subject: ColumnElement[str] = func.lower(column) if folded else column
    if vr in _WILD and re.search(r"[*?]", value):
        return _like(subject, value, dialect, folded=folded)
    wanted = literal(value)
    return subject == (func.lower(wanted) if folded else wanted)


def _within(column: Column[str], value: str) -> ColumnElement[bool]:
    """Both ends belong to the range; a last end of less precision takes all of its hour, minute or second."""
    first, _, last = value.partition("-")
    conditions = [column != ""]
    if first.strip():
        conditions.append(column >= first.strip())
    if last.strip():
        conditions.append(func.substr(column, 1, len(last.strip())) <= last.strip())
    return and_(*conditions)


def _like(subject: ColumnElement[str], value: str, dialect: str, *, folded: bool) -> ColumnElement[bool]:
    if dialect == "sqlite":  # its LIKE ignores case, its GLOB has the wild cards of DICOM
        pattern = literal(value.replace("[", "[[]"))
        return subject.op("GLOB", is_comparison=True)(func.lower(pattern) if folded else pattern)
    escaped = re.sub(r"([!%_])", r"!\1", value).replace("*", "%").replace("?", "_")
    return subject.like(func.lower(literal(escaped)) if folded else escaped, escape=_ESCAPE)
