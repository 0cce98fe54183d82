"""Permissions of what holds patients' data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openmodality.store.database import open_database
from openmodality.store.private_files import make_private_folder, open_private, protect_database


@pytest.fixture(autouse=True)
def generous() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_new_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "data", ())
    assert mode(tmp_path / "a" / "data") == 0o700


@pytest.mark.parametrize(
    ("content", "before", "after"),
    [
        ("", 0o777, 0o700),
        ("ours.db", 0o755, 0o700),
        ("letter.txt", 0o755, 0o755),
        ("", 0o1777, 0o1777),
    ],
    ids=["empty", "ours", "of somebody else", "shared by all, like /tmp"],
)
def test_a_folder_that_is_there_is_closed_where_it_is_plainly_ours(
    tmp_path: Path, content: str, before: int, after: int
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if content:
        (folder / content).touch()
    folder.chmod(before)
    make_private_folder(folder, ["ours.db"])
    assert mode(folder) == after


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "data", ())


def test_a_database_and_what_sqlite_puts_beside_it_are_private(tmp_path: Path) -> None:
    file = tmp_path / "ours.db"
    for _ in range(2):
        database = open_database(f"sqlite:///{file}")
        database.last_event()
        assert {path.name: mode(path) for path in tmp_path.iterdir()} == dict.fromkeys(
            ("ours.db", "ours.db-wal", "ours.db-shm"), 0o600
        )
        database.close()
        file.chmod(0o644)  # as a copy comes


def test_what_lies_beside_a_database_after_a_copy_is_closed(tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"ours.db{suffix}").touch(0o666)
    protect_database(tmp_path / "ours.db")
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_a_file_is_private_from_its_first_moment(tmp_path: Path) -> None:
    with open(tmp_path / "new", "x", opener=open_private):
        assert mode(tmp_path / "new") == 0o600
