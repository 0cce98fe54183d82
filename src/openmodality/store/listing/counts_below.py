"""Counts what is below entities of the local database, listed instances alone, and names its modalities and devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.reader import Reader, StoredRow, combine, is_one_of
from openmodality.store.listing.search import INSTANCES_BELOW, OWN_ENTITIES, Search, list_listed_conditions
from openmodality.store.states import InstanceCommitment, InstanceResult, JobKind

CountsBelow = dict[int, tuple[int, int, int, int, int]]
"""Of each entity: listed studies, series, instances, and instances that were sent and committed."""
NOTHING_BELOW: Final = (0, 0, 0, 0, 0)
_SERIES_BELOW: Final = {
    Level.PATIENT: "series JOIN studies ON studies.id = series.study_id",
    Level.STUDY: "series",
    Level.SERIES: "series",
}
"""The series with what is between them and a level."""
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
_SERIES_AT_ONCE: Final = 5000


def read_below(reader: Reader, search: Search, ids: Sequence[int]) -> tuple[CountsBelow, dict[int, tuple[str, ...]]]:
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
        listed = combine([some, *list_listed_conditions(reader, search)])
        columns = "instances.series_id AS id, count(*) AS n"
        sql = f"SELECT {columns} FROM instances WHERE {listed.sql} GROUP BY instances.series_id"
        found |= {row["id"]: row["n"] for row in reader.rows(sql, listed.values)}
    return found


def _count_below(reader: Reader, search: Search, ids: Sequence[int]) -> CountsBelow:
    level = search.level
    own = OWN_ENTITIES.get(level, "instances.id")
    among = combine([is_one_of(own, ids, reader.dialect), *list_listed_conditions(reader, search)])
    levels = ("series.study_id" if level is Level.PATIENT else own, "instances.series_id")
    counted = [
        *(f"count(DISTINCT {each})" for each in levels),
        'count(DISTINCT instances."SOPInstanceUID")' if search.all_devices else "count(*)",
        *(f"sum(CASE WHEN {state} THEN 1 ELSE 0 END)" if search.states else "0" for state in (_SENT, _COMMITTED)),
    ]
    columns = ", ".join(f"{what} AS n{number}" for number, what in enumerate(counted))
    below = INSTANCES_BELOW.get(level, "instances")
    rows = reader.rows(f"SELECT {own} AS own_id, {columns} FROM {below} WHERE {among.sql} GROUP BY {own}", among.values)
    return {row["own_id"]: (row["n0"], row["n1"], row["n2"], row["n3"], row["n4"]) for row in rows}


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


def read_devices(reader: Reader, level: Level, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The names of the devices that have instances of each entity."""
    own = OWN_ENTITIES.get(level, "instances.id")
    among = is_one_of(own, ids, reader.dialect)
    rows = reader.rows(
        f"SELECT DISTINCT {own} AS own_id, devices.name AS name FROM {INSTANCES_BELOW.get(level, 'instances')}"
        f" JOIN devices ON devices.id = instances.device_id WHERE {among.sql} AND instances.listed ORDER BY name",
        among.values,
    )
    return _group(rows, "name")


def _find_own(level: Level) -> str:
    """Which entity of a level a series is below, or is itself."""
    return "series.id" if level is Level.SERIES else OWN_ENTITIES[level]


def _group(rows: Sequence[StoredRow], name: str) -> dict[int, tuple[str, ...]]:
    found: dict[int, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row["own_id"], {})[row[name]] = None
    return {number: tuple(values) for number, values in found.items()}
