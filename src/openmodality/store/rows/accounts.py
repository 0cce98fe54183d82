"""The operators of a device: rows of ``console_users``, ``console_links``, ``console_sessions`` and ``console_tokens``.

Only the digest of a secret that a browser or a program shows is kept, and is searched for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from openmodality.store.schema import console_links, console_sessions, console_tokens, console_users
from openmodality.store.transaction import Snapshot, Transaction


class UserRow(NamedTuple):
    """A user; ``password`` is a hash, empty until one was chosen."""

    id: int
    name: str
    roles: tuple[str, ...]
    password: str
    created_at: float
    disabled_at: float | None


class SessionRow(NamedTuple):
    """A session that is open, with its user."""

    id: int
    user: UserRow
    digest: str
    address: str
    created_at: float
    seen_at: float


class TokenRow(NamedTuple):
    """A token of a program."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None


class LinkRow(NamedTuple):
    """A link that works once; without a user it makes the first one."""

    id: int
    user_id: int | None
    expires_at: float


def insert_user(transaction: Transaction, name: str, roles: Sequence[str], password: str = "") -> int:
    """Add a user; its number."""
    row = {"name": name, "roles": " ".join(roles), "password": password, "created_at": transaction.now}
    return int(transaction.execute(insert(console_users).values(row).returning(console_users.c.id)).scalar_one())


def read_users(snapshot: Snapshot) -> list[UserRow]:
    """All users by their names, disabled ones too."""
    return [_make_user(row) for row in snapshot.execute(select(console_users).order_by(console_users.c.name))]


def find_user(snapshot: Snapshot, name: str) -> UserRow | None:
    """The user of this name."""
    row = snapshot.execute(select(console_users).where(console_users.c.name == name)).first()
    return _make_user(row) if row else None


def get_user(snapshot: Snapshot, user_id: int) -> UserRow:
    """The user of this number."""
    return _make_user(snapshot.execute(select(console_users).where(console_users.c.id == user_id)).one())


def change_user(transaction: Transaction, user_id: int, **values: object) -> None:
    """Change columns of a user."""
    transaction.execute(update(console_users).where(console_users.c.id == user_id).values(**values))


def replace_link(transaction: Transaction, user_id: int | None, digest: str, expires_at: float) -> None:
    """Add a link, in place of those that the same user had, or without a user of those that had none."""
    same = console_links.c.user_id.is_(None) if user_id is None else console_links.c.user_id == user_id
    transaction.execute(delete(console_links).where(same))
    row = {"user_id": user_id, "digest": digest, "expires_at": expires_at}
    transaction.execute(insert(console_links).values(row))


def find_link(snapshot: Snapshot, digest: str) -> LinkRow | None:
    """A link that has not been used."""
    columns = console_links.c
    row = snapshot.execute(
        select(columns.id, columns.user_id, columns.expires_at).where(columns.digest == digest)
    ).first()
    return LinkRow(*row) if row else None


def remove_link(transaction: Transaction, link_id: int) -> None:
    """Take a link away: it has been used."""
    transaction.execute(delete(console_links).where(console_links.c.id == link_id))


def insert_session(transaction: Transaction, user_id: int, digest: str, address: str) -> None:
    """Open a session."""
    now = transaction.now
    row = {
        "device_id": transaction.device_id,
        "user_id": user_id,
        "digest": digest,
        "address": address,
        "created_at": now,
        "seen_at": now,
    }
    transaction.execute(insert(console_sessions).values(row))


def find_session(snapshot: Snapshot, digest: str) -> SessionRow | None:
    """The session with this digest at this device."""
    found = _read_sessions(snapshot, console_sessions.c.digest == digest)
    return found[0] if found else None


def read_sessions_of(snapshot: Snapshot, user_id: int) -> list[SessionRow]:
    """The sessions of a user at this device, newest first."""
    return _read_sessions(snapshot, console_sessions.c.user_id == user_id)


def touch_session(transaction: Transaction, session_id: int) -> None:
    """Note that somebody uses a session."""
    mine = console_sessions.c.id == session_id
    transaction.execute(update(console_sessions).where(mine).values(seen_at=transaction.now))


def end_session(transaction: Transaction, session_id: int) -> None:
    """End one session."""
    transaction.execute(delete(console_sessions).where(console_sessions.c.id == session_id))


def end_sessions_of(transaction: Transaction, user_id: int) -> None:
    """End the sessions of a user, at all devices of the database."""
    transaction.execute(delete(console_sessions).where(console_sessions.c.user_id == user_id))


def remove_old_sessions(transaction: Transaction, created_before: float) -> None:
    """Forget sessions that are over by their age."""
    transaction.execute(delete(console_sessions).where(console_sessions.c.created_at < created_before))


def insert_access_token(
    transaction: Transaction, name: str, digest: str, scopes: Sequence[str], expires_at: float | None
) -> None:
    """Add a token."""
    row = {
        "name": name,
        "digest": digest,
        "scopes": " ".join(scopes),
        "created_at": transaction.now,
        "expires_at": expires_at,
    }
    transaction.execute(insert(console_tokens).values(row))


def read_access_tokens(snapshot: Snapshot) -> list[TokenRow]:
    """All tokens by their names."""
    return [_make_token(row) for row in snapshot.execute(select(console_tokens).order_by(console_tokens.c.name))]


def find_access_token(snapshot: Snapshot, digest: str) -> TokenRow | None:
    """The token with this digest."""
    row = snapshot.execute(select(console_tokens).where(console_tokens.c.digest == digest)).first()
    return _make_token(row) if row else None


def remove_access_token(transaction: Transaction, name: str) -> bool:
    """Take a token away; whether there was one of this name."""
    return transaction.execute(delete(console_tokens).where(console_tokens.c.name == name)).rowcount > 0


def count_users(snapshot: Snapshot) -> int:
    """How many users there are."""
    return int(snapshot.execute(select(func.count()).select_from(console_users)).scalar_one())


def _read_sessions(snapshot: Snapshot, condition: Any) -> list[SessionRow]:
    columns = console_sessions.c
    statement = (
        select(
            columns.id.label("session_id"),
            columns.digest,
            columns.address,
            columns.created_at.label("opened_at"),
            columns.seen_at,
            console_users,
        )
        .join(console_users, console_users.c.id == columns.user_id)
        .where(columns.device_id == snapshot.device_id, condition)
        .order_by(columns.id.desc())
    )
    return [
        SessionRow(row.session_id, _make_user(row), row.digest, row.address, row.opened_at, row.seen_at)
        for row in snapshot.execute(statement)
    ]


def _make_user(row: Any) -> UserRow:
    return UserRow(row.id, row.name, tuple(row.roles.split()), row.password, row.created_at, row.disabled_at)


def _make_token(row: Any) -> TokenRow:
    return TokenRow(row.id, row.name, tuple(row.scopes.split()), row.created_at, row.expires_at)
