"""Which device a data folder is of, in a database of one device or of several, and whether it is as new as the folder.

``device.json`` in the data folder holds the number of the device and that of the newest event of its database. The
database has a row for each of its devices. A SQLite file is one device's, so that one of another is refused. A database
on PostgreSQL may be a department's: a data folder that it does not know is a new device of it. One that was lost,
emptied, or put back from a copy is noticed.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, insert, select, update

from openmodality.errors import StoreError
from openmodality.store.database import Database
from openmodality.store.files.instance_file import store_error
from openmodality.store.names import ONLY_DEVICE
from openmodality.store.private_files import open_private
from openmodality.store.schema import devices
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass

RECORD_FILE: Final = "device.json"
_NEVER_STARTED: Final = -1
"""In place of the newest event where the device has not started yet."""


class OtherDevice(StoreError):
    """The database is that of another device, or this device has another profile there."""

    advice = (
        "give each device a SQLite database of its own, or one on PostgreSQL to all;"
        " where this one is right after all: openmodality recover --adopt"
    )


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """What the data folder remembers: its device, and the newest event of the database."""

    device: str
    newest_event: int


class _Row(NamedTuple):
    """A device as the database has it; ``profile`` is empty until it has started once."""

    id: int
    device: str
    profile: str


class Ownership:
    """The tie between one data folder and its database. ``name`` is what people know the device by."""

    def __init__(self, database: Database, folder: Path, profile: str, name: str = "") -> None:
        self._database = database
        self._folder = folder
        self._profile = profile
        self._name = name
        self._kept: FolderRecord | None = None

    def claim(self, *, adopt: bool = False) -> list[str]:
        """Tie folder and database together, or find them tied; returns what an operator must know.

        ``adopt``: take over a database whatever it says, or the only other device of this profile that a department's
        database has. Raises :class:`OtherDevice`.
        """
        record = read_record(self._folder)
        with self._database.write() as transaction:
            row = self._find_row(transaction, record, adopt=adopt)
            if row is not None and not adopt:
                self._refuse_other(record, row)
            device = row.device if row and not (adopt and record and self._is_alone) else ""
            device = device or (record.device if record else str(uuid.uuid4()))
            self._keep_row(transaction, row, device)
        newest = self._database.last_event()
        self._write(FolderRecord(device, newest))
        if record is None or adopt:
            return []
        return _compare(record, newest, is_new=row is None or not row.profile)

    def remember(self) -> None:
        """Note how new the database is now."""
        if self._kept is not None and (newest := self._database.last_event()) != self._kept.newest_event:
            self._write(FolderRecord(self._kept.device, newest))

    @property
    def _is_alone(self) -> bool:
        return self._database.engine.dialect.name == "sqlite"

    def _find_row(self, transaction: Transaction, record: FolderRecord | None, *, adopt: bool) -> _Row | None:
        row = _read_row(transaction, self._database.device_id)
        if self._is_alone or not adopt or (row is not None and row.profile):
            return row
        others = [each for each in _read_rows(transaction) if each.profile == self._profile]
        if len(others) != 1:
            raise OtherDevice(f"the database has {len(others)} other devices of profile {self._profile}", advice="")
        transaction.execute(delete(devices).where(devices.c.id == self._database.device_id))
        self._database.device_id = others[0].id
        return others[0]

    def _keep_row(self, transaction: Transaction, row: _Row | None, device: str) -> None:
        values = {
            "device": device,
            "profile": self._profile,
            "name": self._name,
            "host": platform.node(),
            "folder": str(self._folder.absolute()),
        }
        number = self._database.device_id
        if row is None:
            row_values = {"id": number, **values, "created_at": transaction.now}
            transaction.execute(insert(devices).values(row_values))
        else:
            transaction.execute(update(devices).where(devices.c.id == number).values(values))

    def _refuse_other(self, record: FolderRecord | None, row: _Row) -> None:
        if row.profile not in ("", self._profile):
            raise OtherDevice(
                f"the database is that of a device of profile {row.profile}, and this one is {self._profile}"
            )
        if record is not None and record.device != row.device:
            raise OtherDevice(f"the database is that of another device, and not of {self._folder}")

    def _write(self, record: FolderRecord) -> None:
        write_record(self._folder, record)
        self._kept = record


def find_device(database: Database, folder: Path, name: str = "") -> int:
    """The number of the device of a data folder, which is put into a department's database where that has none."""
    if database.engine.dialect.name == "sqlite":
        return ONLY_DEVICE
    with _locked(folder):
        return _find_in_department(database, folder, name)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time looks for the device of a folder: two that start at once would each add one."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise store_error(error, f"open {folder}") from error
    try:
        with suppress(OSError):  # a file system that has no locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _find_in_department(database: Database, folder: Path, name: str) -> int:
    record = read_record(folder)
    place = (devices.c.host == platform.node()) & (devices.c.folder == str(folder.absolute()))
    with database.read() as snapshot:
        own = devices.c.device == record.device if record else place
        row = snapshot.execute(select(devices.c.id, devices.c.device).where(own).order_by(devices.c.id)).first()
    if row is None:
        row = _add_device(database, record.device if record else str(uuid.uuid4()), name)
    if record is None:
        write_record(folder, FolderRecord(row.device, _NEVER_STARTED))
    return int(row.id)


def _add_device(database: Database, device: str, name: str) -> Any:
    with database.write() as transaction:
        row = {"device": device, "name": name, "created_at": transaction.now}
        transaction.execute(transaction.insert(devices).values(row).on_conflict_do_nothing())
        return transaction.execute(select(devices.c.id, devices.c.device).where(devices.c.device == device)).one()


def read_record(folder: Path) -> FolderRecord | None:
    """What a data folder remembers; None where it has nothing to remember, or no longer has it."""
    path = folder / RECORD_FILE
    try:
        found = json.loads(path.read_text("utf-8"))
        return FolderRecord(str(found["device"]), int(found["newest_event"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise store_error(error, f"read {path}") from error
    except (ValueError, KeyError, TypeError):
        return None  # cut off by a power failure: as if it were not there


def write_record(folder: Path, record: FolderRecord) -> None:
    """Let a data folder remember."""
    path = folder / RECORD_FILE
    text = json.dumps({"device": record.device, "newest_event": record.newest_event})
    unfinished = path.with_suffix(".tmp")
    try:
        with open(unfinished, "w", encoding="utf-8", opener=open_private) as stream:
            stream.write(text + "\n")
        unfinished.replace(path)
    except OSError as error:
        raise store_error(error, f"write {path}") from error


def _read_row(snapshot: Snapshot, number: int) -> _Row | None:
    return next((row for row in _read_rows(snapshot) if row.id == number), None)


def _read_rows(snapshot: Snapshot) -> list[_Row]:
    return [_Row(**row) for row in snapshot.rows("SELECT id, device, profile FROM devices ORDER BY id")]


def _compare(record: FolderRecord, newest: int, *, is_new: bool) -> list[str]:
    """What is missing of a database that this folder has had."""
    if record.newest_event == _NEVER_STARTED:
        return []
    if is_new:
        return [
            f"the database of this device is gone: it had {record.newest_event} changes, and this one is new."
            " Its exams, jobs and commitments are lost; instances are found again by their files"
        ]
    if newest < record.newest_event:
        return [
            f"the database is older than the data folder: its last {record.newest_event - newest} changes are missing,"
            " such as exams, jobs and commitments; instances are found again by their files"
        ]
    return []
