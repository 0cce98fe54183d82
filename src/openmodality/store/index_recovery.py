"""Brings index and files together at the start, whatever way the process ended before."""

from __future__ import annotations

import logging
from collections.abc import Callable

from openmodality.encoding.part10 import read_file_meta
from openmodality.errors import ObjectInvalid
from openmodality.store.database import Database
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.ingest import NewInstance, index_arrivals
from openmodality.store.listing.problems import list_files
from openmodality.store.names import ASIDE_FOLDER
from openmodality.store.naming import FileNames
from openmodality.store.rows.index import count_outside, read_uids
from openmodality.store.rows.tombstones import read_tombstones, remove_tombstones
from openmodality.store.states import Origin, Subject
from openmodality.value_class import dataclass

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many parts of a long work are done and how many there are."""

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: ``missing`` are instances of the index that have no file."""

    indexed: int
    leftovers: int
    deleted: int
    missing: int


def recover(
    database: Database, files: InstanceFiles, naming: FileNames, progress: Progress = lambda done, total: None
) -> Recovered:
    """Finish deletions, name files that a dead process left unnamed, remove temporary files of dead processes, index
    what is on disk only.

    Rows without a file are counted and reported as an event; they stay, because a disk that is not mounted looks the
    same.
    """
    deleted = finish_deletions(database, files)
    _report_aside(database, files)
    _finish_names(database, naming)
    leftovers = files.remove_leftovers(lambda: _finish_names(database, naming))
    buckets = files.buckets()
    indexed = missing = 0
    for number, bucket in enumerate(buckets, 1):
        with database.read() as snapshot:
            known = read_uids(snapshot, bucket)
        on_disk = _list_files(files, bucket)
        indexed += _index(database, files, sorted(on_disk - known))
        missing += len(known - on_disk)
        progress(number, len(buckets))
    with database.read() as snapshot:
        missing += count_outside(snapshot, buckets)
    if missing:
        with database.write() as transaction:
            transaction.add_event(Subject.STORE, "instances", "missing", f"{missing} instance files are not there")
    return Recovered(indexed, leftovers, deleted, missing)


def finish_deletions(database: Database, files: InstanceFiles) -> int:
    """Remove the files whose rows are gone; returns how many.

    A file that is younger than its tombstone is another one, stored after the deletion, and stays.
    """
    with database.read() as snapshot:
        pending = read_tombstones(snapshot)
    removed = sum(files.delete(uid) for uid, modified_ns in pending if files.modified_ns(uid) == modified_ns)
    for start in range(0, len(pending), _BATCH):
        with database.write() as transaction:
            remove_tombstones(transaction, [uid for uid, _ in pending[start : start + _BATCH]])
    return removed


def _finish_names(database: Database, naming: FileNames) -> None:
    with database.write() as transaction:
        naming.finish(transaction)


def _list_files(files: InstanceFiles, bucket: str) -> set[str]:
    """SOP Instance UIDs of the files of a folder; none where it cannot be read, which stops no device."""
    try:
        return set(files.uids(bucket))
    except OSError as error:
        _log.error("index.folder_unreadable", extra={"folder": bucket, "reason": error.strerror})
        return set()


def _report_aside(database: Database, files: InstanceFiles) -> None:
    """Put on record what a dead process has set aside and not reported."""
    if files.aside is None:
        return
    with database.read() as snapshot:
        known = list_files(snapshot)
    try:
        names = files.aside.names()
    except OSError as error:
        _log.error("index.folder_unreadable", extra={"folder": ASIDE_FOLDER, "reason": error.strerror})
        return
    found = {name: f"{ASIDE_FOLDER}/{name}" for name in names}
    arrivals = [
        NewInstance(name.rpartition("_")[0], Origin.RECOVERED, stored=Stored.DIFFERENT, aside=name)
        for name, file in found.items()
        if file not in known
    ]
    if arrivals:
        index_arrivals(database, files, arrivals)


def _index(database: Database, files: InstanceFiles, uids: list[str]) -> int:
    indexed = 0
    for start in range(0, len(uids), _BATCH):
        found = [_describe_unindexed(files, uid) for uid in uids[start : start + _BATCH]]
        indexed += index_arrivals(database, files, found)
    return indexed


def _describe_unindexed(files: InstanceFiles, uid: str) -> NewInstance:
    """The entry for an instance that is on disk only. One that names its source (0002,0016) was received; the origin of
    others is not known.

    Otherwise a received instance could be taken for one that this device has made and still has to send.
    """
    try:
        with files.path(uid).open("rb") as file:
            source = read_file_meta(file).source_ae_title
    except (ObjectInvalid, OSError):
        source = ""  # the index says what is wrong with it
    return NewInstance(uid, Origin.RECEIVED if source else Origin.RECOVERED, source=source)
