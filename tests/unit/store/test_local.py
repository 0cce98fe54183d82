from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from openmodality.errors import ObjectInvalid, StoreError
from openmodality.store.files.instance_file import Stored
from openmodality.store.index_recovery import Recovered
from openmodality.store.listing.entities import Level, count, find, instance_references
from openmodality.store.local import LocalStore, open_store
from openmodality.store.schema import events, instances
from tests.peers.objects import mr_image, mr_series, save


def stored(store: LocalStore) -> int:
    with store.read() as connection:
        return count(connection, Level.IMAGE)


def remarks(store: LocalStore) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [(row.subject_id, row.name) for row in connection.execute(select(events).order_by(events.c.id))]


def test_a_query_sees_all_that_was_acknowledged_before_it(store: LocalStore, tmp_path: Path) -> None:
    for number, path in enumerate(mr_series(tmp_path, 20, rows=4, columns=4), 1):
        content = path.read_bytes()
        file = store.create(path.stem, content[:200])
        file.write(content[200:])
        assert store.accept(file) is Stored.NEW
        assert stored(store) == number


def test_an_instance_that_is_stored_changes_nothing_and_a_difference_is_recorded(
    store: LocalStore, tmp_path: Path
) -> None:
    image = mr_image(rows=4, columns=4)
    path = save(image, tmp_path)
    before = path.read_bytes()
    assert [store.add_file(path), store.add_file(path)] == [Stored.NEW, Stored.SAME]
    assert remarks(store) == []
    image.PatientName = "Other^Name"
    assert store.add_file(save(image, tmp_path)) is Stored.DIFFERENT
    assert remarks(store) == [(image.SOPInstanceUID, "other content")]
    assert stored(store) == 1
    assert store.files.path(image.SOPInstanceUID).read_bytes() == before
    with store.read() as connection:
        assert find(connection, Level.PATIENT)[0]["PatientName"] == "Doe^Jane"


def test_the_file_keeps_every_byte_that_came(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    image.private_block(0x0071, "SOMEBODY", create=True).add_new(1, "LO", "kept")
    path = save(image, tmp_path)
    store.add_file(path)
    assert store.files.path(image.SOPInstanceUID).read_bytes() == path.read_bytes()


def test_what_is_no_instance_is_refused(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no DICOM")
    with pytest.raises(ObjectInvalid, match="not a readable"):
        store.add_file(tmp_path / "notes.txt")
    image = mr_image(rows=4, columns=4)
    del image.StudyInstanceUID
    with pytest.raises(ObjectInvalid, match="lacks StudyInstanceUID"):
        store.add_file(save(image, tmp_path))
    with pytest.raises(StoreError, match="cannot read"):
        store.add_file(tmp_path / "absent.dcm")
    assert stored(store) == 0


def test_an_instance_may_be_kept_without_being_listed(store: LocalStore, tmp_path: Path) -> None:
    path = save(mr_image(rows=4, columns=4), tmp_path)
    file = store.create(path.stem)
    file.write(path.read_bytes())
    store.accept(file, listed=False)
    with store.read() as connection:
        assert [find(connection, level) for level in Level] == [[], [], [], []]
        assert instance_references(connection, Level.IMAGE, {"SOPInstanceUID": path.stem}) == []
        kept = connection.rows('SELECT "SOPInstanceUID" FROM instances', ())
        assert [row["SOPInstanceUID"] for row in kept] == [path.stem]


def test_what_is_stored_is_there_at_the_next_start(folder: Path, tmp_path: Path) -> None:
    with open_store(folder, durability="os") as first:
        for path in mr_series(tmp_path / "source", 3, rows=4, columns=4):
            first.add_file(path)
    with open_store(folder) as second:
        assert second.recover() == Recovered(indexed=0, leftovers=0, deleted=0, missing=0)
        assert stored(second) == 3


def test_closing_writes_what_is_pending(folder: Path, tmp_path: Path) -> None:
    paths = mr_series(tmp_path / "source", 5, rows=4, columns=4)
    with open_store(folder, durability="os") as first:
        for path in paths:
            first.add_file(path)
    with open_store(folder) as second, second.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(instances)).scalar_one() == 5


def test_a_data_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    with pytest.raises(StoreError, match="data folder"):
        open_store(tmp_path / "data")
