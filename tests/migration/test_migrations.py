from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from openmodality.errors import StoreError
from openmodality.store.database import Database, open_database
from openmodality.store.names import REVISION
from openmodality.store.schema import metadata
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


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = opened(tmp_path)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match="does not know") as caught:
        opened(tmp_path)
    assert "newer version" in caught.value.advice


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import command  # noqa: PLC0415 - patched

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
