"""Reports the results of instances while a job runs, and tells the run when it is to stop."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.outcome import JobOutcome
from openmodality.jobs.queue import Queue
from openmodality.store.states import InstanceResult

_AT_ONCE = 64
_AT_LATEST_S = 0.25


class JobReport:
    """Results are kept in small batches: a process that dies repeats at most those of a quarter of a second."""

    def __init__(self, queue: Queue, job: Job, stopping: threading.Event) -> None:
        self._queue = queue
        self._job_id = job.id
        self._classes: dict[str, str] = {}
        self._results: list[JobInstance] = []
        self._kept_at = queue.database.clock()
        self._cancelled = job.cancel_requested
        self._stopping = stopping

    def read_outstanding(self) -> list[JobInstance]:
        """The instances of the job that have no success yet."""
        self.keep()
        found = self._queue.read_outstanding(self._job_id)
        self._classes.update({instance.SOPInstanceUID: instance.SOPClassUID for instance in found})
        return found

    def note_instance(
        self, sop_instance_uid: str, result: InstanceResult, *, status: int | None = None, comment: str = ""
    ) -> None:
        """Report the result of one instance: ``status`` is the DIMSE status, ``comment`` words without patient data."""
        sop_class_uid = self._classes.get(sop_instance_uid, "")
        self._results.append(JobInstance(sop_class_uid, sop_instance_uid, result, status, comment))
        if len(self._results) >= _AT_ONCE or self.is_late:
            self.keep()

    def keep(self) -> None:
        """Write what has been reported to the database."""
        self._cancelled = self._queue.record(self._job_id, self._results)
        self._results = []
        self._kept_at = self._queue.database.clock()

    def list_instances(self) -> list[JobInstance]:
        """All instances of the job in its order, with what became of them."""
        return self._queue.instances(self._job_id)

    def remember(self, **values: Any) -> None:
        """Put values into the parameters of the job, on disk when this returns."""
        self._queue.remember(self._job_id, values)

    @property
    def stop_requested(self) -> bool:
        """Whether to end at the next instance, with ``Continue``: the user cancelled the job or the program ends."""
        if self.is_late:
            self.keep()
        return self._cancelled or self._stopping.is_set()

    @property
    def is_late(self) -> bool:
        """Whether the last look at the database was a quarter of a second ago: then what is new is kept."""
        return not 0 <= self._queue.database.clock() - self._kept_at < _AT_LATEST_S  # the clock may be set back


class Executor(Protocol):
    """Does the jobs of one kind. Called again after a crash with what is left, so every step of it can be repeated."""

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Do the job, or a part of it. An :class:`OpenModalityError` that escapes ends the run as a failure."""
        ...
