"""Brings a database to the newest schema when it is opened.

The common case, a database that is up to date, costs one SELECT. An empty one is made as ``schema`` has it, in a tenth
of the time of all migrations. Alembic is imported only where an older version has made the database.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, create_mock_engine, inspect, text

from openmodality.errors import StoreError
from openmodality.store.names import REVISION
from openmodality.store.schema import events
from openmodality.store.transaction import Snapshot, Transaction

_VERSION_TABLE = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
"""
"""As Alembic makes it."""
_LOCK_KEY = 0x4F4D  # PostgreSQL's advisory locks are numbers; this one means "migrating OpenModality"


def is_current(snapshot: Snapshot) -> bool:
    """Whether the database has the newest schema."""
    return _revision(snapshot.connection) == REVISION


def migrate(transaction: Transaction) -> None:
    """Create the tables in an empty database, or apply the migrations that are missing: all of them or none.

    Raises :class:`StoreError` where a newer version has made the database.
    """
    if transaction.dialect == "postgresql":
        transaction.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    if is_current(transaction):  # another process may have been faster
        return
    if inspect(transaction.connection).get_table_names():
        _upgrade(transaction.connection)
    else:
        _create(transaction.connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> None:
    for statement in list_statements(f"{connection.dialect.name}+{connection.dialect.driver}"):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(_VERSION_TABLE)
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})


@cache
def list_statements(driver: str) -> tuple[str, ...]:
    """What creates the tables and indexes of ``schema``, in the words of a database: to compile it takes longest."""
    found: list[str] = []

    def take(statement: Any, *_: object, **__: object) -> None:
        found.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine(f"{driver}://", take)
    if engine.dialect.name == "postgresql":
        _add_conditions()
    events.metadata.create_all(engine, checkfirst=False)
    return tuple(found)


def _add_conditions() -> None:
    """Let indexes of PostgreSQL have the conditions of SQLite's.

    In ``schema`` they would load that dialect, which takes longer than all else that a device on SQLite does with it.
    """
    for table in events.metadata.tables.values():
        for index in table.indexes:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


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
