"""Deleting from the local database: only a user does it (MR-2.1.2-07), and never something that is still to be sent.

One transaction removes the rows and leaves a tombstone for each file; then the files go, then the tombstones. A
process that dies in between leaves no row without a file, and the next start removes the files that bear a tombstone
instead of indexing them again.

On a disk that is full the database has no room even for that. Deleting is what makes room there, so some of the files
go first then, after the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from typing import TypeVar

from sqlalchemy import Column, ColumnElement, Select, Table, delete, exists, func, select

from openmodality.audit.subjects import StudySubject
from openmodality.errors import StoreError
from openmodality.standard.query_retrieve import Level
from openmodality.store.database_errors import DatabaseFailed
from openmodality.store.database_words import Trouble
from openmodality.store.index_recovery import finish_deletions
from openmodality.store.listing.subjects import read_study_subject, read_subjects
from openmodality.store.local import LocalStore
from openmodality.store.rows.jobs import is_own
from openmodality.store.rows.tombstones import insert_tombstones
from openmodality.store.schema import (
    commitment_instances,
    exams,
    instances,
    job_instances,
    jobs,
    patients,
    series,
    studies,
)
from openmodality.store.states import UNFINISHED_JOBS, ExamState, InstanceCommitment, JobState, Subject
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass

_T = TypeVar("_T")
TellDeleted = Callable[[Transaction, Sequence[StudySubject], frozenset[str]], object]
"""Told of which studies instances are deleted, and which of these studies are gone with them."""
_AT_ONCE = 500
_ROOM_BYTES = 8 * 1024 * 1024
"""What a deletion takes of the disk at the most before it gives any of it back."""
_KEYS = {
    Level.PATIENT: patients.c.PatientID,
    Level.STUDY: studies.c.StudyInstanceUID,
    Level.SERIES: series.c.SeriesInstanceUID,
    Level.IMAGE: instances.c.SOPInstanceUID,
}


class NotCommitted(StoreError):
    """No archive has committed to keep some of the instances; a user may delete them all the same."""

    advice = (
        "ask an archive to keep them first (openmodality commit; none can be asked over DICOMweb),"
        " or delete them all the same with --force"
    )


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many entities are gone; what became empty by it counts too."""

    patients: int
    studies: int
    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class _Target:
    """Ids of the rows that may become empty by it, and how many instances are to be deleted.

    ``chosen`` selects the UIDs of these: who only looks reads none of thousands, and the database counts among them.
    """

    patients: frozenset[int]
    studies: frozenset[int]
    series: frozenset[int]
    instances: int
    chosen: Select[str]

    def read_uids(self, snapshot: Snapshot) -> tuple[str, ...]:
        """The SOP Instance UIDs of the instances."""
        return tuple(snapshot.execute(self.chosen).scalars())


def delete_entity(
    store: LocalStore,
    level: Level,
    unique_key: str,
    *,
    issuer: str = "",
    force: bool = False,
    tell: TellDeleted = lambda transaction, subjects, whole: None,
) -> Deleted:
    """Delete a patient (by Patient ID and its issuer), study, series or instance, rows and files.

    Raises :class:`StoreError` where there is no such entity, the Patient ID is that of several patients, an exam on it
    is in progress or an unfinished job needs it, and :class:`NotCommitted` unless ``force`` is given. ``tell`` is
    called within the transaction.
    """
    try:
        deleted = _delete(store, level, unique_key, issuer, force, tell)
    except DatabaseFailed as error:
        if error.trouble is not Trouble.FULL or store.database.is_shared:  # that has another disk
            raise
        _make_room(store, level, unique_key, issuer, force)
        deleted = _delete(store, level, unique_key, issuer, force, tell)
    finish_deletions(store.database, store.files)
    return deleted


