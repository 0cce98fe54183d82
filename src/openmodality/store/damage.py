"""Finds a damaged SQLite file, and sets it aside so that a new one can take its place.

Its exams, jobs and commitments are in no other file, so it is kept for someone who can still read it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from openmodality.errors import StoreError
from openmodality.store.database_words import Trouble, advise, find_trouble
from openmodality.store.files.instance_file import store_error
from openmodality.store.names import DATABASE_FILE

_BESIDE: Final = ("", "-wal", "-shm")
"""The file and what SQLite keeps beside it."""


def is_damaged(folder: Path) -> bool:
    """Whether the SQLite file of a data folder is damaged. Raises :class:`StoreError` where that cannot be seen."""
    path = folder / DATABASE_FILE
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            return bool(found != "ok")
    except sqlite3.Error as error:
        trouble = find_trouble(error)
        if trouble is Trouble.DAMAGED:
            return True
        raise StoreError(f"{trouble}: {error}", advice=advise(trouble)) from None


def set_aside(folder: Path, now: float) -> Path:
    """Give a damaged SQLite file another name; the new path. Raises :class:`StoreError` where it cannot be renamed."""
    name = f"damaged-{datetime.fromtimestamp(now):%Y%m%d-%H%M%S}-{DATABASE_FILE}"
    try:
        for ending in _BESIDE:
            path = folder / f"{DATABASE_FILE}{ending}"
            if path.exists():
                path.rename(folder / f"{name}{ending}")
    except OSError as error:
        raise store_error(error, f"rename {folder / DATABASE_FILE}") from error
    return folder / name
