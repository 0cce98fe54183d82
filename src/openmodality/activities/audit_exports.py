"""Puts on record which instances leave on film, paper and media, before they leave (PS3.15 A.5.3.4)."""

from __future__ import annotations

from collections.abc import Callable

from openmodality.activities.audit import AuditTrail
from openmodality.audit.codes import ExportMedia
from openmodality.audit.events import tell_exported
from openmodality.device.site.site import Site
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import Fail, JobOutcome
from openmodality.jobs.report import Executor, JobReport
from openmodality.store.states import InstanceResult

FindMedia = Callable[[Job], tuple[str, ExportMedia]]
"""Where a job puts instances, and what that is."""


class ExportTrail:
    """Does the jobs of an executor; each run that prints or writes something is on record first."""

    def __init__(self, executor: Executor, trail: AuditTrail, find_media: FindMedia) -> None:
        self._executor = executor
        self._trail = trail
        self._find_media = find_media

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Do the job, or a part of it."""
        left = [each for each in report.read_outstanding() if each.result is InstanceResult.PENDING]
        subjects = self._trail.find_subjects([each.SOPInstanceUID for each in left])
        target, media = self._find_media(job)
        if subjects:
            self._trail.tell(tell_exported(self._trail.who, target, media, subjects))
        outcome = self._executor.run(job, report)
        if subjects and isinstance(outcome, Fail):
            failure = f"job {job.id} has failed"
            self._trail.tell_afterwards(tell_exported(self._trail.who, target, media, subjects, failure))
        return outcome


def find_printing_media(site: Site) -> FindMedia:
    """Where print jobs put instances: film, or the paper of a printer outside DICOM."""

    def find(job: Job) -> tuple[str, ExportMedia]:
        printer = site.printers.get(job.destination)
        is_paper = printer is not None and printer.peer is None
        return job.destination, ExportMedia.PAPER if is_paper else ExportMedia.FILM

    return find


def find_written_media(job: Job) -> tuple[str, ExportMedia]:
    """Where media jobs put instances: a disc that is burnt, else a folder or the image of a disc."""
    device = str(job.parameters.get("device", ""))
    return (device, ExportMedia.DVD) if device else (str(job.parameters.get("target", "")), ExportMedia.URI)
