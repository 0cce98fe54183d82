"""Reads patients, studies, series and instances of the local database, with their counts and states.

Several functions that take the same reader see one consistent state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from typing import Final, Protocol

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
from openmodality.store.listing.reader import Condition, Reader, StoredRow, combine, is_one_of
from openmodality.store.states import InstanceCommitment, InstanceResult, JobKind
from openmodality.value_class import dataclass


class DataSource(Protocol):
    """A database that can be looked at: the device's store, or the file of it."""

    def read(self) -> AbstractContextManager[Reader]:
        """One consistent state."""
        ...


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
_OWN: Final = {Level.PATIENT: "studies.patient_id", Level.STUDY: "series.study_id", Level.SERIES: "instances.series_id"}
"""Which entity of a level a listed instance is below."""
_IN_SERIES: Final = "instances JOIN series ON series.id = instances.series_id"
_BELOW: Final = {
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
# the plus keeps SQLite from going through all send jobs for each instance
_SENT: Final = f"""EXISTS (
    SELECT 1 FROM job_instances
    WHERE job_instances."SOPInstanceUID" = instances."SOPInstanceUID"
    AND job_instances.result IN ('{InstanceResult.SUCCESS}', '{InstanceResult.WARNING}')
    AND +job_instances.job_id IN (SELECT jobs.id FROM jobs WHERE jobs.kind = '{JobKind.SEND}'))"""
_COMMITTED: Final = f"""EXISTS (
    SELECT 1 FROM commitment_instances
    WHERE commitment_instances."SOPInstanceUID" = instances."SOPInstanceUID"
    AND commitment_instances.result = '{InstanceCommitment.COMMITTED}')"""
_NO_STUDY: Final = "NOT EXISTS (SELECT 1 FROM studies WHERE studies.patient_id = patients.id)"
_IDS_AT_ONCE: Final = 500
_FEWEST_AT_ONCE: Final = 50
_SERIES_AT_ONCE: Final = 5000
_NO_LIMIT: Final = 2**63 - 1


BY_NUMBERS: Final = (
    'studies.id, length(series."SeriesNumber"), series."SeriesNumber", series.id,'
    ' length(instances."InstanceNumber"), instances."InstanceNumber", instances.id'
)
"""The order of instances: by the numbers of their series and by their own."""


def list_levels_down_to(level: Level) -> Sequence[Level]:
    """A level, after those above it."""
    return _LEVELS[: _LEVELS.index(level) + 1]


def join_levels(level: Level) -> str:
    """The tables of a level and of those above it, joined."""
    return "".join(_JOINED[: _LEVELS.index(level) + 1])


@dataclass(frozen=True, slots=True)
class Found:
    """One entity: ``attributes`` by keyword, its own and those of the levels above; counts of what is below it.

    ``sent`` and ``committed`` count the instances that a peer has stored and that a peer has committed to keep.
    ``devices`` names who has instances of it, where all devices of a database were asked for.
    """

    level: Level
    id: int
    attributes: Mapping[str, str]
    studies: int
    series: int
    instances: int
    sent: int
    committed: int
    modalities: tuple[str, ...]
    devices: tuple[str, ...] = ()

    def __getitem__(self, keyword: str) -> str:
        return self.attributes[keyword]


@dataclass(frozen=True, slots=True)
class InstanceReference:
    """What it takes to send an instance, refer to it or delete it."""

    SOPClassUID: str
    SOPInstanceUID: str
    TransferSyntaxUID: str
    SeriesInstanceUID: str
    StudyInstanceUID: str
    length_bytes: int


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


def find(
    reader: Reader,
    level: Level,
    keys: Mapping[str, str] | None = None,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[Found]:
    """Entities of this device that match, newest study first."""
    search = Search(level, keys or {})
    return read_entities(reader, search, find_ids(reader, search, limit=limit, offset=offset))


def stream(source: DataSource, search: Search) -> Iterator[Found]:
    """Entities that match, newest study first, however many there are.

    They are read in parts, each from the state of its time, so that a peer that takes them slowly holds up nobody.
    What is deleted meanwhile is passed over.
    """
    with source.read() as reader:
        ids = find_ids(reader, search)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        with source.read() as reader:
            part = read_entities(reader, search, ids[start : start + _IDS_AT_ONCE])
        yield from part


def find_ids(reader: Reader, search: Search, *, limit: int | None = None, offset: int = 0) -> list[int]:
    """The rows of entities that match, newest study first."""
    if search.level is Level.STUDY and search.keys and limit is not None:
        return _find_newest_studies(reader, search, offset + limit)[offset:]
    level, condition = search.level, _make_condition(reader, search)
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
    size, start, found = min(max(enough, _FEWEST_AT_ONCE), _IDS_AT_ONCE), 0, list[int]()
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


def read_entities(reader: Reader, search: Search, ids: Sequence[int]) -> list[Found]:
    """The entities of these rows, in their order; those that are gone are left out."""
    found: list[Found] = []
    for start in range(0, len(ids), _IDS_AT_ONCE):
        found += _read_part(reader, search, ids[start : start + _IDS_AT_ONCE])
    return found


def count(reader: Reader, level: Level, keys: Mapping[str, str] | None = None) -> int:
    """How many entities ``find`` would return without a limit."""
    condition = _make_condition(reader, Search(level, keys or {}))
    [row] = reader.rows(f"SELECT count(*) AS n FROM {LEVEL_TABLES[level][0]} WHERE {condition.sql}", condition.values)
    return int(row["n"])


def instance_references(
    reader: Reader, level: Level, keys: Mapping[str, str], *, unlisted: bool = False
) -> list[InstanceReference]:
    """The instances of what matches ``keys``, in the order of series and instance numbers."""
    own = Condition("instances.device_id = ?", (reader.device_id,))
    conditions = [own, *_make_key_conditions(reader, level, keys)]
    condition = combine(conditions if unlisted else [*conditions, Condition("instances.listed")])
    rows = reader.rows(
        'SELECT instances."SOPClassUID" AS "SOPClassUID", instances."SOPInstanceUID" AS "SOPInstanceUID",'
        ' instances."TransferSyntaxUID" AS "TransferSyntaxUID", series."SeriesInstanceUID" AS "SeriesInstanceUID",'
        ' studies."StudyInstanceUID" AS "StudyInstanceUID", instances.length_bytes AS length_bytes'
        f" FROM {join_levels(Level.IMAGE)} WHERE {condition.sql} ORDER BY {BY_NUMBERS}",
        condition.values,
    )
    return [InstanceReference(**row) for row in rows]


def _read_part(reader: Reader, search: Search, ids: Sequence[int]) -> list[Found]:
    level = search.level
    own = f"{LEVEL_TABLES[level][0]}.id"
    tables = [LEVEL_TABLES[upper] for upper in list_levels_down_to(level)]
    attributes = [f'{table}."{keyword}" AS "{keyword}"' for table, columns in tables for keyword in columns]
    among = is_one_of(own, ids, reader.dialect)
    sql = f"SELECT {own} AS own_id, {', '.join(attributes)} FROM {join_levels(level)} WHERE {among.sql}"
    rows = {row["own_id"]: row for row in reader.rows(sql, among.values)}
    counts, modalities = _read_below(reader, search, ids)
    devices = _read_devices(reader, level, ids) if search.all_devices else {}
    return [
        Found(
            level,
            number,
            {key: row[key] for _, columns in tables for key in columns},
            *counts.get(number, _NOTHING_BELOW),
            modalities=modalities.get(number, ()) if level is not Level.IMAGE else (row["Modality"],),
            devices=devices.get(number, ()),
        )
        for number in ids
        if (row := rows.get(number)) is not None
    ]


CountsBelow = dict[int, tuple[int, int, int, int, int]]
"""Of each entity: listed studies, series, instances, and instances that were sent and committed."""
_NOTHING_BELOW: Final = (0, 0, 0, 0, 0)
_SERIES_BELOW: Final = {
    Level.PATIENT: "series JOIN studies ON studies.id = series.study_id",
    Level.STUDY: "series",
    Level.SERIES: "series",
}
"""The series with what is between them and a level."""


def _read_below(reader: Reader, search: Search, ids: Sequence[int]) -> tuple[CountsBelow, dict[int, tuple[str, ...]]]:
    """The counts of what is below each entity, and the modalities of all its series."""
    if search.level is Level.IMAGE:
        return _count_below(reader, search, ids), {}
    if search.all_devices or search.states:
        return _count_below(reader, search, ids), _read_modalities(reader, search.level, ids)
    return _count_by_series(reader, search, ids)


def _count_by_series(
    reader: Reader, search: Search, ids: Sequence[int]
) -> tuple[CountsBelow, dict[int, tuple[str, ...]]]:
    """The same where no states are asked for: a database counts a series from its index alone, and sorts nothing."""
    own, among = _find_own(search.level), is_one_of(_find_own(search.level), ids, reader.dialect)
    rows = reader.rows(
        f'SELECT series.id AS id, {own} AS own_id, series.study_id AS study, series."Modality" AS "Modality"'
        f' FROM {_SERIES_BELOW[search.level]} WHERE {among.sql} ORDER BY series."Modality"',
        among.values,
    )
    numbers = _count_listed(reader, search, [row["id"] for row in rows])
    series: dict[int, list[StoredRow]] = {}
    for row in rows:
        if row["id"] in numbers:
            series.setdefault(row["own_id"], []).append(row)
    counts = {
        number: (
            len({row["study"] for row in below}) if search.level is Level.PATIENT else 1,
            len(below),
            sum(numbers[row["id"]] for row in below),
            0,
            0,
        )
        for number, below in series.items()
    }
    return counts, _group(rows, "Modality")


def _count_listed(reader: Reader, search: Search, series: Sequence[int]) -> dict[int, int]:
    """The listed instances of each series that has some."""
    found: dict[int, int] = {}
    for start in range(0, len(series), _SERIES_AT_ONCE):
        some = is_one_of("instances.series_id", series[start : start + _SERIES_AT_ONCE], reader.dialect)
        listed = combine([some, *_is_listed(reader, search)])
        columns = "instances.series_id AS id, count(*) AS n"
        sql = f"SELECT {columns} FROM instances WHERE {listed.sql} GROUP BY instances.series_id"
        found |= {row["id"]: row["n"] for row in reader.rows(sql, listed.values)}
    return found


def _find_own(level: Level) -> str:
    """Which entity of a level a series is below, or is itself."""
    return "series.id" if level is Level.SERIES else _OWN[level]


def _count_below(reader: Reader, search: Search, ids: Sequence[int]) -> CountsBelow:
    level = search.level
    own = _OWN.get(level, "instances.id")
    among = combine([is_one_of(own, ids, reader.dialect), *_is_listed(reader, search)])
    levels = ("series.study_id" if level is Level.PATIENT else own, "instances.series_id")
    counted = [
        *(f"count(DISTINCT {each})" for each in levels),
        'count(DISTINCT instances."SOPInstanceUID")' if search.all_devices else "count(*)",
        *(f"sum(CASE WHEN {state} THEN 1 ELSE 0 END)" if search.states else "0" for state in (_SENT, _COMMITTED)),
    ]
    columns = ", ".join(f"{what} AS n{number}" for number, what in enumerate(counted))
    below = _BELOW.get(level, "instances")
    rows = reader.rows(f"SELECT {own} AS own_id, {columns} FROM {below} WHERE {among.sql} GROUP BY {own}", among.values)
    return {row["own_id"]: (row["n0"], row["n1"], row["n2"], row["n3"], row["n4"]) for row in rows}


def _is_listed(reader: Reader, search: Search) -> list[Condition]:
    """Whether an instance is shown: to this device, or to whoever asks for those of all."""
    own = [] if search.all_devices else [Condition("instances.device_id = ?", (reader.device_id,))]
    return [*own, Condition("instances.listed")]


def _has_listed(reader: Reader, search: Search) -> Condition:
    """Whether something of an entity is shown."""
    level, listed = search.level, combine(_is_listed(reader, search))
    own = f"{_OWN[level]} = {LEVEL_TABLES[level][0]}.id"
    return Condition(f"EXISTS (SELECT 1 FROM {_BELOW[level]} WHERE {own} AND {listed.sql})", listed.values)


def _make_condition(reader: Reader, search: Search) -> Condition:
    """The condition for the keys, and that something is listed below; a patient may be registered only."""
    level = search.level
    conditions = _make_nested_conditions(reader, level, search.keys)
    if level is Level.IMAGE:
        return combine([*conditions, *_is_listed(reader, search)])
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
    conditions = [*_make_key_conditions(reader, level, own)]
    if keys_above:
        parent = above[-1]
        nested = combine(_make_nested_conditions(reader, parent, keys_above))
        table = LEVEL_TABLES[parent][0]
        conditions.append(
            Condition(f"{_PARENTS[level]} IN (SELECT {table}.id FROM {table} WHERE {nested.sql})", nested.values)
        )
    return conditions


def _make_key_conditions(reader: Reader, level: Level, keys: Mapping[str, str]) -> list[Condition]:
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


def _read_modalities(reader: Reader, level: Level, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Modalities of all series of each patient or study, or of the one series."""
    own = _find_own(level)
    among = is_one_of(own, ids, reader.dialect)
    rows = reader.rows(
        f'SELECT DISTINCT {own} AS own_id, series."Modality" AS "Modality" FROM {_SERIES_BELOW[level]}'
        f' WHERE {among.sql} ORDER BY series."Modality"',
        among.values,
    )
    return _group(rows, "Modality")


def _read_devices(reader: Reader, level: Level, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The names of the devices that have instances of each entity."""
    own = _OWN.get(level, "instances.id")
    among = is_one_of(own, ids, reader.dialect)
    rows = reader.rows(
        f"SELECT DISTINCT {own} AS own_id, devices.name AS name FROM {_BELOW.get(level, 'instances')}"
        f" JOIN devices ON devices.id = instances.device_id WHERE {among.sql} AND instances.listed ORDER BY name",
        among.values,
    )
    return _group(rows, "name")


def _group(rows: Sequence[StoredRow], name: str) -> dict[int, tuple[str, ...]]:
    found: dict[int, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row["own_id"], {})[row[name]] = None
    return {number: tuple(values) for number, values in found.items()}
