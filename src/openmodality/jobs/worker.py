"""Threads that do the jobs.

A thread that finds nothing to do waits until the state of some job changes or the next job becomes due; it does not
poll. Changes by another process (the command line, while the device runs) raise no condition here, so one thread
looks once a second whether the newest event has another number: one look at the end of one index. It also notices that
somebody has set the clock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence

from openmodality.errors import OpenModalityError, StoreError, UsageError, describe_fault
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import Fail, JobOutcome
from openmodality.jobs.policy import judge_error
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import Executor, JobReport
from openmodality.store.states import JobKind, JobState

_log = logging.getLogger(__name__)
_LOOK_S = 1.0
_LOOKS_OF_LEASE = 10
"""After so many looks the leases are extended, several times before they are over."""
_CLOCK_SET_S = 2.0
"""By how much the clock goes otherwise than time when somebody has set it; what is less, a network's clock does."""


class Worker:
    """Runs the jobs for which there are executors. ``name`` tells its jobs from those of a worker of another process.

    There should be as many threads as there are destinations; with fewer, a slow destination holds up others.
    ``entities`` are the kinds of job of each application entity that has one association at a time, whatever the
    destination. A job whose entity is busy stays in the queue and holds up no thread.
    """

    def __init__(
        self,
        queue: Queue,
        executors: Mapping[JobKind, Executor],
        *,
        threads: int = 4,
        name: str = "device",
        entities: Sequence[Collection[JobKind]] = (),
    ) -> None:
        self._queue = queue
        self._executors = dict(executors)
        self._name = name
        self._entities = entities
        self._served_last = ""
        self._changed = queue.database.jobs_changed
        self._stopping = threading.Event()
        self._offset = 0.0
        self._doing = set[int]()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._look_for_work, name="worker-look", daemon=True))

    def start(self) -> list[Job]:
        """Take back the jobs that a dead process left, and begin; returns those jobs."""
        recovered = self._queue.recover(self._name)
        self._offset = self._measure_offset()
        for thread in self._threads:
            thread.start()
        return recovered

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Let running jobs end at their next instance and end the threads; says whether all have ended in time."""
        self._stopping.set()
        self._changed.notify()
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while True:
            seen = self._changed.count
            if self._stopping.is_set():
                return
            try:
                kinds, last = self._executors.keys(), self._served_last
                job = self._queue.claim(self._name, kinds, entities=self._entities, served_last=last)
                if job is None:
                    self._changed.wait(seen, self._pause())
                    continue
                self._served_last = job.destination
                self._doing.add(job.id)
                try:
                    self._do(job)
                finally:
                    self._doing.discard(job.id)
            except Exception as error:  # noqa: BLE001 - the thread's boundary: reported, and the thread goes on
                _report_failure(error)
                self._stopping.wait(_LOOK_S)

    def _pause(self) -> float | None:
        """How long the clock alone gives nothing to do."""
        due = self._queue.find_next_due(self._executors.keys())
        return None if due is None else max(0.0, due - self._queue.database.clock())

    def _do(self, job: Job) -> None:
        _log.info("job.started", extra={"job": job.id, "kind": job.kind.value, "destination": job.destination})
        report = JobReport(self._queue, job, self._stopping)
        outcome = _run(self._executors[job.kind], job, report)
        while True:  # the work is done and must not be forgotten because the disk is full just now
            try:
                report.keep()
                ended = self._queue.finish(job.id, outcome, self._name)
                break
            except UsageError as error:  # another process of this device has taken the job back
                _log.error("job.not_ours", extra={"job": job.id, "reason": error.message})
                return
            except StoreError as error:
                _log.error("job.not_recorded", extra={"job": job.id, "reason": error.message})
                if self._stopping.wait(_LOOK_S):
                    return
        _log.info("job.ended", extra={"job": job.id, "state": ended.state.value})
        known = {"job": job.id, "kind": job.kind.value, "destination": job.destination, "reason": ended.reason}
        if ended.state is JobState.FAILED:
            _log.warning("job.failed", extra=known)
        elif ended.state is JobState.TODO and ended.reason:
            _log.warning("job.tried_again_later", extra=known)

    def _look_for_work(self) -> None:
        newest, looks = 0, -1
        while not self._stopping.wait(_LOOK_S):
            looks += 1
            try:
                if looks % _LOOKS_OF_LEASE == 0:
                    self._keep_leases()
                last = self._queue.database.last_event()
                set_by_s = self._measure_offset() - self._offset
                if abs(set_by_s) > _CLOCK_SET_S:
                    _log.warning("worker.clock_set", extra={"by_s": round(set_by_s)})
                    self._queue.follow_clock()
            except Exception as error:  # noqa: BLE001 - likewise: without this thread no other process is noticed
                _report_failure(error)
                continue
            if last != newest or abs(set_by_s) > _CLOCK_SET_S:
                newest = last
                self._offset += set_by_s
                self._changed.notify()

    def _keep_leases(self) -> None:
        """Say that this process does its jobs. Where others write too, events may become visible in another order."""
        if self._doing or self._queue.database.is_shared:
            for lost in self._queue.keep_leases(self._name):
                _log.warning("job.taken_back", extra={"job": lost.id, "kind": lost.kind.value})
        if self._queue.database.is_shared:
            self._changed.notify()

    def _measure_offset(self) -> float:
        """How far the clock is ahead of the time that nobody can set."""
        return self._queue.database.clock() - time.monotonic()


def _report_failure(error: Exception) -> None:
    """Log what has kept a thread from its work, in which it tries again a moment later."""
    if isinstance(error, StoreError):
        _log.error("worker.store_failed", extra={"reason": error.message})
    else:
        _log.error("worker.crashed", extra=describe_fault(error))


def _run(executor: Executor, job: Job, report: JobReport) -> JobOutcome:
    try:
        return executor.run(job, report)
    except OpenModalityError as error:
        return judge_error(error)
    except Exception as error:  # noqa: BLE001 - the thread's boundary: reported as the job's failure
        _log.error("job.crashed", extra={"job": job.id, **describe_fault(error)})
        return Fail(f"internal error: {type(error).__name__}")
