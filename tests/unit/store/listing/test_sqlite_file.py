"""A database that is only looked at, by a process that neither makes, migrates nor locks anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openmodality.errors import StoreError
from openmodality.store.database import Database, open_database
from openmodality.store.listing.sqlite_file import SqliteFile, find_sqlite_file
from openmodality.store.names import DATABASE_FILE
from openmodality.store.states import Subject

COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, durability="os", clock=lambda: 1000.0)
    yield opened
    opened.close()


def looked_at(folder: Path) -> SqliteFile:
    found = find_sqlite_file(folder)
    assert found is not None
    return found


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_reader_sees_what_is_committed_and_holds_up_nobody(database: Database, tmp_path: Path) -> None:
    with looked_at(tmp_path).read() as reader:
        with database.write() as transaction:
            transaction.add_event(Subject.JOB, 1, "todo")
        assert reader.rows(COUNT) == [{"n": 0}]
    with looked_at(tmp_path).read() as reader:
        assert reader.rows("SELECT name FROM events WHERE subject_id = ?", ["1"]) == [{"name": "todo"}]


def test_a_reader_sees_no_half_of_a_transaction(database: Database, tmp_path: Path) -> None:
    with database.write() as transaction:
        transaction.add_event(Subject.JOB, 1, "todo")
        with looked_at(tmp_path).read() as reader:
            assert reader.rows(COUNT) == [{"n": 0}]


def test_looking_writes_nothing_and_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    database.close()
    before = files(tmp_path)
    with pytest.raises(StoreError, match="readonly"), looked_at(tmp_path).read() as reader:
        reader.rows("DELETE FROM events")
    assert files(tmp_path) == before


def test_what_has_to_be_made_or_migrated_is_left_to_the_device(tmp_path: Path) -> None:
    assert find_sqlite_file(tmp_path) is None
    assert files(tmp_path) == set()
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0000')")
        connection.commit()
    assert find_sqlite_file(tmp_path) is None


def test_what_is_no_database_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / DATABASE_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        find_sqlite_file(tmp_path)
