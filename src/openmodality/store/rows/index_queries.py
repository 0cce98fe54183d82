"""What is in the local database: patients, studies, series and instances with their counts and states.

Several functions that take the same snapshot of ``LocalStore.read()`` see one consistent state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping, Select, exists, func, select

from openmodality.errors import UsageError
from openmodality.store.rows.key_conditions import matches
from openmodality.store.schema import (
    commitment_instances,
    instances,
    job_instances,
    jobs,
    keywords_of,
    patients,
    series,
    studies,
)
from openmodality.store.states import InstanceCommitment
from openmodality.store.transaction import Snapshot


class Level(StrEnum):
    """Query/Retrieve levels (0008,0052)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


_LEVELS = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE)
_TABLES = {Level.PATIENT: patients, Level.STUDY: studies, Level.SERIES: series, Level.IMAGE: instances}
_IDS_AT_ONCE = 1000
_below_instances = instances.alias("below_instances")
_below_series = series.alias("below_series")
_below_studies = studies.alias("below_studies")


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
    snapshot: Snapshot,
    level: Level,
    keys: Mapping[str, str] | None = None,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[Found]:
    """Entities of a level that match all ``keys`` (keyword to value, PS3.4 C.2.2.2), newest study first."""
    statement = _selection(level).where(*_conditions(snapshot, level, keys or {})).limit(limit).offset(offset)
    rows = snapshot.execute(statement).mappings().all()
    if level is Level.IMAGE:
        return [_found(level, row, (row["Modality"],)) for row in rows]
    modalities = _modalities(snapshot, level, [row["own_id"] for row in rows])
    return [_found(level, row, modalities.get(row["own_id"], ())) for row in rows]


def count(snapshot: Snapshot, level: Level, keys: Mapping[str, str] | None = None) -> int:
    """How many entities ``find`` would return without a limit."""
    statement = select(func.count()).select_from(_joined(level)).where(*_conditions(snapshot, level, keys or {}))
    return snapshot.execute(statement).scalar_one()


def instance_references(
    snapshot: Snapshot, level: Level, keys: Mapping[str, str], *, unlisted: bool = False
) -> list[InstanceReference]:
    """The instances of what matches ``keys``, in the order of series and instance numbers."""
    statement = (
        select(
            instances.c.SOPClassUID,
            instances.c.SOPInstanceUID,
            instances.c.TransferSyntaxUID,
            series.c.SeriesInstanceUID,
            studies.c.StudyInstanceUID,
            instances.c.length_bytes,
        )
        .select_from(_joined(Level.IMAGE))
        .where(*_key_conditions(snapshot, level, keys))
        .order_by(studies.c.id, series.c.id, func.length(instances.c.InstanceNumber), instances.c.InstanceNumber)
        .order_by(instances.c.id)
    )
    if not unlisted:
        statement = statement.where(instances.c.listed)
    return [InstanceReference(*row) for row in snapshot.execute(statement)]


def instance_reference(snapshot: Snapshot, sop_instance_uid: str) -> InstanceReference | None:
    """One instance by its UID, listed or not."""
    found = instance_references(snapshot, Level.IMAGE, {"SOPInstanceUID": sop_instance_uid}, unlisted=True)
    return found[0] if found else None


def _joined(level: Level) -> FromClause:
    joined: FromClause = patients
    for lower in _LEVELS[1 : _LEVELS.index(level) + 1]:
        joined = joined.join(_TABLES[lower])
    return joined


