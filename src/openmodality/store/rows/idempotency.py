"""Rows of ``idempotency_keys``: requests that are to be done once, and their answers for as long as they are kept."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, delete, insert, select, update

from openmodality.store.schema import idempotency_keys
from openmodality.store.transaction import Transaction


class KeptRequest(NamedTuple):
    """A request with its answer; without ``status`` it is being done, or was when the process ``boot`` ended."""

    id: int
    digest: str
    boot: str
    status: int | None
    headers: str
    body: str


def find_kept_request(transaction: Transaction, owner: str, key: str) -> KeptRequest | None:
    """The request that this owner made with this key."""
    columns = idempotency_keys.c
    fits = and_(columns.device_id == transaction.device_id, columns.owner == owner, columns.key == key)
    query = select(columns.id, columns.digest, columns.boot, columns.status, columns.headers, columns.body).where(fits)
    row = transaction.execute(query).first()
    return KeptRequest(*row) if row else None


def insert_kept_request(transaction: Transaction, owner: str, key: str, digest: str, boot: str) -> int:
    """Note a request that is about to be done; its number."""
    row = {
        "device_id": transaction.device_id,
        "owner": owner,
        "key": key,
        "digest": digest,
        "boot": boot,
        "created_at": transaction.now,
    }
    return int(transaction.execute(insert(idempotency_keys).values(row).returning(idempotency_keys.c.id)).scalar_one())


def note_answer(transaction: Transaction, request_id: int, status: int, headers: str, body: str) -> None:
    """Keep the answer to a request."""
    fits = idempotency_keys.c.id == request_id
    transaction.execute(update(idempotency_keys).where(fits).values(status=status, headers=headers, body=body))


def adopt_request(transaction: Transaction, request_id: int, boot: str) -> None:
    """Let another process do a request again that one which has ended began."""
    transaction.execute(update(idempotency_keys).where(idempotency_keys.c.id == request_id).values(boot=boot))


def forget_request(transaction: Transaction, request_id: int) -> None:
    """Take a request away: it may be made again."""
    transaction.execute(delete(idempotency_keys).where(idempotency_keys.c.id == request_id))


def remove_old_requests(transaction: Transaction, before: float) -> None:
    """Forget what was asked before a moment."""
    transaction.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before))
