"""Reads patients, studies, series and instances of the local database, with their counts and states.

Several functions that take the same reader see one consistent state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.counts_below import NOTHING_BELOW, read_below, read_devices
from openmodality.store.listing.reader import Condition, Reader, combine, is_one_of
from openmodality.store.listing.search import (
    BY_NUMBERS,
    IDS_AT_ONCE,
    LEVEL_TABLES,
    Search,
    find_ids,
    join_levels,
    list_levels_down_to,
    make_condition,
    make_key_conditions,
)
from openmodality.value_class import dataclass


class DataSource(Protocol):
    """A database that can be looked at: the device's store, or the file of it."""

    def read(self) -> AbstractContextManager[Reader]:
        """One consistent state."""
        ...


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
    for start in range(0, len(ids), IDS_AT_ONCE):
        with source.read() as reader:
            part = read_entities(reader, search, ids[start : start + IDS_AT_ONCE])
        yield from part


def read_entities(reader: Reader, search: Search, ids: Sequence[int]) -> list[Found]:
    """The entities of these rows, in their order; those that are gone are left out."""
    found: list[Found] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        found += _read_part(reader, search, ids[start : start + IDS_AT_ONCE])
    return found


def _read_part(reader: Reader, search: Search, ids: Sequence[int]) -> list[Found]:
    level = search.level
    own = f"{LEVEL_TABLES[level][0]}.id"
    tables = [LEVEL_TABLES[upper] for upper in list_levels_down_to(level)]
    attributes = [f'{table}."{keyword}" AS "{keyword}"' for table, columns in tables for keyword in columns]
    among = is_one_of(own, ids, reader.dialect)
    sql = f"SELECT {own} AS own_id, {', '.join(attributes)} FROM {join_levels(level)} WHERE {among.sql}"
    rows = {row["own_id"]: row for row in reader.rows(sql, among.values)}
    counts, modalities = read_below(reader, search, ids)
    devices = read_devices(reader, level, ids) if search.all_devices else {}
    return [
        Found(
            level,
            number,
            {key: row[key] for _, columns in tables for key in columns},
            *counts.get(number, NOTHING_BELOW),
            modalities=modalities.get(number, ()) if level is not Level.IMAGE else (row["Modality"],),
            devices=devices.get(number, ()),
        )
        for number in ids
        if (row := rows.get(number)) is not None
    ]


def count(reader: Reader, level: Level, keys: Mapping[str, str] | None = None) -> int:
    """How many entities ``find`` would return without a limit."""
    condition = make_condition(reader, Search(level, keys or {}))
    [row] = reader.rows(f"SELECT count(*) AS n FROM {LEVEL_TABLES[level][0]} WHERE {condition.sql}", condition.values)
    return int(row["n"])


def instance_references(
    reader: Reader, level: Level, keys: Mapping[str, str], *, unlisted: bool = False
) -> list[InstanceReference]:
    """The instances of what matches ``keys``, in the order of series and instance numbers."""
    own = Condition("instances.device_id = ?", (reader.device_id,))
    conditions = [own, *make_key_conditions(reader, level, keys)]
    condition = combine(conditions if unlisted else [*conditions, Condition("instances.listed")])
    rows = reader.rows(
        'SELECT instances."SOPClassUID" AS "SOPClassUID", instances."SOPInstanceUID" AS "SOPInstanceUID",'
        ' instances."TransferSyntaxUID" AS "TransferSyntaxUID", series."SeriesInstanceUID" AS "SeriesInstanceUID",'
        ' studies."StudyInstanceUID" AS "StudyInstanceUID", instances.length_bytes AS length_bytes'
        f" FROM {join_levels(Level.IMAGE)} WHERE {condition.sql} ORDER BY {BY_NUMBERS}",
        condition.values,
    )
    return [InstanceReference(**row) for row in rows]
