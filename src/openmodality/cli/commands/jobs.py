"""``openmodality jobs``: what is queued, being done, done or failed, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openmodality.cli.terminal.arguments import Command, Group, Parser, see_help
from openmodality.cli.terminal.options import add_json
from openmodality.cli.terminal.output import counted, moment, print_fields, print_json, print_table, say
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.values import integer
from openmodality.dimse.status import describe
from openmodality.errors import UsageError
from openmodality.jobs.job import Job, JobInstance
from openmodality.store.states import InstanceResult, JobKind, JobState

if TYPE_CHECKING:
    from openmodality.app.jobs import JobDetails

NEWEST: Final = 50
LARGEST: Final = 2**63 - 1
"""The largest number of a database."""
_ID: Final = integer(1, LARGEST)


def _declare_list(parser: Parser) -> None:
    parser.add_argument(
        "--state",
        dest="states",
        choices=[state.value for state in JobState],
        action="append",
        default=[],
        help="Only this state. May be repeated.",
    )
    parser.add_argument(
        "--kind",
        dest="kinds",
        choices=[kind.value for kind in JobKind],
        action="append",
        default=[],
        help="Only this kind. May be repeated.",
    )
    parser.add_argument("--peer", metavar="NAME", help="Only jobs for this peer of the site file.")
    parser.add_argument("--limit", metavar="N", type=integer(1, LARGEST - 1), default=NEWEST, help="Only the newest.")
    add_site(parser)
    add_json(parser)


def list_(
    states: tuple[str, ...], kinds: tuple[str, ...], peer: str | None, limit: int, site_file: str, as_json: bool
) -> None:
    """Jobs, newest first, with the reason why each is where it is."""
    with device(site_file) as modality:
        jobs = modality.jobs.list(
            states=[JobState(state) for state in states] or None,
            kinds=[JobKind(kind) for kind in kinds] or None,
            destination=peer,
            limit=limit + 1,
        )
        results = modality.jobs.results(jobs)
        held = modality.jobs.waits_for(jobs)
    shown = jobs[:limit]
    if as_json:
        print_json([job_as_json(job, results[job.id], held.get(job.id, ())) for job in shown])
        return
    headings = ["job", "kind", "peer", "state", "instances", "queued", "reason"]
    print_table(
        headings, [_row(job, results[job.id], held.get(job.id, ())) for job in shown], empty="there are no such jobs"
    )
    if len(jobs) > limit:
        say(f"there are more than {limit}; raise --limit to see older ones")


def _declare_show(parser: Parser) -> None:
    parser.add_argument("job", metavar="JOB", type=_ID)
    add_site(parser)
    add_json(parser)


def show(job: int, site_file: str, as_json: bool) -> None:
    """One job: its state and reason, what became of each instance, and its history."""
    with device(site_file) as modality:
        details = modality.jobs.show(job)
        results = modality.jobs.results([details.job])[job]
    if as_json:
        print_json({
            **job_as_json(details.job, results, details.blockers),
            "instances": [_instance_as_json(instance) for instance in details.instances],
            "history": [
                {"at": moment(change.at), "state": change.state, "detail": change.detail} for change in details.history
            ],
            "waits_for_jobs": [blocker.id for blocker in details.blockers],
        })  # fmt: skip
    else:
        _print(details, results)


def _declare_retry(parser: Parser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="*", type=_ID)
    parser.add_argument(
        "--state",
        choices=[JobState.FAILED.value, JobState.CANCELLED.value],
        help="All jobs in this state, in place of their numbers.",
    )
    parser.add_argument("--destination", metavar="NAME", help="With --state: only jobs for this peer of the site file.")
    add_site(parser)


def retry(jobs: tuple[int, ...], state: str | None, destination: str | None, site_file: str) -> None:
    """Run jobs again now that failed, were cancelled or wait. Instances that have success are not repeated."""
    if bool(jobs) == bool(state) or (destination and not state):
        raise UsageError(
            "name either jobs, or --state with or without --destination", advice=see_help("openmodality jobs retry")
        )
    with device(site_file) as modality:
        if state:
            found = modality.jobs.list(states=[JobState(state)], destination=destination)
            jobs = tuple(job.id for job in reversed(found))
        for job in jobs:
            print(_line(modality.jobs.retry(job)))
    if not jobs:
        print("there are no such jobs")


def _declare_cancel(parser: Parser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="+", type=_ID)
    add_site(parser)


def cancel(jobs: tuple[int, ...], site_file: str) -> None:
    """Cancel jobs, and those that come after them. One that is being done ends after the instance on its way."""
    with device(site_file) as modality:
        for job in jobs:
            cancelled = modality.jobs.cancel(job)
            print(f"{_line(cancelled)}{'' if cancelled.state.finished else ', to be cancelled'}")


command = Group(
    'Jobs: sending, storage commitment, performed procedure steps. "openmodality serve" does them.',
    {
        "cancel": Command(cancel, _declare_cancel),
        "list": Command(list_, _declare_list),
        "retry": Command(retry, _declare_retry),
        "show": Command(show, _declare_show),
    },
)


def _line(job: Job) -> str:
    return f"job {job.id}: {job.kind} to {job.destination}, {job.state}"


def reason(job: Job, held_by: Sequence[Job] = ()) -> str:
    """Why a job is in its state, in words; ``held_by`` are the jobs that it waits for."""
    if held_by and job.state is JobState.TODO:
        holder = next((each for each in held_by if each.state is JobState.FAILED), held_by[0])
        return f"waits for job {holder.id}{', which failed' if holder.state is JobState.FAILED else ''}"
    said = f"waiting for {job.waiting_for}" if job.waiting_for else job.reason
    if job.attempts and not job.state.finished:
        said += f" (attempt {job.attempts + 1})"
        if job.due_at is not None:
            said += f", next {moment(job.due_at)}"
    return said


def _counts(results: Mapping[InstanceResult, int]) -> str:
    """``12 of 36``, and how many of them did not go well."""
    stored = results[InstanceResult.SUCCESS] + results[InstanceResult.WARNING]
    text = f"{stored} of {sum(results.values())}"
    if results[InstanceResult.WARNING]:
        text += f", {counted(results[InstanceResult.WARNING], 'warning')}"
    return text + (f", {results[InstanceResult.FAILURE]} failed" if results[InstanceResult.FAILURE] else "")


def _row(job: Job, results: Mapping[InstanceResult, int], held_by: Sequence[Job]) -> list[object]:
    return [
        job.id,
        job.kind,
        job.destination,
        job.state,
        _counts(results),
        moment(job.created_at),
        reason(job, held_by),
    ]


def _print(details: JobDetails, results: Mapping[InstanceResult, int]) -> None:
    job = details.job
    print_fields([
        ("job", f"{job.id}: {job.kind} to {job.destination}"),
        ("state", job.state),
        ("reason", reason(job, details.blockers)),
        ("instances", _counts(results)),
        ("waits for", [f"job {each.id} ({each.kind}, {each.state})" for each in details.blockers]),
        ("queued", moment(job.created_at)),
        ("started", moment(job.started_at)),
        ("finished", moment(job.finished_at)),
    ])  # fmt: skip
    print()
    rows = [[each.SOPInstanceUID, each.result, each.attempts, _status(each)] for each in details.instances]
    print_table(["SOP Instance UID", "result", "attempts", "answer"], rows)
    print()
    print_table(["at", "state", "why"], [[moment(each.at), each.state, each.detail] for each in details.history])


def _status(instance: JobInstance) -> str:
    if instance.status is None or instance.comment.startswith(f"{instance.status:04X}"):
        return instance.comment
    return describe(instance.status, instance.comment)


def job_as_json(job: Job, results: Mapping[InstanceResult, int], held_by: Sequence[Job] = ()) -> dict[str, Any]:
    """A job for a program."""
    return {
        "job": job.id,
        "kind": job.kind.value,
        "peer": job.destination,
        "state": job.state.value,
        "reason": reason(job, held_by),
        "results": {result.value: number for result, number in results.items()},
        "failed_attempts": job.attempts,
        "queued": moment(job.created_at),
        "started": moment(job.started_at),
        "finished": moment(job.finished_at),
    }


def _instance_as_json(instance: JobInstance) -> dict[str, Any]:
    return {
        "sop_class_uid": instance.SOPClassUID,
        "sop_instance_uid": instance.SOPInstanceUID,
        "result": instance.result.value,
        "status": None if instance.status is None else f"{instance.status:04X}",
        "comment": instance.comment,
        "attempts": instance.attempts,
    }
