from __future__ import annotations

from sqlalchemy import select

from openmodality.store.local import LocalStore
from openmodality.store.schema import events, tombstones
from openmodality.store.states import Subject


def test_a_transaction_knows_the_time_and_keeps_events_at_it(store: LocalStore) -> None:
    with store.write() as transaction:
        assert transaction.now == 1000.0
        transaction.add_event(Subject.EXAM, 7, "REGISTERED", "why")
    with store.read() as snapshot:
        [row] = snapshot.execute(select(events))
    assert tuple(row)[1:] == (1000.0, "exam", "7", "REGISTERED", "why")


def test_a_transaction_sees_what_it_has_changed_and_a_snapshot_does_not_yet(store: LocalStore) -> None:
    with store.write() as transaction:
        transaction.execute(transaction.insert(tombstones).values(SOPInstanceUID="1.1", modified_ns=1))
        with store.database.read() as snapshot:
            assert snapshot.rows("SELECT * FROM tombstones") == []
        assert transaction.rows('SELECT "SOPInstanceUID" FROM tombstones') == [{"SOPInstanceUID": "1.1"}]


def test_a_row_that_is_there_may_be_left_as_it_is(store: LocalStore) -> None:
    with store.write() as transaction:
        for modified_ns in (1, 2):
            statement = transaction.insert(tombstones).values(SOPInstanceUID="1.1", modified_ns=modified_ns)
            transaction.execute(statement.on_conflict_do_nothing())
        assert transaction.rows("SELECT modified_ns FROM tombstones WHERE modified_ns < ?", (9,)) == [
            {"modified_ns": 1}
        ]
