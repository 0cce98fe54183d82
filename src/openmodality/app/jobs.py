"""The queue as an operator sees and controls it (the statements' job control application)."""

from __future__ import annotations

from openmodality.app.view import JobView
from openmodality.jobs.job import Job
from openmodality.jobs.queue import Queue


class Jobs(JobView):
    """The jobs of this device."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(queue.database)
        self._queue = queue

    def retry(self, job_id: int) -> Job:
        """Run a job now: one that failed, was cancelled or waits. What has success is not repeated."""
        return self._queue.retry(job_id)

    def cancel(self, job_id: int) -> Job:
        """Cancel a job and those that come after it."""
        return self._queue.cancel(job_id)