def _conditions(snapshot: Snapshot, level: Level, keys: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """The keys, and that something is listed below, but for patients who have been registered only."""
    conditions = _key_conditions(snapshot, level, keys)
    if level is Level.IMAGE:
        return [*conditions, instances.c.listed]
    listed: ColumnElement[bool] = _below(level, _below_instances.c.id).exists()
    if level is Level.PATIENT:
        listed = listed | ~exists().where(studies.c.patient_id == patients.c.id)
    return [*conditions, listed]


def _key_conditions(snapshot: Snapshot, level: Level, keys: Mapping[str, str]) -> list[ColumnElement[bool]]:
    columns = {
        keyword: _TABLES[upper].c[keyword]
        for upper in _LEVELS[: _LEVELS.index(level) + 1]
        for keyword in keywords_of(_TABLES[upper])
    }
    unknown = sorted(set(keys) - set(columns))
    if unknown:
        raise UsageError(f"{', '.join(unknown)} cannot be searched for at {level} level")
    return [matches(columns[keyword], value, snapshot.dialect) for keyword, value in keys.items()]


def _selection(level: Level) -> Select[Any]:
    tables = [_TABLES[upper] for upper in _LEVELS[: _LEVELS.index(level) + 1]]
    attributes = [table.c[keyword] for table in tables for keyword in keywords_of(table)]
    below = _below_instances.c
    sent = exists().where(
        job_instances.c.SOPInstanceUID == below.SOPInstanceUID,
        job_instances.c.result.in_(("success", "warning")),
        job_instances.c.job_id.in_(select(jobs.c.id).where(jobs.c.kind == "send")),
    )
    committed = exists().where(
        commitment_instances.c.SOPInstanceUID == below.SOPInstanceUID,
        commitment_instances.c.result == InstanceCommitment.COMMITTED,
    )
    counts = [
        _below(level, func.count(_below_series.c.study_id.distinct())).scalar_subquery().label("n_studies"),
        _below(level, func.count(below.series_id.distinct())).scalar_subquery().label("n_series"),
        _below(level, func.count()).scalar_subquery().label("n_instances"),
        _below(level, func.count()).where(sent).scalar_subquery().label("n_sent"),
        _below(level, func.count()).where(committed).scalar_subquery().label("n_committed"),
    ]
    newest = [studies.c.StudyDate.desc(), studies.c.StudyTime.desc()] if level is not Level.PATIENT else []
    own = _TABLES[level].c.id
    return select(own.label("own_id"), *attributes, *counts).select_from(_joined(level)).order_by(*newest, own)


def _below(level: Level, what: ColumnElement[int]) -> Select[Any]:
    """Something about the listed instances below an entity of the outer query."""
    joined: FromClause = _below_instances.join(_below_series, _below_series.c.id == _below_instances.c.series_id)
    if level is Level.PATIENT:
        joined = joined.join(_below_studies, _below_studies.c.id == _below_series.c.study_id)
    return select(what).select_from(joined).where(_is_below(level), _below_instances.c.listed)


def _is_below(level: Level) -> ColumnElement[bool]:
    return {
        Level.PATIENT: _below_studies.c.patient_id == patients.c.id,
        Level.STUDY: _below_series.c.study_id == studies.c.id,
        Level.SERIES: _below_instances.c.series_id == series.c.id,
        Level.IMAGE: _below_instances.c.id == instances.c.id,
    }[level]


def _modalities(snapshot: Snapshot, level: Level, ids: list[int]) -> dict[int, tuple[str, ...]]:
    """Modalities of all series of each patient or study, or of the one series."""
    own = _TABLES[level].c.id
    found: dict[int, list[str]] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        part = own.in_(ids[start : start + _IDS_AT_ONCE])
        statement = select(own, series.c.Modality).distinct().select_from(_joined(Level.SERIES)).where(part)
        for number, modality in snapshot.execute(statement.order_by(series.c.Modality)):
            found.setdefault(number, []).append(modality)
    return {number: tuple(modalities) for number, modalities in found.items()}


def _found(level: Level, row: RowMapping, modalities: tuple[str, ...]) -> Found:
    attributes = {str(key): value for key, value in row.items() if str(key)[0].isupper()}
    counts = (row["n_studies"], row["n_series"], row["n_instances"], row["n_sent"], row["n_committed"])
    return Found(level, row["own_id"], attributes, *counts, modalities=modalities)
