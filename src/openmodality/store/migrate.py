"""Brings a database to the newest schema when it is opened.

The common case, a database that is up to date, costs one SELECT: Alembic is imported only when there is something to
do.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from openmodality.errors import StoreError
from openmodality.store.names import REVISION
from openmodality.store.transaction import Snapshot, Transaction

_LOCK_KEY = 0x4F4D  # PostgreSQL's advisory locks are numbers; this one means "migrating OpenModality"


def is_current(snapshot: Snapshot) -> bool:
    """Whether the database has the newest schema."""
    return _revision(snapshot.connection) == REVISION


def migrate(transaction: Transaction) -> None:
    """Apply the migrations that are missing, all of them or none.

    Raises :class:`StoreError` where a newer version has made the database.
    """
    if transaction.dialect == "postgresql":
        transaction.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    if not is_current(transaction):  # another process may have been faster
        _upgrade(transaction.connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - start-up time
    from alembic.config import Config  # noqa: PLC0415 - start-up time
    from alembic.util import CommandError  # noqa: PLC0415 - start-up time

    config = Config()
    config.set_main_option("script_location", "openmodality.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            "the database has a schema that this version does not know", advice="use the newer version that made it"
        ) from error
