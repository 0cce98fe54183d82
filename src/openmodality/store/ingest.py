"""The index follows the files, in batches and by a thread of its own: receiving never waits for the database.

An instance counts as stored when its file has its name; the index may lag by a batch. Whoever reads asks ``flush``
first and thus sees everything that was acknowledged before. What a dead process did not index is found by
``index_recovery``.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from openmodality.errors import ObjectInvalid, StoreError
from openmodality.store.database import Database
from openmodality.store.files.indexed_attributes import IndexedValues, read_attributes
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.rows.index import Entry, add_instances
from openmodality.store.states import Origin, Subject
from openmodality.store.transaction import Transaction

_log = logging.getLogger(__name__)
_BATCH = 256
_DELAY_S = 0.1
"""How long the index waits for more instances: a transaction costs as much as some twenty of them."""
_RETRY_S = 5.0
Remark = tuple[str, str, str]
"""SOP Instance UID, name and detail of an event."""


@dataclass(frozen=True, slots=True)
class NewInstance:
    """An instance that was handed in: ``different`` when another content was stored under its UID before.

    Without ``values`` its file is read for them; with them ``length_bytes`` is that of its file.
    """

    sop_instance_uid: str
    origin: Origin
    listed: bool = True
    different: bool = False
    values: IndexedValues | None = None
    length_bytes: int = 0


class Ingest:
    """Brings arrivals into the index. A database that fails is tried again; the files are safe meanwhile."""

    def __init__(self, database: Database, files: InstanceFiles) -> None:
        self._database = database
        self._files = files
        self._condition = threading.Condition()
        self._pending: list[NewInstance] = []
        self._failure: StoreError | None = None
        self._attempts = 0
        self._hurry = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._thread.start()

    def add(self, arrival: NewInstance) -> None:
        """Queue an instance whose file is complete."""
        with self._condition:
            self._pending.append(arrival)
            if len(self._pending) == 1 or len(self._pending) == _BATCH:
                self._condition.notify_all()

    def flush(self) -> None:
        """Return when what was added before the call is in the index. Raises :class:`StoreError` where that fails."""
        with self._condition:
            last = self._pending[-1] if self._pending else None
            attempts = self._attempts
            while last is not None and any(arrival is last for arrival in self._pending):
                if self._attempts != attempts and self._failure is not None:
                    raise self._failure
                self._hurry = True
                self._condition.notify_all()
                self._condition.wait()

    def close(self) -> None:
        """Write what is pending and end the thread; what cannot be written is found at the next start."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                index_arrivals(self._database, self._files, batch)
                failure = None
            except StoreError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - the thread's boundary: reported to whoever flushes
                trace = "".join(traceback.format_tb(error.__traceback__))  # where, not what: the text may hold data
                _log.error("index.crashed", extra={"error": type(error).__name__, "trace": trace})
                failure = StoreError(f"the index failed: {type(error).__name__}")
            self._settle(len(batch), failure)

    def _next_batch(self) -> list[NewInstance]:
        """Wait for arrivals, a little longer for more of them; empty when the thread is to end."""
        with self._condition:
            if self._failure is not None:
                self._condition.wait_for(lambda: self._hurry or self._closing, _RETRY_S)
            self._condition.wait_for(lambda: self._pending or self._closing)
            self._condition.wait_for(lambda: self._hurry or self._closing or len(self._pending) >= _BATCH, _DELAY_S)
            if self._closing and self._failure is not None:
                return []
            self._hurry = False
            return self._pending[:_BATCH]

    def _settle(self, count: int, failure: StoreError | None) -> None:
        with self._condition:
            if failure is None:
                del self._pending[:count]
            elif self._failure is None:
                _log.error("index.failed", extra={"reason": str(failure)})
            self._failure = failure
            self._attempts += 1
            self._condition.notify_all()


def index_arrivals(database: Database, files: InstanceFiles, arrivals: Sequence[NewInstance]) -> int:
    """Index instance files and record what is wrong with them; returns how many instances were new.

    A file that cannot be read stays where it is and is reported as an event.
    """
    read = _read(files, arrivals)
    with database.write() as transaction:
        return _record(transaction, *read)


def index_within(transaction: Transaction, files: InstanceFiles, arrivals: Sequence[NewInstance]) -> int:
    """As ``index_arrivals``, in a write transaction that is open."""
    return _record(transaction, *_read(files, arrivals))


def _read(files: InstanceFiles, arrivals: Sequence[NewInstance]) -> tuple[list[Entry], list[Remark]]:
    entries: list[Entry] = []
    remarks: list[Remark] = []
    for arrival in arrivals:
        uid = arrival.sop_instance_uid
        if arrival.different:
            remarks.append((uid, "different", "received again with different content; what was stored is unchanged"))
            continue
        try:
            entries.append(_entry(files, arrival))
        except FileNotFoundError:
            continue  # deleted since
        except (ObjectInvalid, OSError) as error:
            remarks.append(
                (uid, "unreadable", str(error) if isinstance(error, ObjectInvalid) else type(error).__name__)
            )
    return entries, remarks


def _record(transaction: Transaction, entries: list[Entry], remarks: list[Remark]) -> int:
    for uid, name, detail in remarks:
        transaction.add_event(Subject.INSTANCE, uid, name, detail)
    return add_instances(transaction, entries)


def _entry(files: InstanceFiles, arrival: NewInstance) -> Entry:
    if arrival.values is not None:
        attributes = arrival.values.decode(arrival.length_bytes)
    else:
        attributes = read_attributes(files.path(arrival.sop_instance_uid))
    if attributes.instance["SOPInstanceUID"] != arrival.sop_instance_uid:
        raise ObjectInvalid(f"the file {arrival.sop_instance_uid}.dcm holds another SOP Instance UID")
    return Entry(attributes, files.bucket(arrival.sop_instance_uid), arrival.origin, arrival.listed)
