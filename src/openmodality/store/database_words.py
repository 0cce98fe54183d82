"""Explains errors of a database to an operator: what is wrong, and who must do what. Needs no SQLAlchemy, for lists."""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from typing import Final

_PRIMARY_CODE: Final = 0xFF


class Trouble(StrEnum):
    """What is wrong with a database as a whole."""

    LOCKED = "the database is locked by another program"
    READ_ONLY = "the database may not be written"
    DAMAGED = "the database is damaged"
    FULL = "there is no room for the database"
    AWAY = "the database does not answer"
    OTHER = "the database failed"


_ADVICE: Final = {
    Trouble.LOCKED: "close what else has the file open, such as a backup or a database browser",
    Trouble.READ_ONLY: "check the permissions of the data folder and its files, and that its disk is not read only",
    Trouble.DAMAGED: "stop the device, then: openmodality recover, which rebuilds the index from the instance files",
    Trouble.FULL: "free space on the disk of the database, such as by deleting committed studies",
    Trouble.AWAY: "check that the database server runs and can be reached; images that are made meanwhile stay on disk",
    Trouble.OTHER: "check free space, permissions and whether the database server runs",
}
_OF_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
}
"""By the primary result code."""
_NO_ROOM_TO_OPEN: Final = (sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP)
_OF_POSTGRESQL: Final = {
    "08": Trouble.AWAY,
    "57P": Trouble.AWAY,
    "25006": Trouble.READ_ONLY,
    "53100": Trouble.FULL,
    "55P03": Trouble.LOCKED,
    "XX001": Trouble.DAMAGED,
    "XX002": Trouble.DAMAGED,
}
"""By the beginning of the SQLSTATE."""


def find_trouble(error: BaseException | None) -> Trouble:
    """What an error of a driver means for the whole database."""
    if isinstance(error, sqlite3.Error):
        if is_out_of_room_to_open(error):
            return Trouble.FULL
        return _OF_SQLITE.get((getattr(error, "sqlite_errorcode", 0) or 0) & _PRIMARY_CODE, Trouble.OTHER)
    state = getattr(error, "sqlstate", None) or ""
    for beginning, trouble in _OF_POSTGRESQL.items():
        if state.startswith(beginning):
            return trouble
    is_lost = type(error).__name__ == "OperationalError" and not state  # no server said anything
    return Trouble.AWAY if is_lost else Trouble.OTHER


def is_out_of_room_to_open(error: sqlite3.Error) -> bool:
    """Whether the disk had no room for the index of SQLite's log, which the first who opens a database makes."""
    return getattr(error, "sqlite_errorcode", 0) in _NO_ROOM_TO_OPEN


def advise(trouble: Trouble) -> str:
    """What is to be done about it."""
    return _ADVICE[trouble]
