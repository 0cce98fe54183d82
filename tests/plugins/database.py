"""A database that is migrated already: a copy of one made once, as migrating takes most of the time of a short test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


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
