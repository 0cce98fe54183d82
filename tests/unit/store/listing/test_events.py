from __future__ import annotations

from contextlib import suppress

from openmodality.store.database import open_database
from openmodality.store.listing.events import read_events
from openmodality.store.states import Subject


def test_events_are_read_behind_a_number_in_the_order_of_their_commits(database_url: str) -> None:
    database = open_database(database_url, durability="os")
    for number in range(5):
        with database.write() as transaction:
            transaction.add_event(Subject.JOB, number, "todo", "a reason")
    with database.read() as snapshot:
        every = read_events(snapshot, 0, 100)
        assert [event.subject_id for event in every] == ["0", "1", "2", "3", "4"]
        assert [event.subject_id for event in read_events(snapshot, every[2].id, 100)] == ["3", "4"]
        assert len(read_events(snapshot, 0, 2)) == 2
        assert "a reason" not in repr(every)
    database.close()


def test_an_event_is_gone_with_what_it_tells_of(database_url: str) -> None:
    database = open_database(database_url, durability="os")
    with database.write() as transaction:
        transaction.add_event(Subject.JOB, 1, "kept")
        with suppress(ValueError), transaction.attempt():
            transaction.add_event(Subject.JOB, 2, "taken back")
            raise ValueError
        transaction.add_event(Subject.JOB, 3, "kept")
    with suppress(ValueError), database.write() as transaction:
        transaction.add_event(Subject.JOB, 4, "taken back")
        raise ValueError
    with database.read() as snapshot:
        assert [event.subject_id for event in read_events(snapshot, 0, 9)] == ["1", "3"]
    database.close()
