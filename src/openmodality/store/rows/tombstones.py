"""Tombstones: which files are to go because their rows are gone, so that no start indexes them again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from openmodality.store.schema import tombstones
from openmodality.store.transaction import Snapshot, Transaction


def insert_tombstones(transaction: Transaction, modified: Sequence[tuple[str, int]]) -> None:
    """Note files by their SOP Instance UID and the time they were written, in nanoseconds."""
    own = {"device_id": transaction.device_id}
    rows = [{**own, "SOPInstanceUID": uid, "modified_ns": modified_ns} for uid, modified_ns in modified]
    transaction.execute(transaction.insert(tombstones).on_conflict_do_nothing(), rows)


def read_tombstones(snapshot: Snapshot) -> list[tuple[str, int]]:
    """All files that are to go: SOP Instance UID and the time the file was written."""
    own = select(tombstones).where(tombstones.c.device_id == snapshot.device_id)
    return [(row.SOPInstanceUID, row.modified_ns) for row in snapshot.execute(own)]


def has_tombstones(snapshot: Snapshot) -> bool:
    """Whether there is any: nearly never, and each batch of the index asks."""
    return bool(snapshot.rows("SELECT 1 FROM tombstones WHERE device_id = ? LIMIT 1", (snapshot.device_id,)))


def remove_tombstones(transaction: Transaction, uids: Sequence[str]) -> None:
    """Forget tombstones: the files are gone, or are other ones."""
    own = tombstones.c.device_id == transaction.device_id
    transaction.execute(delete(tombstones).where(own, tombstones.c.SOPInstanceUID.in_(uids)))
