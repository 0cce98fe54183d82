from __future__ import annotations

from typing import Any, Protocol

import pytest
from sqlalchemy import update

from openmodality.errors import UsageError, WrongState
from openmodality.jobs.job import Job, JobInstance, NewJob, RetryParameters
from openmodality.jobs.listing import count_results, find_blockers, get_job, list_jobs, read_history, read_instances
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome, Retry, Wait
from openmodality.jobs.queue import LEASE_S, Queue
from openmodality.store.schema import jobs
from openmodality.store.states import InstanceResult, JobKind, JobState


class Clock(Protocol):
    now: float


def add(queue: Queue, kind: JobKind = JobKind.SEND, destination: str = "PACS", **values: Any) -> Job:
    with queue.database.write() as connection:
        return queue.enqueue(connection, NewJob(kind, destination, **values))


def claim(queue: Queue) -> int | None:
    job = queue.claim("device", list(JobKind))
    return None if job is None else job.id


def run(queue: Queue, outcome: JobOutcome) -> Job:
    """Do the next job with this outcome."""
    job_id = claim(queue)
    assert job_id is not None
    return queue.finish(job_id, outcome)


def get(queue: Queue, job: Job) -> Job:
    with queue.database.read() as connection:
        return get_job(connection, job.id)


def states(queue: Queue, job: Job) -> list[tuple[str, str]]:
    with queue.database.read() as connection:
        return [(change.state, change.detail) for change in read_history(connection, job.id)]


def test_a_job_is_what_was_queued(queue: Queue) -> None:
    retry = RetryParameters(3, 60.0, permanent=True)
    job = add(queue, parameters={"StudyInstanceUID": "1.2"}, retry=retry, order_key="1.2.3", due_at=1500.0)
    assert job == Job(
        id=1, kind=JobKind.SEND, state=JobState.TODO, destination="PACS",
        parameters={"StudyInstanceUID": "1.2"}, retry=retry,
        order_key="1.2.3", attempts=0, due_at=1500.0, waiting_for="", reason="", cancel_requested=False,
        created_at=1000.0, started_at=None, finished_at=None,
    )  # fmt: skip


def test_a_job_is_queued_together_with_its_cause_or_not_at_all(queue: Queue) -> None:
    def cause() -> None:
        with queue.database.write() as connection:
            queue.enqueue(connection, NewJob(JobKind.SEND, "PACS"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cause()
    assert claim(queue) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (JobKind.SEND, JobKind.SEND),
        (JobKind.COMMIT, JobKind.COMMIT),
        (JobKind.MPPS_CREATE, JobKind.MPPS_SET),
        (JobKind.PRINT, JobKind.PRINT),
    ],
)
def test_one_association_for_each_application_entity(queue: Queue, first: JobKind, second: JobKind) -> None:
    one, two = add(queue, first, "A"), add(queue, second, "B")
    media = add(queue, JobKind.MEDIA, "C")
    entities = [[JobKind.SEND], [JobKind.COMMIT], [JobKind.MPPS_CREATE, JobKind.MPPS_SET], [JobKind.PRINT]]
    claimed = [queue.claim("device", list(JobKind), entities=entities) for _ in range(3)]
    assert [job.id for job in claimed if job is not None] == [one.id, media.id]
    queue.finish(one.id, Done())
    assert claim(queue) == two.id


def test_one_job_at_a_time_for_a_destination(queue: Queue) -> None:
    first, second = add(queue), add(queue, JobKind.COMMIT)
    other = add(queue, JobKind.MPPS_CREATE, "RIS")
    assert [claim(queue), claim(queue), claim(queue)] == [first.id, other.id, None]
    queue.finish(first.id, Done())
    assert claim(queue) == second.id


