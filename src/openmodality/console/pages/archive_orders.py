"""Moves, sends or commits what was ticked in Archive, by a job for each study or series."""

from __future__ import annotations

from collections.abc import Sequence

from openmodality.activities.retrieve import Wanted
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.archive_search import StudyNode
from openmodality.errors import OpenModalityError, UsageError
from openmodality.jobs.job import Job
from openmodality.standard.query_retrieve import Level
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Ticked:
    """What was ticked: whole studies, and series by the study that they are of."""

    studies: Sequence[StudyNode]
    series: Sequence[tuple[StudyNode, str]]

    @property
    def count(self) -> int:
        """How many jobs that makes."""
        return len(self.studies) + len(self.series)


def move_chosen(context: ConsoleContext, chosen: Ticked, source: str, destination: str) -> list[Job]:
    """Let an archive send what was chosen to the destination that was chosen: a job for each study or series."""
    needs_id = context.modality.site.peer(source).settings.query_model == "patient"
    wanted = [(study, "") for study in chosen.studies] + list(chosen.series)
    return [
        context.modality.queue_retrieve(
            Wanted(study.uid, series, patient_id=study.patient_id if needs_id else ""), source, destination=destination
        )
        for study, series in wanted
    ]


def send_from_here(context: ConsoleContext, chosen: Ticked, peer: str) -> list[Job]:
    """Send what was chosen from this device."""
    queued = [context.modality.send(study.uid, peer) for study in chosen.studies]
    queued += [context.modality.send(study.uid, peer, series=uid) for study, uid in chosen.series]
    return [job for jobs in queued for job in jobs]


def commit_chosen(context: ConsoleContext, chosen: Ticked, peer: str) -> list[Job]:
    """Ask a peer to keep what was chosen, sent before or not (MR-2.1.3-02): what is on this device of it.

    Raises :class:`UsageError` where nothing is; says what is not.
    """
    jobs: list[Job] = []
    missing = 0
    for study, series in [(study, "") for study in chosen.studies] + list(chosen.series):
        try:
            jobs.append(context.modality.commit(study.uid, peer, series=series))
        except OpenModalityError:
            if _is_here(context, study.uid, series):
                raise
            missing += 1
    if missing:
        what = f"{missing:,} of the chosen not on this device"
        done = f"; for the others: {describe_jobs(jobs)}" if jobs else ""
        raise UsageError(
            f"{what}, so that nothing can be asked for them{done}", advice="retrieve them first: Send to this device"
        )
    return jobs


def _is_here(context: ConsoleContext, study: str, series: str) -> bool:
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    named = {keyword: uid for keyword, uid in keys.items() if uid}
    return bool(context.modality.view.find(Level.SERIES, named, limit=1))


def describe_jobs(jobs: Sequence[Job]) -> str:
    """Jobs by their numbers."""
    numbers = ", ".join(str(job.id) for job in jobs)
    return f"{'job' if len(jobs) == 1 else 'jobs'} {numbers}"
