"""How jobs are shown: as a list, and with all there is to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from openmodality.app.records.jobs import describe_reason
from openmodality.app.records.values import format_time
from openmodality.cli.terminal.output import print_fields
from openmodality.cli.terminal.table import Column, print_rows
from openmodality.counted import format_count
from openmodality.dimse.status import describe
from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.listing import LeftJobs
from openmodality.store.states import InstanceResult

if TYPE_CHECKING:
    from openmodality.app.view import JobDetails
    from openmodality.jobs.listing import Change


class ListedJob(NamedTuple):
    """A job with the results of its instances and the jobs that it waits for."""

    job: Job
    results: Mapping[InstanceResult, int]
    held_by: Sequence[Job] = ()


JOB_COLUMNS: Final[Sequence[Column[ListedJob]]] = (
    Column("job", lambda each: each.job.id),
    Column("kind", lambda each: each.job.kind),
    Column("peer", lambda each: each.job.destination, words=True),
    Column("state", lambda each: each.job.state),
    Column("instances", lambda each: describe_results(each.results), leave_out=1),
    Column("queued", lambda each: format_time(each.job.created_at), leave_out=2),
    Column("reason", lambda each: describe_reason(each.job, each.held_by), words=True),
)
_INSTANCE_COLUMNS: Final[Sequence[Column[JobInstance]]] = (
    Column("SOP Instance UID", lambda each: each.SOPInstanceUID),
    Column("result", lambda each: each.result),
    Column("attempts", lambda each: each.attempts, leave_out=1),
    Column("answer", lambda each: describe_answer(each), words=True),
)
_CHANGE_COLUMNS: Final[Sequence[Column[Change]]] = (
    Column("at", lambda each: format_time(each.at)),
    Column("state", lambda each: each.state),
    Column("why", lambda each: each.detail, words=True),
)


def format_job_line(job: Job) -> str:
    """A job in one line."""
    to_be_cancelled = ", to be cancelled" if job.cancel_requested and not job.state.finished else ""
    return f"job {job.id}: {job.kind} to {job.destination}, {job.state}{to_be_cancelled}"


def describe_results(results: Mapping[InstanceResult, int]) -> str:
    """``12 of 36``, and how many of them did not go well."""
    stored = results[InstanceResult.SUCCESS] + results[InstanceResult.WARNING]
    text = f"{stored} of {sum(results.values())}"
    if results[InstanceResult.WARNING]:
        text += f", {format_count(results[InstanceResult.WARNING], 'warning')}"
    return text + (f", {results[InstanceResult.FAILURE]} failed" if results[InstanceResult.FAILURE] else "")


def format_left_jobs(left: LeftJobs) -> str:
    """What another device of a department has left to do, and where it is to be served for that."""
    waits = "waits" if left.jobs == 1 else "wait"
    return (
        f"{format_count(left.jobs, 'job')} of {left.device or 'a device without a name'} {waits} since"
        f" {format_time(left.since)}: nothing serves that device, and its images are in its own data folder;"
        f" run openmodality serve on {left.host or 'its host'}, with the data folder {left.folder or 'that it had'}"
    )


def print_job(details: JobDetails, results: Mapping[InstanceResult, int], *, wide: bool = False) -> None:
    """All there is to know of a job."""
    job = details.job
    print_fields([
        ("job", f"{job.id}: {job.kind} to {job.destination}"),
        ("state", job.state),
        ("reason", describe_reason(job, details.blockers)),
        ("instances", describe_results(results)),
        ("waits for", [f"job {each.id} ({each.kind}, {each.state})" for each in details.blockers]),
        ("queued", format_time(job.created_at)),
        ("started", format_time(job.started_at)),
        ("finished", format_time(job.finished_at)),
    ])  # fmt: skip
    print()
    print_rows(_INSTANCE_COLUMNS, details.instances, wide=wide)
    print()
    print_rows(_CHANGE_COLUMNS, details.history, wide=wide)


def describe_answer(instance: JobInstance) -> str:
    """What the peer said to an instance, with its status once."""
    if instance.status is None:
        return instance.comment
    code = f"{instance.status:04X}"
    said = instance.comment.removeprefix("status ")  # so a send job notes it
    return said if code in said else describe(instance.status, said)  # a performed step says who answered
