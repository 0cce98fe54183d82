from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from openmodality.errors import ObjectInvalid, StoreError
from openmodality.standard.query_retrieve import Level
from openmodality.store import ingest
from openmodality.store.database import Database
from openmodality.store.files.indexed_attributes import Attributes, IndexedValues, read_attributes
from openmodality.store.files.instance_file import Stored
from openmodality.store.index_recovery import finish_deletions
from openmodality.store.ingest import NewInstance
from openmodality.store.listing.entities import count
from openmodality.store.listing.problems import list_problems
from openmodality.store.local import LocalStore, open_store
from openmodality.store.rows import deletion
from openmodality.store.schema import events
from openmodality.store.states import Origin, ProblemKind, Subject
from tests.peers.objects import mr_image, save
from tests.peers.process import wait_until


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
    assert remarks(store) == [("1.2.3.4", "not indexed"), ("1.2.3.5", "not indexed")]
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


@pytest.mark.parametrize("is_under_way", [False, True])
def test_what_another_process_deletes_meanwhile_is_not_indexed_again(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_under_way: bool
) -> None:
    """A device that starts beside it has read the file and comes to write last; under way, the file is still there."""
    path = save(mr_image(rows=4, columns=4), tmp_path)
    uid = path.stem
    store.add_file(path)
    store.flush()
    read = ingest._Batch(store.files, [NewInstance(uid, Origin.RECOVERED)])
    with monkeypatch.context() as patched:
        if is_under_way:
            patched.setattr(deletion, "finish_deletions", lambda *_: 0)
        deletion.delete_entity(store, Level.IMAGE, uid, force=True)
    assert store.files.path(uid).exists() == is_under_way
    with store.write() as transaction:
        assert read.record(transaction) == 0
    assert stored(store) == 0
    assert finish_deletions(store.database, store.files) == is_under_way
    assert not store.files.path(uid).exists()


def count_indexed(store: LocalStore) -> int:
    """Without asking for what is pending, as a read of the store does."""
    with store.database.read() as snapshot:
        return count(snapshot, Level.IMAGE)


@pytest.mark.parametrize(
    ("name", "value"), [("_PAUSE_S", 0.05), ("_LONGEST_S", 0.05), ("_MOST_PENDING", 3)], ids=["pause", "time", "many"]
)
def test_the_index_follows_in_a_pause_or_after_a_time_or_where_many_wait(
    folder: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    monkeypatch.setattr(ingest, "_PAUSE_S", 3600.0)
    monkeypatch.setattr(ingest, "_LONGEST_S", 3600.0)
    with open_store(folder, url=database_url, durability="os") as store:
        store.add_file(save(mr_image(rows=4, columns=4), tmp_path))
        assert stored(store) == 1, "who reads waits for nothing"
        monkeypatch.setattr(ingest, name, value)
        for _ in range(3):
            store.add_file(save(mr_image(rows=4, columns=4), tmp_path))
        wait_until(lambda: count_indexed(store) == 4, what="the index")


def test_what_arrives_at_once_is_one_transaction(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_PAUSE_S", 3600.0)
    monkeypatch.setattr(ingest, "_LONGEST_S", 3600.0)
    before = store.database.changed.count
    for _ in range(5):
        store.add_file(save(mr_image(rows=4, columns=4), tmp_path))
    assert count_indexed(store) == 0
    assert stored(store) == 5
    assert store.database.changed.count == before + 1


class Odd(IndexedValues):
    """What a walk over an instance gathered: its attributes are sound but for one."""

    def __init__(self, path: Path, oddity: str | Exception) -> None:
        super().__init__("1.2.840.10008.1.2.1")
        self._attributes = read_attributes(path)
        self._oddity = oddity

    def decode(self, length_bytes: int) -> Attributes:
        """The attributes, with the odd one as the name of the patient."""
        if isinstance(self._oddity, Exception):
            raise self._oddity
        found = self._attributes
        return replace(found, study={**found.study, "StudyDescription": self._oddity}, length_bytes=length_bytes)


ODDITIES = ["\ud800", UnicodeError("Doe^Jane"), RecursionError(), ObjectInvalid("(0010,0010) is odd")]


@pytest.mark.parametrize("oddity", ODDITIES, ids=repr)
def test_one_odd_instance_stops_none_of_the_others(store: LocalStore, tmp_path: Path, oddity: str | Exception) -> None:
    accept_with_one_odd(store, tmp_path, oddity)
    assert stored(store) == 5
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
    assert (problem.kind, problem.source, problem.origin) == (ProblemKind.NOT_INDEXED, "ODD", Origin.RECEIVED)
    assert problem.file == store.files.relative_path(problem.sop_instance_uid)
    assert (store.files.root.parent / problem.file).exists()
    assert problem.reason
    assert "Doe" not in problem.reason


def test_a_change_is_made_once_though_an_instance_around_it_is_refused(store: LocalStore, tmp_path: Path) -> None:
    """Such as a row of the audit trail on what has arrived."""
    store.change_later(lambda transaction: transaction.add_event(Subject.STORE, "arrivals", "told"))
    accept_with_one_odd(store, tmp_path, "\ud800")
    assert stored(store) == 5
    assert remarks(store).count(("arrivals", "told")) == 1


def accept_with_one_odd(store: LocalStore, folder: Path, oddity: str | Exception) -> None:
    """Hand in six instances, each of a study of its own, so that no row hides another; the third is odd."""
    for number in range(6):
        path = save(mr_image(rows=4, columns=4), folder)
        file = store.create(path.stem)
        file.write(path.read_bytes())
        store.accept(file, values=Odd(path, oddity) if number == 2 else None, source="ODD" if number == 2 else "")


def test_what_could_not_be_indexed_is_indexed_at_the_next_start_that_can(store: LocalStore, tmp_path: Path) -> None:
    accept_with_one_odd(store, tmp_path, "\ud800")
    assert stored(store) == 5
    assert store.recover().indexed == 1
    assert stored(store) == 6
    with store.read() as snapshot:
        assert list_problems(snapshot) == []


def test_a_problem_is_on_record_once_however_often_the_device_starts(store: LocalStore) -> None:
    bad = store.create("1.2.3.4")
    bad.write(b"no DICOM at all")
    store.accept(bad)
    store.recover()
    store.recover()
    with store.read() as snapshot:
        assert [problem.sop_instance_uid for problem in list_problems(snapshot)] == ["1.2.3.4"]
    assert remarks(store) == [("1.2.3.4", "not indexed")]
