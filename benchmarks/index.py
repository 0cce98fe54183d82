"""An index of a million images, and one of ten thousand beside it: how long it takes to find what a viewer asks for."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.data import cache
from openmodality.store.database import Database, open_database
from openmodality.store.listing.entities import Level, Search, find_ids, read_entities, stream
from tests.made_index import SERIES_OF_STUDY, fill_index, make_patient_id, make_series_uid, make_study_date

STUDIES: Final = 10_000
STUDIES_OF_SMALL: Final = 100
IMAGES_OF_SERIES: Final = 50
SEARCHES: Final[Mapping[str, tuple[Level, Mapping[str, str], float]]] = {
    "a study by Patient ID": (Level.STUDY, {"PatientID": make_patient_id(50)}, 0.010),
    "a study by a range of dates": (Level.STUDY, {"StudyDate": f"{make_study_date(50)}-{make_study_date(52)}"}, 0.010),
    "a study by the beginning of a name": (Level.STUDY, {"PatientName": "YAMAGATA^GIVEN0*"}, 0.010),
    "a study by the end of a name": (Level.STUDY, {"PatientName": "*GIVEN77"}, 0.100),
    "the images of a series": (Level.IMAGE, {"SeriesInstanceUID": make_series_uid(50, 1)}, 0.010),
}
"""What is searched for, and the seconds that it may take among a million images."""
_TIMES: Final = 9


def open_index(studies: int) -> Database:
    """An index of so many studies, which is made once."""
    path = cache() / f"index-{studies * SERIES_OF_STUDY * IMAGES_OF_SERIES}.db"
    is_new = not path.exists()
    database = open_database(f"sqlite:///{path}", durability="os")
    if is_new:
        fill_index(database, studies, IMAGES_OF_SERIES)
    return database


def time_search(database: Database, level: Level, keys: Mapping[str, str]) -> float:
    """The seconds that a search takes, as its median."""
    search = Search(level, keys, states=False)
    taken: list[float] = []
    for _ in range(_TIMES):
        begun = perf_counter()
        with database.read() as snapshot:
            read_entities(snapshot, search, find_ids(snapshot, search))
        taken.append(perf_counter() - begun)
    return median(taken)


def time_stream(database: Database) -> float:
    """The studies that are streamed in a second."""
    begun = perf_counter()
    count = sum(1 for _ in stream(database, Search(Level.STUDY, states=False)))
    return count / (perf_counter() - begun)
