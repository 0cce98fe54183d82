from __future__ import annotations

from typing import Any

from openmodality.jobs.listing import get_job, read_history, read_instances
from openmodality.store.local import LocalStore
from openmodality.store.rows.jobs import (
    KeptResult,
    change_state,
    find_queued_uids,
    find_rival,
    find_unfinished,
    insert_dependency,
    insert_job,
    read_dependents,
    read_orphans,
    record_results,
    request_cancellation,
    reset_failures,
)
from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.store.transaction import Transaction

CLASS = "1.2.840.10008.5.1.4.1.1.4"


def insert(transaction: Transaction, *uids: str, **values: Any) -> int | None:
    row = {"kind": JobKind.SEND, "destination": "PACS", "parameters": {}, "due_at": 1000.0, "max_retries": 3}
    retry = {"retry_delay_s": 60.0, "retry_permanent": False}
    return insert_job(transaction, {**row, **retry, **values}, [(CLASS, uid) for uid in uids])


def add(transaction: Transaction, *uids: str, **values: Any) -> int:
    number = insert(transaction, *uids, **values)
    assert number is not None
    return number


def test_instances_of_a_new_job_are_pending_and_each_named_once(store: LocalStore) -> None:
    with store.write() as transaction:
        job_id = add(transaction, "1.1", "1.2", "1.1")
        instances = read_instances(transaction, job_id)
        assert get_job(transaction, job_id).state is JobState.TODO
    with store.read() as snapshot:  # events are written when the transaction ends
        assert [(each.state, each.detail) for each in read_history(snapshot, job_id)] == [("todo", "queued")]
    assert [(each.SOPInstanceUID, each.result) for each in instances] == [("1.1", "pending"), ("1.2", "pending")]


def test_a_unique_key_is_taken_while_its_job_is_unfinished(store: LocalStore) -> None:
    with store.write() as transaction:
        first = add(transaction, unique_key="key")
        assert insert(transaction, unique_key="key") is None
        assert find_unfinished(transaction, "key") == first
        change_state(transaction, first, JobState.FAILED)
        second = add(transaction, unique_key="key")
        assert (find_rival(transaction, first), find_rival(transaction, second)) == (second, None)


def test_a_change_of_state_empties_what_belongs_to_the_state_before(store: LocalStore) -> None:
    with store.write() as transaction:
        job_id = add(transaction)
        change_state(transaction, job_id, JobState.WAITING, due_at=2000.0, waiting_for="an answer")
        waiting = get_job(transaction, job_id)
        change_state(transaction, job_id, JobState.DONE, reason="all sent")
        done = get_job(transaction, job_id)
    assert (waiting.due_at, waiting.waiting_for, waiting.finished_at) == (2000.0, "an answer", None)
    assert (done.due_at, done.waiting_for, done.finished_at, done.reason) == (None, "", 1000.0, "all sent")


def test_results_count_tries_and_failures_can_be_made_pending_again(store: LocalStore) -> None:
    with store.write() as transaction:
        job_id = add(transaction, "1.1", "1.2")
        record_results(transaction, job_id, [])
        record_results(
            transaction,
            job_id,
            [
                KeptResult("1.1", InstanceResult.SUCCESS, 0, ""),
                KeptResult("1.2", InstanceResult.FAILURE, 0xA700, "full"),
                KeptResult("1.2", InstanceResult.PENDING, None, "on its way"),
                KeptResult("1.2", InstanceResult.FAILURE, 0xA700, "full"),
            ],
        )
        done, failed = read_instances(transaction, job_id)
        assert (done.result, done.attempts) == (InstanceResult.SUCCESS, 1)
        assert (failed.result, failed.status, failed.comment, failed.attempts) == ("failure", 0xA700, "full", 2)
        reset_failures(transaction, job_id)
        assert [each.result for each in read_instances(transaction, job_id)] == ["success", "pending"]


def test_orphans_are_those_of_a_worker(store: LocalStore) -> None:
    with store.write() as transaction:
        own, other = add(transaction), add(transaction, destination="RIS")
        change_state(transaction, own, JobState.DOING, worker="device")
        change_state(transaction, other, JobState.DOING, worker="another", lease_until=2000.0)
        assert read_orphans(transaction, "device", 1000.0) == [own]
        assert read_orphans(transaction, "device", 2000.0) == [own, other]
        request_cancellation(transaction, own)
        assert get_job(transaction, own).cancel_requested


def test_dependents_are_the_jobs_that_may_still_run(store: LocalStore) -> None:
    with store.write() as transaction:
        first, waits, done = add(transaction), add(transaction), add(transaction)
        for later in (waits, done):
            insert_dependency(transaction, later, first)
        change_state(transaction, done, JobState.DONE)
        assert read_dependents(transaction, first) == [waits]


def test_what_is_queued_for_one_destination_is_not_for_another(store: LocalStore) -> None:
    with store.write() as transaction:
        add(transaction, "1.1")
        add(transaction, "1.2", kind=JobKind.COMMIT)
        assert find_queued_uids(transaction, "PACS", ["1.1", "1.2", "1.3"]) == {"1.1"}
        assert find_queued_uids(transaction, "OTHER", ["1.1"]) == set()
