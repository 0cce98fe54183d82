from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from openmodality.store.database import Database, open_database
from openmodality.store.ownership import OtherDevice, Ownership
from openmodality.store.states import Subject


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}", durability="os")
    yield opened
    opened.close()


def make_folder(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    return tmp_path / name


def change(database: Database, times: int) -> None:
    with database.write() as transaction:
        for number in range(times):
            transaction.add_event(Subject.EXAM, number, "changed")


def test_a_device_finds_its_database_again_and_says_nothing(database: Database, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "data")
    ownership = Ownership(database, folder, "mr")
    assert ownership.claim() == []
    change(database, 3)
    ownership.remember()
    assert Ownership(database, folder, "mr").claim() == []
    change(database, 3)  # and dies before it could remember that
    assert Ownership(database, folder, "mr").claim() == []


def test_a_database_of_another_profile_is_refused(database: Database, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "data")
    Ownership(database, folder, "mr").claim()
    with pytest.raises(OtherDevice, match="profile mr"):
        Ownership(database, folder, "rf").claim()
    assert Ownership(database, folder, "rf").claim(adopt=True) == []
    assert Ownership(database, folder, "rf").claim() == []


def test_a_database_of_another_device_is_refused(database: Database, tmp_path: Path) -> None:
    mine, other = make_folder(tmp_path, "mine"), make_folder(tmp_path, "other")
    Ownership(database, mine, "mr").claim()
    own = open_database(f"sqlite:///{tmp_path / 'own.db'}", durability="os")
    Ownership(own, other, "mr").claim()
    own.close()
    with pytest.raises(OtherDevice, match="another device"):
        Ownership(database, other, "mr").claim()
    assert Ownership(database, other, "mr").claim(adopt=True) == []


def test_a_record_that_is_lost_or_cut_off_is_made_anew(database: Database, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "data")
    Ownership(database, folder, "mr").claim()
    (folder / "device.json").write_text("{")
    assert Ownership(database, folder, "mr").claim() == []
    assert '"device"' in (folder / "device.json").read_text()


def test_a_database_that_is_gone_is_noticed_once(database: Database, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "data")
    ownership = Ownership(database, folder, "mr")
    ownership.claim()
    change(database, 7)
    ownership.remember()
    fresh = open_database(f"sqlite:///{tmp_path / 'fresh.db'}", durability="os")
    (notice,) = Ownership(fresh, folder, "mr").claim()
    assert "is gone: it had 7 changes" in notice
    assert Ownership(fresh, folder, "mr").claim() == []
    fresh.close()


def test_a_database_that_was_put_back_from_a_copy_is_noticed(database: Database, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "data")
    ownership = Ownership(database, folder, "mr")
    change(database, 2)
    ownership.claim()
    copy = tmp_path / "copy.db"
    with sqlite3.connect(tmp_path / "test.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    change(database, 5)
    ownership.remember()
    older = open_database(f"sqlite:///{copy}", durability="os")
    (notice,) = Ownership(older, folder, "mr").claim()
    assert "its last 5 changes are missing" in notice
    older.close()
