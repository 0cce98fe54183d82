"""Waiting for what the queue does: until it is idle, or until something is true of the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from openmodality.app.jobs import Jobs
from openmodality.app.runtime import Runtime
from openmodality.jobs.job import Job
from openmodality.jobs.worker_lock import is_worker_running
from openmodality.store.states import UNFINISHED_JOBS, JobKind
from openmodality.value_class import dataclass

_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Idle:
    """Whether the queue came to rest, as its truth. ``waiting_for`` says for each job that is left what it needs.

    As a text it is one line for a person.
    """

    waiting_for: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.waiting_for

    def __str__(self) -> str:
        return "; ".join(self.waiting_for) or "nothing is left to do"


class Waiting:
    """Waits for the queue of a device. While a storage commitment is awaited the device listens for its report."""

    def __init__(self, runtime: Runtime, jobs: Jobs) -> None:
        self._runtime = runtime
        self._jobs = jobs

    def wait_until_idle(self, timeout_s: float) -> Idle:
        """Wait until no job is to be done or waited for, except behind a job that failed."""
        if self.wait_until(lambda: self._jobs.idle, timeout_s):
            return Idle()
        left = [
            f"job {job.id} ({job.kind} to {job.destination}): {_say_what_holds(job)}"
            for job in self._jobs.list_moving()
        ]
        if not self._runtime.works and not is_worker_running(self._runtime.site.data_folder):
            left.append("no process works the queue: openmodality serve must run")
        return Idle(tuple(left))

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition on the database holds, checking it after each change; returns whether it holds."""
        changed = self._runtime.store.database.changed
        deadline = time.monotonic() + timeout_s
        while True:
            seen = changed.count
            if condition():
                return True
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            if self._is_report_awaited():
                self._runtime.listen()
            changed.wait(seen, left_s if self._runtime.works else min(left_s, _LOOK_S))

    def _is_report_awaited(self) -> bool:
        """Whether a report on a storage commitment may come, to a request of this process or of an earlier one."""
        return self._runtime.works and bool(self._jobs.list(states=UNFINISHED_JOBS, kinds=[JobKind.COMMIT], limit=1))


def _say_what_holds(job: Job) -> str:
    return job.waiting_for or job.reason or job.state
