"""Finds what a query of a peer may match in the index: the rows of one level, page by page (PS3.4 C.4.1).

First the numbers of all rows that may match are read, then their values, so many at a time: a peer that takes its
matches slowly holds no state of the database open, and none of them are kept. The conditions are wider than the
matching: a database compares texts, not dates or numbers. So the caller compares each row again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.key_conditions import match_pattern
from openmodality.store.listing.name_conditions import match_patient_name
from openmodality.store.listing.reader import Condition, Reader, combine, is_one_of
from openmodality.store.listing.search import LEVEL_TABLES, join_levels, list_levels_down_to

PAGE_ROWS: Final = 500
FIRST_PAGE_ROWS: Final = 50
"""The first matches go out while the others are looked up."""

_OWN: Final = "i.listed AND i.device_id = ?"
_LISTED: Final = {
    Level.PATIENT: "EXISTS (SELECT 1 FROM studies s JOIN series r ON r.study_id = s.id"
    f" JOIN instances i ON i.series_id = r.id WHERE s.patient_id = patients.id AND {_OWN})",
    Level.STUDY: "EXISTS (SELECT 1 FROM series r JOIN instances i ON i.series_id = r.id"
    f" WHERE r.study_id = studies.id AND {_OWN})",
    Level.SERIES: f"EXISTS (SELECT 1 FROM instances i WHERE i.series_id = series.id AND {_OWN})",
    Level.IMAGE: "(instances.listed AND instances.device_id = ?)",
}
"""Whether something of an entity is listed, and here: what another device of the database has cannot be sent."""
_COUNTS: Final = {
    "NumberOfPatientRelatedStudies": (Level.PATIENT, "count(DISTINCT studies.id)"),
    "NumberOfPatientRelatedSeries": (Level.PATIENT, "count(DISTINCT series.id)"),
    "NumberOfPatientRelatedInstances": (Level.PATIENT, "count(*)"),
    "NumberOfStudyRelatedSeries": (Level.STUDY, "count(DISTINCT series.id)"),
    "NumberOfStudyRelatedInstances": (Level.STUDY, "count(*)"),
    "NumberOfSeriesRelatedInstances": (Level.SERIES, "count(*)"),
}
_COLLECTED: Final = {
    "ModalitiesInStudy": (Level.STUDY, 'series."Modality"', "series"),
    "SOPClassesInStudy": (Level.STUDY, 'instances."SOPClassUID"', "instances"),
}
"""Attributes of a study that its series and instances have: each value once."""
_OF_SEVERAL_VALUES: Final = frozenset({"OtherPatientIDs", "OtherPatientNames", "ScanningSequence"})


def list_attributes(level: Level) -> dict[str, str]:
    """The keywords that can be asked for on a level, with their VRs: its own and those of the levels above."""
    levels = list_levels_down_to(level)
    stored = {keyword: vr for upper in levels for keyword, vr in LEVEL_TABLES[upper][1].items()}
    counted = {keyword: "IS" for keyword, (of, _) in _COUNTS.items() if of in levels}
    vrs = {"ModalitiesInStudy": "CS", "SOPClassesInStudy": "UI"}
    collected = {keyword: vrs[keyword] for keyword, (of, _, _) in _COLLECTED.items() if of in levels}
    return {**stored, **counted, **collected}


def read_ids(reader: Reader, level: Level, keys: Mapping[str, Sequence[str]]) -> list[int]:
    """The numbers of the rows that may match; ``keys`` are the values of each key that is not universal."""
    conditions = [_make_condition(keyword, values, reader.dialect) for keyword, values in keys.items()]
    condition = combine([*conditions, Condition(_LISTED[level], (reader.device_id,))])
    own = f"{LEVEL_TABLES[level][0]}.id"
    sql = f"SELECT {own} AS id FROM {join_levels(level)} WHERE {condition.sql} ORDER BY {own}"
    rows = reader.rows(sql, condition.values)
    return [row["id"] for row in rows]


def read_matches(reader: Reader, level: Level, ids: Sequence[int], wanted: Collection[str]) -> list[dict[str, Any]]:
    """The wanted attributes of some rows, in the order of their numbers; of those that are still there."""
    own = f"{LEVEL_TABLES[level][0]}.id"
    columns = [
        f'{table}."{keyword}" AS "{keyword}"'
        for table, attributes in (LEVEL_TABLES[upper] for upper in list_levels_down_to(level))
        for keyword in attributes
        if keyword in wanted
    ]
    owners = [f"{LEVEL_TABLES[of][0]}.id AS own_{of.lower()}" for of in list_levels_down_to(level)]
    among = is_one_of(own, ids, reader.dialect)
    wanted_columns = ", ".join([*owners, *columns])
    sql = f"SELECT {wanted_columns} FROM {join_levels(level)} WHERE {among.sql} ORDER BY {own}"
    rows = reader.rows(sql, among.values)
    found = [row if isinstance(row, dict) else dict(row) for row in rows]
    for of in {_COUNTS[keyword][0] for keyword in _COUNTS if keyword in wanted}:
        _add_counts(reader, of, found, wanted)
    for keyword, (of, column, table) in _COLLECTED.items():
        if keyword in wanted:
            _add_collected(reader, found, (keyword, of, column, table))
    return found


def read_first_instances(reader: Reader, level: Level, ids: Sequence[int]) -> dict[int, str]:
    """The SOP Instance UID of the first listed instance of each entity, by the entity's number."""
    own = f"{LEVEL_TABLES[level][0]}.id"
    among = is_one_of(own, ids, reader.dialect)
    rows = reader.rows(
        f'SELECT firsts.own, instances."SOPInstanceUID" AS uid FROM (SELECT {own} AS own, min(instances.id) AS first'
        f" FROM {join_levels(Level.IMAGE)} WHERE {among.sql} AND {_LISTED[Level.IMAGE]} GROUP BY {own}) AS firsts"
        " JOIN instances ON instances.id = firsts.first",
        (*among.values, reader.device_id),
    )
    return {row["own"]: row["uid"] for row in rows}


