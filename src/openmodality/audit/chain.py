"""The chain that holds the rows of the audit trail together.

The digest of a row is SHA-256 over the digest of the row before it and everything that the row says. A row that is
changed, taken out or put in between breaks the chain at that place. Rows that were cut off at the end are noticed only
by comparison with a later row that was seen before: the last one delivered is on record, and ``audit verify --head``
takes a number and digest that were written down elsewhere.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final, NamedTuple

FIRST_DIGEST: Final = "0" * 64
"""What comes before the first row."""


class AuditEntry(NamedTuple):
    """The content of a row, without its place in the chain. ``users`` and ``patients`` have a line each."""

    at: float
    kind: str
    outcome: int
    users: str
    patients: str
    message: str


def compute_digest(previous: str, number: int, device_id: int, entry: AuditEntry) -> str:
    """The digest of a row that has this number and comes after ``previous``."""
    said = json.dumps([previous, number, device_id, *entry], separators=(",", ":"))
    return sha256(said.encode("ascii")).hexdigest()