def test_destinations_take_turns(queue: Queue) -> None:
    steps = [add(queue, JobKind.MPPS_CREATE, "RIS") for _ in range(3)]
    send = add(queue)
    entities = [[JobKind.SEND, JobKind.MPPS_CREATE]]
    order = []
    last = ""
    for _ in range(4):
        job = queue.claim("device", list(JobKind), entities=entities, served_last=last)
        assert job is not None
        assert queue.claim("device", list(JobKind), entities=entities) is None
        queue.finish(job.id, Retry("no answer"))
        order.append(job.id)
        last = job.destination
    assert order == [steps[0].id, send.id, steps[1].id, steps[2].id]


def test_who_was_due_first_goes_first(queue: Queue, clock: Clock) -> None:
    late, early = add(queue, due_at=1200.0), add(queue, due_at=1100.0)
    assert claim(queue) is None
    assert queue.find_next_due(list(JobKind)) == 1100.0
    clock.now = 1300.0
    assert claim(queue) == early.id
    queue.finish(early.id, Done())
    assert claim(queue) == late.id


def test_jobs_of_one_step_run_strictly_in_order(queue: Queue, clock: Clock) -> None:
    create = add(queue, JobKind.MPPS_CREATE, "RIS", order_key="1.2.3")
    first_set = add(queue, JobKind.MPPS_SET, "RIS", order_key="1.2.3")
    elsewhere = add(queue, JobKind.MPPS_SET, "RIS2", order_key="1.2.3")
    other_step = add(queue, JobKind.MPPS_CREATE, "RIS", order_key="1.2.4")
    assert run(queue, Retry("no answer")).id == create.id
    assert run(queue, Done()).id == other_step.id
    assert claim(queue) is None
    clock.now += 300
    assert run(queue, Fail("refused")).id == create.id
    assert claim(queue) is None
    with queue.database.read() as connection:
        assert [job.id for job in find_blockers(connection, elsewhere)] == [create.id, first_set.id]
    queue.retry(create.id)
    assert [run(queue, Done()).id for _ in range(3)] == [create.id, first_set.id, elsewhere.id]


def test_a_job_runs_after_those_it_depends_on(queue: Queue) -> None:
    first, second = add(queue, destination="A"), add(queue, destination="B")
    commit = add(queue, JobKind.COMMIT, "C", after=[first.id, second.id])
    assert [run(queue, Done()).id, run(queue, Fail("refused")).id] == [first.id, second.id]
    assert claim(queue) is None
    with queue.database.read() as connection:
        assert find_blockers(connection, commit) == [get_job(connection, second.id)]
    queue.retry(second.id)
    assert [run(queue, Done()).id, run(queue, Done()).id] == [second.id, commit.id]


def test_the_same_is_not_queued_twice_while_it_is_unfinished(queue: Queue, clock: Clock) -> None:
    first = add(queue, unique_key="send 1.2 PACS", instances=[("1.1", "1.2.3")])
    assert add(queue, unique_key="send 1.2 PACS", instances=[("1.1", "1.2.3")]) == first
    run(queue, Wait("an answer"))
    assert add(queue, unique_key="send 1.2 PACS").id == first.id
    queue.retry(first.id)
    run(queue, Fail("refused"))
    second = add(queue, unique_key="send 1.2 PACS")
    assert second.id != first.id
    with pytest.raises(UsageError, match=f"queued already as job {second.id}"):
        queue.retry(first.id)


def test_a_failed_job_comes_again_after_the_delay_until_it_is_given_up(queue: Queue, clock: Clock) -> None:
    job = add(queue, retry=RetryParameters(max_retries=2, delay_s=60.0))
    for attempt in (1, 2):
        assert run(queue, Retry("no answer")).attempts == attempt
        assert claim(queue) is None
        clock.now += 60
    failed = run(queue, Retry("no answer"))
    assert (failed.state, failed.attempts, failed.reason) == (
        JobState.FAILED, 3, "no answer (given up after 2 retries)",
    )  # fmt: skip
    assert failed.finished_at == clock.now
    clock.now += 10_000
    assert claim(queue) is None
    again = queue.retry(job.id)
    assert (again.state, again.attempts, again.finished_at) == (JobState.TODO, 0, None)


