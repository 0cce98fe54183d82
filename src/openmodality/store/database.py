"""One database, one writer, readers beside it.

Every writer of this process goes through ``Database.write()``: one transaction at a time, begun with BEGIN IMMEDIATE,
so that a second process waits at its begin and never finds a lock in the middle of its work. Readers see the last
committed state and wait for nobody (SQLite's WAL; PostgreSQL does so by itself).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from openmodality.errors import ConfigurationError, UsageError
from openmodality.store.database_errors import map_errors
from openmodality.store.migrate import is_current, migrate
from openmodality.store.names import ONLY_DEVICE
from openmodality.store.private_files import is_file_name, protect_database
from openmodality.store.schema import events
from openmodality.store.states import Subject
from openmodality.store.transaction import Clock, Snapshot, Transaction

Durability = Literal["fsync", "os"]

_BUSY_TIMEOUT_S = 30
_WRITE_AHEAD_ATTEMPTS = 20
_CONNECT_TIMEOUT_S = 10


class ChangeSignal:
    """Counts committed writes, so that a thread can wait for the next one."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        with self._condition:
            return self._count

    def notify(self) -> None:
        """Wake everyone who waits."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, seen: int, timeout_s: float | None) -> int:
        """Return the new count as soon as it differs from ``seen``, or the old one after ``timeout_s``."""
        with self._condition:
            self._condition.wait_for(lambda: self._count != seen, timeout_s)
            return self._count


class Database:
    """The tables of ``schema`` in one SQLite file or one PostgreSQL database; made by ``open_database``.

    ``device_id`` is the device that it was opened for, where it is that of several (``store.ownership``).
    ``changed`` tells of each committed write, ``jobs_changed`` of those that change the state of a job: who works the
    queue is not to wake up for each batch of the index and of results.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.device_id = ONLY_DEVICE
        self.clock = clock
        self.changed = ChangeSignal()
        self.jobs_changed = ChangeSignal()
        self._writer = threading.Lock()
        self._writing_thread: int | None = None
        self._is_closed = False

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """The last committed state, also after :meth:`close`: what is on record may still be looked at."""
        try:
            with map_errors(), self.engine.connect() as connection:
                yield Snapshot(connection, self.device_id)
                if self.is_shared:
                    connection.commit()  # after a rollback PostgreSQL's driver has forgotten what it had prepared
        finally:
            if self._is_closed:  # nobody else would close the connection that was made for this
                self.engine.dispose()

    @contextmanager
    def migrate(self) -> Iterator[Transaction]:
        """As :meth:`write`; SQLite looks at no foreign keys, since a table that is made anew is dropped meanwhile."""
        with self._write(keeps_references=False) as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """The transaction of the only writer: committed at the end of the block, rolled back when it raises.

        Raises :class:`UsageError` where the database is closed.
        """
        with self._write() as transaction:
            yield transaction

    @contextmanager
    def _write(self, *, keeps_references: bool = True) -> Iterator[Transaction]:
        if self._is_closed:  # the library would connect anew, and nobody works what is queued
            raise UsageError("the device is closed", advice="use it within its with block")
        if self._writing_thread == threading.get_ident():
            raise UsageError("a write transaction is open in this thread already; hand it down")
        with self._writer:
            self._writing_thread = threading.get_ident()
            try:
                with map_errors(), self.engine.connect() as connection:
                    connection.execution_options(openmodality_writes=True)
                    transaction = Transaction(connection, self.clock, self.device_id)
                    with self._ignore_references(connection, not keeps_references), connection.begin():
                        yield transaction
                        transaction.write_audit()
                        transaction.write_events()
                        transaction.tell_others()
            finally:
                self._writing_thread = None
        self.changed.notify()
        if Subject.JOB in transaction.subjects:
            self.jobs_changed.notify()

    @contextmanager
    def _ignore_references(self, connection: Connection, ignores: bool) -> Iterator[None]:
        """Let SQLite look at no foreign keys, which it takes up and gives up outside a transaction alone."""
        driver = connection.connection.driver_connection
        if not ignores or connection.dialect.name != "sqlite" or driver is None:
            yield
            return
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield
        finally:
            driver.execute("PRAGMA foreign_keys=ON")

    @property
    def is_shared(self) -> bool:
        """Whether several devices may use the database at once, each in transactions of its own."""
        return self.engine.dialect.name == "postgresql"

    def last_event(self) -> int:
        """The number of the newest event: differs when any process changed the state of anything."""
        with self.read() as snapshot:
            return snapshot.execute(select(func.max(events.c.id))).scalar() or 0

    def close(self) -> None:
        """Close all connections; whoever writes afterwards has kept the device for too long."""
        self._is_closed = True
        self.engine.dispose()


def open_database(url: str, *, durability: Durability = "fsync", clock: Clock = time.time) -> Database:
    """Open the database at an SQLAlchemy URL (``sqlite:///PATH`` or ``postgresql+psycopg://...``) and migrate it.

    ``durability`` "fsync" survives a power failure; "os" survives the end of the process.
    """
    target = _parse_url(url)
    if target.get_backend_name() == "sqlite" and is_file_name(target.database):
        protect_database(Path(target.database or ""))
    engine = create_engine(target, hide_parameters=True, pool_size=8, max_overflow=56, **_choose_options(target))
    event.listen(engine, "connect", _make_settings(engine.dialect.name, durability))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin)
    database = Database(engine, clock)
    try:
        with database.read() as snapshot:
            current = is_current(snapshot)
        if not current:
            with database.migrate() as transaction:
                migrate(transaction)
    except BaseException:
        database.close()
        raise
    return database


def _parse_url(url: str) -> URL:
    try:
        target = make_url(url)
        target.get_dialect()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            "the database URL is not usable", advice="give sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME"
        ) from error
    if target.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(f"{target.get_backend_name()} is not supported: the database is sqlite or postgresql")
    return target


def _choose_options(target: URL) -> dict[str, Any]:
    if target.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _BUSY_TIMEOUT_S}}
    waits = {} if "connect_timeout" in target.query else {"connect_timeout": _CONNECT_TIMEOUT_S}
    return {"pool_pre_ping": True, "connect_args": waits}


def _make_settings(dialect: str, durability: Durability) -> Callable[[Any, Any], None]:
    """Make the function that sets up every new connection."""
    if dialect == "sqlite":
        synchronous = "FULL" if durability == "fsync" else "NORMAL"
        statements = [f"PRAGMA synchronous={synchronous}", "PRAGMA foreign_keys=ON"]
    else:
        statements = [f"SET synchronous_commit TO {'on' if durability == 'fsync' else 'off'}", "COMMIT"]

    def apply(dbapi_connection: Any, _record: Any) -> None:
        if dialect == "sqlite":
            dbapi_connection.isolation_level = None  # the driver begins nothing: ``_begin`` does
        cursor = dbapi_connection.cursor()
        if dialect == "sqlite":
            _write_ahead(dbapi_connection)
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    return apply


def _write_ahead(dbapi_connection: Any) -> None:
    """Turn a new SQLite file to write-ahead logging, also while another process does the same.

    SQLite answers "locked" at once here, whatever the time-out; a transaction does wait until the other is done.
    """
    for _ in range(_WRITE_AHEAD_ATTEMPTS):
        try:
            dbapi_connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        dbapi_connection.execute("BEGIN IMMEDIATE")
        dbapi_connection.execute("ROLLBACK")
    dbapi_connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("openmodality_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
