from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from openmodality.errors import StoreError
from openmodality.store.columns import metadata
from openmodality.store.database import Database, open_database
from openmodality.store.names import REVISION
from openmodality.store.states import Subject
from tests.peers.postgres import postgres


def opened(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder / 'test.db'}", durability="os")


def differences(database: Database) -> list[Any]:
    with database.read() as snapshot:
        return list(compare_metadata(MigrationContext.configure(snapshot.connection), metadata))


def test_the_migrations_lead_to_the_schema_of_the_code(tmp_path: Path) -> None:
    database = opened(tmp_path)
    assert differences(database) == []
    database.close()


def test_the_migrations_lead_to_the_schema_on_postgresql_too() -> None:
    with postgres() as url:
        database = open_database(url)
        assert differences(database) == []
        database.close()


def test_checks_and_partial_indexes_are_migrated_as_the_code_has_them(tmp_path: Path) -> None:
    """What Alembic does not compare."""
    database = opened(tmp_path)
    with database.read() as snapshot:
        migrated = statements(snapshot.connection)
    database.close()
    fresh = open_database(f"sqlite:///{tmp_path / 'fresh.db'}", durability="os")
    with fresh.engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        created = statements(connection)
    fresh.close()
    assert migrated == created


def statements(connection: Connection) -> dict[str, list[str]]:
    """The statement that made each table and index, as its parts in no order: SQLite writes a new column at the end."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: sorted(split_parts(sql)) for name, sql in rows}


def split_parts(sql: str) -> list[str]:
    """What stands between the commas of the outermost parentheses, each with its blanks made one."""
    depth, parts = 0, [""]
    for character in sql[sql.index("(") + 1 : sql.rindex(")")]:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [sql[: sql.index("(")].strip(), sql[sql.rindex(")") :].strip(), *(" ".join(part.split()) for part in parts)]


def test_the_code_knows_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "openmodality.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    database = opened(tmp_path)
    with database.write() as connection:
        connection.add_event(Subject.STORE, 1, "kept")
    database.close()
    again = opened(tmp_path)
    assert again.last_event() == 1
    again.close()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_an_exam_serves_is_kept_where_its_table_is_made_anew(tmp_path: Path, dialect: str) -> None:
    with postgres() if dialect == "postgresql" else nullcontext(f"sqlite:///{tmp_path / 'test.db'}") as url:
        make_first_schema(url)
        database = open_database(url, durability="os")
        with database.read() as snapshot:
            served = snapshot.rows('SELECT exam_id, "ScheduledProcedureStepID" FROM exam_steps')
        assert [dict(row) for row in served] == [{"exam_id": 7, "ScheduledProcedureStepID": "SPS1"}]
        assert differences(database) == []
        database.close()


def make_first_schema(url: str) -> None:
    """A database of the first version, with an exam that serves a step."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "openmodality.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                'INSERT INTO exams (id, state, "StudyInstanceUID", scheduled, data, created_at)'
                " VALUES (7, 'REGISTERED', '1.2', true, '{}', 1.0)"
            )
        )
        connection.execute(
            text("INSERT INTO exam_steps (id, exam_id, \"ScheduledProcedureStepID\", item) VALUES (1, 7, 'SPS1', '{}')")
        )
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = opened(tmp_path)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match="does not know") as caught:
        opened(tmp_path)
    assert "newer version" in caught.value.advice


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = command.upgrade

    def interrupted(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", interrupted)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path)
    database = opened(tmp_path)
    assert differences(database) == []
    database.close()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_patients_are_kept_and_those_merged_for_want_of_an_id_are_indexed_again(tmp_path: Path, dialect: str) -> None:
    with postgres() if dialect == "postgresql" else nullcontext(f"sqlite:///{tmp_path / 'test.db'}") as url:
        make_first_schema(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            add = "INSERT INTO patients (id, \"PatientID\", \"PatientName\", created_at) VALUES ({}, '{}', '{}', 1.0)"
            for number, (patient_id, name) in enumerate([("P1", "Müller^Jörg=山田"), ("", "Doe^Jane")], 1):
                connection.execute(text(add.format(number, patient_id, name)))
            for study, patient in enumerate([1, 2, 2], 1):
                connection.execute(
                    text(
                        'INSERT INTO studies (id, patient_id, "StudyInstanceUID", created_at)'
                        f" VALUES ({study}, {patient}, '1.{study}', 1.0)"
                    )
                )
            connection.execute(text("UPDATE exams SET patient_id = 1"))
        engine.dispose()
        database = open_database(url, durability="os")
        with database.read() as snapshot:
            patients = snapshot.rows('SELECT id, "PatientID", alphabetic_name, ideographic_name FROM patients')
            studies = snapshot.rows('SELECT "StudyInstanceUID", patient_id FROM studies')
            exams = snapshot.rows("SELECT patient_id FROM exams")
        assert [tuple(row.values()) for row in patients] == [(1, "P1", "muller^jorg", "山田")]
        assert [tuple(row.values()) for row in studies] == [("1.1", 1)]
        assert [row["patient_id"] for row in exams] == [1]
        assert differences(database) == []
        with database.write() as transaction, pytest.raises(StoreError), transaction.attempt():
            transaction.execute(text("DELETE FROM patients"))  # foreign keys are looked at again
        database.close()
