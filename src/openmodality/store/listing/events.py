"""Events as they are passed on to whoever watches: in the order of their commits, which their numbers have."""

from __future__ import annotations

from typing import NamedTuple

from openmodality.store.listing.reader import Reader


class StoredEvent(NamedTuple):
    """A change of state: what it is about and what became of it. Neither holds data of a patient.

    Its detail is left out: that is for those who may see the thing itself.
    """

    id: int
    at: float
    subject: str
    subject_id: str
    name: str


def read_events(reader: Reader, after: int, limit: int) -> list[StoredEvent]:
    """The events behind a number, oldest first; no event with a number up to the last of them comes later."""
    rows = reader.rows(
        "SELECT id, at, subject, subject_id, name FROM events WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    )
    return [StoredEvent(row["id"], row["at"], row["subject"], row["subject_id"], row["name"]) for row in rows]
