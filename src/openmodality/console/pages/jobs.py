"""Jobs: shows what is to be done for whom, why it waits and until when, and what a person can do about it.

The answer of a peer is shown with its meaning, never as a bare code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.activities.print_record import find_uncertain_sheet
from openmodality.activities.retrieve_job import read_counts, read_wanted
from openmodality.app.jobs import SERVICES_OF_KINDS, FilmFate
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.words import DEEDS, OBJECTS, describe_count
from openmodality.console.security.access import At, Controller, Operator, SentForm, Viewer
from openmodality.console.template_files import format_clock
from openmodality.dimse.status import describe
from openmodality.errors import StoreError
from openmodality.jobs.job import Job, JobInstance
from openmodality.standard.query_retrieve import Level
from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME
from openmodality.store.listing.item_text import text_of
from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.value_class import dataclass

_MOST_OPEN: Final = 200
_MOST_FINISHED: Final = 50
_MOST_INSTANCES: Final = 500
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job in a line. ``why`` says why it is where it is, ``then`` what comes next and when."""

    id: int
    what: str
    peer: str
    patient: str
    state: str
    level: str
    done: int
    total: int
    failed: int
    warnings: int
    queued: str
    why: str
    then: str
    can_retry: bool
    can_cancel: bool
    asks_person: bool = False
    """Whether somebody has to say first what became of a sheet of film."""
    failed_word: str = "failed"


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs that are shown together; ``more``: there are others that are not shown."""

    name: str
    title: str
    empty: str
    jobs: Sequence[JobRow]
    more: bool


@dataclass(frozen=True, slots=True)
class FailedJobs:
    """The failed jobs about a study: how many there are, and the first of them as lines."""

    count: int
    rows: Sequence[JobRow]


@dataclass(frozen=True, slots=True)
class InstanceLine:
    """What became of one instance of a job, in words."""

    uid: str
    result: str
    level: str
    said: str
    attempts: int


@dataclass(frozen=True, slots=True)
class JobPage:
    """All there is to know of a job, and what can be done about it."""

    row: JobRow
    instances: Sequence[InstanceLine]
    more_instances: bool
    history: Sequence[tuple[str, str, str]]
    blockers: Sequence[JobRow]
    other_peers: Sequence[str]
    uncertain_sheet: int


_GROUPS: Final = (
    ("needs", "Needs you", "Nothing needs you.", (JobState.FAILED,), _MOST_OPEN),
    ("doing", "Being done", "Nothing is being done.", (JobState.DOING,), _MOST_OPEN),
    ("waiting", "Waits", "Nothing waits.", (JobState.TODO, JobState.WAITING), _MOST_OPEN),
    ("finished", "Finished", "Nothing has been finished yet.", (JobState.DONE, JobState.CANCELLED), _MOST_FINISHED),
)
_STATES: Final = {
    JobState.TODO: ("to do", "busy"),
    JobState.DOING: ("being done", "busy"),
    JobState.WAITING: ("waits", "busy"),
    JobState.DONE: ("done", "ok"),
    JobState.FAILED: ("failed", "bad"),
    JobState.CANCELLED: ("cancelled", "unknown"),
}
_RESULTS: Final = {
    InstanceResult.PENDING: ("to do", "busy"),
    InstanceResult.SUCCESS: ("done", "ok"),
    InstanceResult.WARNING: ("done, with a warning", "busy"),
    InstanceResult.FAILURE: ("failed", "bad"),
}

router = APIRouter()


@router.get("/jobs")
def _show_jobs(request: Request, viewer: Viewer, context: At) -> Response:
    page = Page("jobs.html", "Jobs", "jobs")
    return render_page(request, context, viewer, page, groups=list_groups(context))


@router.get("/jobs/list")
def _show_list(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_jobs.html", groups=list_groups(context))


@router.get("/jobs/{job_id}")
def _show_job(request: Request, viewer: Viewer, context: At, job_id: int) -> Response:
    page = Page("job.html", f"Job {job_id}", "jobs")
    return render_page(request, context, viewer, page, job=make_job_page(context, job_id))


@router.get("/jobs/{job_id}/part")
def _show_job_part(request: Request, viewer: Viewer, context: At, job_id: int) -> Response:
    return render_part(request, context, viewer, "part_job.html", job=make_job_page(context, job_id))


@router.post("/jobs/{job_id}/retry")
def _retry_job(who: Operator, form: SentForm, context: At, job_id: int) -> Response:
    fates: Mapping[str, FilmFate] = {"printed": "printed", "again": "again"}

    def retry() -> str:
        job = context.modality.jobs.retry(job_id, film=fates.get(form["film"]))
        return f"Job {job.id} is tried again now; what {job.destination} has already is not sent twice."

    return do_and_return(context, who, f"/jobs/{job_id}", retry)


@router.post("/jobs/{job_id}/elsewhere")
def _send_elsewhere(who: Controller, form: SentForm, context: At, job_id: int) -> Response:
    def move() -> str:
        job = context.modality.jobs.retry(job_id, form["peer"])
        return f"Job {job.id} goes to {job.destination} now, from its beginning."

    return do_and_return(context, who, f"/jobs/{job_id}", move)


@router.post("/jobs/{job_id}/cancel")
def _cancel_job(who: Controller, form: SentForm, context: At, job_id: int) -> Response:
    def cancel() -> str:
        job = context.modality.jobs.cancel(job_id)
        if job.state.finished:
            return f"Job {job.id} is cancelled, and what comes after it."
        return f"Job {job.id} ends after the instance that is on its way."

    return do_and_return(context, who, f"/jobs/{job_id}", cancel)


def list_groups(context: ConsoleContext) -> list[JobGroup]:
    """All jobs, those first that need a person."""
    groups = []
    for name, title, empty, states, most in _GROUPS:
        jobs = context.modality.jobs.list(states=states, limit=most + 1)
        groups.append(JobGroup(name, title, empty, make_rows(context, jobs[:most]), len(jobs) > most))
    return groups


def find_failed(context: ConsoleContext, study_uid: str) -> FailedJobs:
    """What failed of the images of a study and waits for a person."""
    jobs = context.modality.jobs.list_failed(study_uid)
    return FailedJobs(len(jobs), make_rows(context, jobs[:_MOST_NAMED]))


def make_rows(context: ConsoleContext, jobs: Sequence[Job]) -> list[JobRow]:
    """Jobs as lines."""
    results = context.modality.jobs.results(jobs)
    held = context.modality.jobs.waits_for(jobs)
    patients: dict[str, str] = {}
    return [
        make_row(
            job,
            results[job.id],
            describe_standing(job, held.get(job.id, ()), _list_others(context, job)),
            _find_patient(context, job, patients),
        )
        for job in jobs
    ]


def _list_others(context: ConsoleContext, job: Job) -> list[str]:
    """The peers to which a job may be given in place of its own."""
    service = SERVICES_OF_KINDS.get(job.kind)
    others = [] if service is None else [each.name for each in context.modality.site.peers_for(service)]
    return [name for name in others if name != job.destination]


def make_row(job: Job, results: Mapping[InstanceResult, int], standing: tuple[str, str], patient: str) -> JobRow:
    """A job as a line; ``standing`` is why it is where it is, and what comes next."""
    total = sum(results.values())
    warnings = results[InstanceResult.WARNING]
    state, level = _STATES[job.state]
    why, then = standing
    done, failed = results[InstanceResult.SUCCESS] + warnings, results[InstanceResult.FAILURE]
    shown = total if job.kind in OBJECTS else 0
    if job.kind is JobKind.RETRIEVE:
        counts = read_counts(job)
        done, failed, warnings = counts.completed + counts.warning, counts.failed, counts.warning
        shown = done + failed + counts.remaining
    return JobRow(
        id=job.id,
        what=_describe_deed(job.kind, total),
        peer=job.destination,
        patient=patient,
        state="to be cancelled" if job.cancel_requested and not job.state.finished else state,
        level="bad" if job.state is JobState.TODO and job.attempts else level,
        done=done,
        total=shown,
        failed=failed,
        warnings=warnings,
        queued=format_clock(job.created_at),
        why=why,
        then=then,
        can_retry=job.state in (JobState.FAILED, JobState.CANCELLED, JobState.WAITING)
        or (job.state is JobState.TODO and job.attempts > 0),
        can_cancel=not job.state.finished or job.state is JobState.FAILED,
        asks_person=bool(find_uncertain_sheet(job)),
        failed_word="left out" if job.kind is JobKind.MEDIA else "failed",
    )


def _describe_deed(kind: JobKind, total: int) -> str:
    return f"{DEEDS[kind]} {describe_count(total, 'instance')}" if kind in OBJECTS else DEEDS[kind]


def describe_standing(job: Job, held_by: Sequence[Job], others: Sequence[str] = ()) -> tuple[str, str]:
    """Why a job is where it is, and what comes next; ``others`` are the peers that may do it as well."""
    if job.state is JobState.TODO and held_by:
        holder = next((each for each in held_by if each.state is JobState.FAILED), held_by[0])
        if holder.state is JobState.FAILED:
            return f"Job {holder.id} before it failed.", f"It goes on when job {holder.id} is done: look at that one."
        return f"Job {holder.id} comes before it.", f"It begins when job {holder.id} is done."
    if job.state is JobState.FAILED:
        return job.reason or "It failed.", f"It waits for you: {_describe_choices(job, others)}."
    if job.state is JobState.TODO and job.attempts:
        return job.reason, f"Tried again {_describe_due(job)}, {_describe_attempts(job)}."
    if job.state is JobState.WAITING:
        what = f"Waits for {job.waiting_for}." if job.waiting_for else job.reason
        return what, f"Looked at again {_describe_due(job)}." if job.due_at is not None else ""
    if job.state is JobState.TODO:
        return "", "It begins as soon as it is its turn."
    return job.reason, ""


def _describe_choices(job: Job, others: Sequence[str]) -> str:
    if find_uncertain_sheet(job):
        return "say what became of the sheet, or cancel it"
    return "try again, send it elsewhere, or cancel it" if others else "try again, or cancel it"


def _describe_due(job: Job) -> str:
    return f"at {format_clock(job.due_at)}" if job.due_at is not None else "as soon as it is its turn"


def _describe_attempts(job: Job) -> str:
    last = job.retry.max_retries
    return f"attempt {job.attempts + 1} of {last + 1}" if last else f"attempt {job.attempts + 1}, until it is done"


def _find_patient(context: ConsoleContext, job: Job, known: dict[str, str]) -> str:
    """Whose images, or whose exam, a job is about; empty where they are no longer here."""
    step_uid = str(job.parameters.get("SOPInstanceUID", ""))
    if job.kind in (JobKind.MPPS_CREATE, JobKind.MPPS_SET):
        if step_uid not in known:
            known[step_uid] = _find_patient_of_step(context, step_uid)
        return known[step_uid]
    if job.kind is JobKind.RETRIEVE:
        study = read_wanted(job).study
        if study not in known:
            found = context.modality.view.find(Level.STUDY, {"StudyInstanceUID": study}, limit=1)
            known[study] = _join(found[0]["PatientName"], found[0]["PatientID"]) if found else ""
        return known[study]
    uid = context.modality.view.jobs.find_first_instance(job.id)
    if uid and uid not in known:
        found = context.modality.view.find(Level.IMAGE, {"SOPInstanceUID": uid}, limit=1)
        known[uid] = _join(found[0]["PatientName"], found[0]["PatientID"]) if found else ""
    return known.get(uid, "")


def _find_patient_of_step(context: ConsoleContext, uid: str) -> str:
    try:
        n_create = context.modality.view.step(uid).n_create
    except StoreError:
        return ""
    return _join(text_of(n_create, PATIENT_NAME), text_of(n_create, PATIENT_ID))


def _join(name: str, patient_id: str) -> str:
    return "\n".join(filter(None, (name, patient_id)))


def make_job_page(context: ConsoleContext, job_id: int) -> JobPage:
    """One job. Raises :class:`NotFound` where there is none with this number."""
    details = context.modality.jobs.show(job_id)
    job = details.job
    (row,) = make_rows(context, [job])
    return JobPage(
        row=row,
        instances=[make_line(each) for each in details.instances[:_MOST_INSTANCES]],
        more_instances=len(details.instances) > _MOST_INSTANCES,
        history=[(format_clock(each.at), _STATES[JobState(each.state)][0], each.detail) for each in details.history],
        blockers=make_rows(context, details.blockers),
        other_peers=_list_others(context, job),
        uncertain_sheet=find_uncertain_sheet(job),
    )


def make_line(instance: JobInstance) -> InstanceLine:
    """What became of an instance; a status has its meaning beside it."""
    result, level = _RESULTS[instance.result]
    said = instance.comment.removeprefix("status ")
    if instance.status is not None and f"{instance.status:04X}" not in said:
        said = describe(instance.status, said)
    return InstanceLine(instance.SOPInstanceUID, result, level, said, instance.attempts)
