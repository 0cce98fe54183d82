from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from openmodality.errors import StoreError
from openmodality.jobs.job import NewJob
from openmodality.jobs.queue import Queue
from openmodality.standard.query_retrieve import Level
from openmodality.store.files.instance_file import Stored
from openmodality.store.listing.entities import count
from openmodality.store.local import LocalStore
from openmodality.store.rows import deletion
from openmodality.store.rows.deletion import Deleted, NotCommitted, delete_entity
from openmodality.store.schema import commitment_instances, commitments, events, exams, patients, tombstones
from openmodality.store.states import JobKind
from tests.peers.objects import mr_image, save
from tests.unit.store.conftest import fill, open_copy


@pytest.fixture(scope="module")
def filled_folder(empty_folder: Path) -> Path:
    """One patient, two studies, three series, six instances."""
    images = [
        mr_image(rows=4, columns=4, PatientID="1", StudyInstanceUID=study, SeriesInstanceUID=series,
                 SOPInstanceUID=f"{series}.{number}")
        for study, series in (("1.1", "1.1.1"), ("1.1", "1.1.2"), ("1.2", "1.2.1"))
        for number in (1, 2)
    ]  # fmt: skip
    return fill(empty_folder, images)


@pytest.fixture
def filled(filled_folder: Path, folder: Path) -> Iterator[LocalStore]:
    with open_copy(filled_folder, folder) as opened:
        yield opened


def files_of(store: LocalStore) -> set[str]:
    return {uid for bucket in store.files.buckets() for uid in store.files.uids(bucket)}


def rows_of(store: LocalStore) -> list[int]:
    with store.read() as connection:
        return [count(connection, level) for level in Level]


@pytest.mark.parametrize(
    ("level", "key", "deleted", "left"),
    [
        (Level.PATIENT, "1", Deleted(1, 2, 3, 6), [0, 0, 0, 0]),
        (Level.STUDY, "1.1", Deleted(0, 1, 2, 4), [1, 1, 1, 2]),
        (Level.SERIES, "1.1.2", Deleted(0, 0, 1, 2), [1, 2, 2, 4]),
        (Level.IMAGE, "1.1.2.1", Deleted(0, 0, 0, 1), [1, 2, 3, 5]),
    ],
)
def test_rows_and_files_go_together(
    filled: LocalStore, level: Level, key: str, deleted: Deleted, left: list[int]
) -> None:
    assert delete_entity(filled, level, key, force=True) == deleted
    assert rows_of(filled) == left
    assert len(files_of(filled)) == left[-1]
    assert filled.recover().indexed == 0


def test_what_becomes_empty_goes_too(filled: LocalStore) -> None:
    delete_entity(filled, Level.STUDY, "1.1", force=True)
    delete_entity(filled, Level.IMAGE, "1.2.1.1", force=True)
    assert delete_entity(filled, Level.IMAGE, "1.2.1.2", force=True) == Deleted(1, 1, 1, 1)


def test_what_is_not_there_is_an_error(filled: LocalStore) -> None:
    with pytest.raises(StoreError, match="no such study"):
        delete_entity(filled, Level.STUDY, "9.9", force=True)
    with pytest.raises(StoreError, match="no such patient"):
        delete_entity(filled, Level.PATIENT, "1", issuer="ELSEWHERE", force=True)


def test_a_wild_card_is_no_key_of_a_deletion(filled: LocalStore) -> None:
    with pytest.raises(StoreError, match="no such patient"):
        delete_entity(filled, Level.PATIENT, "*", force=True)
    assert rows_of(filled)[-1] == 6


def test_not_while_an_unfinished_job_needs_it(filled: LocalStore) -> None:
    queue = Queue(filled.database)
    with filled.write() as connection:
        job = queue.enqueue(connection, NewJob(JobKind.SEND, "PACS", instances=[("1.2", "1.1.1.1")]))
    for level, key in ((Level.PATIENT, "1"), (Level.STUDY, "1.1"), (Level.IMAGE, "1.1.1.1")):
        with pytest.raises(StoreError, match="unfinished jobs"):
            delete_entity(filled, level, key, force=True)
    assert delete_entity(filled, Level.STUDY, "1.2", force=True).instances == 2
    queue.cancel(job.id)
    assert delete_entity(filled, Level.STUDY, "1.1", force=True).instances == 4


