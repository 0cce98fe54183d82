"""Notices of other processes that jobs of this device have changed, where the database sends them (PostgreSQL).

They only save time: a notice that is sent while this process is not connected is lost, so the worker looks by itself
too.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from openmodality.store.database import Database
from openmodality.store.transaction import JOBS_CHANNEL

if TYPE_CHECKING:
    import psycopg

_log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
_AGAIN_S: Final = 5.0


class JobNotices:
    """Wakes those who wait for jobs of this device to change; a context manager. Nothing where SQLite is used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._database.is_shared:
            self._thread = threading.Thread(target=self._run, name="job-notices", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        import psycopg  # noqa: PLC0415 - part of an extra that SQLite does not need

        told = False
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    told = False
                    self._listen(connection)
            except psycopg.Error as error:
                if not told:
                    _log.warning("notices.lost", extra={"reason": type(error).__name__})
                told = True
                self._stopping.wait(_AGAIN_S)

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg  # noqa: PLC0415 - part of an extra that SQLite does not need

        engine = self._database.engine
        arguments, options = engine.dialect.create_connect_args(engine.url)
        return psycopg.connect(*arguments, **options, autocommit=True)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {JOBS_CHANNEL}")
        self._database.jobs_changed.notify()  # what was sent before is lost
        while not self._stopping.is_set():
            for notice in connection.notifies(timeout=_LOOK_S, stop_after=1):
                if notice.payload == str(self._database.device_id):
                    self._database.jobs_changed.notify()
