"""``openmodality jobs``: what is queued, being done, done or failed, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openmodality.app.records.jobs import job_as_json, job_details_as_json
from openmodality.cli.display.jobs import (
    JOB_COLUMNS,
    ListedJob,
    format_job_line,
    format_left_jobs,
    print_job,
)
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser, see_help
from openmodality.cli.terminal.bulk import Changing, change_each
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.site import add_site, device, load, open_view
from openmodality.cli.terminal.table import add_wide, print_rows
from openmodality.cli.terminal.values import parse_integer
from openmodality.errors import UsageError
from openmodality.store.states import JobKind, JobState

if TYPE_CHECKING:
    from openmodality.app.jobs import FilmFate
    from openmodality.app.modality import Modality
    from openmodality.jobs.job import Job

NEWEST: Final = 50
LARGEST: Final = 2**63 - 1
"""The largest number of a database."""
_ID: Final = parse_integer(1, LARGEST)


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
    parser.add_argument(
        "--limit", metavar="N", type=parse_integer(1, LARGEST - 1), default=NEWEST, help="Only the newest."
    )
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def list_(
    states: tuple[str, ...],
    kinds: tuple[str, ...],
    peer: str | None,
    limit: int,
    site_file: str,
    wide: bool,
    as_json: bool,
) -> None:
    """Jobs, newest first, with the reason why each is where it is."""
    with open_view(site_file) as view:
        jobs = view.jobs.list(
            states=[JobState(state) for state in states] or None,
            kinds=[JobKind(kind) for kind in kinds] or None,
            destination=peer,
            limit=limit + 1,
        )
        shown = jobs[:limit]
        is_known = not peer or bool(view.jobs.list(destination=peer, limit=1))
        results, held = view.jobs.results(shown), view.jobs.waits_for(shown)
        notices = list(map(format_left_jobs, view.jobs.list_left()))
    if peer and not is_known:
        load(site_file).check_name(peer)
    listed = [ListedJob(job, results[job.id], held.get(job.id, ())) for job in shown]
    if as_json:
        items = [job_as_json(*each) for each in listed]
        print_document(items, more_available=len(jobs) > limit, notices=notices)
        return
    print_rows(JOB_COLUMNS, listed, empty="there are no such jobs", wide=wide)
    if len(jobs) > limit:
        say(f"there are more than {limit}; raise --limit to see older ones")
    for notice in notices:
        say(notice)


def _declare_show(parser: Parser) -> None:
    parser.add_argument("job", metavar="JOB", type=_ID)
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def show(job: int, site_file: str, wide: bool, as_json: bool) -> None:
    """One job: its state and reason, what became of each instance, and its history."""
    with open_view(site_file) as view:
        details = view.jobs.show(job)
        results = view.jobs.results([details.job])[job]
    if as_json:
        print_document([job_details_as_json(details, results)])
    else:
        print_job(details, results, wide=wide)


def _declare_retry(parser: Parser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="*", type=_ID)
    parser.add_argument(
        "--state",
        choices=[JobState.FAILED.value, JobState.CANCELLED.value],
        help="All jobs in this state, in place of their numbers.",
    )
    parser.add_argument("--destination", metavar="NAME", help="With --state: only jobs for this peer of the site file.")
    parser.add_argument(
        "--peer", metavar="NAME", help="Give them, and what comes after them, to this peer of the site file."
    )
    parser.add_argument(
        "--film",
        choices=("printed", "again"),
        help="What became of a sheet that may have been printed, or not: it was printed, or print it again.",
    )
    add_site(parser)
    add_json(parser)


def retry(
    jobs: tuple[int, ...],
    state: str | None,
    destination: str | None,
    peer: str | None,
    film: FilmFate | None,
    site_file: str,
    as_json: bool,
) -> int:
    """Run jobs again now that failed, were cancelled or wait. Instances that have success are not repeated.

    What was cancelled because of a job follows it. A commitment is asked for anew: a report on the earlier request
    still counts. With --peer nothing counts as sent, since that peer has had nothing. With --state a job that cannot be
    retried is named, and the others go on.
    """
    if bool(jobs) == bool(state) or (destination and not state):
        raise UsageError(
            "name either jobs, or --state with or without --destination", advice=see_help("openmodality jobs retry")
        )
    with device(site_file) as modality:
        if state:
            _check_names(modality, destination, peer)
            found = modality.jobs.list(states=[JobState(state)], destination=destination)
            jobs = tuple(job.id for job in reversed(found))
        changing = _make_changing(modality, lambda job: modality.jobs.retry(job, peer, film=film))
        status = change_each(jobs, changing, goes_on=bool(state), as_json=as_json)
    if not jobs and not as_json:
        print("there are no such jobs")
    return status


def _check_names(modality: Modality, destination: str | None, peer: str | None) -> None:
    """Raises :class:`ConfigurationError` where nobody has such a name: neither a peer or printer, nor a job's.

    The jobs of a peer that was taken out of the site file are still given to another one.
    """
    if destination and not modality.jobs.list(destination=destination, limit=1):
        modality.site.check_name(destination)
    if peer:
        modality.site.check_name(peer)


def _declare_cancel(parser: Parser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="+", type=_ID)
    add_site(parser)
    add_json(parser)


def cancel(jobs: tuple[int, ...], site_file: str, as_json: bool) -> None:
    """Cancel jobs, and those that come after them. One that is being done ends after the instance on its way."""
    with device(site_file) as modality:
        change_each(jobs, _make_changing(modality, modality.jobs.cancel), goes_on=False, as_json=as_json)


def _make_changing(modality: Modality, change: Callable[[int], Job]) -> Changing[Job]:
    def list_as_json(changed: Sequence[Job]) -> Iterable[Mapping[str, Any]]:
        results = modality.jobs.results(changed)
        return [job_as_json(job, results[job.id]) for job in changed]

    return Changing("job", change, format_job_line, list_as_json)


command = Group(
    'Jobs: sending, storage commitment, performed procedure steps, films. "openmodality serve" does them.',
    {
        "cancel": CliCommand(cancel, _declare_cancel),
        "list": CliCommand(list_, _declare_list),
        "retry": CliCommand(retry, _declare_retry),
        "show": CliCommand(show, _declare_show),
    },
)
