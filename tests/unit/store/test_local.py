from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from openmodality.encoding.part10 import encode_file_head
from openmodality.errors import ObjectInvalid, StoreError, UsageError
from openmodality.objects.rules.template import EncodedInstance, encode_instance
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.indexed_attributes import INDEXED_TAGS, IndexedValues
from openmodality.store.files.instance_file import Named, Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.index_recovery import Recovered
from openmodality.store.listing.entities import count, find, instance_references
from openmodality.store.local import AddEncoded, LocalStore, open_store
from openmodality.store.rows.index import find_indexed
from openmodality.store.rows.unnamed_files import read_unnamed
from openmodality.store.schema import events, instances
from openmodality.store.states import Origin
from openmodality.store.transaction import Transaction
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


def fail_to_name(refused: str, patched: pytest.MonkeyPatch) -> None:
    name_once = InstanceFiles.name_once

    def name_or_fail(files: InstanceFiles, temporary: str, uid: str, synced: bool | None = None) -> Named:
        if uid == refused:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        return name_once(files, temporary, uid, synced)

    patched.setattr(InstanceFiles, "name_once", name_or_fail)


def test_what_is_stored_together_is_there_whole_or_not_at_all(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = mr_image(rows=4, columns=4)
    known: dict[str, EncodedInstance] = {}

    def add_some(add: AddEncoded, uids: Sequence[str]) -> None:
        for uid in uids:
            image.SOPInstanceUID = uid
            encoded = known.get(uid) or known.setdefault(uid, encode_instance(image))
            values = IndexedValues(EXPLICIT_VR_LITTLE_ENDIAN)
            values.take_values({tag: encoded.find_value(tag) for tag in INDEXED_TAGS})
            add(
                uid,
                [encode_file_head(MR_IMAGE_STORAGE, uid, EXPLICIT_VR_LITTLE_ENDIAN, "1.2.3"), *encoded.parts],
                values,
            )

    first, second = [f"1.2.3.{number}" for number in range(100)], [f"1.2.4.{number}" for number in range(100)]
    with open_store(folder, url=database_url, durability="fsync") as store:
        with store.accept_together(Origin.ACQUIRED, lambda transaction: None) as add:
            add_some(add, first)
            assert not store.files.path(first[0]).exists()
        assert all(store.files.path(uid).is_file() for uid in first)
        with pytest.raises(ObjectInvalid), store.accept_together(Origin.ACQUIRED, lambda transaction: None) as add:
            add_some(add, [*second, "no UID"])
        with pytest.raises(UsageError), store.accept_together(Origin.ACQUIRED, refuse) as add:
            add_some(add, second)
        with store.read() as snapshot:
            assert find_indexed(snapshot, first + second) == set(first)
        with monkeypatch.context() as patched:
            fail_to_name(second[50], patched)
            accepted = store.accept_together(Origin.ACQUIRED, lambda transaction: None)
            with pytest.raises(StoreError, match="quota"), accepted as add:
                add_some(add, second)
        assert not any(store.files.path(uid).exists() for uid in second)
        with store.read() as snapshot:
            assert find_indexed(snapshot, first + second) == set(first)
            assert {uid for uid, _ in read_unnamed(snapshot)} <= set(first)
        with store.accept_together(Origin.ACQUIRED, lambda transaction: None) as add:
            add_some(add, second)
        assert all(store.files.path(uid).is_file() for uid in second)
    left = {path.stem for path in folder.rglob("*") if path.parent.parent.name == "instances" and path.is_file()}
    assert left == {*first, *second}


def refuse(_: Transaction) -> None:
    raise UsageError("the exam has ended")
