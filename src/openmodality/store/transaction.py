"""The values that callers pass on to read and change rows: a snapshot of the database, or the transaction of its
writer.

Only functions of ``store`` look inside. Whoever holds a snapshot cannot call a function that writes: that one takes a
:class:`Transaction`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import sqlite

from openmodality.audit.chain import FIRST_DIGEST, AuditEntry, compute_digest
from openmodality.store.audit_schema import audit
from openmodality.store.database_errors import map_errors
from openmodality.store.listing.reader import StoredRow
from openmodality.store.names import ONLY_DEVICE
from openmodality.store.schema import events
from openmodality.store.states import Subject

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Clock = Callable[[], float]


JOBS_CHANNEL: Final = "openmodality_jobs"
"""Where PostgreSQL tells that jobs have changed, with the number of their device (``store.notices``)."""
_ROWS_AT_ONCE: Final = 32
_NUMBERING_EVENTS: Final = 0x4F4F
"""The number of PostgreSQL's advisory lock that means "numbering events"."""
_CHAINING_AUDIT: Final = 0x4F50
"""And of the one that means "adding to the chain of the audit trail"; it is always taken before the other."""


class Snapshot:
    """One consistent state of the database; several functions that take the same snapshot see the same rows.

    ``device_id`` is the device that reads, where the database is that of several.
    """

    __slots__ = ("connection", "device_id", "dialect", "execute")

    def __init__(self, connection: Connection, device_id: int = ONLY_DEVICE) -> None:
        self.connection: Final = connection
        self.device_id: Final = device_id
        self.dialect: Final = connection.dialect.name
        self.execute: Final = connection.execute

    def rows(self, sql: str, values: Sequence[object] = ()) -> Sequence[StoredRow]:
        """All rows of a query that is text, as :class:`openmodality.store.listing.reader.Reader` has it."""
        if self.dialect != "sqlite":
            return self._read_rows(sql.replace("?", "%s"), tuple(values))
        cursor = self.run_text(sql, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _read_rows(self, sql: str, values: tuple[object, ...]) -> Sequence[StoredRow]:
        """Rows as the driver gives them: a row of SQLAlchemy for each costs as much again."""
        with self.connection.exec_driver_sql(sql, values) as result:
            if not result.returns_rows:
                return []
            names = tuple(result.keys())
            return [dict(zip(names, row, strict=True)) for row in result.cursor.fetchall()]

    def run_text(self, sql: str, values: Sequence[object]) -> sqlite3.Cursor:
        """A statement of SQLite that is text, by its driver alone: what lies between costs more than the statement."""
        if not self.connection.in_transaction():
            self.connection.begin()
        driver = cast(sqlite3.Connection, self.connection.connection.driver_connection)
        return driver.execute(sql, tuple(values))


class Transaction(Snapshot):
    """Changes that are committed together, or not at all. It sees its own changes.

    ``subjects`` are those whose state changes with it.
    """

    __slots__ = ("_audit", "_clock", "_events", "_with_audit", "subjects")

    def __init__(self, connection: Connection, clock: Clock, device_id: int = ONLY_DEVICE) -> None:
        super().__init__(connection, device_id)
        self._clock = clock
        self._events: Final = list[dict[str, object]]()
        self._audit: Final = list[AuditEntry]()
        self._with_audit: Callable[[Transaction], object] | None = None
        self.subjects: Final = set[Subject]()

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def insert_missing(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
        """Insert the rows that break no constraint; returns how many. Faster than a compiled statement.

        Several rows go in one statement: each statement lets go of the interpreter and has to wait to get it back.
        """
        inserted, start = 0, 0
        while start < len(rows):
            count = _ROWS_AT_ONCE if len(rows) - start >= _ROWS_AT_ONCE else 1
            values = tuple(chain.from_iterable(rows[start : start + count]))
            is_sqlite = self.dialect == "sqlite"
            sql = _make_insert(table, tuple(columns), count, "?" if is_sqlite else "%s")
            run = self.run_text if is_sqlite else self.connection.exec_driver_sql
            inserted += run(sql, values).rowcount
            start += count
        return inserted

    def put_rows(
        self, table: str, columns: Sequence[str], unique: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Insert rows, or write what they say over those with the same ``unique`` columns, each only once."""
        if rows:
            mark = "?" if self.dialect == "sqlite" else "%s"
            self.connection.exec_driver_sql(
                _make_put(table, tuple(columns), tuple(unique), mark), list(map(tuple, rows))
            )

    def add_audit(self, entry: AuditEntry, and_then: Callable[[Transaction], object] | None = None) -> None:
        """Add a row to the audit trail, which is written when the transaction ends, with all that it tells of.

        ``and_then`` is called once before that, such as to queue the delivery.
        """
        self._audit.append(entry)
        self._with_audit = and_then or self._with_audit

    def write_audit(self) -> None:
        """Write the rows of the audit trail, each chained to the one before it.

        Where several processes write, each adds its rows while the others wait, as in :meth:`write_events`.
        """
        if not self._audit:
            return
        if self._with_audit is not None:
            self._with_audit(self)
        if self.dialect == "postgresql":
            self.rows("SELECT pg_advisory_xact_lock(?)", (_CHAINING_AUDIT,))
        last = self.rows("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
        number, digest = (last[0]["number"], last[0]["digest"]) if last else (0, FIRST_DIGEST)
        rows = []
        for entry in self._audit:
            number += 1
            digest = compute_digest(digest, number, self.device_id, entry)
            rows.append({"number": number, "device_id": self.device_id, **entry._asdict(), "digest": digest})
        self.execute(insert(audit), rows)
        self._audit.clear()

    def write_events(self) -> None:
        """Write the events as the last rows of the transaction, so that they are numbered in the order of commits.

        So a reader who has read up to a number misses none below it. Where several processes write, each numbers its
        events while the others wait. Only the commit follows, so the wait is short, and there is no deadlock.
        """
        if not self._events:
            return
        if self.dialect == "postgresql":
            self.rows("SELECT pg_advisory_xact_lock(?)", (_NUMBERING_EVENTS,))
        self.execute(insert(events), self._events)
        self._events.clear()

    def tell_others(self) -> None:
        """Let other processes know, at the commit, that jobs of this device have changed; PostgreSQL can."""
        if self.dialect == "postgresql" and Subject.JOB in self.subjects:
            self.rows("SELECT pg_notify(?, ?)", (JOBS_CHANNEL, str(self.device_id)))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that may fail without the rest: what it has changed is taken back when the block raises."""
        noted, told = len(self._events), len(self._audit)
        try:
            with map_errors(), self.connection.begin_nested():
                yield
        except BaseException:
            del self._events[noted:], self._audit[told:]
            raise

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """The dialect's INSERT, which knows ON CONFLICT."""
        if self.dialect == "sqlite":
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a tenth of a second that a device on SQLite need not wait

        return postgresql.insert(table)

    def add_event(self, subject: Subject, subject_id: int | str, name: str, detail: str = "") -> None:
        """Record a change of state of a ``subject``; ``detail`` says why, in words without patient data.

        It is written when the transaction ends.
        """
        row = {"at": self.now, "subject": subject, "subject_id": str(subject_id), "name": name, "detail": detail}
        self._events.append(row)
        self.subjects.add(subject)


@lru_cache(maxsize=16)
def _make_insert(table: str, columns: tuple[str, ...], count: int, mark: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    row = f"({', '.join([mark] * len(columns))})"
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * count)} ON CONFLICT DO NOTHING"


@lru_cache(maxsize=16)
def _make_put(table: str, columns: tuple[str, ...], unique: tuple[str, ...], mark: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    changes = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in unique)
    row, same = ", ".join([mark] * len(columns)), ", ".join(unique)
    return f"INSERT INTO {table} ({names}) VALUES ({row}) ON CONFLICT ({same}) DO UPDATE SET {changes}"
