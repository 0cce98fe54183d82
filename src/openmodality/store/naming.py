"""Stores what this device makes in one step: row, place in an exam, and file, all of them or nothing.

A transaction cannot give a file its name. So the file is complete and durable under a temporary name first. Then one
transaction puts the instance into the index, in its exam, and notes the temporary name: from its commit on the instance
is there. The file gets its name after it. Where a process died in between, the next one that writes, or starts, finds
the note and names the file. Before the commit there is nothing but a temporary file, which the next start removes.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from openmodality.errors import StoreError
from openmodality.store.database import Database
from openmodality.store.files.instance_file import Named, Stored, remove
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.rows.index import remove_instance
from openmodality.store.rows.irradiation import remove_image
from openmodality.store.rows.unnamed_files import insert_unnamed, read_unnamed, remove_unnamed
from openmodality.store.states import Subject
from openmodality.store.transaction import Transaction

_log = logging.getLogger(__name__)
_NOTES_KEPT: Final = 1024
"""Of files that have their names: what a power failure makes the next start look at, at most. The more they are, the
more of them share one of the 256 folders, each of which is made durable once."""


class FileNames:
    """Names the files of instances that are in the index, those of this process and those of dead ones."""

    def __init__(self, database: Database, files: InstanceFiles) -> None:
        self._database = database
        self._files = files
        self._lock = threading.Lock()
        self._named: list[str] = []  # by this process; their notes go with a later transaction

    def note(self, transaction: Transaction, temporary: Mapping[str, str]) -> None:
        """Note that complete files are to be named once the transaction is committed: temporary names by their UIDs.

        Until the notes are taken out, names need not survive a power failure, since the next start gives them again.
        So the folders are made durable for many names at once.
        """
        root = f"{self._files.root}{os.sep}"
        insert_unnamed(transaction, {uid: name.removeprefix(root) for uid, name in temporary.items()})
        with self._lock:
            if len(self._named) < _NOTES_KEPT:
                return
            named, self._named = self._named, []
        self._files.sync_names(named)
        remove_unnamed(transaction, named)

    def name_all(self, temporary: Mapping[str, str]) -> dict[str, Named]:
        """Name the files of instances that have just come into the index together: temporary names by their UIDs.

        Raises :class:`StoreError` where one cannot be named: none of them is in the index any more.
        """
        named: dict[str, Named] = {}
        try:
            for uid, name in temporary.items():
                named[uid] = self._files.name_completed(name, uid, synced=False) or Named(Stored.SAME)
        except StoreError:
            self._take_all_back(temporary, named)
            raise
        with self._lock:
            self._named += named
        return named

    def _take_all_back(self, temporary: Mapping[str, str], named: Mapping[str, Named]) -> None:
        """Remove files, then rows: where the process dies in between, notes without files take the rows back."""
        for uid, name in temporary.items():
            remove(name)
            if uid in named and named[uid].stored is Stored.NEW:
                self._files.delete(uid)
        with self._database.write() as transaction:
            for uid in temporary:
                _take_back(transaction, uid)

    def finish(self, transaction: Transaction) -> None:
        """Name what processes that died have left: what this transaction sees in the index has its file then."""
        with self._lock:
            own = set(self._named)
        left = [each for each in read_unnamed(transaction) if each[0] not in own]
        if not left or not self._files.root.is_dir():
            return
        for uid, temporary in left:
            if self._files.name_completed(str(Path(self._files.root, temporary)), uid) is None:
                _take_back(transaction, uid)
                _log.error("store.file_lost", extra={"sop_instance_uid": uid})
        remove_unnamed(transaction, [uid for uid, _ in left])

    def close(self) -> None:
        """Forget the notes of files that have their names."""
        if self._named:
            self._files.sync_names(self._named)
            with self._database.write() as transaction:
                remove_unnamed(transaction, self._named)


def _take_back(transaction: Transaction, sop_instance_uid: str) -> None:
    """There is no file and never was one by this name: the instance was not stored after all."""
    remove_instance(transaction, sop_instance_uid)
    remove_image(transaction, sop_instance_uid)
    remove_unnamed(transaction, [sop_instance_uid])
    transaction.add_event(Subject.INSTANCE, sop_instance_uid, "taken back", "its file could not be named")
