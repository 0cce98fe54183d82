"""The queue as an operator sees and controls it (the statements' job control application)."""

from __future__ import annotations

from typing import Final

from openmodality.app.view import JobView
from openmodality.device.site.site import Site
from openmodality.errors import UsageError
from openmodality.jobs.job import Job
from openmodality.jobs.listing import get_job
from openmodality.jobs.queue import Queue
from openmodality.standard.statuses import ServiceName
from openmodality.store.states import JobKind

SERVICES_OF_KINDS: Final[dict[JobKind, ServiceName]] = {
    JobKind.SEND: "storage",
    JobKind.COMMIT: "storage_commitment",
    JobKind.MPPS_CREATE: "mpps",
    JobKind.MPPS_SET: "mpps",
}
"""The service that each kind of job asks a peer for."""


class Jobs(JobView):
    """The jobs of this device."""

    def __init__(self, queue: Queue, site: Site) -> None:
        super().__init__(queue.database)
        self._queue = queue
        self._site = site

    def retry(self, job_id: int, peer: str | None = None) -> Job:
        """Run a job now: one that failed, was cancelled or waits. What has success is not repeated.

        A commitment is asked for anew, under a new Transaction UID. ``peer`` gives the job, and what comes after it, to
        another peer of the site file, for which nothing counts as sent. Raises :class:`UsageError` where that peer does
        not offer the service, and :class:`ConfigurationError` where there is none of this name.
        """
        if peer is not None:
            self._check_peer(job_id, peer)
        return self._queue.retry(job_id, peer)

    def wake_for(self, peer: str) -> None:
        """Run the jobs now that found nobody at a peer, which has just proved to be there."""
        with self._queue.database.write() as transaction:
            self._queue.tell_peer_is_there(transaction, peer)

    def cancel(self, job_id: int) -> Job:
        """Cancel a job and those that come after it."""
        return self._queue.cancel(job_id)

    def _check_peer(self, job_id: int, name: str) -> None:
        with self._queue.database.read() as snapshot:
            kind = get_job(snapshot, job_id).kind
        service = SERVICES_OF_KINDS.get(kind)
        if service is None:
            raise UsageError(f"a {kind} job goes to no peer")
        if not self._site.peer(name).offers(service):
            raise UsageError(f"peer {name} does not offer {service}", advice="its services are in the site file")