def test_only_what_has_no_success_is_outstanding(queue: Queue) -> None:
    pairs = [("1.1", f"1.2.{number}") for number in range(4)]
    job = add(queue, instances=[*pairs, pairs[0]])
    assert [instance.SOPInstanceUID for instance in queue.read_outstanding(job.id)] == [
        "1.2.0",
        "1.2.1",
        "1.2.2",
        "1.2.3",
    ]
    results = [
        (InstanceResult.SUCCESS, 0x0000, ""),
        (InstanceResult.WARNING, 0xB000, "coerced"),
        (InstanceResult.FAILURE, 0xA700, "full"),
    ]
    for pair, (result, status, comment) in zip(pairs, results, strict=False):
        queue.record(job.id, [JobInstance(*pair, result, status, comment)])
    assert [instance.SOPInstanceUID for instance in queue.read_outstanding(job.id)] == ["1.2.2", "1.2.3"]
    queue.record(job.id, [JobInstance("1.1", "1.2.2", InstanceResult.SUCCESS, 0)])
    with queue.database.read() as connection:
        found = read_instances(connection, job.id)
        assert found[1] == JobInstance("1.1", "1.2.1", InstanceResult.WARNING, 0xB000, "coerced", 1)
        assert found[2] == JobInstance("1.1", "1.2.2", InstanceResult.SUCCESS, 0, "", 2)
        counted = count_results(connection, [job.id])[job.id]
        assert counted == {
            InstanceResult.PENDING: 1,
            InstanceResult.SUCCESS: 2,
            InstanceResult.WARNING: 1,
            InstanceResult.FAILURE: 0,
        }


def test_continuing_counts_no_failure(queue: Queue) -> None:
    job = add(queue)
    assert run(queue, Continue()).attempts == 0
    assert claim(queue) == job.id


def test_a_waiting_job_leaves_its_destination_free_and_runs_when_the_answer_comes(queue: Queue) -> None:
    commit, send = add(queue, JobKind.COMMIT), add(queue)
    assert run(queue, Wait("storage commitment result")).waiting_for == "storage commitment result"
    assert claim(queue) == send.id
    with queue.database.write() as connection:
        queue.wake(connection, commit.id)
        queue.wake(connection, send.id)
    queue.finish(send.id, Done())
    assert claim(queue) == commit.id
    assert queue.finish(commit.id, Done()).waiting_for == ""


def test_a_waiting_job_runs_when_its_time_is_over(queue: Queue, clock: Clock) -> None:
    commit = add(queue, JobKind.COMMIT)
    run(queue, Wait("storage commitment result", until=1000.0 + 3600))
    assert claim(queue) is None
    assert queue.find_next_due(list(JobKind)) == 4600.0
    clock.now = 4600.0
    assert claim(queue) == commit.id


def test_an_answer_that_comes_before_the_job_waits_is_not_lost(queue: Queue) -> None:
    commit = add(queue, JobKind.COMMIT)
    assert claim(queue) == commit.id
    with queue.database.write() as connection:
        queue.wake(connection, commit.id)
    assert queue.finish(commit.id, Wait("storage commitment result")).state is JobState.TODO
    assert claim(queue) == commit.id


def test_cancelling_takes_along_what_comes_after(queue: Queue) -> None:
    send = add(queue)
    commit = add(queue, JobKind.COMMIT, after=[send.id])
    later = add(queue, JobKind.MEDIA, "BURNER", after=[commit.id])
    assert queue.cancel(send.id).reason == "cancelled by the user"
    assert get(queue, commit).reason == f"job {send.id}, which it comes after, is cancelled"
    assert get(queue, later).state is JobState.CANCELLED
    assert claim(queue) is None
    with pytest.raises(UsageError, match="cancelled already"):
        queue.cancel(send.id)
    with pytest.raises(UsageError, match="nothing can come after it"):
        add(queue, JobKind.COMMIT, after=[send.id])


