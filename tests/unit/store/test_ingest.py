from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from openmodality.errors import StoreError
from openmodality.store.database import Database
from openmodality.store.files.instance_file import Stored
from openmodality.store.listing.entities import Level, count
from openmodality.store.local import LocalStore
from openmodality.store.schema import events
from tests.peers.objects import mr_image, save


def stored(store: LocalStore) -> int:
    with store.read() as snapshot:
        return count(snapshot, Level.IMAGE)


def remarks(store: LocalStore) -> list[tuple[str, str]]:
    with store.read() as snapshot:
        return [(row.subject_id, row.name) for row in snapshot.execute(select(events).order_by(events.c.id))]


def test_what_cannot_be_indexed_is_kept_and_reported(store: LocalStore, tmp_path: Path) -> None:
    bad = store.create("1.2.3.4", b"")
    bad.write(b"no DICOM at all")
    store.accept(bad)
    misnamed = store.create("1.2.3.5")
    misnamed.write(save(mr_image(rows=4, columns=4), tmp_path).read_bytes())
    store.accept(misnamed)
    assert remarks(store) == [("1.2.3.4", "unreadable"), ("1.2.3.5", "unreadable")]
    assert stored(store) == 0
    assert store.files.path("1.2.3.4").exists()


def test_a_database_that_fails_is_reported_to_readers_and_tried_again(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Database) -> None:
        raise StoreError("the database failed: disk is full")

    path = save(mr_image(rows=4, columns=4), tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", fail)
        assert store.add_file(path) is Stored.NEW
        with pytest.raises(StoreError, match="disk is full"):
            store.flush()
        with pytest.raises(StoreError, match="disk is full"), store.read():
            pass
    assert stored(store) == 1


def test_a_bug_in_indexing_is_reported_and_not_hidden(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: Database) -> None:
        raise RuntimeError("Doe^Jane")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", crash)
        store.add_file(save(mr_image(rows=4, columns=4), tmp_path))
        with pytest.raises(StoreError, match="the index failed: RuntimeError") as caught:
            store.flush()
    assert "Doe" not in str(caught.value)
    assert stored(store) == 1
