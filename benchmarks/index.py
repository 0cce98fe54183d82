"""An index of a million images, and one of ten thousand beside it: how long it takes to find what a viewer asks for.

``python -m benchmarks.index URL`` is a process of its own: it searches and streams, and prints its peak memory in MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

import psycopg

from benchmarks.data import cache
from openmodality.standard.query_retrieve import Level
from openmodality.store.database import Database, open_database
from openmodality.store.listing.entities import read_entities, stream
from openmodality.store.listing.reader import StoredRow
from openmodality.store.listing.search import Search, find_ids
from openmodality.store.transaction import Snapshot
from tests.made_index import SERIES_OF_STUDY, fill_index, make_patient_id, make_series_uid, make_study_date
from tests.peers.postgres import postgres

STUDIES: Final = 10_000
STUDIES_OF_SMALL: Final = 100
IMAGES_OF_SERIES: Final = 50
_PAGE: Final = 100


class Asked(NamedTuple):
    """What is searched for, the seconds that it may take among a million images, and how many are shown at once.

    ``is_scan``: no index helps, since it is no beginning or one patient of nine matches.
    """

    level: Level
    keys: Mapping[str, str]
    limit_s: float = 0.010
    limit: int | None = None
    is_scan: bool = False


SEARCHES: Final[Mapping[str, Asked]] = {
    "a study by Patient ID": Asked(Level.STUDY, {"PatientID": make_patient_id(50)}),
    "a study by a range of dates": Asked(Level.STUDY, {"StudyDate": f"{make_study_date(50)}-{make_study_date(52)}"}),
    "a study by the beginning of a name": Asked(Level.STUDY, {"PatientName": "YAMAGATA^GIVEN0*"}),
    "100 studies of patients YAMA*": Asked(Level.STUDY, {"PatientName": "YAMA*"}, limit=_PAGE, is_scan=True),
    "a study by the end of a name": Asked(Level.STUDY, {"PatientName": "*GIVEN77"}, 0.100, is_scan=True),
    "the images of a series": Asked(Level.IMAGE, {"SeriesInstanceUID": make_series_uid(50, 1)}),
}
_TIMES: Final = 9
_SCANNED: Final = tuple(f"Seq Scan on {table}" for table in ("patients", "studies", "series", "instances"))


def open_index(studies: int) -> Database:
    """An index of so many studies on SQLite, which is made once."""
    path = cache() / f"index-{studies * SERIES_OF_STUDY * IMAGES_OF_SERIES}.db"
    is_new = not path.exists()
    database = open_database(f"sqlite:///{path}", durability="os")
    if is_new:
        fill_index(database, studies, IMAGES_OF_SERIES)
    return database


@contextmanager
def indexes_on_postgresql(*studies: int) -> Iterator[list[Database]]:
    """Indexes of so many studies each on one server of PostgreSQL, which is thrown away."""
    with postgres() as url:
        databases = []
        for number in studies:
            name = f"studies_{number}"
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            databases.append(open_database(f"{url.rsplit('/', 1)[0]}/{name}"))
            fill_index(databases[-1], number, IMAGES_OF_SERIES)
        try:
            yield databases
        finally:
            for database in databases:
                database.close()


def time_search(database: Database, asked: Asked) -> float:
    """The seconds that a search takes, as its median."""
    search = Search(asked.level, asked.keys, states=False)
    taken: list[float] = []
    for _ in range(_TIMES):
        begun = perf_counter()
        with database.read() as snapshot:
            read_entities(snapshot, search, find_ids(snapshot, search, limit=asked.limit))
        taken.append(perf_counter() - begun)
    return median(taken)


def time_stream(database: Database) -> float:
    """The studies that are streamed in a second."""
    begun = perf_counter()
    count = sum(1 for _ in stream(database, Search(Level.STUDY, states=False)))
    return count / (perf_counter() - begun)


def list_scans(database: Database) -> list[str]:
    """The searches that PostgreSQL answers by reading a whole table, of those that an index can answer."""
    found = []
    for what, asked in SEARCHES.items():
        with database.read() as snapshot:
            explaining = _Explaining(snapshot)
            find_ids(explaining, Search(asked.level, asked.keys, states=False), limit=asked.limit)
        if not asked.is_scan and any(scan in explaining.plan for scan in _SCANNED):
            found.append(what)
    return found


class _Explaining:
    """A reader that tells how PostgreSQL would find the rows, in place of finding them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.dialect, self.device_id = snapshot.dialect, snapshot.device_id
        self.plan = ""

    def rows(self, sql: str, values: Sequence[object] = ()) -> Sequence[StoredRow]:
        """No row; the plan is kept."""
        self.plan += "\n".join(str(next(iter(row.values()))) for row in self._snapshot.rows(f"EXPLAIN {sql}", values))
        return []


def measure_memory(database: Database) -> float:
    """The highest memory, in MB, of a process that searches and streams all studies."""
    url = database.engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, "PYTHONPATH": f"src{os.pathsep}."}
    command = (sys.executable, "-m", "benchmarks.index", url)
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def _main(url: str) -> None:
    database = open_database(url)
    for asked in SEARCHES.values():
        time_search(database, asked)
    time_stream(database)
    database.close()
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))


if __name__ == "__main__":
    _main(sys.argv[1])