def test_a_job_that_is_being_done_is_asked_to_end(queue: Queue) -> None:
    job = add(queue, instances=[("1.1", "1.2.3")])
    claim(queue)
    assert queue.record(job.id, []) is False
    assert queue.cancel(job.id).state is JobState.DOING
    assert queue.record(job.id, [JobInstance("1.1", "1.2.3", InstanceResult.SUCCESS)]) is True
    assert queue.finish(job.id, Continue()).state is JobState.CANCELLED


def test_a_job_that_was_done_before_it_could_be_cancelled_is_done(queue: Queue) -> None:
    job = add(queue)
    claim(queue)
    queue.cancel(job.id)
    assert queue.finish(job.id, Done()).state is JobState.DONE


def test_a_failed_job_can_be_put_away(queue: Queue) -> None:
    job = add(queue, order_key="1.2.3")
    later = add(queue, order_key="1.2.3")
    run(queue, Fail("refused"))
    assert queue.cancel(job.id).state is JobState.CANCELLED
    assert claim(queue) == later.id


def test_jobs_of_a_dead_process_go_back(queue: Queue) -> None:
    lost, unwanted, foreign = add(queue, destination="A"), add(queue, destination="B"), add(queue, destination="C")
    claim(queue)
    claim(queue)
    queue.cancel(unwanted.id)
    assert queue.claim("another worker", list(JobKind)) is not None
    assert [job.id for job in queue.recover("device")] == [lost.id, unwanted.id]
    assert get(queue, lost).reason == "interrupted by the end of the program"
    found = [get(queue, job).state for job in (lost, unwanted, foreign)]
    assert found == [JobState.TODO, JobState.CANCELLED, JobState.DOING]
    assert claim(queue) == lost.id


def test_every_change_is_an_event_with_its_reason(queue: Queue, clock: Clock) -> None:
    job = add(queue)
    run(queue, Retry("no answer from PACS"))
    clock.now += 300
    run(queue, Wait("a person"))
    queue.retry(job.id)
    run(queue, Done("2 warnings"))
    assert states(queue, job) == [
        ("todo", "queued"),
        ("doing", ""),
        ("todo", "no answer from PACS"),
        ("doing", ""),
        ("waiting", "a person"),
        ("todo", "retried by the user"),
        ("doing", ""),
        ("done", "2 warnings"),
    ]


def test_what_makes_no_sense_is_refused(queue: Queue) -> None:
    job = add(queue)
    with pytest.raises(UsageError, match="todo, not being done"):
        queue.finish(job.id, Done())
    claim(queue)
    with pytest.raises(UsageError, match="neither doing nor done"):
        queue.retry(job.id)
    queue.finish(job.id, Done())
    with pytest.raises(UsageError, match="neither doing nor done"):
        queue.retry(job.id)
    with pytest.raises(UsageError, match="there is no job 99"):
        queue.cancel(99)


def test_only_jobs_that_the_worker_can_do_are_claimed(queue: Queue) -> None:
    add(queue, JobKind.PRINT, "PRINTER")
    send = add(queue)
    claimed = queue.claim("device", [JobKind.SEND])
    assert claimed is not None
    assert claimed.id == send.id


def test_jobs_are_listed_by_what_is_asked_for(queue: Queue) -> None:
    send, commit, printing = add(queue), add(queue, JobKind.COMMIT), add(queue, JobKind.PRINT, "PRINTER")
    run(queue, Fail("refused"))
    with queue.database.read() as connection:
        assert [job.id for job in list_jobs(connection)] == [printing.id, commit.id, send.id]
        assert [job.id for job in list_jobs(connection, states=[JobState.FAILED])] == [send.id]
        assert [job.id for job in list_jobs(connection, kinds=[JobKind.COMMIT])] == [commit.id]
        assert [job.id for job in list_jobs(connection, destination="PRINTER")] == [printing.id]
        assert [job.id for job in list_jobs(connection, limit=1)] == [printing.id]


