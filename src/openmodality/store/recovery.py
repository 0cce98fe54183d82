"""Brings index and files together at the start, whatever way the process ended before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, select

from openmodality.store.database import Database
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.ingest import Arrival, index_arrivals
from openmodality.store.schema import instances, tombstones
from openmodality.store.states import Origin, Subject

Progress = Callable[[int, int], None]
"""Called with how many folders are done and how many there are."""

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: ``missing`` are instances of the index that have no file."""

    indexed: int
    leftovers: int
    deleted: int
    missing: int


def recover(database: Database, files: InstanceFiles, progress: Progress = lambda done, total: None) -> Recovered:
    """Finish deletions, remove temporary files of dead processes, index what is on disk only.

    Rows without a file are counted and reported as an event; they stay, because a disk that is not mounted looks the
    same.
    """
    deleted = finish_deletions(database, files)
    leftovers = files.remove_leftovers()
    buckets = files.buckets()
    indexed = missing = 0
    for number, bucket in enumerate(buckets, 1):
        with database.read() as snapshot:
            known = set(
                snapshot.execute(select(instances.c.SOPInstanceUID).where(instances.c.bucket == bucket)).scalars()
            )
        on_disk = set(files.uids(bucket))
        indexed += _index(database, files, sorted(on_disk - known))
        missing += len(known - on_disk)
        progress(number, len(buckets))
    missing += _without_folder(database, buckets)
    if missing:
        with database.write() as transaction:
            transaction.add_event(Subject.STORE, "instances", "missing", f"{missing} instance files are not there")
    return Recovered(indexed, leftovers, deleted, missing)


def finish_deletions(database: Database, files: InstanceFiles) -> int:
    """Remove the files whose rows are gone; returns how many.

    A file that is younger than its tombstone is another one, stored after the deletion, and stays.
    """
    with database.read() as snapshot:
        pending = list(snapshot.execute(select(tombstones)))
    removed = 0
    for uid, modified_ns in pending:
        if files.modified_ns(uid) == modified_ns:
            removed += files.delete(uid)
    for start in range(0, len(pending), _BATCH):
        uids = [row.SOPInstanceUID for row in pending[start : start + _BATCH]]
        with database.write() as transaction:
            transaction.execute(delete(tombstones).where(tombstones.c.SOPInstanceUID.in_(uids)))
    return removed


def _index(database: Database, files: InstanceFiles, uids: list[str]) -> int:
    batches = (uids[start : start + _BATCH] for start in range(0, len(uids), _BATCH))
    return sum(index_arrivals(database, files, [Arrival(uid, Origin.RECOVERED) for uid in batch]) for batch in batches)


def _without_folder(database: Database, buckets: list[str]) -> int:
    with database.read() as snapshot:
        lost = snapshot.execute(select(instances.c.id).where(instances.c.bucket.not_in(buckets)))
        return len(lost.all())