def _make_room(store: LocalStore, level: Level, unique_key: str, issuer: str, force: bool) -> None:
    """Remove files of what is to be deleted, as many as the database needs room for."""
    with store.read() as snapshot:
        target = _read_target(snapshot, level, unique_key, issuer)
        _refuse_unfinished(snapshot, target, patient=level is Level.PATIENT)
        _refuse_uncommitted(snapshot, target, force=force)
        uids = target.read_uids(snapshot)
    room_bytes = 0
    for uid in uids:
        if room_bytes >= _ROOM_BYTES:
            return
        path = store.files.path(uid)
        room_bytes += path.stat().st_size if path.exists() else 0
        store.files.delete(uid)


def _delete(store: LocalStore, level: Level, unique_key: str, issuer: str, force: bool, tell: TellDeleted) -> Deleted:
    """The transaction: rows, tombstones and what is told of it."""
    with store.write() as transaction:
        target = _read_target(transaction, level, unique_key, issuer)
        uids = target.read_uids(transaction)
        subjects = read_subjects(transaction, uids)
        _refuse_unfinished(transaction, target, patient=level is Level.PATIENT)
        _refuse_uncommitted(transaction, target, force=force)
        _bury(store, transaction, uids)
        deleted = _delete_rows(transaction, target, uids, patient=level is Level.PATIENT)
        if not any(astuple(deleted)):
            raise StoreError(f"this device has no such {level.lower()}")  # another one has
        left = {uid for subject in subjects if (uid := subject.study_instance_uid) and _is_here(transaction, uid)}
        tell(transaction, subjects, frozenset(each.study_instance_uid for each in subjects) - left)
        transaction.add_event(
            Subject.INSTANCE if level is Level.IMAGE else Subject(level.lower()),
            next(iter(target.patients)) if level is Level.PATIENT else unique_key,
            "deleted",
            f"{deleted.instances} instances" + (", not all of them committed" if force else ""),
        )
    return deleted


def _is_here(snapshot: Snapshot, study_instance_uid: str) -> bool:
    """Whether anything of a study is left at this device."""
    return bool(read_study_subject(snapshot, study_instance_uid).classes)


def find_hindrance(snapshot: Snapshot, level: Level, unique_key: str) -> StoreError | None:
    """What stands against deleting a study, series or instance now, as :func:`delete_entity` would say it."""
    try:
        target = _read_target(snapshot, level, unique_key, "")
        _refuse_unfinished(snapshot, target, patient=False)
        _refuse_uncommitted(snapshot, target, force=False)
    except StoreError as error:
        return error
    return None


def read_unneeded(snapshot: Snapshot) -> list[str]:
    """SOP Instance UIDs of the instances that an archive has committed to keep and that no job needs any more."""
    columns = job_instances.c
    committed = exists().where(
        commitment_instances.c.SOPInstanceUID == instances.c.SOPInstanceUID,
        commitment_instances.c.result == InstanceCommitment.COMMITTED,
    )
    open_jobs = select(jobs.c.id).where(is_own(snapshot), jobs.c.state.in_((*UNFINISHED_JOBS, JobState.FAILED)))
    needed = exists().where(columns.SOPInstanceUID == instances.c.SOPInstanceUID, columns.job_id.in_(open_jobs))
    own = instances.c.device_id == snapshot.device_id
    return list(snapshot.execute(select(instances.c.SOPInstanceUID).where(own, committed, ~needed)).scalars())


def _read_target(snapshot: Snapshot, level: Level, unique_key: str, issuer: str) -> _Target:
    own = (instances.c.series_id == series.c.id) & (instances.c.device_id == snapshot.device_id)
    joined = patients.outerjoin(studies).outerjoin(series).outerjoin(instances, own)
    parents = (patients.c.id, studies.c.id, series.c.id)
    count = func.count(instances.c.SOPInstanceUID)
    statement = select(*parents, count).select_from(joined).where(_KEYS[level] == unique_key).group_by(*parents)
    if level is Level.PATIENT:
        statement = statement.where(patients.c.IssuerOfPatientID == issuer)
    rows = snapshot.execute(statement).all()
    if not rows:
        raise StoreError(f"the local database has no such {level.lower()}")
    if level is Level.PATIENT and len({row[0] for row in rows}) > 1:
        raise StoreError(
            "several patients have this Patient ID, with other names and birth dates",
            advice="delete the studies of the one who is meant: openmodality studies list shows them",
        )
    patient, study, series_ = (frozenset(row[number] for row in rows if row[number] is not None) for number in range(3))
    chosen = _select_uids(snapshot, level, unique_key, patient)
    return _Target(patient, study, series_, sum(row[3] for row in rows), chosen)