def test_what_follows_is_queued_together_with_the_end_of_its_cause(queue: Queue) -> None:
    send = add(queue)
    assert run(queue, Done("sent", then=(NewJob(JobKind.COMMIT, "PACS"),))).id == send.id
    with queue.database.read() as connection:
        [commit] = list_jobs(connection, kinds=[JobKind.COMMIT])
    assert claim(queue) == commit.id


def test_what_was_cancelled_because_of_a_job_follows_when_that_is_retried(queue: Queue) -> None:
    send = add(queue)
    commit = add(queue, JobKind.COMMIT, after=[send.id])
    later = add(queue, JobKind.MEDIA, "BURNER", after=[commit.id])
    unwanted = add(queue, JobKind.MEDIA, "BURNER", after=[send.id])
    queue.cancel(unwanted.id)
    queue.cancel(send.id)
    queue.retry(send.id)
    assert [get(queue, job).state for job in (send, commit, later)] == [JobState.TODO] * 3
    assert get(queue, unwanted).reason == "cancelled by the user"
    assert get(queue, commit).reason == f"follows job {send.id}"
    assert [run(queue, Done()).id for _ in range(3)] == [send.id, commit.id, later.id]


def test_what_comes_after_a_cancelled_job_is_retried_with_it(queue: Queue) -> None:
    first, second = add(queue, destination="A"), add(queue, destination="B")
    commit = add(queue, JobKind.COMMIT, "C", after=[first.id, second.id])
    queue.cancel(first.id)
    queue.cancel(second.id)
    with pytest.raises(WrongState, match=f"comes after job {first.id}, which is cancelled"):
        queue.retry(commit.id)
    queue.retry(first.id)
    assert get(queue, commit).reason == f"job {second.id}, which it comes after, is cancelled"
    queue.retry(second.id)
    assert get(queue, commit).state is JobState.TODO


def test_what_ran_in_an_order_without_a_cancelled_job_is_retried_with_it(queue: Queue) -> None:
    create, ending = (add(queue, kind, "RIS", order_key="1") for kind in (JobKind.MPPS_CREATE, JobKind.MPPS_SET))
    queue.cancel(create.id)
    assert run(queue, Fail("the RIS has no such step")).id == ending.id
    queue.retry(create.id)
    assert [run(queue, Done()).id for _ in range(2)] == [create.id, ending.id]


def test_a_kind_of_job_forgets_its_earlier_runs_when_it_is_retried(queue: Queue) -> None:
    told: list[int] = []
    own = Queue(queue.database, {JobKind.COMMIT: lambda transaction, job_id: told.append(job_id)})
    send = add(own)
    commit = add(own, JobKind.COMMIT, after=[send.id])
    own.cancel(send.id)
    own.retry(send.id)
    assert told == [commit.id]


def test_a_job_goes_to_another_peer_with_what_comes_after_it(queue: Queue) -> None:
    send = add(queue, destination="OLD", instances=[("1.1", "1.2.3")])
    commit = add(queue, JobKind.COMMIT, "OLD", after=[send.id])
    elsewhere = add(queue, JobKind.MEDIA, "BURNER", after=[send.id])
    claim(queue)
    queue.record(send.id, [JobInstance("1.1", "1.2.3", InstanceResult.SUCCESS, 0)])
    queue.finish(send.id, Fail("there is no peer 'OLD'"))
    assert queue.retry(send.id, "NEW").destination == "NEW"
    assert [get(queue, job).destination for job in (commit, elsewhere)] == ["NEW", "BURNER"]
    assert [each.SOPInstanceUID for each in queue.read_outstanding(send.id)] == ["1.2.3"], (
        "the new peer has had nothing"
    )


