from __future__ import annotations

import json
import sqlite3
from contextlib import closing, nullcontext
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
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.store import migrate
from openmodality.store.columns import metadata
from openmodality.store.database import Database, open_database
from openmodality.store.listing.irradiation import read_irradiation
from openmodality.store.migrate import list_statements
from openmodality.store.names import REVISION
from openmodality.store.states import Subject
from tests.peers.postgres import postgres


def opened(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder / 'test.db'}", durability="os")


def migrated(folder: Path) -> Database:
    """A database of the first version, to which all migrations were applied."""
    make_schema(f"sqlite:///{folder / 'test.db'}", "0001")
    return opened(folder)


def differences(database: Database) -> list[Any]:
    with database.read() as snapshot:
        return list(compare_metadata(MigrationContext.configure(snapshot.connection), metadata))


def test_the_migrations_lead_to_the_schema_of_the_code(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    assert differences(database) == []
    database.close()


def test_an_empty_database_gets_the_schema_of_the_code(tmp_path: Path) -> None:
    database = opened(tmp_path)
    assert differences(database) == []
    database.close()


def test_an_empty_database_gets_the_schema_on_postgresql_too() -> None:
    """And is left alone afterwards; that migrations lead there is shown below."""
    with postgres() as url:
        for _ in range(2):
            database = open_database(url)
            assert differences(database) == []
            database.close()


def test_checks_and_partial_indexes_are_migrated_as_the_code_has_them(tmp_path: Path) -> None:
    """What Alembic does not compare; its own table is the same too."""
    found = []
    for database in (migrated(tmp_path), open_database(f"sqlite:///{tmp_path / 'fresh.db'}", durability="os")):
        with database.read() as snapshot:
            found.append(statements(snapshot.connection))
        database.close()
    assert found[0] == found[1]
    assert "alembic_version" in found[0]


def test_indexes_have_the_same_conditions_in_both_databases() -> None:
    found = [
        {line for line in list_statements(driver) if "INDEX" in line and "WHERE" in line}
        for driver in ("sqlite+pysqlite", "postgresql+psycopg")
    ]
    assert len(found[0]) == 2
    assert found[0] == found[1]


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
        make_schema(url, "0001", OF_FIRST_VERSION)
        database = open_database(url, durability="os")
        with database.read() as snapshot:
            served = snapshot.rows('SELECT exam_id, "ScheduledProcedureStepID" FROM exam_steps')
        assert [dict(row) for row in served] == [{"exam_id": 7, "ScheduledProcedureStepID": "SPS1"}]
        assert differences(database) == []
        database.close()


OF_FIRST_VERSION = """
INSERT INTO exams (id, state, "StudyInstanceUID", scheduled, data, created_at)
    VALUES (7, 'REGISTERED', '1.2', true, '{}', 1.0);
INSERT INTO exam_steps (id, exam_id, "ScheduledProcedureStepID", item) VALUES (1, 7, 'SPS1', '{}')
"""


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

    make_schema(f"sqlite:///{tmp_path / 'test.db'}", "0001")
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", interrupted)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path)
    assert read_revision(tmp_path) == "0001"
    database = opened(tmp_path)
    assert differences(database) == []
    database.close()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_patients_are_kept_and_those_merged_for_want_of_an_id_are_indexed_again(tmp_path: Path, dialect: str) -> None:
    with postgres() if dialect == "postgresql" else nullcontext(f"sqlite:///{tmp_path / 'test.db'}") as url:
        make_schema(url, "0001", OF_FIRST_VERSION)
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


OF_ONE_DEVICE = """
INSERT INTO owner (id, device, profile, created_at) VALUES (1, 'd', 'mr', 1.0);
INSERT INTO patients (id, "PatientID", "PatientName", created_at) VALUES (3, 'P1', 'Müller^Ö=山田^太郎', 1.0);
INSERT INTO studies (id, patient_id, "StudyInstanceUID", "ReferringPhysicianName", created_at)
    VALUES (5, 3, '1.2', 'Dr^Ärztin', 1.0);
INSERT INTO series (id, study_id, "SeriesInstanceUID", created_at) VALUES (7, 5, '1.2.1', 1.0);
INSERT INTO instances (id, series_id, "SOPInstanceUID", "SOPClassUID", "TransferSyntaxUID", bucket, length_bytes,
    origin, listed, created_at) VALUES (8, 7, '1.2.1.1', '1.9', '1.8', 'ab', 10, 'received', false, 1.0);
INSERT INTO tombstones ("SOPInstanceUID", modified_ns) VALUES ('1.4', 5);
INSERT INTO unnamed_files ("SOPInstanceUID", temporary) VALUES ('1.5', 'x');
INSERT INTO problems (id, kind, file, reason, origin, created_at) VALUES (9, 'damaged', 'f', 'r', 'received', 1.0);
INSERT INTO worklist_items (id, source, key, item, defects, received_at) VALUES (10, 'RIS', 'k', '{}', '[]', 1.0);
INSERT INTO exams (id, state, "StudyInstanceUID", scheduled, data, created_at, patient_id)
    VALUES (11, 'REGISTERED', '1.2', true, '{}', 1.0, 3);
INSERT INTO exam_steps (id, exam_id, worklist_item_id, item) VALUES (12, 11, 10, '{}');
INSERT INTO jobs (id, kind, state, destination, parameters, max_retries, retry_delay_s, due_at, created_at)
    VALUES (13, 'send', 'todo', 'PACS', '{}', 1, 1.0, 1.0, 1.0);
INSERT INTO job_instances (job_id, "SOPInstanceUID", "SOPClassUID", number) VALUES (13, '1.2.1.1', '1.9', 0)
"""


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_one_device_had_is_its_own_in_a_department(tmp_path: Path, dialect: str) -> None:
    with postgres() if dialect == "postgresql" else nullcontext(f"sqlite:///{tmp_path / 'test.db'}") as url:
        make_schema(url, "0003", OF_ONE_DEVICE)
        database = open_database(url, durability="os")
        with database.read() as snapshot:
            counts = {
                table: snapshot.rows(f"SELECT count(*) AS n FROM {table} WHERE device_id = 1")[0]["n"]
                for table in ("instances", "tombstones", "unnamed_files", "problems", "worklist_items", "exams", "jobs")
            }
            [served] = snapshot.rows("SELECT exam_id, worklist_item_id FROM exam_steps")
            [exam] = snapshot.rows("SELECT patient_id FROM exams")
            [device] = snapshot.rows("SELECT id, device, profile FROM devices")
            [known] = snapshot.rows("SELECT id, alphabetic_name, ideographic_name FROM patients")
            [study] = snapshot.rows("SELECT id, patient_id FROM studies")
            [instance] = snapshot.rows('SELECT id, series_id, "SOPInstanceUID", listed, length_bytes FROM instances')
        assert set(counts.values()) == {1}
        assert tuple(served.values()) == (11, 10)
        assert exam["patient_id"] == 3
        assert tuple(device.values()) == (1, "d", "mr")
        assert tuple(known.values()) == (3, "muller^o", "山田^太郎")
        assert tuple(study.values()) == (5, 3)
        assert tuple(instance.values()) == (8, 7, "1.2.1.1", False, 10)
        assert differences(database) == []
        with pytest.raises(StoreError), database.write() as transaction:  # references are checked again
            transaction.execute(text("UPDATE instances SET series_id = 99"))
        database.close()


EVENT_OF_A_SERIES = {
    "uid": "1.2.9", "event_type": "STATIONARY_ACQUISITION", "started": "2026-11-29T08:30:00", "duration_s": 0.05,
    "protocol": "STOMACH", "dose_area_product_gy_m2": 1.1e-5, "dose_rp_gy": 0.002, "entrance_dose_gy": 0.001,
    "number_of_frames": 1,
    "technique": {
        "kvp": 80.0, "tube_current_ma": 200.0, "exposure_time_ms": 50.0, "pulse_width_ms": 50.0,
        "number_of_pulses": 1, "pulse_rate": 0.0, "filter_thickness_mm_al": 1.0, "focal_spot_mm": 0.6,
    },
    "geometry": {
        "source_to_detector_mm": 1100.0, "source_to_isocenter_mm": 800.0, "source_to_entrance_mm": 700.0,
        "source_to_reference_point_mm": 480.0, "field_width_mm": 300.0, "field_height_mm": 200.0,
    },
    "table": {"longitudinal_mm": 0.0, "lateral_mm": 0.0, "height_mm": 5.0},
}  # fmt: skip


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_irradiation_events_of_a_series_move_to_their_table(tmp_path: Path, dialect: str) -> None:
    data = {"series": [{"series_instance_uid": "1.2.1", "step_uid": "1.3", "events": [EVENT_OF_A_SERIES]}]}
    with postgres() if dialect == "postgresql" else nullcontext(f"sqlite:///{tmp_path / 'test.db'}") as url:
        make_schema(url, "0003", OF_ONE_DEVICE)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE exams SET data = :data"), {"data": json.dumps(data)})
        engine.dispose()
        database = open_database(url, durability="os")
        with database.read() as snapshot:
            (record,) = read_irradiation(snapshot, 11)
        database.close()
    event = IrradiationEvent.from_json(record.event)
    assert (record.uid, record.step_uid, record.series_instance_uid) == ("1.2.9", "1.3", "1.2.1")
    assert record.images == {"1.2.1.1"}
    assert (event.uid, event.event_type, event["KVP"]) == ("1.2.9", "Stationary Acquisition", 80)
    assert (event["DoseAreaProduct"], event["EntranceDoseInmGy"], event["Exposure"]) == (1.1e-5, 1, 10)
    assert event == IrradiationEvent(
        **record.event["numbers"],
        IrradiationEventType=event.event_type, AcquisitionProtocol="STOMACH", IrradiationEventUID=event.uid,
        DateTimeStarted=event.started, FilterType="STRIP", FilterMaterial="ALUMINUM", FilterThicknessMinimum=1.0,
        FilterThicknessMaximum=1.0,
    )  # fmt: skip


def make_schema(url: str, revision: str, content: str = "") -> None:
    """A database of an earlier version with these rows."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "openmodality.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for statement in filter(None, content.split(";")):
            connection.execute(text(statement))
    engine.dispose()


def test_a_new_database_has_all_tables_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "_VERSION_TABLE", "no SQL")
        with pytest.raises(StoreError):
            opened(tmp_path)
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    database = opened(tmp_path)
    assert differences(database) == []
    database.close()


def read_revision(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "test.db")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
