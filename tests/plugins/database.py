"""A database that is migrated already: a copy of one made once, as migrating takes most of the time of a short test.

SQLAlchemy compiles each statement once for each engine. Tests open hundreds of databases and ask each of them the same,
so they share what was compiled.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_finish() -> None:
    """By now whatever needs a database is imported; other runs are spared that."""
    if "sqlalchemy" in sys.modules:
        share_compiled()


def pytest_unconfigure() -> None:
    """A server that a test has started ends with the process that runs the tests."""
    postgres = sys.modules.get("tests.peers.postgres")
    if postgres is not None:
        postgres.stop_postgres()


def share_compiled() -> None:
    """Let all engines for SQLite, whose dialects do not differ, share what they compile."""
    from sqlalchemy import Connection, Engine, event  # noqa: PLC0415 - start-up time of runs that need none
    from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite  # noqa: PLC0415 - likewise
    from sqlalchemy.util import LRUCache  # noqa: PLC0415 - likewise

    compiled: LRUCache[Any, Any] = LRUCache(2000)

    def share(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.engine._compiled_cache = compiled

    SQLiteDialect_pysqlite.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    SQLiteDialect_pysqlite.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    event.listen(Engine, "engine_connect", share)


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from openmodality.store.database import open_database  # noqa: PLC0415 - start-up time of runs that need none

    path = tmp_path_factory.mktemp("migrated") / "openmodality.db"
    open_database(f"sqlite:///{path}", durability="os").close()
    return path


@pytest.fixture
def database_url(_migrated: Path, tmp_path: Path) -> str:
    """The URL of an empty database of the newest schema, ``tmp_path/openmodality.db``."""
    shutil.copy(_migrated, tmp_path / "openmodality.db")
    return f"sqlite:///{tmp_path / 'openmodality.db'}"
