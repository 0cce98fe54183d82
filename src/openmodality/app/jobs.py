"""The queue as an operator sees and controls it (the statements' job control application)."""

from __future__ import annotations

from typing import Final, Literal

from openmodality.activities.print_record import find_uncertain_sheet, settle_sheet
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
    JobKind.PRINT: "print",
    JobKind.RETRIEVE: "retrieve",
}
"""The service that each kind of job asks a peer for."""


FilmFate = Literal["printed", "again"]
"""What is to be done about a sheet of which nobody knows whether it was printed."""


class Jobs(JobView):
    """The jobs of this device."""

    def __init__(self, queue: Queue, site: Site) -> None:
        super().__init__(queue.database)
        self._queue = queue
        self._site = site

    def retry(self, job_id: int, peer: str | None = None, *, film: FilmFate | None = None) -> Job:
        """Run a job now: one that failed, was cancelled or waits. What has success is not repeated.

        ``film`` says what a person saw where nobody knows whether a sheet was printed: it was, or it is to be printed
        again. A commitment is asked for anew, under a new Transaction UID. ``peer`` gives the job, and what comes after
        it, to another peer of the site file, for which nothing counts as sent. Raises :class:`UsageError` where that
        peer does not offer the service, or ``film`` is needed and not said, and :class:`ConfigurationError` where there
        is no peer of this name.
        """
        if peer is not None:
            self._check_peer(job_id, peer)
        self._settle_film(job_id, film)
        return self._queue.retry(job_id, peer)

    def wake_for(self, peer: str) -> None:
        """Run the jobs now that wait to be tried again at a peer, because it has just answered a person's echo."""
        with self._queue.database.write() as transaction:
            self._queue.tell_peer_is_there(transaction, peer, all_retried=True)

    def cancel(self, job_id: int) -> Job:
        """Cancel a job and those that come after it."""
        return self._queue.cancel(job_id)

    def _settle_film(self, job_id: int, film: FilmFate | None) -> None:
        with self._queue.database.read() as snapshot:
            sheet = find_uncertain_sheet(get_job(snapshot, job_id))
        if sheet and film is None:
            raise UsageError(
                f"job {job_id}: sheet {sheet} may have been printed, or not",
                advice="look at the printer, then say --film printed or --film again",
            )
        if film is not None and not sheet:
            raise UsageError(f"job {job_id} has no sheet that may have been printed, or not")
        if film is not None:
            self._queue.remember(job_id, settle_sheet(sheet, is_printed=film == "printed"))

    def _check_peer(self, job_id: int, name: str) -> None:
        with self._queue.database.read() as snapshot:
            kind = get_job(snapshot, job_id).kind
        if kind is JobKind.PRINT:
            self._site.printer(name)
            return
        service = SERVICES_OF_KINDS.get(kind)
        if service is None:
            raise UsageError(f"a {kind} job goes to no peer")
        if not self._site.peer(name).offers(service):
            raise UsageError(f"peer {name} does not offer {service}", advice="its services are in the site file")
