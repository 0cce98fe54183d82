"""Whose database it is, and whether it is as new as the data folder remembers.

``device.json`` in the data folder holds the number of the device and that of the newest event of its database. The
database holds the number of the device and its profile. So a database that is another device's is refused, and one
that was lost, emptied, or put back from a copy is noticed.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import delete, insert

from openmodality.errors import StoreError
from openmodality.store.database import Database
from openmodality.store.files.instance_file import store_error
from openmodality.store.private_files import open_private
from openmodality.store.schema import owner
from openmodality.store.transaction import Snapshot

RECORD_FILE: Final = "device.json"


class OtherDevice(StoreError):
    """The database is that of another device, or of another profile."""

    advice = "give each device a database of its own; where this one is right after all: openmodality recover --adopt"


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """What the data folder remembers: its device, and the newest event of the database."""

    device: str
    newest_event: int


class Ownership:
    """The tie between one data folder and its database."""

    def __init__(self, database: Database, folder: Path, profile: str) -> None:
        self._database = database
        self._path = folder / RECORD_FILE
        self._profile = profile
        self._kept: FolderRecord | None = None

    def claim(self, *, adopt: bool = False) -> list[str]:
        """Tie folder and database together, or find them tied; returns what an operator must know.

        ``adopt``: take over a database whatever it says. Raises :class:`OtherDevice`.
        """
        record = self._read()
        with self._database.write() as transaction:
            row = _read_owner(transaction)
            if row is not None and not adopt:
                self._refuse_other(record, *row)
            device = record.device if record else row[0] if row else str(uuid.uuid4())
            if row is None or adopt:
                transaction.execute(delete(owner))
                row_values = {"id": 1, "device": device, "profile": self._profile, "created_at": transaction.now}
                transaction.execute(insert(owner).values(row_values))
        newest = self._database.last_event()
        self._write(FolderRecord(device, newest))
        if record is None or adopt:
            return []
        return _compare(record, newest, is_new=row is None)

    def remember(self) -> None:
        """Note how new the database is now."""
        if self._kept is not None and (newest := self._database.last_event()) != self._kept.newest_event:
            self._write(FolderRecord(self._kept.device, newest))

    def _refuse_other(self, record: FolderRecord | None, device: str, profile: str) -> None:
        if profile != self._profile:
            raise OtherDevice(f"the database is that of a device of profile {profile}, and this one is {self._profile}")
        if record is None and self._database.engine.dialect.name == "sqlite":
            return  # it lies in this folder, whose record is lost
        if record is None or record.device != device:
            raise OtherDevice(f"the database is that of another device, and not of {self._path.parent}")

    def _read(self) -> FolderRecord | None:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            return FolderRecord(str(found["device"]), int(found["newest_event"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise store_error(error, f"read {self._path}") from error
        except (ValueError, KeyError, TypeError):
            return None  # cut off by a power failure: as if it were not there

    def _write(self, record: FolderRecord) -> None:
        text = json.dumps({"device": record.device, "newest_event": record.newest_event})
        unfinished = self._path.with_suffix(".tmp")
        try:
            with open(unfinished, "w", encoding="utf-8", opener=open_private) as stream:
                stream.write(text + "\n")
            unfinished.replace(self._path)
        except OSError as error:
            raise store_error(error, f"write {self._path}") from error
        self._kept = record


def _read_owner(snapshot: Snapshot) -> tuple[str, str] | None:
    rows = snapshot.rows("SELECT device, profile FROM owner")
    return (rows[0]["device"], rows[0]["profile"]) if rows else None


def _compare(record: FolderRecord, newest: int, *, is_new: bool) -> list[str]:
    """What is missing of a database that this folder has had."""
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
