"""Searches entities of the local database: the tables of each level, and the keys as conditions of a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from openmodality.errors import UsageError
from openmodality.standard.query_retrieve import Level
from openmodality.store.index_columns import (
    INSTANCE_ATTRIBUTES,
    PATIENT_ATTRIBUTES,
    SERIES_ATTRIBUTES,
    STUDY_ATTRIBUTES,
)
from openmodality.store.listing.key_conditions import match_key
from openmodality.store.listing.name_conditions import match_patient_name
from openmodality.store.listing.reader import Condition, Reader, combine, is_one_of
from openmodality.value_class import dataclass

_LEVELS: Final = tuple(Level)
LEVEL_TABLES: Final = {
    Level.PATIENT: ("patients", PATIENT_ATTRIBUTES),
    Level.STUDY: ("studies", STUDY_ATTRIBUTES),
    Level.SERIES: ("series", SERIES_ATTRIBUTES),
    Level.IMAGE: ("instances", INSTANCE_ATTRIBUTES),
}
"""The table of each level, with the attributes that it has as columns and their VRs."""
_JOINED: Final = (
    "patients",
    " JOIN studies ON studies.patient_id = patients.id",
    " JOIN series ON series.study_id = studies.id",
    " JOIN instances ON instances.series_id = series.id",
)
_PARENTS: Final = {
    Level.STUDY: "studies.patient_id",
    Level.SERIES: "series.study_id",
    Level.IMAGE: "instances.series_id",
}
OWN_ENTITIES: Final = {
    Level.PATIENT: "studies.patient_id",
    Level.STUDY: "series.study_id",
    Level.SERIES: "instances.series_id",
}
"""Which entity of a level a listed instance is below."""
_IN_SERIES: Final = "instances JOIN series ON series.id = instances.series_id"
INSTANCES_BELOW: Final = {
    Level.PATIENT: f"{_IN_SERIES} JOIN studies ON studies.id = series.study_id",
    Level.STUDY: _IN_SERIES,
    Level.SERIES: "instances",
}
"""The instances with what is between them and a level."""
_WITH_STUDY: Final = {
    Level.PATIENT: "patients",
    Level.STUDY: "studies",
    Level.SERIES: "studies JOIN series ON series.study_id = studies.id",
    Level.IMAGE: "studies JOIN series ON series.study_id = studies.id"
    " JOIN instances ON instances.series_id = series.id",
}
_NEWEST: Final = 'studies."StudyDate" DESC, studies."StudyTime" DESC, studies.id DESC, '
_NO_STUDY: Final = "NOT EXISTS (SELECT 1 FROM studies WHERE studies.patient_id = patients.id)"
_NO_LIMIT: Final = 2**63 - 1
IDS_AT_ONCE: Final = 500
_FEWEST_AT_ONCE: Final = 50
BY_NUMBERS: Final = (
    'studies.id, length(series."SeriesNumber"), series."SeriesNumber", series.id,'
    ' length(instances."InstanceNumber"), instances."InstanceNumber", instances.id'
)
"""The order of instances: by the numbers of their series and by their own."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: entities of a level that match all ``keys`` (keyword to value, PS3.4 C.2.2.2).

    ``all_devices``: also what the other devices of the database have. ``states`` False: neither ``sent`` nor
    ``committed`` are counted, which takes most of the time.
    """

    level: Level
    keys: Mapping[str, str] = field(default_factory=dict)
    all_devices: bool = False
    states: bool = True


def list_levels_down_to(level: Level) -> Sequence[Level]:
    """A level, after those above it."""
    return _LEVELS[: _LEVELS.index(level) + 1]


def join_levels(level: Level) -> str:
    """The tables of a level and of those above it, joined."""
    return "".join(_JOINED[: _LEVELS.index(level) + 1])


def find_ids(reader: Reader, search: Search, *, limit: int | None = None, offset: int = 0) -> list[int]:
    """The rows of entities that match, newest study first."""
    if search.level is Level.STUDY and search.keys and limit is not None:
        return _find_newest_studies(reader, search, offset + limit)[offset:]
    level, condition = search.level, make_condition(reader, search)
    table, joined, order = LEVEL_TABLES[level][0], _WITH_STUDY[level], "" if level is Level.PATIENT else _NEWEST
    if search.keys:
        order += "+"  # what matches is few, and is not looked for in the order of the rows
    elif reader.dialect == "sqlite":
        joined = joined.replace(" JOIN ", " CROSS JOIN ")  # in this order, which is that of the newest studies
    rows = reader.rows(
        f"SELECT {table}.id AS own_id FROM {joined} WHERE {condition.sql} ORDER BY {order}{table}.id LIMIT ? OFFSET ?",
        (*condition.values, _NO_LIMIT if limit is None else limit, offset),
    )
    return [row["own_id"] for row in rows]


def _find_newest_studies(reader: Reader, search: Search, enough: int) -> list[int]:
    """The newest studies that match, ``enough`` at most: only as many are asked whether something of them is listed."""
    keys = combine(_make_nested_conditions(reader, search.level, search.keys))
    newest = f"SELECT studies.id AS id FROM studies WHERE {keys.sql} ORDER BY {_NEWEST}+studies.id LIMIT ? OFFSET ?"
    size, start, found = min(max(enough, _FEWEST_AT_ONCE), IDS_AT_ONCE), 0, list[int]()
    while len(found) < enough:
        part = [row["id"] for row in reader.rows(newest, (*keys.values, size, start))]
        listed = combine([is_one_of("studies.id", part, reader.dialect), _has_listed(reader, search)])
        known = reader.rows(f"SELECT studies.id AS id FROM studies WHERE {listed.sql}", listed.values)
        are_listed = {row["id"] for row in known}
        found += [number for number in part if number in are_listed]
        if len(part) < size:
            break
        start += size
    return found[:enough]


def make_condition(reader: Reader, search: Search) -> Condition:
    """The condition for the keys, and that something is listed below; a patient may be registered only."""
    level = search.level
    conditions = _make_nested_conditions(reader, level, search.keys)
    if level is Level.IMAGE:
        return combine([*conditions, *list_listed_conditions(reader, search)])
    below = [_has_listed(reader, search)]
    if level is Level.PATIENT:
        below.append(Condition(_NO_STUDY))
    return combine([*conditions, combine(below, "OR")])


def _make_nested_conditions(reader: Reader, level: Level, keys: Mapping[str, str]) -> list[Condition]:
    """The keys of a level, and those of the levels above as conditions on the parent.

    So the database looks for the few patients that match first, and never walks over all studies for them.
    """
    above = _LEVELS[: _LEVELS.index(level)]
    keys_above = {key: value for key, value in keys.items() if any(key in LEVEL_TABLES[upper][1] for upper in above)}
    own = {key: value for key, value in keys.items() if key not in keys_above}
    conditions = [*make_key_conditions(reader, level, own)]
    if keys_above:
        parent = above[-1]
        nested = combine(_make_nested_conditions(reader, parent, keys_above))
        table = LEVEL_TABLES[parent][0]
        conditions.append(
            Condition(f"{_PARENTS[level]} IN (SELECT {table}.id FROM {table} WHERE {nested.sql})", nested.values)
        )
    return conditions


def make_key_conditions(reader: Reader, level: Level, keys: Mapping[str, str]) -> list[Condition]:
    """The keys of a level and of those above it, each as a condition.

    Raises :class:`UsageError` for a key that none of these levels has.
    """
    columns = {
        keyword: (f'{table}."{keyword}"', vr)
        for table, attributes in (LEVEL_TABLES[upper] for upper in list_levels_down_to(level))
        for keyword, vr in attributes.items()
    }
    unknown = sorted(set(keys) - set(columns))
    if unknown:
        raise UsageError(f"{', '.join(unknown)} cannot be searched for at {level} level")
    return [
        match_patient_name(value, reader.dialect)
        if keyword == "PatientName"
        else match_key(*columns[keyword], value, reader.dialect)
        for keyword, value in keys.items()
    ]


def list_listed_conditions(reader: Reader, search: Search) -> list[Condition]:
    """Whether an instance is shown: to this device, or to whoever asks for those of all."""
    own = [] if search.all_devices else [Condition("instances.device_id = ?", (reader.device_id,))]
    return [*own, Condition("instances.listed")]


def _has_listed(reader: Reader, search: Search) -> Condition:
    """Whether something of an entity is shown."""
    level, listed = search.level, combine(list_listed_conditions(reader, search))
    own = f"{OWN_ENTITIES[level]} = {LEVEL_TABLES[level][0]}.id"
    return Condition(f"EXISTS (SELECT 1 FROM {INSTANCES_BELOW[level]} WHERE {own} AND {listed.sql})", listed.values)
