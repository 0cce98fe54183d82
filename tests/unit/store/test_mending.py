from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.errors import NotFound, ObjectInvalid, WrongState
from openmodality.standard.query_retrieve import Level
from openmodality.store.files.instance_file import Stored
from openmodality.store.listing.entities import count
from openmodality.store.listing.problems import list_problems
from openmodality.store.local import LocalStore
from openmodality.store.mending import dismiss_problem, retry_problem
from openmodality.store.rows.deletion import delete_entity
from openmodality.store.states import Origin, ProblemKind
from tests.peers.objects import mr_image, save


def add_bytes(store: LocalStore, uid: str, content: bytes) -> Stored:
    file = store.create(uid)
    file.write(content)
    return store.accept(file, source="PACS")


def test_what_is_damaged_gives_its_place_to_a_whole_one_and_is_kept(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    whole = save(image, tmp_path).read_bytes()
    assert add_bytes(store, image.SOPInstanceUID, whole[:-20]) is Stored.NEW
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 1
    assert add_bytes(store, image.SOPInstanceUID, whole) is Stored.REPLACED
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
        (row,) = snapshot.rows("SELECT length_bytes FROM instances")
    assert (problem.kind, problem.source) == (ProblemKind.DAMAGED, "PACS")
    assert row["length_bytes"] == len(whole)
    assert store.files.path(image.SOPInstanceUID).read_bytes() == whole
    assert (store.files.root.parent / problem.file).read_bytes() == whole[:-20]
    assert add_bytes(store, image.SOPInstanceUID, whole[:-20]) is Stored.DIFFERENT


def test_the_same_second_content_is_kept_once(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    add_bytes(store, image.SOPInstanceUID, save(image, tmp_path).read_bytes())
    for name in ("Other^One", "Other^Two", "Other^One"):
        image.PatientName = name
        assert add_bytes(store, image.SOPInstanceUID, save(image, tmp_path).read_bytes()) is Stored.DIFFERENT
    with store.read() as snapshot:
        assert len(list_problems(snapshot)) == 2


def test_what_a_dead_process_has_set_aside_is_on_record_after_the_next_start(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    uid = image.SOPInstanceUID
    assert store.files.aside is not None
    store.files.aside.put(save(image, tmp_path), uid, b"digest of it")
    store.recover()
    store.recover()
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
    assert (problem.kind, problem.sop_instance_uid, problem.origin) == (
        ProblemKind.OTHER_CONTENT,
        uid,
        Origin.RECOVERED,
    )
    assert retry_problem(store, problem.id) == problem
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 1
        assert list_problems(snapshot) == []
    assert store.files.aside.names() == []


def test_what_is_set_aside_waits_until_its_uid_is_free(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    uid = image.SOPInstanceUID
    add_bytes(store, uid, save(image, tmp_path).read_bytes())
    image.PatientName = "Other^Name"
    add_bytes(store, uid, save(image, tmp_path).read_bytes())
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
    with pytest.raises(WrongState, match="another content"):
        retry_problem(store, problem.id)
    with store.read() as snapshot:
        assert list_problems(snapshot) == [problem]
    delete_entity(store, Level.IMAGE, uid, force=True)
    retry_problem(store, problem.id)
    assert store.files.path(uid).read_bytes() == (tmp_path / f"{uid}.dcm").read_bytes()


def test_a_file_is_indexed_once_it_can_be(store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    uid = image.SOPInstanceUID
    add_bytes(store, uid, b"no DICOM at all")
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
    with pytest.raises(ObjectInvalid, match="cannot be indexed"):
        retry_problem(store, problem.id)
    store.files.path(uid).write_bytes(save(image, tmp_path).read_bytes())  # an operator has mended it
    retry_problem(store, problem.id)
    with store.read() as snapshot:
        assert list_problems(snapshot) == []
        assert count(snapshot, Level.IMAGE) == 1


def test_a_file_that_is_gone_is_no_problem_any_more(store: LocalStore) -> None:
    add_bytes(store, "1.2.3", b"no DICOM at all")
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
    store.files.delete("1.2.3")
    retry_problem(store, problem.id)
    with store.read() as snapshot:
        assert list_problems(snapshot, dismissed=True) == []


def test_a_problem_that_is_dismissed_is_listed_no_more_and_its_file_stays(store: LocalStore) -> None:
    add_bytes(store, "1.2.3", b"no DICOM at all")
    with store.read() as snapshot:
        (problem,) = list_problems(snapshot)
    dismiss_problem(store, problem.id)
    store.recover()
    with store.read() as snapshot:
        assert list_problems(snapshot) == []
        assert [each.dismissed for each in list_problems(snapshot, dismissed=True)] == [True]
    assert store.files.path("1.2.3").exists()
    with pytest.raises(NotFound):
        dismiss_problem(store, 99)
