"""Instances that are in the index and whose files are still to get their names: see ``store.naming``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import delete

from openmodality.store.schema import unnamed_files
from openmodality.store.transaction import Snapshot, Transaction

_AT_ONCE: Final = 500
"""Values in one statement."""


def insert_unnamed(transaction: Transaction, temporary: Mapping[str, str]) -> None:
    """Note the temporary names of complete files, by their UIDs, relative to the folder of the instance files."""
    rows = [(transaction.device_id, uid, name) for uid, name in temporary.items()]
    transaction.insert_missing("unnamed_files", ("device_id", "SOPInstanceUID", "temporary"), rows)


def read_unnamed(snapshot: Snapshot) -> list[tuple[str, str]]:
    """All of them: SOP Instance UID and temporary name."""
    own = (snapshot.device_id,)
    rows = snapshot.rows('SELECT "SOPInstanceUID", temporary FROM unnamed_files WHERE device_id = ?', own)
    return [(row["SOPInstanceUID"], row["temporary"]) for row in rows]


def remove_unnamed(transaction: Transaction, uids: Sequence[str]) -> None:
    """Forget them: their files have their names."""
    own = unnamed_files.c.device_id == transaction.device_id
    for start in range(0, len(uids), _AT_ONCE):
        some = uids[start : start + _AT_ONCE]
        transaction.execute(delete(unnamed_files).where(own, unnamed_files.c.SOPInstanceUID.in_(some)))
