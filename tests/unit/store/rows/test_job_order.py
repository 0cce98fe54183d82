from __future__ import annotations

from typing import Any

import pytest

from openmodality.store.local import LocalStore
from openmodality.store.rows.job_order import find_next_due, find_runnable
from openmodality.store.rows.jobs import change_state, insert_dependency, insert_job
from openmodality.store.states import JobKind, JobState
from openmodality.store.transaction import Transaction

KINDS = list(JobKind)


def add(transaction: Transaction, destination: str = "PACS", **values: Any) -> int:
    row = {"kind": JobKind.SEND, "parameters": {}, "due_at": 1000.0, "max_retries": 3, "retry_delay_s": 60.0}
    number = insert_job(transaction, {**row, "destination": destination, **values}, [])
    assert number is not None
    return number


def do(transaction: Transaction, job_id: int) -> None:
    change_state(transaction, job_id, JobState.DOING, worker="device")


def test_whoever_was_due_first_goes_first(store: LocalStore) -> None:
    with store.write() as transaction:
        assert find_runnable(transaction, KINDS, 1000.0) is None
        add(transaction, due_at=990.0)
        first = add(transaction, due_at=980.0)
        add(transaction, due_at=1001.0)
        assert find_runnable(transaction, KINDS, 1000.0) == first
        assert find_runnable(transaction, [JobKind.COMMIT], 1000.0) is None


def test_a_destination_takes_one_job_at_a_time(store: LocalStore) -> None:
    with store.write() as transaction:
        do(transaction, add(transaction, "PACS"))
        add(transaction, "PACS")
        elsewhere = add(transaction, "RIS")
        assert find_runnable(transaction, KINDS, 1000.0) == elsewhere


@pytest.mark.parametrize(
    ("ended", "may_run"), [(JobState.DONE, True), (JobState.CANCELLED, True), (JobState.FAILED, False)]
)
def test_an_order_is_kept(store: LocalStore, ended: JobState, may_run: bool) -> None:
    with store.write() as transaction:
        first, later = add(transaction, order_key="step"), add(transaction, order_key="step", due_at=500.0)
        assert find_runnable(transaction, KINDS, 1000.0) == first
        change_state(transaction, first, ended)
        assert find_runnable(transaction, KINDS, 1000.0) == (None if ended is JobState.FAILED else later)


def test_a_job_waits_for_what_it_comes_after(store: LocalStore) -> None:
    with store.write() as transaction:
        first, later = add(transaction), add(transaction, "RIS", due_at=500.0)
        insert_dependency(transaction, later, first)
        assert find_runnable(transaction, KINDS, 1000.0) == first
        change_state(transaction, first, JobState.DONE)
        assert find_runnable(transaction, KINDS, 1000.0) == later


def test_an_application_entity_has_one_association(store: LocalStore) -> None:
    entity = [[JobKind.SEND, JobKind.COMMIT]]
    with store.write() as transaction:
        do(transaction, add(transaction, "PACS"))
        other = add(transaction, "SECOND", kind=JobKind.COMMIT)
        assert find_runnable(transaction, KINDS, 1000.0, entities=entity) is None
        assert find_runnable(transaction, KINDS, 1000.0) == other


def test_the_destination_served_last_lets_others_go_first(store: LocalStore) -> None:
    with store.write() as transaction:
        first, second = add(transaction, "PACS", due_at=900.0), add(transaction, "RIS")
        assert find_runnable(transaction, KINDS, 1000.0) == first
        assert find_runnable(transaction, KINDS, 1000.0, served_last="PACS") == second


def test_the_next_due_time_is_that_of_a_job_which_the_clock_alone_holds_up(store: LocalStore) -> None:
    with store.write() as transaction:
        add(transaction, due_at=900.0)
        assert find_next_due(transaction, KINDS, 1000.0) is None
        add(transaction, due_at=1500.0)
        change_state(transaction, add(transaction), JobState.WAITING, due_at=1200.0)
        assert find_next_due(transaction, KINDS, 1000.0) == 1200.0
