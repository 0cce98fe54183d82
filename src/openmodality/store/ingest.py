"""The index follows the files, in batches and by a thread of its own: receiving never waits for the database.

It follows in the pauses of what arrives, because only one of the two threads runs at a time; where no pause comes, not
later than after a second. An instance counts as stored when its file has its name; the index may lag by so much.
Whoever reads asks ``flush`` first and thus sees everything that was acknowledged before. What a dead process did not
index is found by ``index_recovery``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from openmodality.errors import ObjectInvalid, OpenModalityError, StoreError, describe_fault
from openmodality.store.database import Database
from openmodality.store.database_errors import RowRefused
from openmodality.store.files.indexed_attributes import IndexedValues, read_attributes
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.names import ASIDE_FOLDER
from openmodality.store.rows.index import Entry, add_instances, remove_instance
from openmodality.store.rows.problems import NewProblem, add_problems, has_unindexed, settle_problems
from openmodality.store.rows.tombstones import read_tombstones
from openmodality.store.states import Origin, ProblemKind
from openmodality.store.transaction import Transaction

_log = logging.getLogger(__name__)
_BATCH = 512
_MOST_PENDING: Final = 2048
"""With so many the index waits for no pause."""
_PAUSE_S: Final = 0.1
"""Nothing more arrives for so long: a pause. A transaction costs as much as some twenty instances."""
_LONGEST_S: Final = 1.0
"""How long the index waits for a pause."""
_RETRY_S = 5.0
_KINDS: Final = {Stored.DIFFERENT: ProblemKind.OTHER_CONTENT, Stored.REPLACED: ProblemKind.DAMAGED}
_REASONS: Final = {
    Stored.DIFFERENT: "came under the UID of another content, which is kept; this one is set aside",
    Stored.REPLACED: "was damaged; a whole one came under its UID and has its place",
}


class NewInstance(NamedTuple):
    """An instance that was handed in: what became of its file, and which file was set aside for it.

    ``source`` is the AE title of the peer that it came from. Without ``values`` its file is read for them; with them
    ``length_bytes`` is that of its file.
    """

    sop_instance_uid: str
    origin: Origin
    listed: bool = True
    stored: Stored = Stored.NEW
    aside: str = ""
    source: str = ""
    values: IndexedValues | None = None
    length_bytes: int = 0


class LaterChange(NamedTuple):
    """A change that is made with the next batch, such as a row of the audit trail on what has arrived."""

    make: Callable[[Transaction], object]


class Ingest:
    """Brings arrivals into the index. A database that fails is tried again; the files are safe meanwhile."""

    def __init__(self, database: Database, files: InstanceFiles) -> None:
        self._database = database
        self._files = files
        self._condition = threading.Condition()
        self._pending: list[NewInstance | LaterChange] = []
        self._added = 0
        self._due = 0  # how many of the pending ones wait for no pause any more
        self._failure: StoreError | None = None
        self._attempts = 0
        self._hurry = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._thread.start()

    def add(self, arrival: NewInstance | LaterChange) -> None:
        """Queue an instance whose file is complete, or a change that belongs to those around it."""
        with self._condition:
            self._pending.append(arrival)
            self._added += 1
            if len(self._pending) in (1, _MOST_PENDING):
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

    @property
    def waiting(self) -> int:
        """How many arrivals wait for a database that did not take them."""
        with self._condition:
            return len(self._pending) if self._failure is not None else 0

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
                _log.error("index.crashed", extra=describe_fault(error))
                failure = StoreError(f"the index failed: {type(error).__name__}")
            self._settle(len(batch), failure)

    def _next_batch(self) -> list[NewInstance | LaterChange]:
        """Wait for arrivals, and for a pause after them; empty when the thread is to end."""
        with self._condition:
            if self._failure is not None:
                self._condition.wait_for(lambda: self._hurry or self._closing, _RETRY_S)
            self._condition.wait_for(lambda: self._pending or self._closing)
            if not self._due:
                self._wait_for_pause()
                self._due = len(self._pending)
            if self._closing and self._failure is not None:
                return []
            self._hurry = False
            return self._pending[: min(self._due, _BATCH)]

    def _wait_for_pause(self) -> None:
        end_s = monotonic() + _LONGEST_S
        added = -1
        while added != self._added and not self._is_urgent() and (left_s := end_s - monotonic()) > 0:
            added = self._added
            self._condition.wait_for(self._is_urgent, min(_PAUSE_S, left_s))

    def _is_urgent(self) -> bool:
        return self._hurry or self._closing or len(self._pending) >= _MOST_PENDING

    def _settle(self, count: int, failure: StoreError | None) -> None:
        with self._condition:
            if failure is None:
                del self._pending[:count]
                self._due -= count
            elif self._failure is None:
                _log.error("index.failed", extra={"reason": str(failure)})
            self._failure = failure
            self._attempts += 1
            self._condition.notify_all()


def index_arrivals(database: Database, files: InstanceFiles, arrivals: Sequence[NewInstance | LaterChange]) -> int:
    """Index instance files and put on record what is wrong with them; returns how many instances were new.

    One file that the index cannot hold stops no other: it stays where it is, and is a problem for the operator.
    """
    read = _Batch(files, arrivals)
    try:
        with database.write() as transaction:
            indexed = read.record(transaction)
            read.make_changes(transaction)
    except Exception as error:
        if isinstance(error, StoreError) and not isinstance(error, RowRefused):
            raise  # the database does not work: another time
        with database.write() as transaction:
            indexed = read.record_one_by_one(transaction)
            read.make_changes(transaction)
    read.log_problems()
    return indexed


def index_within(transaction: Transaction, files: InstanceFiles, arrivals: Mapping[str, NewInstance]) -> None:
    """Index instances, by the paths of their files, in a write transaction that is open.

    Raises what stands against it.
    """
    add_instances(transaction, [_make_entry(files, arrival, path) for path, arrival in arrivals.items()])


class _Batch:
    """Arrivals whose attributes have been read, and problems of those that have none."""

    def __init__(self, files: InstanceFiles, given: Sequence[NewInstance | LaterChange]) -> None:
        self._files = files
        self._changes = [each for each in given if isinstance(each, LaterChange)]
        arrivals = [each for each in given if isinstance(each, NewInstance)]
        self._problems = [_explain_aside(arrival) for arrival in arrivals if arrival.aside]
        self._entries: list[tuple[NewInstance, Entry]] = []
        for arrival in arrivals:
            if arrival.stored is not Stored.DIFFERENT:
                self._read(arrival)

    def record(self, transaction: Transaction) -> int:
        """Index all of them that are still there."""
        self._drop_deleted(transaction)
        for arrival, _ in self._entries:
            if arrival.stored is Stored.REPLACED:
                remove_instance(transaction, arrival.sop_instance_uid)
        added = add_instances(transaction, [entry for _, entry in self._entries])
        if has_unindexed(transaction):
            files = [self._files.relative_path(arrival.sop_instance_uid) for arrival, _ in self._entries]
            settle_problems(transaction, files)
        add_problems(transaction, self._problems)
        return added

    def make_changes(self, transaction: Transaction) -> None:
        """Make the changes that belong to them."""
        for change in self._changes:
            change.make(transaction)

    def _drop_deleted(self, transaction: Transaction) -> None:
        """Leave out files that another process has deleted, or is about to, since they were read.

        What has just arrived in this process is in no index that something could be deleted from.
        """
        read = [arrival.sop_instance_uid for arrival, _ in self._entries if arrival.values is None]
        if not read:
            return
        tombstones = set(read_tombstones(transaction))
        modified = ((uid, self._files.modified_ns(uid)) for uid in read)
        gone = {uid for uid, modified_ns in modified if modified_ns is None or (uid, modified_ns) in tombstones}
        self._entries = [each for each in self._entries if each[0].sop_instance_uid not in gone]

    def record_one_by_one(self, transaction: Transaction) -> int:
        """Index each of them that the database takes."""
        added = 0
        entries, self._entries = self._entries, []
        for arrival, entry in entries:
            self._entries = [(arrival, entry)]
            try:
                with transaction.attempt():
                    added += self.record(transaction)
            except Exception as error:
                if isinstance(error, StoreError) and not isinstance(error, RowRefused):
                    raise
                self._add_problem(arrival, error)
        self._entries = []
        self.record(transaction)
        return added

    def log_problems(self) -> None:
        """Say what is wrong once it is on record."""
        for problem in self._problems:
            known = {"sop_instance_uid": problem.sop_instance_uid, "kind": problem.kind.value, "file": problem.file}
            _log.warning("index.problem", extra={**known, "reason": problem.reason, "source": problem.source})

    def _read(self, arrival: NewInstance) -> None:
        try:
            self._entries.append((arrival, _make_entry(self._files, arrival)))
        except FileNotFoundError:
            pass  # deleted since
        except Exception as error:  # noqa: BLE001 - whatever one file does to whoever reads it: the others go on
            self._add_problem(arrival, error)

    def _add_problem(self, arrival: NewInstance, error: Exception) -> None:
        uid = arrival.sop_instance_uid
        file, reason = self._files.relative_path(uid), _explain(error)
        self._problems.append(NewProblem(ProblemKind.NOT_INDEXED, uid, file, reason, arrival.origin, arrival.source))


def _explain_aside(arrival: NewInstance) -> NewProblem:
    kind, reason = _KINDS[arrival.stored], _REASONS[arrival.stored]
    file = f"{ASIDE_FOLDER}/{arrival.aside}"
    return NewProblem(kind, arrival.sop_instance_uid, file, reason, arrival.origin, arrival.source)


def _explain(error: Exception) -> str:
    """Why an instance is not in the index; of a foreign error only its name, since its text may hold data."""
    return error.message if isinstance(error, OpenModalityError) else f"it cannot be read: {type(error).__name__}"


def _make_entry(files: InstanceFiles, arrival: NewInstance, path: str = "") -> Entry:
    """By the values that were gathered, or by the file, at ``path`` where it has no name yet."""
    if arrival.values is not None:
        attributes = arrival.values.decode(arrival.length_bytes)
    else:
        attributes = read_attributes(Path(path) if path else files.path(arrival.sop_instance_uid))
    if attributes.instance["SOPInstanceUID"] != arrival.sop_instance_uid:
        raise ObjectInvalid(f"the file {arrival.sop_instance_uid}.dcm holds another SOP Instance UID")
    return Entry(attributes, files.bucket(arrival.sop_instance_uid), arrival.origin, arrival.listed)
