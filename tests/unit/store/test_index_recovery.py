from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from openmodality.standard.query_retrieve import Level
from openmodality.store.files.aside_folder import AsideFolder
from openmodality.store.index_recovery import Recovered, finish_deletions
from openmodality.store.listing.entities import count
from openmodality.store.local import LocalStore
from openmodality.store.rows.tombstones import insert_tombstones, read_tombstones
from openmodality.store.schema import events, instances
from tests.peers.objects import mr_image, mr_series, save


def stored(store: LocalStore) -> int:
    with store.read() as snapshot:
        return count(snapshot, Level.IMAGE)


def remarks(store: LocalStore) -> list[tuple[str, str]]:
    with store.read() as snapshot:
        return [(row.subject_id, row.name) for row in snapshot.execute(select(events).order_by(events.c.id))]


def test_recovery_indexes_what_is_on_disk_only_and_tells_how_far_it_is(store: LocalStore, tmp_path: Path) -> None:
    paths = mr_series(tmp_path, 30, rows=4, columns=4)
    for path in paths:
        place = store.files.path(path.stem)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    steps: list[tuple[int, int]] = []
    recovered = store.recover(lambda done, total: steps.append((done, total)))
    assert recovered == Recovered(indexed=30, leftovers=0, deleted=0, missing=0)
    assert steps[-1][0] == steps[-1][1] == len(steps)
    with store.read() as connection:
        assert connection.execute(select(instances.c.origin).distinct()).scalars().all() == ["recovered"]
    assert store.recover().indexed == 0


def test_a_received_instance_that_was_not_indexed_is_known_as_received(store: LocalStore, tmp_path: Path) -> None:
    """So that nobody sends it on as if this device had made it."""
    image = mr_image(rows=4, columns=4)
    image.file_meta.SourceApplicationEntityTitle = "SOMEWHERE"
    file = store.create(image.SOPInstanceUID)
    file.write(save(image, tmp_path).read_bytes())
    file.commit()  # and the process dies before the index knows
    assert store.recover().indexed == 1
    with store.read() as connection:
        assert connection.execute(select(instances.c.origin)).scalars().all() == ["received"]


def test_a_row_without_a_file_is_counted_and_stays(store: LocalStore, tmp_path: Path) -> None:
    one, two = mr_series(tmp_path, 2, rows=4, columns=4)
    store.add_file(one)
    store.add_file(two)
    store.flush()
    store.files.delete(one.stem)
    shutil.rmtree(store.files.path(two.stem).parent)
    assert store.recover().missing == 2
    assert remarks(store)[-1] == ("instances", "missing")
    assert stored(store) == 2


def test_a_file_whose_rows_are_gone_is_removed_unless_it_was_written_since(store: LocalStore, tmp_path: Path) -> None:
    one, two = mr_series(tmp_path, 2, rows=4, columns=4)
    for path in (one, two):
        store.add_file(path)
    with store.write() as transaction:
        insert_tombstones(transaction, [(one.stem, store.files.modified_ns(one.stem) or 0), (two.stem, 1)])
    assert finish_deletions(store.database, store.files) == 1
    assert (store.files.path(one.stem).exists(), store.files.path(two.stem).exists()) == (False, True)
    with store.read() as snapshot:
        assert read_tombstones(snapshot) == []


def test_a_folder_of_files_set_aside_that_cannot_be_read_stops_no_start(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(folder: AsideFolder) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(AsideFolder, "names", fail)
    assert store.recover() == Recovered(indexed=0, leftovers=0, deleted=0, missing=0)
    (record,) = caplog.records
    assert (record.message, vars(record)["reason"]) == ("index.folder_unreadable", "Permission denied")
