"""The SQLite file of a data folder, opened to look at: nothing is made, migrated, recovered or locked.

Beside a device that serves, a reader sees the last committed state and keeps nobody waiting (SQLite's WAL). In a folder
where nothing may be written the file is read as it lies, as long as no log of changes lies beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openmodality.errors import StoreError
from openmodality.store.database_words import Trouble, advise, find_trouble, is_out_of_room_to_open
from openmodality.store.names import DATABASE_FILE, ONLY_DEVICE, REVISION

if TYPE_CHECKING:
    from openmodality.store.listing.reader import StoredRow

_BUSY_TIMEOUT_S: Final = 30
_LOG_SUFFIX: Final = "-wal"
_PRIMARY_CODE: Final = 0xFF
_NOT_WRITABLE: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_REVISION_QUERY: Final = "SELECT version_num FROM alembic_version"


class SqliteReader:
    """Fulfils :class:`openmodality.store.listing.reader.Reader` on a connection of Python's own driver."""

    dialect: Final = "sqlite"
    device_id: Final = ONLY_DEVICE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[StoredRow]:
        """All rows of a query."""
        cursor = self._connection.execute(sql, tuple(values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


class SqliteFile:
    """A database to look at; made by :func:`find_sqlite_file`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def read(self) -> Iterator[SqliteReader]:
        """The last committed state. Raises :class:`StoreError` where it cannot be read, without any value of a row."""
        try:
            with closing(self._open()) as connection:
                yield SqliteReader(connection)
        except sqlite3.Error as error:
            trouble = find_trouble(error)
            advice = "check the permissions of the data folder" if trouble is Trouble.OTHER else advise(trouble)
            raise StoreError(f"{trouble}: {error}", advice=advice) from None

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self._path, "mode=rw")  # whoever may write can clear away what a reader leaves behind
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE not in _NOT_WRITABLE and not is_out_of_room_to_open(error):
                raise
        log = Path(f"{self._path}{_LOG_SUFFIX}")
        is_at_rest = not log.exists() or not log.stat().st_size
        return _connect(self._path, "immutable=1" if is_at_rest else "mode=ro")


def find_sqlite_file(folder: Path) -> SqliteFile | None:
    """The database of a data folder, where it is there and of the newest schema.

    None: the device's own way of opening it has to make or migrate it first.
    """
    path = folder / DATABASE_FILE
    if not path.is_file():
        return None
    found = SqliteFile(path)
    with found.read() as reader:
        tables = reader.rows("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        revisions = [row["version_num"] for row in (reader.rows(_REVISION_QUERY) if tables else ())]
    return found if revisions == [REVISION] else None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None
    )
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the state of now, or what stands against it
    except BaseException:
        connection.close()
        raise
    return connection
