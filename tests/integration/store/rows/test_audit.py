"""The audit trail in a database: rows are only added, chained, and each is in the transaction of what it tells of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import perf_counter

import psycopg
import pytest
from sqlalchemy import text

from openmodality.audit.chain import AuditEntry
from openmodality.errors import StoreError
from openmodality.store.database import Database, open_database
from openmodality.store.listing.audit import (
    AuditSearch,
    count_audit_rows,
    find_audit_rows,
    read_audit_row,
    read_audit_state,
    read_undelivered,
    verify_chain,
)
from openmodality.store.rows.audit import note_delivered, note_settings
from openmodality.store.states import Subject
from openmodality.store.transaction import Transaction
from tests.peers.postgres import postgres

_NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", durability="os")
    else:
        opened = make_database(request.getfixturevalue("server"))
    yield opened
    opened.close()


def make_database(server: str) -> Database:
    name = f"test{next(_NUMBERS)}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return open_database(server.rpartition("/")[0] + f"/{name}", durability="os")


def entry(number: int = 0, **values: object) -> AuditEntry:
    made = AuditEntry(1000.0 + number, "query", 0, "alice\nOM_PACS", f"P-{number}", f"<AuditMessage n='{number}'/>")
    return made._replace(**values)  # type: ignore[arg-type]


def add(database: Database, *entries: AuditEntry) -> None:
    with database.write() as transaction:
        for each in entries:
            transaction.add_audit(each)


def change(database: Database, statement: str) -> None:
    """Try what must not be possible."""
    with pytest.raises(StoreError, match="only added to"), database.write() as transaction:
        transaction.execute(text(statement))


def add_and_fail(database: Database, each: AuditEntry) -> None:
    with database.write() as transaction:
        transaction.add_audit(each)
        raise KeyError


def attempt_and_fail(transaction: Transaction, each: AuditEntry) -> None:
    with transaction.attempt():
        transaction.add_audit(each)
        transaction.add_event(Subject.STORE, 1, "gone")
        raise KeyError


def test_rows_are_numbered_without_a_gap_and_chained(database: Database) -> None:
    add(database, entry(1), entry(2))
    add(database, entry(3))
    with pytest.raises(KeyError):
        add_and_fail(database, entry(4))
    add(database, entry(5))
    with database.read() as snapshot:
        chain = verify_chain(snapshot)
        rows = find_audit_rows(snapshot, AuditSearch())
    assert (chain.rows, chain.last, chain.broken_at) == (4, 4, 0)
    assert [row.entry.patients for row in rows] == ["P-5", "P-3", "P-2", "P-1"]


def test_a_row_is_there_with_what_it_tells_of_or_not_at_all(database: Database) -> None:
    with database.write() as transaction:
        with pytest.raises(KeyError):
            attempt_and_fail(transaction, entry(1))
        transaction.add_audit(entry(2))
    with database.read() as snapshot:
        assert [row.entry.patients for row in find_audit_rows(snapshot, AuditSearch())] == ["P-2"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 8 WHERE number = 1",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit",
    ],
)
def test_rows_are_neither_changed_nor_deleted(database: Database, statement: str) -> None:
    add(database, entry(1), entry(2))
    change(database, statement)
    with database.read() as snapshot:
        assert verify_chain(snapshot).rows == 2


def test_no_row_is_put_over_another_or_in_another_place(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", durability="os")
    add(opened, entry(1), entry(2))
    for statement in (
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 1",
        "INSERT INTO audit SELECT 7, device_id, at, kind, outcome, users, patients, message, digest FROM audit LIMIT 1",
    ):
        change(opened, statement)
    with opened.read() as snapshot:
        assert verify_chain(snapshot).rows == 2
    opened.close()


def test_postgresql_empties_the_table_for_nobody(server: str) -> None:
    opened = make_database(server)
    add(opened, entry(1))
    change(opened, "TRUNCATE audit")
    with opened.read() as snapshot:
        assert verify_chain(snapshot).rows == 1
    opened.close()


TAMPERED = {
    "changed": ("UPDATE audit SET patients = 'X' WHERE number = 3", 3, "not as it was written"),
    "message": ("UPDATE audit SET message = message || ' ' WHERE number = 2", 2, "not as it was written"),
    "moment": ("UPDATE audit SET at = at + 1 WHERE number = 1", 1, "not as it was written"),
    "taken out": ("DELETE FROM audit WHERE number = 3", 3, "row 3 is missing"),
    "first": ("DELETE FROM audit WHERE number = 1", 1, "row 1 is missing"),
    "moved": ("UPDATE audit SET number = 9 WHERE number = 4", 4, "row 4 is missing"),
    "cut off": ("DELETE FROM audit WHERE number > 3", 4, "rows up to 4 were delivered and are not here"),
}


@pytest.mark.parametrize("how", list(TAMPERED))
def test_whoever_takes_the_triggers_away_is_found_out(tmp_path: Path, how: str) -> None:
    """The first broken row is named. What is cut off at the end shows by what was delivered."""
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", durability="os")
    add(opened, *map(entry, range(1, 6)))
    with opened.write() as transaction:
        row = read_audit_row(transaction, 4)
        assert row is not None
        note_delivered(transaction, 4, row.digest)
    statement, broken_at, reason = TAMPERED[how]
    with opened.write() as transaction:
        for trigger in ("audit_is_not_changed", "audit_is_not_deleted", "audit_is_added_to"):
            transaction.execute(text(f"DROP TRIGGER {trigger}"))
        transaction.execute(text(statement))
    with opened.read() as snapshot:
        chain = verify_chain(snapshot)
    assert chain.broken_at == broken_at
    assert reason in chain.reason
    opened.close()


def test_a_row_that_was_made_anew_with_the_whole_chain_is_not_the_one_delivered(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", durability="os")
    add(opened, entry(1))
    with opened.write() as transaction:
        note_delivered(transaction, 1, "0" * 64)
    with opened.read() as snapshot:
        assert verify_chain(snapshot).reason == "the row is not the one that was delivered"
    opened.close()


def test_several_connections_add_to_one_chain(database: Database) -> None:
    """As the processes of a department do, each with transactions of its own."""
    url = database.engine.url.render_as_string(hide_password=False)

    def write(name: str) -> None:
        other = open_database(url, durability="os")
        for number in range(20):
            add(other, entry(number, users=name))
        other.close()

    threads = [threading.Thread(target=write, args=(f"user{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as snapshot:
        chain = verify_chain(snapshot)
        assert (chain.rows, chain.broken_at) == (60, 0)
        for number in range(3):
            mine = find_audit_rows(snapshot, AuditSearch(user=f"user{number}"))
            assert [row.entry.at for row in reversed(mine)] == [1000.0 + each for each in range(20)]


def test_rows_are_looked_for_by_time_kind_user_patient_and_outcome(database: Database) -> None:
    add(
        database,
        entry(1),
        entry(2, kind="delete", users="bob", patients="P%_\nQ"),
        entry(3, outcome=8, users="OM_PACS\nbob", patients="P-3\nP!"),
    )

    def find(**search: object) -> list[int]:
        with database.read() as snapshot:
            wanted = AuditSearch(**search)  # type: ignore[arg-type]
            found = [row.number for row in find_audit_rows(snapshot, wanted)]
            assert count_audit_rows(snapshot, wanted) == len(found)
            return found

    assert find() == [3, 2, 1]
    assert find(since=1002.0) == [3, 2]
    assert find(until=1002.0) == [1]
    assert find(kinds=["delete", "query"], before=3) == [2, 1]
    assert find(kinds=["delete"]) == [2]
    assert find(user="bob") == [3, 2]
    assert find(user="OM_PACS") == [3, 1]
    assert find(user="OM_") == []
    assert find(patient="P%_") == [2]
    assert find(patient="P!") == [3]
    assert find(patient="P__") == []
    assert find(failed_only=True) == [3]


def test_what_is_delivered_is_remembered_for_each_device(database: Database) -> None:
    add(database, entry(1), entry(2), entry(3))
    with database.write() as transaction:
        note_settings(transaction, "a" * 64)
        note_delivered(transaction, 2, "digest")
    with database.read() as snapshot:
        state = read_audit_state(snapshot)
        left = read_undelivered(snapshot, state.delivered, 10)
    assert (state.last, state.delivered, state.backlog, state.oldest_left) == (3, 2, 1, 1003.0)
    assert [row.number for row in left] == [3]


def test_ten_thousand_rows_are_listed_and_verified_quickly(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", durability="os")
    add(opened, *(entry(number, message="<AuditMessage>" + "x" * 1500) for number in range(10_000)))
    with opened.read() as snapshot:
        began = perf_counter()
        assert len(find_audit_rows(snapshot, AuditSearch(patient="P-77", user="alice"), 100)) == 1
        assert len(find_audit_rows(snapshot, AuditSearch(), 100)) == 100
        assert count_audit_rows(snapshot, AuditSearch()) == 10_000
        listed_s = perf_counter() - began
        assert verify_chain(snapshot).rows == 10_000
        verified_s = perf_counter() - began - listed_s
    assert listed_s < 1.0
    assert verified_s < 5.0
    opened.close()
