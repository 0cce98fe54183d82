from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import QueuePool, insert, select, text

from openmodality.errors import ConfigurationError, StoreError, UsageError
from openmodality.store.database import Database, open_database
from openmodality.store.database_errors import ConstraintViolated
from openmodality.store.schema import commitments, events, jobs, patients, performed_steps, studies
from openmodality.store.states import JobState, Subject


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, durability="os", clock=lambda: 1000.0)
    yield opened
    opened.close()


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(events.c.name).order_by(events.c.id)).scalars())


def fail_while_writing(database: Database) -> None:
    with database.write() as connection:
        connection.add_event(Subject.STORE, 1, "lost")
        raise ZeroDivisionError


def test_a_write_is_kept_and_a_failed_one_is_not(database: Database) -> None:
    with database.write() as connection:
        connection.add_event(Subject.STORE, 1, "kept", "why")
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(database)
    assert names(database) == ["kept"]
    assert database.last_event() == 1


def test_readers_go_on_while_a_writer_writes(database: Database) -> None:
    with database.write() as connection:
        connection.add_event(Subject.STORE, 1, "first")
        assert names(database) == []
    assert names(database) == ["first"]


def test_a_database_that_is_closed_is_looked_at_alone_and_stays_closed(database: Database) -> None:
    with database.write() as connection:
        connection.add_event(Subject.STORE, 1, "first")
    database.close()
    assert names(database) == ["first"]
    assert cast(QueuePool, database.engine.pool).checkedin() == 0, "no connection is kept"
    with pytest.raises(UsageError, match="the device is closed"), database.write():
        pass


def test_a_reader_sees_one_state_throughout(database: Database) -> None:
    with database.read() as reader:
        assert reader.execute(select(events.c.id)).all() == []
        with database.write() as connection:
            connection.add_event(Subject.STORE, 1, "later")
        assert reader.execute(select(events.c.id)).all() == []
    assert names(database) == ["later"]


def test_what_a_reader_writes_is_rolled_back(database: Database) -> None:
    row = {"at": 1000.0, "subject": "test", "subject_id": "1", "name": "lost"}
    with database.read() as snapshot:
        snapshot.execute(insert(events).values(row))
    assert names(database) == []


def test_writers_take_turns(database: Database) -> None:
    def add() -> None:
        for _ in range(20):
            with database.write() as connection:
                last = connection.execute(select(events.c.subject_id).order_by(events.c.id.desc()).limit(1)).scalar()
                connection.add_event(Subject.STORE, int(last or 0) + 1, "counted")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        counted = connection.execute(select(events.c.subject_id).order_by(events.c.id)).scalars().all()
    assert counted == [str(number) for number in range(1, 81)]


def test_two_databases_on_one_file_take_turns_too(database_url: str) -> None:
    both = [open_database(database_url, durability="os") for _ in range(2)]

    def add(database: Database) -> None:
        for _ in range(30):
            with database.write() as connection:
                connection.add_event(Subject.STORE, 1, "added")

    threads = [threading.Thread(target=add, args=(database,)) for database in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [database.last_event() for database in both] == [60, 60]
    for database in both:
        database.close()


def test_a_write_within_a_write_is_refused_instead_of_waiting_forever(database: Database) -> None:
    with database.write(), pytest.raises(UsageError, match="hand it down"), database.write():
        pass


def test_a_change_wakes_those_who_wait(database: Database) -> None:
    seen = database.changed.count
    woken: list[int] = []
    waiter = threading.Thread(target=lambda: woken.append(database.changed.wait(seen, 30.0)))
    waiter.start()
    with database.write() as connection:
        connection.add_event(Subject.STORE, 1, "changed")
    waiter.join()
    assert woken == [seen + 1]
    assert database.changed.wait(seen + 1, 0.0) == seen + 1


def test_those_who_wait_for_jobs_are_woken_by_a_change_of_a_job_alone(database: Database) -> None:
    seen = database.jobs_changed.count
    with database.write() as transaction:
        transaction.add_event(Subject.INSTANCE, "1.2", "different")
    assert database.jobs_changed.count == seen
    with database.write() as transaction:
        transaction.add_event(Subject.JOB, 1, JobState.TODO)
    assert database.jobs_changed.count == seen + 1


def test_constraints_hold_and_their_errors_hold_no_values(database: Database) -> None:
    patient = {"PatientID": "SECRET", "PatientName": "SECRET", "identity": "SECRET", "created_at": 0.0}
    with database.write() as connection:
        connection.execute(insert(patients).values(patient))
    step = {"SOPInstanceUID": "1.2", "state": "COMPLETED", "n_create": {}, "started_at": 0.0}
    commitment = {"TransactionUID": "1.2", "destination": "PACS", "state": "lost", "created_at": 0.0}
    job = {
        "kind": "send",
        "destination": "PACS",
        "parameters": {},
        "max_retries": 0,
        "retry_delay_s": 1.0,
        "created_at": 0.0,
    }
    study = {"patient_id": 99, "StudyInstanceUID": "1.2", "created_at": 0.0}
    broken = [
        insert(patients).values(patient),
        insert(studies).values(study),
        insert(performed_steps).values(step),
        insert(commitments).values(commitment),
        insert(jobs).values({**job, "state": "todo"}),
        insert(jobs).values({**job, "state": "doing", "due_at": 0.0}),
        insert(jobs).values({**job, "state": "done"}),
        insert(jobs).values({**job, "state": "asleep", "due_at": 0.0}),
    ]
    for statement in broken:
        with pytest.raises(ConstraintViolated) as caught, database.write() as connection:
            connection.execute(statement)
        assert "SECRET" not in str(caught.value)


def test_durability_is_what_was_asked_for(tmp_path: Path) -> None:
    for durability, expected in (("fsync", 2), ("os", 1)):
        opened = open_database(f"sqlite:///{tmp_path / durability}.db", durability=durability)  # type: ignore[arg-type]
        with opened.read() as connection:
            pragmas = ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
            found = [connection.execute(text(f"PRAGMA {pragma}")).scalar() for pragma in pragmas]
        opened.close()
        assert found == [expected, "wal", 1, 30000]


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite+nonsense:///x", "mssql+pyodbc://host/x"])
def test_a_url_that_cannot_be_used_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_database(url)


def test_a_database_that_cannot_be_opened_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open database file"):
        open_database(f"sqlite:///{tmp_path / 'absent' / 'test.db'}")
    (tmp_path / "text.db").write_text("this is no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'text.db'}")


def test_a_new_file_that_another_process_writes_to_is_waited_for(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE other (number INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.1, other.execute, ["COMMIT"])
        release.start()
        opened = open_database(f"sqlite:///{tmp_path / 'new.db'}", durability="os", clock=lambda: 1000.0)
        with opened.read() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        opened.close()
        release.join()
