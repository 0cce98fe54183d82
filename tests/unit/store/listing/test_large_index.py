"""What is asked of an index with many studies is answered by its indexes, and in parts."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from openmodality.standard.query_retrieve import Level
from openmodality.store.database import Database, open_database
from openmodality.store.listing.entities import count, find, read_entities, stream
from openmodality.store.listing.reader import StoredRow
from openmodality.store.listing.search import Search, find_ids
from openmodality.store.transaction import Snapshot
from tests.made_index import fill_index, make_patient_id, make_series_uid, make_study_date

STUDIES = 600


@pytest.fixture(scope="module")
def database(_migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("large") / "large.db"
    shutil.copy(_migrated, path)
    opened = open_database(f"sqlite:///{path}", durability="os")
    fill_index(opened, STUDIES, 2)
    yield opened
    opened.close()


class Explaining:
    """A reader that tells how the database would find the rows, in place of finding them."""

    dialect = "sqlite"
    device_id = 1

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.steps: list[str] = []

    def rows(self, sql: str, values: Sequence[object] = ()) -> Sequence[StoredRow]:
        """No row; the plan is in ``steps``."""
        plan = self._snapshot.rows(f"EXPLAIN QUERY PLAN {sql}", values)
        self.steps += [row["detail"] for row in plan]
        return []


@pytest.mark.parametrize(
    ("level", "keys"),
    [
        (Level.STUDY, {"PatientID": make_patient_id(50)}),
        (Level.STUDY, {"PatientName": "yamagata*"}),
        (Level.STUDY, {"PatientName": "YAMAGATA^GIVEN0"}),
        (Level.STUDY, {"StudyDate": f"{make_study_date(50)}-{make_study_date(60)}"}),
        (Level.STUDY, {"StudyDate": make_study_date(50)}),
        (Level.STUDY, {"AccessionNumber": "A50"}),
        (Level.STUDY, {"StudyInstanceUID": "1.2.3.50\\1.2.3.51"}),
        (Level.PATIENT, {"PatientName": "yamagata*"}),
        (Level.SERIES, {"StudyInstanceUID": "1.2.3.50"}),
        (Level.SERIES, {"PatientID": make_patient_id(50), "StudyInstanceUID": "1.2.3.50"}),
        (Level.IMAGE, {"SeriesInstanceUID": make_series_uid(50, 1)}),
        (Level.IMAGE, {"StudyInstanceUID": "1.2.3.50", "SeriesInstanceUID": make_series_uid(50, 1)}),
        (Level.IMAGE, {"SOPInstanceUID": f"{make_series_uid(50, 1)}.0"}),
    ],
)
def test_an_index_answers_what_is_searched_for(database: Database, level: Level, keys: Mapping[str, str]) -> None:
    with database.read() as snapshot:
        assert find(snapshot, level, keys)
        explaining = Explaining(snapshot)
        find_ids(explaining, Search(level, keys))
    assert explaining.steps
    assert [step for step in explaining.steps if step.startswith("SCAN") and "SUBQUERY" not in step] == []


@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.IMAGE])
def test_the_first_page_is_read_in_the_order_of_an_index(database: Database, level: Level) -> None:
    with database.read() as snapshot:
        explaining = Explaining(snapshot)
        find_ids(explaining, Search(level), limit=50)
    assert explaining.steps[0].startswith("SCAN studies USING")
    assert "USE TEMP B-TREE FOR ORDER BY" not in explaining.steps


def test_pages_follow_one_another_and_meet_nowhere(database: Database) -> None:
    with database.read() as snapshot:
        search = Search(Level.STUDY)
        all_ids = find_ids(snapshot, search)
        pages = [find_ids(snapshot, search, limit=250, offset=start) for start in range(0, STUDIES, 250)]
        dates = [each["StudyDate"] for each in read_entities(snapshot, search, all_ids)]
    assert list(itertools.chain.from_iterable(pages)) == all_ids
    assert len(set(all_ids)) == STUDIES
    assert dates == sorted(dates, reverse=True)


def test_a_page_whose_rows_are_gone_is_shorter(database: Database) -> None:
    with database.read() as snapshot:
        ids = find_ids(snapshot, Search(Level.STUDY), limit=2)
        assert [each.id for each in read_entities(snapshot, Search(Level.STUDY), [ids[0], 10**9, ids[1]])] == ids


class Counting:
    """A source that counts how often it is read, and whether it is being read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = 0
        self.is_open = False

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """One consistent state."""
        with self._database.read() as snapshot:
            self.times, self.is_open = self.times + 1, True
            yield snapshot
        self.is_open = False


def test_a_stream_keeps_no_snapshot_open_while_a_match_is_taken(database: Database) -> None:
    source = Counting(database)
    taken = 0
    for each in stream(source, Search(Level.STUDY, states=False)):
        assert not source.is_open
        assert (each.series, each.instances) == (2, 4)
        taken += 1
    assert taken == STUDIES
    assert source.times == 3


def test_states_are_counted_where_they_are_asked_for(database: Database) -> None:
    keys = {"PatientID": make_patient_id(7)}
    with database.read() as snapshot:
        [each] = read_entities(snapshot, Search(Level.STUDY, keys), find_ids(snapshot, Search(Level.STUDY, keys)))
        assert count(snapshot, Level.IMAGE, keys) == 4
    assert (each.instances, each.sent, each.committed, each.modalities) == (4, 0, 0, ("MR",))
