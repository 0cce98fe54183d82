"""What is in the local database: patients, studies, series and instances with their counts and states.

Several functions that take the same reader see one consistent state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from openmodality.errors import UsageError
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


class Level(StrEnum):
    """Query/Retrieve levels (0008,0052)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


_LEVELS: Final = tuple(Level)
_TABLES: Final = {
    Level.PATIENT: ("patients", PATIENT_ATTRIBUTES),
    Level.STUDY: ("studies", STUDY_ATTRIBUTES),
    Level.SERIES: ("series", SERIES_ATTRIBUTES),
    Level.IMAGE: ("instances", INSTANCE_ATTRIBUTES),
}
_JOINED: Final = (
    "patients",
    " JOIN studies ON studies.patient_id = patients.id",
    " JOIN series ON series.study_id = studies.id",
    " JOIN instances ON instances.series_id = series.id",
)
_BELOW: Final = {
    Level.PATIENT: "JOIN studies own_studies ON own_studies.id = own_series.study_id"
    " WHERE own_studies.patient_id = patients.id",
    Level.STUDY: "WHERE own_series.study_id = studies.id",
    Level.SERIES: "WHERE own.series_id = series.id",
    Level.IMAGE: "WHERE own.id = instances.id",
}
_SENT: Final = f"""EXISTS (
    SELECT 1 FROM job_instances
    WHERE job_instances."SOPInstanceUID" = own."SOPInstanceUID"
    AND job_instances.result IN ('{InstanceResult.SUCCESS}', '{InstanceResult.WARNING}')
    AND job_instances.job_id IN (SELECT jobs.id FROM jobs WHERE jobs.kind = '{JobKind.SEND}'))"""
_COMMITTED: Final = f"""EXISTS (
    SELECT 1 FROM commitment_instances
    WHERE commitment_instances."SOPInstanceUID" = own."SOPInstanceUID"
    AND commitment_instances.result = '{InstanceCommitment.COMMITTED}')"""
