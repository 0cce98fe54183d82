from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from openmodality.errors import StoreError
from openmodality.store import database
from openmodality.store.database import open_database
from openmodality.store.database_errors import DatabaseFailed
from openmodality.store.database_words import Trouble, advise, find_trouble
from openmodality.store.local import open_store
from openmodality.store.states import Origin, Subject
from tests.peers.objects import mr_image, save


class OperationalError(Exception):
    """As the driver of PostgreSQL has it."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("57P01", Trouble.AWAY),
        ("08006", Trouble.AWAY),
        (None, Trouble.AWAY),
        ("25006", Trouble.READ_ONLY),
        ("53100", Trouble.FULL),
        ("XX001", Trouble.DAMAGED),
        ("42601", Trouble.OTHER),
    ],
)
def test_what_a_server_says_is_told_in_words(state: str | None, trouble: Trouble) -> None:
    assert find_trouble(OperationalError(state)) is trouble
    assert advise(trouble)


def test_a_damaged_file_says_what_rebuilds_it(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "openmodality.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(DatabaseFailed, match="the database is damaged") as caught:
        open_database(database_url)
    assert "openmodality recover" in caught.value.advice


def test_a_locked_file_names_who_must_let_go(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_S", 0.1)
    opened = open_database(database_url, durability="os")
    with sqlite3.connect(tmp_path / "openmodality.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseFailed, match="locked by another program"), opened.write():
            pass
        other.execute("ROLLBACK")
    other.close()
    with opened.write() as transaction:
        transaction.add_event(Subject.STORE, 1, "free again")
    opened.close()


def test_a_full_disk_is_named(database_url: str) -> None:
    opened = open_database(database_url, durability="os")

    def fill() -> None:
        with opened.write() as transaction:
            transaction.rows("PRAGMA max_page_count=1")
            transaction.add_event(Subject.STORE, 1, "x" * 10**6)

    with pytest.raises(DatabaseFailed, match="no room for the database"):
        fill()
    opened.close()


def test_what_is_made_while_the_database_is_away_is_stored_and_comes_into_the_index(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_S", 0.1)
    with open_store(tmp_path / "data", url=database_url, durability="os") as store:
        path = save(mr_image(rows=4, columns=4), tmp_path)
        with sqlite3.connect(tmp_path / "openmodality.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            file = store.create(path.stem)
            file.write(path.read_bytes())
            store.accept_checked(file, Origin.ACQUIRED, lambda transaction: None)
            assert store.files.path(path.stem).read_bytes() == path.read_bytes()
            with pytest.raises(StoreError, match="locked"):
                store.flush()
            assert store.waiting == 1
            other.execute("ROLLBACK")
        other.close()
        with store.read() as snapshot:
            rows = snapshot.rows('SELECT "SOPInstanceUID", origin FROM instances')
        assert [tuple(row.values()) for row in rows] == [(path.stem, "acquired")]
        assert store.waiting == 0


def test_a_check_that_says_no_stores_nothing(database_url: str, tmp_path: Path) -> None:
    def refuse(transaction: object) -> None:
        raise StoreError("the exam is over")

    with open_store(tmp_path / "data", url=database_url, durability="os") as store:
        path = save(mr_image(rows=4, columns=4), tmp_path)
        file = store.create(path.stem)
        file.write(path.read_bytes())
        with pytest.raises(StoreError, match="over"):
            store.accept_checked(file, Origin.ACQUIRED, refuse)
        assert not store.files.path(path.stem).exists()


def test_a_file_that_may_not_be_written_is_named(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "readable.db"
    shutil.copy(tmp_path / "openmodality.db", path)
    opened = open_database(f"sqlite:///file:{path}?mode=ro&immutable=1&uri=true", durability="os")
    with pytest.raises(DatabaseFailed, match="may not be written"), opened.write() as transaction:
        transaction.add_event(Subject.STORE, 1, "changed")
    opened.close()
