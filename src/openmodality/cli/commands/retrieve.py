"""``openmodality retrieve``: let an archive send what it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from openmodality.activities.arrivals import Arrivals, receive_into
from openmodality.activities.ends import Ends
from openmodality.activities.query import Model, choose_model
from openmodality.activities.retrieve import Wanted, retrieve_from_peer
from openmodality.cli.commands.query import add_model
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import format_count, say
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.tls import add_tls
from openmodality.cli.terminal.uids import add_uids
from openmodality.cli.terminal.values import any_folder, parse_integer
from openmodality.dimse.status import describe
from openmodality.errors import OpenModalityError, UsageError
from openmodality.network.entity import normalize_ae_title
from openmodality.query.moving import Counts, MoveResult
from openmodality.services.query_retrieve import MOVE_DESTINATION_UNKNOWN

if TYPE_CHECKING:
    import ssl

_OUTCOMES: Final = {"succeed": "done", "partial": "partly done", "fail": "failed"}


def _declare(parser: Parser) -> None:
    add_peer(parser)
    add_uids(parser, of_instance="only this instance; needs --series.")
    parser.add_argument(
        "--to", dest="destination", metavar="AET", help="Who is to get them.  [default: our own AE title]"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=any_folder, help="Listen on --port meanwhile and store what comes in DIR."
    )
    parser.add_argument(
        "--port", metavar="N", type=parse_integer(1, 65535), help="With --output: TCP port to listen on."
    )
    add_model(parser)
    parser.add_argument("--patient-id", metavar="ID", help="Patient ID, which the patient root model needs.")
    for add in (add_site, add_calling, add_timeout, add_tls, add_json):
        add(parser)


def run(
    peer: str,
    study: str,
    series: str | None,
    instance: str | None,
    destination: str | None,
    output: Path | None,
    port: int | None,
    model: Model | None,
    patient_id: str | None,
    site_file: str,
    calling: str | None,
    timeout: float | None,
    tls: ssl.SSLContext | None,
    as_json: bool,
) -> int:
    """Let PEER send a study, a series or an instance (Query/Retrieve, C-MOVE).

    PEER is AETITLE@host:port, or a peer's name in the site file. A peer of the site file sends to the device, which
    listens meanwhile, where openmodality serve does not, and keeps what comes in its local database; --to names
    another destination. A PEER given by its address sends to our own AE title, which listens meanwhile with --output
    and --port, or must be listening already (openmodality receive); or to the AE title --to. PEER must know the
    address of the destination.

    Exit status 0 when all instances were sent, 1 when some were not.
    """
    if instance and not series:
        raise UsageError("--instance needs --series", advice="query at level SERIES shows the series of a study")
    ends = resolve(peer, "retrieve", site_file, calling, timeout, tls)
    model = choose_model(model, ends, "STUDY")
    if model == "patient" and not patient_id:
        raise UsageError("the patient root model needs --patient-id")
    if (output is None) != (port is None):
        raise UsageError("--output and --port go together: where to store what comes, and where to listen for it")
    if output is not None and (ends.name or destination is not None):
        raise UsageError("--output is for a PEER given by its address that sends to us: leave --to and --output out")
    wanted = Wanted(study, series or "", instance or "", patient_id or "")
    title = ends.local.ae_title if destination is None else normalize_ae_title(destination)
    folder = None if output is None or port is None else (output, port)
    is_for_us = title == ends.local.ae_title
    listening = _listening(ends, study, site_file, folder, is_for_us=is_for_us)
    with listening as (arrivals, wait_until_listed), _Progress(title) as progress:
        result = retrieve_from_peer(ends, wanted, destination=title, model=model, go_on=progress)
        wait_until_listed(wanted, result.counts)
    _report(result, ends, title, arrivals, as_json=as_json)
    return 0 if result.verdict.is_done else 1


command = CliCommand(run, _declare)


@contextmanager
def _listening(
    ends: Ends, study: str, site_file: str, folder: tuple[Path, int] | None, *, is_for_us: bool
) -> Iterator[tuple[Arrivals | None, Callable[[Wanted, Counts], None]]]:
    """The device of the site file takes what comes, where it is the destination of a peer that it knows.

    Else a folder with a port does, where they are given. Gives what has come, None where this process does not listen,
    and what waits until that is listed.
    """
    if folder is not None:
        with receive_into(folder[0], ends.local, folder[1]) as arrivals:
            yield arrivals, _wait_for_nothing
    elif ends.name and is_for_us:
        with device(site_file) as modality, modality.receiving(study) as arrivals:
            yield (arrivals if modality.works_queue else None), modality.wait_until_listed
    else:
        yield None, _wait_for_nothing


def _wait_for_nothing(wanted: Wanted, counts: Counts) -> None:
    """Others take what comes, or it goes to a folder."""


class _Progress:
    """Shows how far a retrieve is, on one line of a terminal, and lets it go on."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._line = StatusLine()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.clear()

    def __call__(self, counts: Counts) -> bool:
        done = counts.completed + counts.warning + counts.failed
        total = format_count(done + counts.remaining, "instance")
        self._line.show(f"{done} of {total} sent to {self._destination}, {counts.failed} failed")
        return True


def _report(result: MoveResult, ends: Ends, destination: str, arrivals: Arrivals | None, *, as_json: bool) -> None:
    counts = result.counts
    came = [] if arrivals is None else arrivals.stored
    refused = "" if arrivals is None else arrivals.describe_refusals()
    if as_json:
        print_document([{
            "peer": str(ends.remote),
            "destination": destination,
            "status": f"{result.status:04X}",
            "outcome": _OUTCOMES[result.verdict.effect],
            "completed": counts.completed,
            "warning": counts.warning,
            "failed": counts.failed,
            "remaining": counts.remaining,
            "failed_sop_instance_uids": list(result.failed_uids),
            "received_sop_instance_uids": came,
            "refused_here": refused,
            "comment": result.comment,
        }])  # fmt: skip
    if not as_json and not result.verdict.is_failure:
        print(f"{ends.remote}: {_describe_counts(counts, destination)}")
    if not as_json and not (result.verdict.is_done and not counts.failed):
        for uid in came:
            print(f"came: {uid}")
        for uid in result.failed_uids:
            say(f"not sent: {uid}")
    if result.verdict.is_failure:
        raise OpenModalityError(
            f"{ends.remote}: {_describe_counts(counts, destination)}: {describe(result.status, result.comment)}",
            advice=_advise(result, destination, refused),
        )
    if refused:
        say(refused)


def _describe_counts(counts: Counts, destination: str) -> str:
    """What the final response counts (PS3.7 9.1.4)."""
    failed = f", {counts.failed} failed" if counts.failed else ""
    warned = f", {counts.warning} with a warning" if counts.warning else ""
    left = f", {counts.remaining} not tried" if counts.remaining else ""
    sent = counts.completed + counts.warning
    return f"{format_count(sent, 'instance') if sent else 'nothing'} sent to {destination}{warned}{failed}{left}"


def _advise(result: MoveResult, destination: str, refused: str) -> str:
    if result.status == MOVE_DESTINATION_UNKNOWN:
        return f"let the peer know {destination} and its address"
    return refused or "look at the peer's own log"