def _select_uids(snapshot: Snapshot, level: Level, unique_key: str, patient: frozenset[int]) -> Select[str]:
    among = instances.join(series).join(studies).join(patients)
    own = (instances.c.device_id == snapshot.device_id, patients.c.id.in_(patient), _KEYS[level] == unique_key)
    return select(instances.c.SOPInstanceUID).select_from(among).where(*own)


def _refuse_unfinished(snapshot: Snapshot, target: _Target, *, patient: bool) -> None:
    uids_of_studies = select(studies.c.StudyInstanceUID).where(studies.c.id.in_(target.studies))
    concerned: ColumnElement[bool] = exams.c.StudyInstanceUID.in_(uids_of_studies)
    if patient:
        concerned = concerned | exams.c.patient_id.in_(target.patients)
    in_progress = (exams.c.device_id == snapshot.device_id, exams.c.state == ExamState.IN_PROGRESS)
    if snapshot.execute(select(exams.c.id).where(*in_progress, concerned)).first():
        raise StoreError("an exam is in progress on it", advice="end it with openmodality exam complete")
    queued = _count_queued(snapshot, target.chosen)
    if queued:
        raise StoreError(
            f"{queued} of its instances are in unfinished jobs",
            advice="wait for them, or openmodality jobs cancel",
        )


def _refuse_uncommitted(snapshot: Snapshot, target: _Target, *, force: bool) -> None:
    committed, total = _count_committed(snapshot, target.chosen), target.instances
    if not force and committed < total:
        raise NotCommitted(f"{total - committed} of its {total} instances are not committed")


def _count_queued(snapshot: Snapshot, uids: Select[str]) -> int:
    unfinished = select(jobs.c.id).where(is_own(snapshot), jobs.c.state.in_(UNFINISHED_JOBS))
    wanted = job_instances.c.SOPInstanceUID.in_(uids) & job_instances.c.job_id.in_(unfinished)
    return snapshot.execute(select(func.count(job_instances.c.SOPInstanceUID.distinct())).where(wanted)).scalar_one()


def _count_committed(snapshot: Snapshot, uids: Select[str]) -> int:
    column = commitment_instances.c.SOPInstanceUID
    wanted = column.in_(uids) & (commitment_instances.c.result == InstanceCommitment.COMMITTED)
    return snapshot.execute(select(func.count(column.distinct())).where(wanted)).scalar_one()


def _bury(store: LocalStore, transaction: Transaction, uids: Sequence[str]) -> None:
    for part in _split(uids):
        insert_tombstones(transaction, [(uid, store.files.modified_ns(uid) or 0) for uid in part])


def _delete_rows(transaction: Transaction, target: _Target, uids: Sequence[str], *, patient: bool) -> Deleted:
    for part in _split(uids):
        own = instances.c.device_id == transaction.device_id
        transaction.execute(delete(instances).where(own, instances.c.SOPInstanceUID.in_(part)))
    n_series = _delete_empty(transaction, series, target.series, instances.c.series_id)
    n_studies = _delete_empty(transaction, studies, target.studies, series.c.study_id)
    kept = () if patient else (exams.c.patient_id,)
    n_patients = _delete_empty(transaction, patients, target.patients, studies.c.patient_id, *kept)
    return Deleted(n_patients, n_studies, n_series, len(uids))


def _delete_empty(transaction: Transaction, table: Table, ids: frozenset[int], *references: Column[int]) -> int:
    """Delete those of the rows to which nothing refers any more; an exam keeps its patient."""
    unused = [~exists().where(reference == table.c.id) for reference in references]
    return sum(
        transaction.execute(delete(table).where(table.c.id.in_(part), *unused)).rowcount for part in _split(tuple(ids))
    )


def _split(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
