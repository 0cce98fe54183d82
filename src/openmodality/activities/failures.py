"""Judges a lost association or a silent peer by the table of the profile (R/F Tables 4.2-8, 4.2-17, 4.2-38)."""

from __future__ import annotations

from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import JobOutcome, Retry
from openmodality.jobs.policy import is_peer_away
from openmodality.jobs.report import Executor, JobReport
from openmodality.standard.statuses import ServiceName


class JudgedExecutor:
    """Does the jobs of another executor, and judges a communication failure that ends a run by the profile's table."""

    def __init__(self, executor: Executor, site: Site, service: ServiceName) -> None:
        self._executor = executor
        self._site = site
        self._service = service

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Do the job, and tell what to do about its error; one that the table does not list goes through."""
        try:
            return self._executor.run(job, report)
        except OpenModalityError as error:
            is_transient = self._site.is_transient(self._service, error)
            if is_transient is None:
                raise
            return Retry(str(error), transient=is_transient, peer_away=is_peer_away(error))
