from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from sqlalchemy import select

from openmodality.store.database import Database, open_database
from openmodality.store.rows.commitments import (
    Commitment,
    CommitmentState,
    add_commitment,
    expire,
    get_commitment,
    mark_failed,
    mark_sent,
    record_answer,
)
from openmodality.store.schema import events

UID = "1.2.9"
REFERENCES = [("1.1", "1.2.1"), ("1.1", "1.2.2")]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(database_url: str, clock: Clock) -> Iterator[Database]:
    opened = open_database(database_url, durability="os", clock=clock)
    with opened.write() as connection:
        add_commitment(connection, UID, "PACS", REFERENCES)
    yield opened
    opened.close()


def sent(database: Database, expires_at: float | None = None) -> None:
    with database.write() as connection:
        mark_sent(connection, UID, expires_at)


def answer(database: Database, committed: Sequence[str], failed: Mapping[str, int] | None = None) -> Commitment | None:
    with database.write() as connection:
        expire(connection)
        return record_answer(connection, UID, committed, failed or {})


def test_a_transaction_is_kept_before_it_is_sent(database: Database) -> None:
    with database.read() as connection:
        found = get_commitment(connection, UID)
        assert get_commitment(connection, "9.9") is None
    assert found == Commitment(
        UID, "PACS", None, CommitmentState.REQUESTED, 1000.0, None, pending=tuple(REFERENCES), committed=(), failed={}
    )


@pytest.mark.requirement("RF-4.1.2.2-02", "RF-4.1.1-03", "MR-2.1.1-07")
def test_what_is_committed_is_on_record(database: Database) -> None:
    sent(database)
    found = answer(database, ["1.2.1", "1.2.2"])
    assert found is not None
    assert (found.state, found.committed, found.pending) == (CommitmentState.COMMITTED, tuple(REFERENCES), ())
    assert answer(database, ["1.2.1", "1.2.2"]) == found


def test_failures_are_kept_with_their_reason(database: Database) -> None:
    sent(database)
    found = answer(database, ["1.2.1"], {"1.2.2": 0x0112})
    assert found is not None
    assert (found.state, found.failed) == (CommitmentState.FAILED, {("1.1", "1.2.2"): 0x0112})


def test_an_answer_may_come_in_parts_and_before_the_response(database: Database) -> None:
    first = answer(database, ["1.2.1"])
    assert first is not None
    assert (first.state, first.pending) == (CommitmentState.REQUESTED, (REFERENCES[1],))
    sent(database)
    second = answer(database, ["1.2.2", "strange"])
    assert second is not None
    assert second.state is CommitmentState.COMMITTED
    sent(database)
    with database.read() as connection:
        assert get_commitment(connection, UID) == second


@pytest.mark.requirement("RF-4.4.2-16")
def test_a_transaction_ends_without_answer_when_its_time_is_over(database: Database, clock: Clock) -> None:
    sent(database, expires_at=1000.0 + 24 * 3600)
    clock.now += 24 * 3600 - 1
    with database.write() as connection:
        assert expire(connection) == []
    clock.now += 1
    with database.write() as connection:
        assert expire(connection) == [UID]
    found = answer(database, ["1.2.1", "1.2.2"])
    assert found is not None
    assert (found.state, found.committed) == (CommitmentState.NO_ANSWER, ())


@pytest.mark.requirement("RF-4.4.2-16", "MR-3.2.4.3.1-03")
def test_without_a_limit_the_answer_may_come_at_any_time(database: Database, clock: Clock) -> None:
    sent(database, expires_at=None)
    clock.now += 10 * 365 * 86400
    found = answer(database, ["1.2.1", "1.2.2"])
    assert found is not None
    assert found.state is CommitmentState.COMMITTED


def test_a_request_that_was_refused_has_failed(database: Database) -> None:
    with database.write() as connection:
        mark_failed(connection, UID, "the archive refused it")
        found = get_commitment(connection, UID)
        assert found is not None
        assert found.state is CommitmentState.FAILED
        assert record_answer(connection, "9.9", [], {}) is None
    with database.read() as connection:
        rows = connection.execute(select(events.c.name, events.c.detail).order_by(events.c.id)).all()
    assert [tuple(row) for row in rows] == [("requested", "2 instances"), ("failed", "the archive refused it")]
