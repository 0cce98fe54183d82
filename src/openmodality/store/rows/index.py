"""Rows of the index from the attributes of instances, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Column, delete, func, select

from openmodality.store.files.indexed_attributes import Attributes
from openmodality.store.index_columns import INSTANCE_ATTRIBUTES
from openmodality.store.listing.reader import Json, is_one_of
from openmodality.store.rows.patients import find_or_add_patient
from openmodality.store.rows.tombstones import has_tombstones, remove_tombstones
from openmodality.store.schema import instances, series, studies
from openmodality.store.states import Origin
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass

_COLUMNS: Final = (
    "device_id",
    "series_id",
    *INSTANCE_ATTRIBUTES,
    "bucket",
    "length_bytes",
    "origin",
    "listed",
    "created_at",
)
_AT_ONCE: Final = 500
_INSTANCE_VALUES: Final = itemgetter(*INSTANCE_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Entry:
    """An instance file that is to be in the index."""

    attributes: Attributes
    bucket: str
    origin: Origin
    listed: bool


def add_instances(transaction: Transaction, entries: Sequence[Entry]) -> int:
    """Add what is not in the index; returns how many instances were new.

    What is there stays as it is: a study keeps the attributes that its first instance brought.
    """
    if not entries:
        return 0
    now = transaction.now
    series_ids = _add_series(transaction, entries)
    added = transaction.insert_missing(
        "instances",
        _COLUMNS,
        [
            (
                transaction.device_id,
                series_ids[_series_uid(e)],
                *_INSTANCE_VALUES(e.attributes.instance),
                e.bucket,
                e.attributes.length_bytes,
                e.origin.value,
                e.listed,
                now,
            )
            for e in entries
        ],
    )
    if has_tombstones(transaction):
        remove_tombstones(transaction, [e.attributes.instance["SOPInstanceUID"] for e in entries])
    return added


def remove_instance(transaction: Transaction, sop_instance_uid: str) -> None:
    """Forget an instance whose file is another one now; its series stays."""
    own = instances.c.device_id == transaction.device_id
    transaction.execute(delete(instances).where(own, instances.c.SOPInstanceUID == sop_instance_uid))


def find_indexed(snapshot: Snapshot, sop_instance_uids: Sequence[str]) -> set[str]:
    """Those of these instances that the index has."""
    found: set[str] = set()
    for start in range(0, len(sop_instance_uids), _AT_ONCE):
        among = is_one_of('"SOPInstanceUID"', list(sop_instance_uids[start : start + _AT_ONCE]))
        rows = snapshot.rows(
            f'SELECT "SOPInstanceUID" AS uid FROM instances WHERE {among.sql} AND device_id = ?',
            (*among.values, snapshot.device_id),
        )
        found.update(row["uid"] for row in rows)
    return found


def read_uids(snapshot: Snapshot, bucket: str) -> set[str]:
    """SOP Instance UIDs of the instances whose files are in a folder."""
    own = instances.c.device_id == snapshot.device_id
    statement = select(instances.c.SOPInstanceUID).where(own, instances.c.bucket == bucket)
    return set(snapshot.execute(statement).scalars())


def count_outside(snapshot: Snapshot, buckets: Sequence[str]) -> int:
    """How many instances have their files in none of these folders."""
    own = instances.c.device_id == snapshot.device_id
    statement = select(func.count()).select_from(instances).where(own, instances.c.bucket.not_in(buckets))
    return snapshot.execute(statement).scalar_one()


def _add_series(transaction: Transaction, entries: Sequence[Entry]) -> dict[str, int]:
    """The id of each series; those that are not there are added with their studies and patients.

    Most entries are of a series that is there: one question instead of six statements.
    """
    known = _find_ids(transaction, series.c.SeriesInstanceUID, {_series_uid(entry) for entry in entries})
    new = [entry for entry in entries if _series_uid(entry) not in known]
    if not new:
        return known
    study_ids = _add_studies(transaction, new)
    at = {"created_at": transaction.now}
    rows = [{"study_id": study_ids[_find_study_uid(e)], **e.attributes.series, **at} for e in new]
    return known | _add(transaction, series.c.SeriesInstanceUID, rows)


def _add_studies(transaction: Transaction, entries: Sequence[Entry]) -> dict[str, int]:
    """The id of each study; one that is not there belongs to the patient whom its first instance names."""
    known = _find_ids(transaction, studies.c.StudyInstanceUID, {_find_study_uid(entry) for entry in entries})
    first: dict[str, Entry] = {}
    for entry in entries:
        if _find_study_uid(entry) not in known:
            first.setdefault(_find_study_uid(entry), entry)
    if not first:
        return known
    rows = []
    for uid, entry in sorted(first.items(), key=_get_patient_id):  # in one order, as any other device does
        patient_id = find_or_add_patient(transaction, entry.attributes.patient, uid)
        rows.append({"patient_id": patient_id, **entry.attributes.study, "created_at": transaction.now})
    return known | _add(transaction, studies.c.StudyInstanceUID, rows)


def _get_patient_id(found: tuple[str, Entry]) -> str:
    return found[1].attributes.patient["PatientID"]


def _find_study_uid(entry: Entry) -> str:
    return entry.attributes.study["StudyInstanceUID"]


def _series_uid(entry: Entry) -> str:
    return entry.attributes.series["SeriesInstanceUID"]


def _add(transaction: Transaction, key: Column[str], rows: list[Json]) -> dict[str, int]:
    """Insert the rows whose key is new; returns the id of every key."""
    by_uid: dict[str, Json] = {}
    for row in rows:
        by_uid.setdefault(row[key.name], row)
    ordered = [by_uid[uid] for uid in sorted(by_uid)]  # in one order, so that no two devices wait for one another
    _insert_missing(transaction, key.table, ordered)
    return _find_ids(transaction, key, by_uid)


def _find_ids(transaction: Transaction, key: Column[str], uids: Collection[str]) -> dict[str, int]:
    among = is_one_of(f'"{key.name}"', list(uids))
    rows = transaction.rows(f'SELECT id, "{key.name}" AS uid FROM {key.table.name} WHERE {among.sql}', among.values)
    return {row["uid"]: row["id"] for row in rows}


def _insert_missing(transaction: Transaction, table: Any, rows: list[Json]) -> None:
    transaction.execute(transaction.insert(table).on_conflict_do_nothing(), rows)
