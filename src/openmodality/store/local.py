"""Database, instance files and index as one: what the device, its console and its command line work with."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from openmodality.buffer import Buffer
from openmodality.errors import StoreError
from openmodality.objects.filter.private_sets import PrivateSets
from openmodality.store.database import Database, Durability, open_database
from openmodality.store.database_errors import DatabaseFailed
from openmodality.store.files.indexed_attributes import IndexedValues, read_attributes
from openmodality.store.files.instance_file import InstanceFile, Named, Stored, remove
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.files.syncing import FileGroup
from openmodality.store.index_recovery import Progress, Recovered, recover
from openmodality.store.ingest import Ingest, LaterChange, NewInstance, index_within
from openmodality.store.names import ASIDE_FOLDER, DATABASE_FILE, INSTANCE_FOLDER
from openmodality.store.naming import FileNames
from openmodality.store.ownership import find_device
from openmodality.store.private_files import make_private_folder
from openmodality.store.reserve import Reserve
from openmodality.store.rows.index import find_indexed
from openmodality.store.states import Origin
from openmodality.store.transaction import Clock, Snapshot, Transaction

log = logging.getLogger(__name__)

_COPY_BYTES = 1 << 20
AddEncoded = Callable[[str, Sequence[Buffer], IndexedValues], None]
"""Adds an instance by its UID, the parts of its file, and what the index keeps of it."""
Check = Callable[[Transaction], None]
"""Looks into the transaction and raises an error where an instance must not be stored."""


class LocalStore:
    """The local database of the device; made by ``open_store``, a context manager."""

    def __init__(self, database: Database, files: InstanceFiles, reserve: Reserve) -> None:
        self.database = database
        self.reserve = reserve
        self.files = files
        self._ingest = Ingest(database, files)
        self._naming = FileNames(database, files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create(self, sop_instance_uid: str, head: bytes = b"") -> InstanceFile:
        """Begin an instance file; write to it and hand it to ``accept``, or abort it."""
        return self.files.create(sop_instance_uid, head)

    def accept(
        self,
        file: InstanceFile,
        origin: Origin = Origin.RECEIVED,
        *,
        listed: bool = True,
        values: IndexedValues | None = None,
        source: str = "",
    ) -> Stored:
        """Store a complete instance; Success may be answered when this returns.

        An instance that is stored already changes nothing. Other content under its UID is set aside and is a problem
        for the operator, or takes its place where that one is damaged. ``source`` is the AE title that it came from.
        ``listed=False`` keeps the instance out of lists (R/F decision 1). ``values`` are those that the index keeps,
        where the walk over the data set gathered them; else the file is read for them.
        """
        stored = file.commit()
        if stored is not Stored.SAME:
            uid, length_bytes = file.sop_instance_uid, file.length_bytes
            self._ingest.add(NewInstance(uid, origin, listed, stored, file.aside, source, values, length_bytes))
        return stored

    def accept_checked(
        self, file: InstanceFile, origin: Origin, check: Check, values: IndexedValues | None = None
    ) -> Stored:
        """Store what this device makes, where ``check`` lets it: index, exam and file in one step (``store.naming``).

        An instance that is in the index already was made before, such as by a process that died: nothing is changed,
        and ``check`` is not asked. Slower than ``accept``. Where the database does not work, the file is stored all the
        same, and comes into the index when it does again: what was acquired cannot be acquired again.
        """
        arrival = NewInstance(file.sop_instance_uid, origin, values=values, length_bytes=file.length_bytes)
        [stored] = self._store_checked([arrival], [file.complete()], check)
        return stored

    @contextmanager
    def accept_together(self, origin: Origin, check: Check) -> Iterator[AddEncoded]:
        """Store what this device makes as :meth:`accept_checked` does: all that is added in the block, or nothing.

        Files are made durable in groups, and all come into the index with one transaction at the end of the block.
        """
        group, arrivals = FileGroup(synced=self.files.synced), list[NewInstance]()

        def add(sop_instance_uid: str, parts: Sequence[Buffer], values: IndexedValues) -> None:
            file = self.create(sop_instance_uid)
            group.add(file, parts)
            length_bytes = sum(map(len, parts))
            arrivals.append(NewInstance(sop_instance_uid, origin, values=values, length_bytes=length_bytes))

        try:
            yield add
            temporary = group.finish()
        except BaseException:
            group.abort()
            raise
        self._store_checked(arrivals, temporary, check)

    def _store_checked(self, arrivals: Sequence[NewInstance], temporary: Sequence[str], check: Check) -> list[Stored]:
        names = {each.sop_instance_uid: name for each, name in zip(arrivals, temporary, strict=True)}
        try:
            with self.database.write() as transaction:
                made = find_indexed(transaction, list(names))
                new = [each for each in arrivals if each.sop_instance_uid not in made]
                if new:
                    check(transaction)
                    index_within(transaction, self.files, {names[each.sop_instance_uid]: each for each in new})
                    self._naming.note(transaction, {uid: name for uid, name in names.items() if uid not in made})
        except DatabaseFailed as error:
            return [self._store_alone(each, names[each.sop_instance_uid], error) for each in arrivals]
        except BaseException:
            for name in temporary:
                remove(name)
            raise
        for uid in made:
            remove(names.pop(uid))
        named = self._naming.name_all(names)
        return [self._note_named(each, named.get(each.sop_instance_uid)) for each in arrivals]

    def _note_named(self, arrival: NewInstance, named: Named | None) -> Stored:
        if named is None:
            return Stored.SAME
        stored, aside = named
        if aside:
            self._ingest.add(arrival._replace(stored=stored, aside=aside))
        return stored

    def _store_alone(self, arrival: NewInstance, temporary: str, error: DatabaseFailed) -> Stored:
        """Store a file without the database, which takes it up later; an operator is told."""
        named = self.files.name_completed(temporary, arrival.sop_instance_uid)
        if named is None:
            raise error
        reason = {"sop_instance_uid": arrival.sop_instance_uid, "reason": error.message}
        log.error("store.without_database", extra=reason)
        self._ingest.add(arrival._replace(stored=named.stored, aside=named.aside))
        return named.stored

    def change_later(self, make: Callable[[Transaction], object]) -> None:
        """Make a change with the next batch of the index, in the thread of the index; the caller does not wait.

        Instances that are stored after this call come into the index with it, or later.
        """
        self._ingest.add(LaterChange(make))

    @property
    def waiting(self) -> int:
        """How many instances are on disk and wait for the database to take them into the index."""
        return self._ingest.waiting

    def add_file(self, path: Path, origin: Origin = Origin.IMPORTED) -> Stored:
        """Copy a PS3.10 file into the store. Raises :class:`ObjectInvalid` where it is none."""
        try:
            uid = read_attributes(path).instance["SOPInstanceUID"]
            with path.open("rb") as source:
                file = self.create(uid)
                try:
                    while chunk := source.read(_COPY_BYTES):
                        file.write(chunk)
                except BaseException:
                    file.abort()
                    raise
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error
        return self.accept(file, origin)

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """A snapshot that holds everything stored before this call."""
        self.flush()
        with self.database.read() as snapshot:
            yield snapshot

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """The write transaction; it sees everything stored before this call, and each instance of it has its file."""
        self.flush()
        with self.database.write() as transaction:
            self._naming.finish(transaction)
            yield transaction

    def flush(self) -> None:
        """Wait until the index has everything that is stored."""
        self._ingest.flush()

    def recover(self, progress: Progress = lambda done, total: None) -> Recovered:
        """To be called once at the start of the device, before it listens and works."""
        return recover(self.database, self.files, self._naming, progress)

    def close(self) -> None:
        """Write what is pending and let go of files and database."""
        self._ingest.close()
        self._close_naming()
        self.files.close()
        self.database.close()

    def _close_naming(self) -> None:
        try:
            self._naming.close()
        except StoreError as error:
            log.warning("store.notes_kept", extra={"reason": error.message})  # the next start does not need them


def open_store(
    folder: Path,
    *,
    url: str | None = None,
    durability: Durability = "fsync",
    clock: Clock = time.time,
    known_private: PrivateSets | None = None,
    device_name: str = "",
) -> LocalStore:
    """Open the store in a data folder: ``instances/``, and ``openmodality.db`` unless ``url`` names a database.

    ``known_private`` are the private sets that count when two contents of one UID are compared; ``None``: all.
    ``device_name`` is what people know the device by, where several share the database.
    """
    try:
        make_private_folder(folder, (DATABASE_FILE, INSTANCE_FOLDER))
    except OSError as error:
        raise StoreError(f"cannot make the data folder {folder}: {error.strerror}") from error
    reserve = Reserve(folder)
    address = url or f"sqlite:///{folder / DATABASE_FILE}"
    database = reserve.open(lambda: open_database(address, durability=durability, clock=clock))
    try:
        database.device_id = find_device(database, folder, device_name)
    except BaseException:
        database.close()
        raise
    files = InstanceFiles(
        folder / INSTANCE_FOLDER, durability=durability, aside=folder / ASIDE_FOLDER, known_private=known_private
    )
    return LocalStore(database, files, reserve)
