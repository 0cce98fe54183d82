from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from sqlalchemy import select

from openmodality.services.commitment import CommitmentResult, Failure, Reference
from openmodality.store.database import Database, open_database
from openmodality.store.rows.commitments import (
    InstanceAnswer,
    OpenRequest,
    RequestRecord,
    close_expired_requests,
    find_request,
    has_requests,
    insert_request,
    mark_sent,
    read_answers,
    read_asked_title,
    read_open_requests,
    read_references,
    read_result,
    read_unsent_requests,
    record_result,
    supersede_requests,
)
from openmodality.store.schema import events, jobs
from openmodality.store.states import InstanceCommitment, RequestState

UID = "1.2.9"
ONE, TWO = Reference("1.1", "1.2.1"), Reference("1.1", "1.2.2")
JOB = 1


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
    row = {"kind": "commit", "state": "waiting", "destination": "PACS", "parameters": {}}
    with opened.write() as transaction:
        retry = {"max_retries": 0, "retry_delay_s": 0.0, "created_at": 1000.0}
        transaction.execute(transaction.insert(jobs).values({**row, **retry, "id": JOB}))
        insert_request(transaction, UID, "PACS", JOB, [ONE, TWO])
    yield opened
    opened.close()


def send(database: Database, expires_at: float | None = None) -> None:
    with database.write() as transaction:
        mark_sent(transaction, UID, expires_at)


def find(database: Database, uid: str = UID) -> RequestRecord:
    with database.read() as snapshot:
        found = find_request(snapshot, uid)
    assert found is not None
    return found


def answer(
    database: Database, committed: Sequence[Reference], failed: Mapping[Reference, int] | None = None
) -> RequestRecord:
    failures = tuple(Failure(reference, reason) for reference, reason in (failed or {}).items())
    with database.write() as transaction:
        record_result(transaction, find(database), CommitmentResult(UID, tuple(committed), failures))
    return find(database)


def test_a_request_is_kept_before_it_is_sent(database: Database) -> None:
    assert find(database) == RequestRecord(1, UID, "PACS", JOB, RequestState.REQUESTED, None, None)
    with database.read() as snapshot:
        assert read_unsent_requests(snapshot, JOB) == [(UID, (ONE, TWO))]
        assert read_references(snapshot, find(database)) == {ONE, TWO}
        assert read_result(snapshot, find(database)) is None
        assert find_request(snapshot, "9.9") is None
        assert (has_requests(snapshot, JOB), has_requests(snapshot, 2)) == (True, False)


def test_what_was_sent_is_not_sent_again(database: Database) -> None:
    send(database, expires_at=2000.0)
    with database.read() as snapshot:
        assert read_unsent_requests(snapshot, JOB) == []
        assert read_open_requests(snapshot, JOB) == [OpenRequest(1000.0, 2000.0)]


def test_what_is_committed_is_on_record(database: Database) -> None:
    send(database)
    answered = answer(database, [ONE, TWO])
    assert (answered.state, answered.answered_at) == (RequestState.COMMITTED, 1000.0)
    with database.read() as snapshot:
        assert read_result(snapshot, answered) == CommitmentResult(UID, (ONE, TWO))
        assert read_open_requests(snapshot, JOB) == []
        rows = snapshot.execute(select(events.c.subject, events.c.name, events.c.detail)).all()
    assert [tuple(row) for row in rows] == [("commitment", "answered", "2 committed, 0 failed")]


def test_failures_are_kept_with_their_reason(database: Database) -> None:
    send(database)
    answered = answer(database, [ONE], {TWO: 0x0112})
    assert answered.state is RequestState.FAILED
    with database.read() as snapshot:
        assert read_result(snapshot, answered) == CommitmentResult(UID, (ONE,), (Failure(TWO, 0x0112),))
        assert read_answers(snapshot, JOB) == {
            "1.2.1": InstanceAnswer(InstanceCommitment.COMMITTED, None, in_time=True),
            "1.2.2": InstanceAnswer(InstanceCommitment.FAILED, 0x0112, in_time=True),
        }


def test_what_an_answer_does_not_mention_is_not_committed(database: Database) -> None:
    send(database)
    assert answer(database, [ONE]).state is RequestState.FAILED
    with database.read() as snapshot:
        assert read_answers(snapshot, JOB)["1.2.2"] == (InstanceCommitment.PENDING, None, True)


def test_an_answer_may_come_before_the_response(database: Database) -> None:
    assert answer(database, [ONE, TWO]).state is RequestState.COMMITTED
    send(database, expires_at=2000.0)
    found = find(database)
    assert (found.state, found.expires_at) == (RequestState.COMMITTED, None)


def test_a_request_ends_without_answer_when_its_time_is_over(database: Database, clock: Clock) -> None:
    send(database, expires_at=1000.0 + 24 * 3600)
    clock.now += 24 * 3600 - 1
    assert not find(database).is_over(clock())
    with database.write() as transaction:
        close_expired_requests(transaction, JOB)
        assert len(read_open_requests(transaction, JOB)) == 1
    clock.now += 1
    assert find(database).is_over(clock())
    with database.write() as transaction:
        close_expired_requests(transaction, JOB)
        assert read_open_requests(transaction, JOB) == []
        assert read_answers(transaction, JOB)["1.2.1"] == (InstanceCommitment.PENDING, None, False)
    assert (find(database).state, find(database).is_over(0.0)) == (RequestState.NO_ANSWER, True)


def test_without_a_limit_the_answer_may_come_at_any_time(database: Database, clock: Clock) -> None:
    send(database, expires_at=None)
    clock.now += 10 * 365 * 86400
    with database.write() as transaction:
        close_expired_requests(transaction, JOB)
        assert read_open_requests(transaction, JOB) == [OpenRequest(1000.0, None)]
    assert not find(database).is_over(clock())
    assert answer(database, [ONE, TWO]).state is RequestState.COMMITTED


def test_what_is_asked_anew_leaves_the_earlier_request_on_record(database: Database) -> None:
    send(database)
    with database.write() as transaction:
        supersede_requests(transaction, JOB)
        assert not has_requests(transaction, JOB)
        assert read_open_requests(transaction, JOB) == []
        insert_request(transaction, "1.9.10", "PACS", JOB, [ONE, TWO], ae_title="ARCHIVE")
        assert read_asked_title(transaction, JOB) == "ARCHIVE"
    answer(database, [ONE], {TWO: 0x0112})
    with database.read() as snapshot:
        assert read_answers(snapshot, JOB) == {
            "1.2.1": InstanceAnswer(InstanceCommitment.COMMITTED, None, in_time=True),
            "1.2.2": InstanceAnswer(InstanceCommitment.PENDING, None, in_time=True),
        }, "only what is committed counts of a request that was asked anew"


def test_a_clock_that_was_set_back_makes_no_request_last_longer(database: Database, clock: Clock) -> None:
    send(database, expires_at=1000.0 + 3600)
    clock.now -= 900
    with database.write() as transaction:
        close_expired_requests(transaction, JOB, 3600)
        assert read_open_requests(transaction, JOB) == [OpenRequest(1000.0, 100.0 + 3600)]
