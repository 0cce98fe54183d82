"""The same code on a real PostgreSQL server as on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from openmodality.errors import StoreError
from openmodality.jobs.job import JobInstance, NewJob
from openmodality.jobs.listing import get_job
from openmodality.jobs.outcome import Done, Wait
from openmodality.jobs.queue import Queue
from openmodality.standard.query_retrieve import Level
from openmodality.store.columns import metadata
from openmodality.store.database import Database, open_database
from openmodality.store.database_errors import ConstraintViolated
from openmodality.store.files.indexed_attributes import Attributes, IndexedValues, read_attributes
from openmodality.store.listing.entities import count, find, read_entities
from openmodality.store.listing.problems import list_problems
from openmodality.store.listing.search import Search, find_ids
from openmodality.store.local import LocalStore, open_store
from openmodality.store.rows.deletion import delete_entity
from openmodality.store.schema import patients
from openmodality.store.states import InstanceResult, JobKind, JobState
from tests.peers.objects import mr_image, mr_series, save
from tests.peers.postgres import postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[LocalStore]:
    with open_store(tmp_path, url=url, durability="os") as opened:
        with opened.database.write() as connection:
            tables = ", ".join(f'"{name}"' for name in metadata.tables if name != "audit")
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
        yield opened


def test_many_instances_are_indexed_at_once_and_counted(store: LocalStore, tmp_path: Path) -> None:
    paths = mr_series(tmp_path, 75, rows=4, columns=4)
    for path in paths:
        file = store.create(path.stem)
        file.write(path.read_bytes())
        file.commit()
    assert store.recover().indexed == 75
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 75


ODD = {"NUL": "A\0B", "surrogate": "\ud800", "long": "".join(map(chr, range(0x4E00, 0x9000)))}


@pytest.mark.parametrize("odd", ODD)
def test_what_the_server_does_not_take_stops_none_of_the_others(store: LocalStore, tmp_path: Path, odd: str) -> None:
    """A NUL, half a character, and what is longer than an entry of an index may be."""
    paths = [save(mr_image(rows=4, columns=4), tmp_path) for _ in range(4)]
    for number, path in enumerate(paths):
        attributes = read_attributes(path)
        if number == 1:
            attributes = replace(attributes, patient={**attributes.patient, "PatientID": ODD[odd]})
        file = store.create(path.stem)
        file.write(path.read_bytes())
        store.accept(file, values=Kept(attributes))
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 3
        assert [problem.sop_instance_uid for problem in list_problems(snapshot)] == [paths[1].stem]


class Kept(IndexedValues):
    """What a walk over an instance has gathered."""

    def __init__(self, attributes: Attributes) -> None:
        super().__init__("1.2.840.10008.1.2.1")
        self._attributes = attributes

    def decode(self, length_bytes: int) -> Attributes:
        """The attributes."""
        return replace(self._attributes, length_bytes=length_bytes)


def test_instances_are_indexed_found_and_deleted(store: LocalStore, tmp_path: Path) -> None:
    study = "1.2.840.1"
    for path in mr_series(
        tmp_path / "source",
        5,
        rows=4,
        columns=4,
        StudyInstanceUID=study,
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Yamada^Tarou=山田^太郎",
    ):
        store.add_file(path)
    with store.read() as connection:
        [found] = find(connection, Level.STUDY, {"PatientName": "yamada^*", "StudyDate": "20261101-20261130"})
        assert count(connection, Level.IMAGE, {"SOPInstanceUID": ""}) == 5
    assert (found.series, found.instances, found.modalities) == (1, 5, ("MR",))
    assert delete_entity(store, Level.STUDY, study, force=True).instances == 5
    with store.read() as connection:
        assert find(connection, Level.PATIENT) == []


def test_a_search_that_comes_again_and_again_is_planned_once(store: LocalStore, tmp_path: Path) -> None:
    path = save(mr_image(rows=4, columns=4, PatientID="P1"), tmp_path)
    file = store.create(path.stem)
    file.write(path.read_bytes())
    store.accept(file, values=Kept(read_attributes(path)))
    for _ in range(7):
        with store.read() as snapshot:
            search = Search(Level.STUDY, {"PatientID": "P1"}, states=False)
            [found] = read_entities(snapshot, search, find_ids(snapshot, search))
        assert (found.series, found.instances, found.modalities) == (1, 1, ("MR",))
    with store.read() as snapshot:
        prepared = snapshot.rows("SELECT statement FROM pg_prepared_statements")
    assert sum("ANY($1)" in row["statement"] for row in prepared) == 3


def test_what_is_on_disk_only_is_indexed_at_the_start(store: LocalStore, tmp_path: Path, url: str) -> None:
    for path in mr_series(tmp_path / "source", 3, rows=4, columns=4):
        store.add_file(path)
    with store.read() as connection:
        assert count(connection, Level.IMAGE) == 3
    with store.database.write() as connection:
        connection.execute(text("DELETE FROM instances"))
    assert store.recover().indexed == 3


def test_jobs_run_in_order_and_one_at_a_time_for_a_destination(store: LocalStore) -> None:
    queue = Queue(store.database)
    with store.database.write() as connection:
        send = queue.enqueue(
            connection, NewJob(JobKind.SEND, "PACS", instances=[("1.2", "1.2.3"), ("1.2", "1.2.4")], unique_key="a")
        )
        commit = queue.enqueue(connection, NewJob(JobKind.COMMIT, "PACS", after=[send.id]))
        assert queue.enqueue(connection, NewJob(JobKind.SEND, "PACS", unique_key="a")).id == send.id
    claimed = queue.claim("test", list(JobKind))
    assert claimed is not None
    assert claimed.id == send.id
    assert queue.claim("test", list(JobKind)) is None
    queue.record(send.id, [JobInstance("1.2", "1.2.3", InstanceResult.SUCCESS, 0)])
    assert [instance.SOPInstanceUID for instance in queue.read_outstanding(send.id)] == ["1.2.4"]
    assert [job.id for job in queue.recover("test")] == [send.id]
    assert queue.claim("test", list(JobKind)) is not None
    assert queue.finish(send.id, Done()).state is JobState.DONE
    assert queue.claim("test", list(JobKind)) is not None
    assert queue.finish(commit.id, Wait("storage commitment result")).state is JobState.WAITING
    with store.database.write() as connection:
        queue.wake(connection, commit.id)
        assert get_job(connection, commit.id).state is JobState.TODO


def test_errors_hold_no_values(store: LocalStore) -> None:
    row = {"identity": "SECRET", "PatientID": "SECRET", "PatientName": "SECRET", "created_at": 0.0}
    with store.database.write() as connection:
        connection.execute(patients.insert().values(row))
    with pytest.raises(ConstraintViolated) as caught, store.database.write() as connection:
        connection.execute(patients.insert().values(row))
    assert "SECRET" not in str(caught.value)


def test_a_server_that_is_gone_is_a_store_error() -> None:
    with pytest.raises(StoreError, match="the database does not answer"):
        open_database("postgresql+psycopg://postgres@127.0.0.1:1/postgres")


def test_a_second_opening_finds_the_schema_there(url: str, store: LocalStore) -> None:
    again: Database = open_database(url)
    assert again.last_event() == store.database.last_event()
    again.close()