def split_pages(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The numbers, so many at a time; few at first."""
    if ids:
        yield ids[:FIRST_PAGE_ROWS]
    for start in range(FIRST_PAGE_ROWS, len(ids), PAGE_ROWS):
        yield ids[start : start + PAGE_ROWS]


def _make_condition(keyword: str, values: Sequence[str], dialect: str) -> Condition:
    if keyword == "PatientName":
        return combine([match_patient_name(value, dialect) for value in values], "OR")
    if keyword in _COLLECTED:
        _, column, table = _COLLECTED[keyword]
        among = "series" if table == "series" else "series JOIN instances ON instances.series_id = series.id"
        one = combine([_match_text(column, value, dialect) for value in values], "OR")
        return Condition(f"studies.id IN (SELECT series.study_id FROM {among} WHERE {one.sql})", one.values)
    for table, attributes in LEVEL_TABLES.values():
        if keyword in attributes:
            column, vr = f'{table}."{keyword}"', attributes[keyword]
            if keyword in _OF_SEVERAL_VALUES:
                break
            return combine([_match_stored(column, vr, value, dialect) for value in values], "OR")
    return combine([])  # compared by whoever answers


def _match_stored(column: str, vr: str, value: str, dialect: str) -> Condition:
    if vr == "UI":
        return Condition(f"{column} = ?", (value,))
    if vr == "DA":
        return _match_dates(column, value)
    return _match_text(column, value, dialect) if vr in ("AE", "CS", "LO", "SH") else combine([])


def _match_dates(column: str, value: str) -> Condition:
    """Dates of eight digits as text; what else stands there is compared by whoever answers."""
    first, _, last = value.partition("-") if "-" in value else (value, "", value)
    ends = [(">=", first), ("<=", last)]
    if any(end and not (len(end) == 8 and end.isdecimal()) for _, end in ends):
        return combine([])
    span = combine([Condition(f"{column} {sign} ?", (end,)) for sign, end in ends if end])
    return combine([span, Condition(f"length({column}) > 8")], "OR")


def _match_text(column: str, value: str, dialect: str) -> Condition:
    if "*" in value or "?" in value:
        return match_pattern(column, value, dialect)
    return Condition(f"{column} = ?", (value,))


def _add_counts(reader: Reader, of: Level, found: list[dict[str, Any]], wanted: Collection[str]) -> None:
    """Count what is listed below the entities of a level."""
    table, key = LEVEL_TABLES[of][0], f"own_{of.lower()}"
    counted = {keyword: sql for keyword, (level, sql) in _COUNTS.items() if level is of and keyword in wanted}
    among = is_one_of(f"{table}.id", sorted({row[key] for row in found}), reader.dialect)
    columns = ", ".join(f'{sql} AS "{keyword}"' for keyword, sql in counted.items())
    rows = reader.rows(
        f"SELECT {table}.id AS own, {columns} FROM {join_levels(Level.IMAGE)}"
        f" WHERE {among.sql} AND {_LISTED[Level.IMAGE]} GROUP BY {table}.id",
        (*among.values, reader.device_id),
    )
    by_owner = {row["own"]: row for row in rows}
    for entity in found:
        row = by_owner.get(entity[key], {})
        entity.update({keyword: row.get(keyword, 0) for keyword in counted})


def _add_collected(reader: Reader, found: list[dict[str, Any]], what: tuple[str, Level, str, str]) -> None:
    """The values that the series or instances of a study have, between backslashes."""
    keyword, of, column, table = what
    key = f"own_{of.lower()}"
    among = is_one_of("studies.id", sorted({row[key] for row in found}), reader.dialect)
    lowest = Level.SERIES if table == "series" else Level.IMAGE
    rows = reader.rows(
        f"SELECT DISTINCT studies.id AS own, {column} AS value FROM {join_levels(lowest)}"
        f" WHERE {among.sql} AND {_LISTED[lowest]} ORDER BY {column}",
        (*among.values, reader.device_id),
    )
    values: dict[int, list[str]] = {}
    for row in rows:
        values.setdefault(row["own"], []).append(row["value"])
    for entity in found:
        entity[keyword] = "\\".join(filter(None, values.get(entity[key], ())))