_NO_STUDY: Final = "NOT EXISTS (SELECT 1 FROM studies WHERE studies.patient_id = patients.id)"
_IDS_AT_ONCE: Final = 1000
_NO_LIMIT: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """One entity: ``attributes`` by keyword, its own and those of the levels above; counts of what is below it.

    ``sent`` and ``committed`` count the instances that a peer has stored and that a peer has committed to keep.
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
    """Entities of a level that match all ``keys`` (keyword to value, PS3.4 C.2.2.2), newest study first."""
    condition = _make_condition(reader, level, keys or {})
    newest = 'studies."StudyDate" DESC, studies."StudyTime" DESC, ' if level is not Level.PATIENT else ""
    rows = reader.rows(
        f"SELECT {_list_columns(level, reader.device_id)} FROM {_join(level)} WHERE {condition.sql}"
        f" ORDER BY {newest}{_TABLES[level][0]}.id LIMIT ? OFFSET ?",
        (*condition.values, _NO_LIMIT if limit is None else limit, offset),
    )
    if level is Level.IMAGE:
        return [_make_found(level, row, (row["Modality"],)) for row in rows]
    modalities = _modalities(reader, level, [row["own_id"] for row in rows])
    return [_make_found(level, row, modalities.get(row["own_id"], ())) for row in rows]


def count(reader: Reader, level: Level, keys: Mapping[str, str] | None = None) -> int:
    """How many entities ``find`` would return without a limit."""
    condition = _make_condition(reader, level, keys or {})
    [row] = reader.rows(f"SELECT count(*) AS n FROM {_join(level)} WHERE {condition.sql}", condition.values)
    return int(row["n"])


def instance_references(
    reader: Reader, level: Level, keys: Mapping[str, str], *, unlisted: bool = False
) -> list[InstanceReference]:
    """The instances of what matches ``keys``, in the order of series and instance numbers."""
    conditions = [_is_own(reader), *_make_key_conditions(reader, level, keys)]
    condition = combine(conditions if unlisted else [*conditions, Condition("instances.listed")])
    rows = reader.rows(
        'SELECT instances."SOPClassUID" AS "SOPClassUID", instances."SOPInstanceUID" AS "SOPInstanceUID",'
        ' instances."TransferSyntaxUID" AS "TransferSyntaxUID", series."SeriesInstanceUID" AS "SeriesInstanceUID",'
        ' studies."StudyInstanceUID" AS "StudyInstanceUID", instances.length_bytes AS length_bytes'
        f" FROM {_join(Level.IMAGE)} WHERE {condition.sql}"
        ' ORDER BY studies.id, series.id, length(instances."InstanceNumber"), instances."InstanceNumber", instances.id',
        condition.values,
    )
    return [InstanceReference(**row) for row in rows]


def _levels_down_to(level: Level) -> Sequence[Level]:
    return _LEVELS[: _LEVELS.index(level) + 1]


def _join(level: Level) -> str:
    return "".join(_JOINED[: _LEVELS.index(level) + 1])


def _list_columns(level: Level, device_id: int) -> str:
    own = f"{_TABLES[level][0]}.id AS own_id"
    tables = [_TABLES[upper] for upper in _levels_down_to(level)]
    attributes = [f'{table}."{keyword}" AS "{keyword}"' for table, columns in tables for keyword in columns]
    counts = {
        "n_studies": _select_below(level, device_id, "count(DISTINCT own_series.study_id)"),
        "n_series": _select_below(level, device_id, "count(DISTINCT own.series_id)"),
        "n_instances": _select_below(level, device_id, "count(*)"),
        "n_sent": _select_below(level, device_id, "count(*)", _SENT),
        "n_committed": _select_below(level, device_id, "count(*)", _COMMITTED),
    }
    return ", ".join([own, *attributes, *(f"{query} AS {name}" for name, query in counts.items())])


def _select_below(level: Level, device_id: int, what: str, condition: str = "") -> str:
    """Something about the listed instances below an entity of the outer query."""
    further = f" AND {condition}" if condition else ""
    joined = f"instances own JOIN series own_series ON own_series.id = own.series_id {_BELOW[level]}"
    return f"(SELECT {what} FROM {joined} AND own.device_id = {device_id} AND own.listed{further})"


def _make_condition(reader: Reader, level: Level, keys: Mapping[str, str]) -> Condition:
    """The keys, and that something is listed below, but for patients who have been registered only."""
    conditions = _make_key_conditions(reader, level, keys)
    if level is Level.IMAGE:
        return combine([*conditions, _is_own(reader), Condition("instances.listed")])
    listed = [Condition(f"EXISTS {_select_below(level, reader.device_id, '1')}")]
    if level is Level.PATIENT:
        listed.append(Condition(_NO_STUDY))
    return combine([*conditions, combine(listed, "OR")])


def _is_own(reader: Reader) -> Condition:
    return Condition("instances.device_id = ?", (reader.device_id,))


def _make_key_conditions(reader: Reader, level: Level, keys: Mapping[str, str]) -> list[Condition]:
    columns = {
        keyword: (f'{table}."{keyword}"', vr)
        for table, attributes in (_TABLES[upper] for upper in _levels_down_to(level))
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


def _modalities(reader: Reader, level: Level, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Modalities of all series of each patient or study, or of the one series."""
    own = f"{_TABLES[level][0]}.id"
    found: dict[int, list[str]] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        part = is_one_of(own, ids[start : start + _IDS_AT_ONCE])
        rows = reader.rows(
            f'SELECT DISTINCT {own} AS own_id, series."Modality" AS "Modality" FROM {_join(Level.SERIES)}'
            f' WHERE {part.sql} ORDER BY series."Modality"',
            part.values,
        )
        for row in rows:
            found.setdefault(row["own_id"], []).append(row["Modality"])
    return {number: tuple(modalities) for number, modalities in found.items()}


def _make_found(level: Level, row: StoredRow, modalities: tuple[str, ...]) -> Found:
    attributes = {key: row[key] for upper in _levels_down_to(level) for key in _TABLES[upper][1]}
    counts = (row["n_studies"], row["n_series"], row["n_instances"], row["n_sent"], row["n_committed"])
    return Found(level, row["own_id"], attributes, *counts, modalities=modalities)
