"""``/jobs``: what is queued, being done, done or failed, why, and what a person does about it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from openmodality.app.records.jobs import job_as_json, job_details_as_json
from openmodality.console.api.access import ControlCall, OperateCall
from openmodality.console.api.answers import (
    NOTICES,
    PageQuery,
    RequestBody,
    answer_page,
    answer_record,
    make_cursor,
    tell_one,
    tell_page,
)
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import JobNumber, WireText
from openmodality.console.context import ConsoleContext
from openmodality.console.place_words import tell_job
from openmodality.console.security.access import At, NotAllowed, Viewer
from openmodality.console.security.roles import Permission
from openmodality.jobs.job import Job
from openmodality.store.states import JobKind, JobState

router = APIRouter(prefix="/api/v1", tags=["jobs"])


class JobFilter(PageQuery):
    """Which jobs are listed."""

    state: list[JobState] = Field(default_factory=list, max_length=10, description="Only these states.")
    kind: list[JobKind] = Field(default_factory=list, max_length=20, description="Only these kinds.")
    peer: WireText = Field("", description="Only jobs for this peer.")


class JobRetry(RequestBody):
    """How a job is run again."""

    peer: WireText = Field("", description="Give it, and what comes after it, to this peer of the site.")
    film: Literal["", "printed", "again"] = Field("", description="What became of a sheet that may have been printed.")


@router.get("/jobs", summary="List jobs", responses=tell_page("job", notices=NOTICES))
def _list_jobs(_: Viewer, context: At, wanted: Annotated[JobFilter, Query()]) -> Response:
    """Jobs, newest first, with the reason why each is where it is."""
    (before,) = wanted.read_cursor("before")
    jobs = context.modality.jobs.list(
        states=wanted.state or None,
        kinds=wanted.kind or None,
        destination=wanted.peer or None,
        before=before or None,
        limit=wanted.limit + 1,
    )
    shown = jobs[: wanted.limit]
    results, held = context.modality.jobs.results(shown), context.modality.jobs.waits_for(shown)
    items = [tell_job(job_as_json(job, results[job.id], held.get(job.id, ()))) for job in shown]
    following = make_cursor(before=shown[-1].id) if len(jobs) > len(shown) else None
    return answer_page(items, following, notices=[])


@router.get("/jobs/{job}", summary="Show a job", responses=tell_one("job in detail", 404))
def _show_job(_: Viewer, context: At, job: JobNumber) -> Response:
    """One job: its state and reason, what became of each instance, and its history."""
    details = context.modality.jobs.show(job)
    return answer_record(tell_job(job_details_as_json(details, context.modality.jobs.results([details.job])[job])))


@router.post("/jobs/{job}/retry", summary="Run a job again", responses=tell_one("job", 404))
def _retry_job(who: OperateCall, context: At, once: OnceOnly, job: JobNumber, how: JobRetry) -> Response:
    """Run a job now that failed, was cancelled or waits. What has success is not repeated, except at another peer."""
    if how.peer and not who.may(Permission.CONTROL):
        raise NotAllowed(f"{who.name} may not {Permission.CONTROL.meaning}", advice="retry without peer")
    jobs = context.modality.jobs
    return once.do(
        lambda: answer_record(describe_job(context, jobs.retry(job, how.peer or None, film=how.film or None)))
    )


@router.post("/jobs/{job}/cancel", summary="Cancel a job", responses=tell_one("job", 404))
def _cancel_job(_: ControlCall, context: At, once: OnceOnly, job: JobNumber) -> Response:
    """Cancel a job and those that come after it. One that is being done ends after the instance on its way."""
    return once.do(lambda: answer_record(describe_job(context, context.modality.jobs.cancel(job))))


def describe_job(context: ConsoleContext, job: Job) -> dict[str, object]:
    """A job as it is now, for a program."""
    held = context.modality.jobs.waits_for([job])
    found: dict[str, object] = tell_job(
        job_as_json(job, context.modality.jobs.results([job])[job.id], held.get(job.id, ()))
    )
    return found
