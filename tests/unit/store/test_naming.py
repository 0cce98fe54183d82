"""Row, exam and file of what a device makes come in one step, wherever the process dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from openmodality.errors import StoreError, UsageError
from openmodality.standard.query_retrieve import Level
from openmodality.store import naming
from openmodality.store.files.instance_file import InstanceFile, Named, Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.listing.entities import count
from openmodality.store.listing.problems import list_problems
from openmodality.store.local import LocalStore, open_store
from openmodality.store.rows.unnamed_files import read_unnamed, remove_unnamed
from openmodality.store.states import Origin
from openmodality.store.transaction import Transaction
from tests.peers.objects import mr_image, save


class Died(BaseException):
    """The end of a process."""


def make(store: LocalStore, path: Path, check: Callable[[Transaction], None] = lambda transaction: None) -> Stored:
    file = store.create(path.stem)
    file.write(path.read_bytes())
    return store.accept_checked(file, Origin.ACQUIRED, check)


def die_before_naming(store: LocalStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends between the transaction and the name, and leaves its temporary files to nobody."""

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(InstanceFiles, "name_once", die)
        with pytest.raises(Died):
            make(store, path)
    assert not store.files.path(path.stem).exists()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save(mr_image(rows=4, columns=4), tmp_path)


def test_the_next_one_that_writes_names_the_file(
    store: LocalStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_before_naming(store, path, monkeypatch)
    with store.write() as transaction:
        assert count(transaction, Level.IMAGE) == 1
        assert store.files.path(path.stem).read_bytes() == path.read_bytes()
    with store.read() as snapshot:
        assert read_unnamed(snapshot) == []


def test_the_next_start_names_the_file_before_it_removes_what_is_left(
    store: LocalStore, folder: Path, database_url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_before_naming(store, path, monkeypatch)
    incoming = store.files._incoming
    assert incoming is not None
    os.close(incoming._lock_fd)  # as the end of a process does
    incoming._lock_fd = os.open(folder, os.O_RDONLY)
    with open_store(folder, url=database_url, durability="os") as again:
        recovered = again.recover()
        assert (recovered.indexed, recovered.missing, recovered.leftovers) == (0, 0, 0)
        assert again.files.path(path.stem).read_bytes() == path.read_bytes()


def test_what_is_made_again_is_made_once(store: LocalStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watched file that comes again after a crash gives the same UID with other times: the first stays."""

    def refuse(_: Transaction) -> None:
        raise UsageError("the exam has ended")

    first = path.read_bytes()
    die_before_naming(store, path, monkeypatch)
    path.write_bytes(first.replace(b"20261122", b"20261123"))
    assert make(store, path, refuse) is Stored.SAME
    with store.write() as transaction:
        assert count(transaction, Level.IMAGE) == 1
        assert list_problems(transaction) == []
    assert store.files.path(path.stem).read_bytes() == first


def test_what_has_lost_its_file_was_not_stored(store: LocalStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die_before_naming(store, path, monkeypatch)
    for left in (store.files.root / ".incoming").glob("*/*"):
        left.unlink()
    with store.write() as transaction:
        assert count(transaction, Level.IMAGE) == 0
        assert read_unnamed(transaction) == []
    assert make(store, path) is Stored.NEW


def test_a_name_that_cannot_be_given_takes_the_instance_back(
    store: LocalStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(InstanceFiles, "name_once", fail)
        with pytest.raises(StoreError, match="No space left"):
            make(store, path)
    with store.write() as transaction:
        assert count(transaction, Level.IMAGE) == 0
    assert not [left for left in (store.files.root / ".incoming").rglob("*") if left.is_file()]
    assert make(store, path) is Stored.NEW


def test_what_is_refused_leaves_nothing(store: LocalStore, path: Path) -> None:
    def refuse(_: Transaction) -> None:
        raise UsageError("the exam has ended")

    with pytest.raises(UsageError):
        make(store, path, refuse)
    assert not store.files.path(path.stem).exists()
    assert not [left for left in (store.files.root / ".incoming").rglob("*") if left.is_file()]


def test_a_note_is_kept_until_the_name_survives_a_power_failure(
    folder: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync = os.fsync

    def sync(fd: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        fsync(fd)

    def take_out(transaction: Transaction, uids: Sequence[str]) -> None:
        done.extend(uids)
        remove_unnamed(transaction, uids)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(naming, "remove_unnamed", take_out)
    monkeypatch.setattr(naming, "_NOTES_KEPT", 2)
    paths = [save(mr_image(rows=4, columns=4), tmp_path) for _ in range(3)]
    with open_store(folder, url=database_url, durability="fsync") as store:
        for path in paths:
            make(store, path)
            with store.write():
                pass
            assert path.stem not in done
        kept_in = {path.stem: str(store.files.path(path.stem).parent) for path in paths}
    assert [each for each in done if each in kept_in] == [path.stem for path in paths]
    for uid, place in kept_in.items():
        assert place in done[: done.index(uid)]


def test_a_file_that_was_there_before_stays_when_names_are_taken_back(
    store: LocalStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = save(mr_image(rows=4, columns=4), tmp_path)
    real = InstanceFiles.name_once

    def write(path: Path) -> InstanceFile:
        file = store.files.create(path.stem)
        file.write(path.read_bytes())
        return file

    write(path).commit()
    temporary = {each.stem: write(each).complete() for each in (path, other)}

    def fail(self: InstanceFiles, name: str, uid: str, synced: bool | None = None) -> Named:
        if uid == other.stem:
            raise OSError(28, "no space left")
        return real(self, name, uid, synced)

    monkeypatch.setattr(InstanceFiles, "name_once", fail)
    with pytest.raises(StoreError, match="No space left"):
        store._naming.name_all(temporary)
    assert store.files.path(path.stem).read_bytes() == path.read_bytes()
    assert not store.files.path(other.stem).exists()


def test_a_file_of_a_live_process_may_be_named_by_another(store: LocalStore, path: Path) -> None:
    file = store.create(path.stem)
    file.write(path.read_bytes())
    temporary = file.complete()
    assert store.files.name_completed(temporary, path.stem) == (Stored.NEW, "")
    assert store.files.name_completed(temporary, path.stem) == (Stored.SAME, "")
    assert store.files.name_completed(temporary, "1.2.3") is None


def test_other_content_that_came_meanwhile_is_no_loss(store: LocalStore, path: Path) -> None:
    """A copy of the instance arrives from an archive between the transaction and the name."""
    received = store.create(path.stem)
    received.write(path.read_bytes().replace(b"20261122", b"20261123"))
    received.commit()
    assert make(store, path) is Stored.DIFFERENT
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
        assert count(snapshot, Level.IMAGE) == 1
    assert (store.files.root.parent / problem.file).read_bytes() == path.read_bytes()