def test_not_while_an_exam_is_in_progress(filled: LocalStore) -> None:
    with filled.write() as connection:
        patient_id = connection.execute(select(patients.c.id)).scalar_one()
        values = {"patient_id": patient_id, "state": "IN PROGRESS", "StudyInstanceUID": "1.1", "scheduled": True}
        connection.execute(insert(exams).values({**values, "data": {}, "created_at": 0.0}))
    with pytest.raises(StoreError, match="exam is in progress"):
        delete_entity(filled, Level.SERIES, "1.1.1", force=True)
    with pytest.raises(StoreError, match="exam is in progress"):
        delete_entity(filled, Level.PATIENT, "1", force=True)
    assert delete_entity(filled, Level.STUDY, "1.2", force=True).instances == 2


def test_what_no_archive_has_committed_takes_force(filled: LocalStore) -> None:
    with filled.write() as connection:
        values = {"TransactionUID": "1.9", "destination": "PACS", "state": "committed", "created_at": 0.0}
        number = connection.execute(insert(commitments).values(values).returning(commitments.c.id)).scalar_one()
        for uid in ("1.1.1.1", "1.1.1.2", "1.1.2.1"):
            row = {"commitment_id": number, "SOPInstanceUID": uid, "SOPClassUID": "1.2", "result": "committed"}
            connection.execute(insert(commitment_instances).values(row))
    assert delete_entity(filled, Level.SERIES, "1.1.1").instances == 2
    with pytest.raises(NotCommitted, match="1 of its 2 instances are not committed"):
        delete_entity(filled, Level.SERIES, "1.1.2")
    assert delete_entity(filled, Level.SERIES, "1.1.2", force=True).instances == 2


def test_a_crash_after_the_rows_are_gone_resurrects_nothing(
    filled: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(deletion, "finish_deletions", lambda database, files: 0)
        delete_entity(filled, Level.STUDY, "1.1", force=True)
    assert len(files_of(filled)) == 6
    assert rows_of(filled) == [1, 1, 1, 2]
    recovered = filled.recover()
    assert (recovered.deleted, recovered.indexed) == (4, 0)
    assert len(files_of(filled)) == 2
    with filled.read() as connection:
        assert connection.execute(select(tombstones)).all() == []


def test_what_is_stored_again_after_its_deletion_stays(
    filled: LocalStore, filled_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process dies after the file went and before its tombstone does."""
    with monkeypatch.context() as patched:
        patched.setattr(deletion, "finish_deletions", lambda database, files: 0)
        delete_entity(filled, Level.IMAGE, "1.1.1.1", force=True)
    filled.files.delete("1.1.1.1")
    file = filled.create("1.1.1.1")
    file.write((filled_folder.parent / "1.1.1.1.dcm").read_bytes())
    assert file.commit() is Stored.NEW
    recovered = filled.recover()
    assert (recovered.deleted, recovered.indexed) == (0, 1)


def test_a_deletion_is_an_event_without_patient_data(filled: LocalStore) -> None:
    delete_entity(filled, Level.STUDY, "1.1", force=True)
    delete_entity(filled, Level.PATIENT, "1", force=True)
    with filled.read() as connection:
        rows = connection.execute(select(events).order_by(events.c.id)).all()
    assert [(row.subject, row.name) for row in rows] == [("study", "deleted"), ("patient", "deleted")]
    assert not any("Doe" in str(row) or "PatientID" in str(row) for row in rows)


def test_a_patient_id_of_two_people_deletes_neither(filled: LocalStore, folder: Path) -> None:
    other = mr_image(PatientID="1", PatientName="Other^Body", PatientBirthDate="19010101", StudyInstanceUID="1.9")
    filled.add_file(save(other, folder))
    before = rows_of(filled)
    with pytest.raises(StoreError, match="several patients") as caught:
        delete_entity(filled, Level.PATIENT, "1", force=True)
    assert "delete the studies" in caught.value.advice
    assert rows_of(filled) == before