def test_the_rest_of_an_order_goes_to_the_other_peer_too(queue: Queue) -> None:
    create, ending = (add(queue, kind, "OLD", order_key="1") for kind in (JobKind.MPPS_CREATE, JobKind.MPPS_SET))
    queue.retry(create.id, "NEW")
    assert get(queue, ending).destination == "NEW"
    assert [run(queue, Done()).id for _ in range(2)] == [create.id, ending.id]


def test_a_clock_that_is_set_back_delays_no_job_by_more_than_its_delay(queue: Queue, clock: Clock) -> None:
    fresh, failing = add(queue, destination="A"), add(queue, destination="B", retry=RetryParameters(3, 300.0))
    waiting = add(queue, JobKind.COMMIT, "C")
    with queue.database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == fresh.id).values(due_at=clock.now + 1, due_after_s=1.0))
    assert run(queue, Retry("no answer")).id == failing.id
    run(queue, Wait("a report", until=clock.now + 3600))
    clock.now -= 86400
    queue.follow_clock()
    assert [get(queue, job).due_at for job in (fresh, failing, waiting)] == [
        clock.now + 1, clock.now + 300, clock.now + 3600,
    ]  # fmt: skip


def test_the_clock_may_be_set_back_while_the_program_does_not_run(queue: Queue, clock: Clock) -> None:
    job = add(queue)
    clock.now -= 86400
    queue.recover("device")
    assert claim(queue) == job.id


def test_the_first_success_at_a_peer_wakes_the_jobs_that_found_nobody_there(queue: Queue, clock: Clock) -> None:
    away, full = add(queue), add(queue)
    elsewhere = add(queue, destination="OTHER")
    for _ in range(3):
        job_id = claim(queue)
        assert job_id is not None
        queue.finish(job_id, Retry("no answer", peer_away=job_id != full.id))
    fresh = add(queue, JobKind.MPPS_CREATE)
    clock.now += 1
    assert run(queue, Done()).id == fresh.id
    assert claim(queue) == away.id
    assert get(queue, away).reason == "PACS is there again"
    assert [get(queue, job).due_at for job in (full, elsewhere)] == [clock.now + 299] * 2


def test_what_a_run_wants_remembered_is_in_its_parameters(queue: Queue) -> None:
    job = add(queue, JobKind.COMMIT, parameters={"round": 1})
    run(queue, Wait("the archive", until=1000.0, remember={"asked": 2}))
    assert get(queue, job).parameters == {"round": 1, "asked": 2}
    assert run(queue, Done(remember={"asked": 3})).parameters == {"round": 1, "asked": 3}


def test_a_job_whose_worker_is_not_heard_of_is_done_again(queue: Queue, clock: Clock) -> None:
    job = add(queue)
    assert queue.claim("first", list(JobKind)) is not None
    clock.now += LEASE_S - 1
    assert queue.keep_leases("second") == []
    queue.keep_leases("first")
    clock.now += LEASE_S - 1
    assert queue.keep_leases("second") == []
    clock.now += 2
    assert [each.id for each in queue.keep_leases("second")] == [job.id]
    assert queue.claim("second", list(JobKind)) is not None
    with pytest.raises(WrongState, match="another process"):
        queue.finish(job.id, Done(), "first")
    assert queue.finish(job.id, Done(), "second").state is JobState.DONE


def test_a_worker_that_was_cut_off_keeps_what_nobody_has_taken(queue: Queue, clock: Clock) -> None:
    add(queue)
    assert queue.claim("first", list(JobKind)) is not None
    clock.now += 10 * LEASE_S
    assert queue.keep_leases("first") == []
    assert queue.keep_leases("second") == []


def test_a_start_elsewhere_leaves_what_another_process_is_doing(queue: Queue, clock: Clock) -> None:
    add(queue)
    assert queue.claim("first", list(JobKind)) is not None
    assert queue.recover("second") == []
    clock.now += LEASE_S + 1
    assert len(queue.recover("second")) == 1
