"""Instances that are in the index and whose files are still to get their names: see ``store.naming``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete

from openmodality.store.schema import unnamed_files
from openmodality.store.transaction import Snapshot, Transaction


def insert_unnamed(transaction: Transaction, sop_instance_uid: str, temporary: str) -> None:
    """Note the temporary name of a complete file, relative to the folder of the instance files."""
    row = {"device_id": transaction.device_id, "SOPInstanceUID": sop_instance_uid, "temporary": temporary}
    transaction.execute(transaction.insert(unnamed_files).values(row))


def read_unnamed(snapshot: Snapshot) -> list[tuple[str, str]]:
    """All of them: SOP Instance UID and temporary name."""
    own = (snapshot.device_id,)
    rows = snapshot.rows('SELECT "SOPInstanceUID", temporary FROM unnamed_files WHERE device_id = ?', own)
    return [(row["SOPInstanceUID"], row["temporary"]) for row in rows]


def remove_unnamed(transaction: Transaction, uids: Sequence[str]) -> None:
    """Forget them: their files have their names."""
    if uids:
        own = unnamed_files.c.device_id == transaction.device_id
        transaction.execute(delete(unnamed_files).where(own, unnamed_files.c.SOPInstanceUID.in_(uids)))
