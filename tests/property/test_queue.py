"""Whatever happens in whatever order, the queue keeps its promises."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sqlalchemy import func, select

from openmodality.errors import UsageError
from openmodality.jobs.job import Job, JobInstance, NewJob, RetryParameters
from openmodality.jobs.listing import find_blockers, list_jobs, read_history, read_instances
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome, Retry, Wait
from openmodality.jobs.queue import Queue
from openmodality.store.database import Database, open_database
from openmodality.store.schema import job_dependencies
from openmodality.store.states import InstanceResult, JobKind, JobState

KINDS = list(JobKind)
UIDS = [("1.1", f"1.2.{number}") for number in range(3)]
OUTCOMES: st.SearchStrategy[JobOutcome] = st.one_of(
    st.just(Done()),
    st.just(Continue()),
    st.builds(Retry, st.just("no answer"), st.booleans()),
    st.just(Fail("refused")),
    st.builds(Wait, st.just("an answer"), st.none() | st.floats(1000, 3000)),
)


class QueueMachine(RuleBasedStateMachine):
    """A device that queues, works, is killed and started again, and a user who cancels and retries."""

    queued: Bundle[int] = Bundle("queued")
    claimed: Bundle[int] = Bundle("claimed")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.folder = tempfile.TemporaryDirectory()
        self.database = self.open()
        self.queue = Queue(self.database)
        self.order_of: dict[int, str] = {}
        self.succeeded: dict[int, set[str]] = {}
        self.killed: Counter[int] = Counter()

    def open(self) -> Database:
        url = f"sqlite:///{Path(self.folder.name) / 'test.db'}"
        return open_database(url, durability="os", clock=lambda: self.now)

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def jobs(self) -> list[Job]:
        with self.database.read() as connection:
            return list_jobs(connection)

    def find_free(self) -> set[int]:
        """The jobs that nothing holds up, as the command line tells it: the queue has to see the same."""
        jobs = self.jobs()
        busy = {job.destination for job in jobs if job.state is JobState.DOING}
        with self.database.read() as snapshot:
            return {
                job.id
                for job in jobs
                if job.state in (JobState.TODO, JobState.WAITING)
                and job.due_at is not None
                and job.due_at <= self.now
                and job.destination not in busy
                and not find_blockers(snapshot, job)
            }

    def attempt(self, action: Any, job_id: int) -> None:
        """Do what a user may try at any time; the queue refuses what makes no sense."""
        try:
            action(job_id)
        except UsageError:
            return

    @initialize(target=queued)
    def first(self) -> Any:
        return self.enqueue("A", None, None, set(), RetryParameters(1, 60.0))

    @rule(
        target=queued,
        destination=st.sampled_from("AB"),
        order_key=st.none() | st.sampled_from(["s1", "s2"]),
        unique_key=st.none() | st.sampled_from(["u1", "u2"]),
        after=st.sets(queued, max_size=2),
        retry=st.builds(RetryParameters, st.integers(0, 2), st.sampled_from([0.0, 60.0]), st.booleans()),
    )
    def enqueue(
        self, destination: str, order_key: str | None, unique_key: str | None, after: set[int], retry: RetryParameters
    ) -> int:
        alive = [job.id for job in self.jobs() if job.id in after and job.state is not JobState.CANCELLED]
        new = NewJob(JobKind.SEND, destination, {}, UIDS, retry, unique_key, order_key, alive)
        before = {job.id for job in self.jobs()}
        with self.database.write() as connection:
            job = self.queue.enqueue(connection, new)
        if job.id not in before and order_key is not None:
            self.order_of[job.id] = order_key
        assert job.id in before or job.state is JobState.TODO
        return job.id

    @rule(target=claimed)
    def claim(self) -> Any:
        free = self.find_free()
        job = self.queue.claim("device", KINDS)
        assert {job.id} <= free if job else not free
        if job is None:
            return multiple()
        assert job.state is JobState.DOING
        states = {other.id: other.state for other in self.jobs()}
        key = self.order_of.get(job.id)
        earlier = [other for other, its in self.order_of.items() if key is not None and its == key and other < job.id]
        assert all(states[other] in (JobState.DONE, JobState.CANCELLED) for other in earlier)
        with self.database.read() as connection:
            after = connection.execute(
                select(job_dependencies.c.after_id).where(job_dependencies.c.job_id == job.id)
            ).scalars()
            assert all(states[other] is JobState.DONE for other in after)
        return job.id

    @rule(
        job_id=consumes(claimed),
        outcome=OUTCOMES,
        results=st.lists(st.sampled_from(list(InstanceResult)[1:]), max_size=3),
    )
    def work(self, job_id: int, outcome: JobOutcome, results: list[InstanceResult]) -> None:
        if self.killed[job_id]:  # a process that is dead does nothing
            self.killed[job_id] -= 1
            return
        outstanding = self.queue.read_outstanding(job_id)
        succeeded = self.succeeded.setdefault(job_id, set())
        assert not succeeded & {instance.SOPInstanceUID for instance in outstanding}
        for instance, result in zip(outstanding, results, strict=False):
            self.queue.record(job_id, [JobInstance(instance.SOPClassUID, instance.SOPInstanceUID, result)])
            if result in (InstanceResult.SUCCESS, InstanceResult.WARNING):
                succeeded.add(instance.SOPInstanceUID)
        assert self.queue.finish(job_id, outcome).state is not JobState.DOING

    @rule()
    def kill_and_start_again(self) -> None:
        doing = {job.id for job in self.jobs() if job.state is JobState.DOING}
        self.database.close()
        self.database = self.open()
        self.queue = Queue(self.database)
        assert {job.id for job in self.queue.recover("device")} == doing
        self.killed.update(doing)

    @rule(job_id=queued)
    def cancel(self, job_id: int) -> None:
        self.attempt(self.queue.cancel, job_id)

    @rule(job_id=queued)
    def retry(self, job_id: int) -> None:
        self.attempt(self.queue.retry, job_id)

    @rule(job_id=queued)
    def wake(self, job_id: int) -> None:
        with self.database.write() as connection:
            self.queue.wake(connection, job_id)

    @rule(seconds=st.sampled_from([1.0, 60.0, 600.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def one_job_for_a_destination(self) -> None:
        doing = [job.destination for job in self.jobs() if job.state is JobState.DOING]
        assert len(doing) == len(set(doing))

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.database.read() as connection:
            jobs = list_jobs(connection)
            dependencies = connection.execute(select(func.count()).select_from(job_dependencies)).scalar_one()
            assert dependencies <= 2 * len(jobs)
            for job in jobs:
                assert len(read_instances(connection, job.id)) == len(UIDS)
                assert read_history(connection, job.id)[-1].state == job.state
                outstanding = {
                    instance.SOPInstanceUID for instance in read_instances(connection, job.id, outstanding=True)
                }
                assert not outstanding & self.succeeded.get(job.id, set())


QueueMachine.TestCase.settings = settings(max_examples=settings().max_examples // 4)
TestQueue = QueueMachine.TestCase
