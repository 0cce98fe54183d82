from __future__ import annotations

import pytest
from sqlalchemy import insert

from openmodality.cli.display.jobs import format_left_jobs
from openmodality.errors import NotFound
from openmodality.jobs.job import Job, JobInstance, NewJob
from openmodality.jobs.listing import (
    Change,
    LeftJobs,
    count_results,
    find_blockers,
    get_job,
    list_jobs,
    list_left,
    read_history,
    read_instances,
)
from openmodality.jobs.queue import Queue
from openmodality.store.rows.jobs import extend_device_lease
from openmodality.store.schema import devices
from openmodality.store.states import InstanceResult, JobKind, JobState
from tests.unit.jobs.conftest import Clock

CLASS = "1.2.840.10008.5.1.4.1.1.4"


def add(queue: Queue, kind: JobKind, destination: str, *uids: str, after: tuple[int, ...] = ()) -> Job:
    with queue.database.write() as transaction:
        new = NewJob(kind, destination, {"round": 1}, instances=[(CLASS, uid) for uid in uids], after=after)
        return queue.enqueue(transaction, new)


def test_jobs_are_listed_by_state_kind_and_destination_newest_first(queue: Queue) -> None:
    first, second = add(queue, JobKind.SEND, "PACS"), add(queue, JobKind.COMMIT, "PACS")
    third = queue.cancel(add(queue, JobKind.SEND, "OTHER").id)
    with queue.database.read() as snapshot:
        assert list_jobs(snapshot) == [third, second, first]
        assert list_jobs(snapshot, limit=1) == [third]
        assert list_jobs(snapshot, states=[JobState.TODO]) == [second, first]
        assert list_jobs(snapshot, kinds=[JobKind.SEND], destination="PACS") == [first]
        assert list_jobs(snapshot, states=[]) == []


def test_what_a_room_that_is_gone_has_left_is_named(queue: Queue, clock: Clock) -> None:
    database = queue.database
    own = database.device_id
    with database.write() as transaction:
        row = {"device": "other", "name": "OM_MR2", "host": "b", "folder": "/data", "created_at": 0.0}
        transaction.execute(insert(devices).values(id=own + 1, **row))
    add(queue, JobKind.SEND, "PACS")
    database.device_id = own + 1
    add(queue, JobKind.SEND, "PACS")
    clock.now += 10
    add(queue, JobKind.COMMIT, "PACS")
    queue.cancel(add(queue, JobKind.SEND, "OTHER").id)
    left = LeftJobs("OM_MR2", "b", "/data", 2, 1000.0)
    with database.read() as snapshot:
        assert list_left(snapshot, clock.now) == []
    database.device_id = own
    with database.read() as snapshot:
        assert list_left(snapshot, clock.now) == [left]
    said = format_left_jobs(left)
    assert said.startswith("2 jobs of OM_MR2 wait since ")
    assert said.endswith("run openmodality serve on b, with the data folder /data")
    database.device_id = own + 1
    with database.write() as transaction:
        extend_device_lease(transaction, "worker", clock.now + 60)
    database.device_id = own
    with database.read() as snapshot:
        assert list_left(snapshot, clock.now) == []
        assert list_left(snapshot, clock.now + 60) == [left]


def test_one_job_is_found_by_its_number(queue: Queue) -> None:
    job = add(queue, JobKind.SEND, "PACS")
    with queue.database.read() as snapshot:
        assert get_job(snapshot, job.id) == job
        assert get_job(snapshot, job.id).parameters == {"round": 1}
        with pytest.raises(NotFound, match="no job 99") as caught:
            get_job(snapshot, 99)
    assert caught.value.advice == "openmodality jobs list shows all"


def test_instances_are_read_and_counted_by_their_result(queue: Queue) -> None:
    job, empty = add(queue, JobKind.SEND, "PACS", "1.1", "1.2"), add(queue, JobKind.SEND, "OTHER")
    queue.record(job.id, [JobInstance(CLASS, "1.1", InstanceResult.WARNING, 0xB000, "coerced")])
    with queue.database.read() as snapshot:
        both = read_instances(snapshot, job.id)
        assert read_instances(snapshot, job.id, outstanding=True) == both[1:]
        counted = count_results(snapshot, [job.id, empty.id])
    assert both == [
        JobInstance(CLASS, "1.1", InstanceResult.WARNING, 0xB000, "coerced", 1),
        JobInstance(CLASS, "1.2"),
    ]
    assert counted[job.id] == {"pending": 1, "success": 0, "warning": 1, "failure": 0}
    assert sum(counted[empty.id].values()) == 0


def test_what_a_job_waits_for_and_what_became_of_it_is_told(queue: Queue) -> None:
    first = add(queue, JobKind.SEND, "PACS")
    later = add(queue, JobKind.COMMIT, "PACS", after=(first.id,))
    with queue.database.read() as snapshot:
        assert find_blockers(snapshot, later) == [first]
        assert find_blockers(snapshot, first) == []
    queue.cancel(first.id)
    with queue.database.read() as snapshot:
        assert read_history(snapshot, later.id) == [
            Change(1000.0, "todo", "queued"),
            Change(1000.0, "cancelled", f"job {first.id}, which it comes after, is cancelled"),
        ]
