"""``openmodality retrieve``: let an archive send what it has."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from openmodality.activities.arrivals import Arrivals, receive_into, store_into
from openmodality.activities.ends import Ends
from openmodality.activities.query import Model, choose_model
from openmodality.activities.retrieve import GoOn, RetrievePart, Wanted, get_from_peer, retrieve_from_peer
from openmodality.activities.retrieve_plan import plan_retrieve
from openmodality.app.records.peers import retrieval_as_json
from openmodality.cli.commands.query import add_model
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device, load, open_view
from openmodality.cli.terminal.tls import add_tls
from openmodality.cli.terminal.uids import add_uids
from openmodality.cli.terminal.values import any_folder, parse_integer
from openmodality.counted import format_count
from openmodality.dimse.service import Service
from openmodality.dimse.verdict import find_advice
from openmodality.errors import OpenModalityError, UsageError
from openmodality.network.entity import normalize_ae_title
from openmodality.query.moving import Counts, MoveResult
from openmodality.services.query_retrieve import MOVE_DESTINATION_UNKNOWN
from openmodality.standard.query_retrieve import Level
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    import ssl


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
    parser.add_argument(
        "--get", dest="by_get", action="store_true", help="Let the instances come on our own association (C-GET)."
    )
    parser.add_argument("--resume", action="store_true", help="Ask for what is missing only.")
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
    by_get: bool,
    resume: bool,
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

    --get lets the instances come on our own association (C-GET): into the local database, where the site file has
    extensions = ["c_get"], or into --output. --resume asks for those instances only that have not come yet. Ctrl-C asks
    PEER to stop. Where the profile says so, PEER is asked before whether it has the images.

    Exit status 0 when all instances were sent, 1 when some were not.
    """
    if instance and not series:
        raise UsageError("--instance needs --series", advice="query at level SERIES shows the series of a study")
    ends, query_ends = [resolve(peer, each, site_file, calling, timeout, tls) for each in ("retrieve", "query")]
    model = choose_model(model, ends, Level.STUDY)
    if model == "patient" and not patient_id:
        raise UsageError("the patient root model needs --patient-id")
    title = ends.local.ae_title if destination is None else normalize_ae_title(destination)
    place = _Place(ends, study, site_file, output, port, title)
    (place.check_get if by_get else place.check_move)(destination)
    wanted = Wanted(study, series or "", instance or "", patient_id or "")
    is_planned = resume or (ends.name and load(site_file).parameters.boolean("behaviour.query_before_retrieve"))
    here = place.list_here() if resume else None
    parts = plan_retrieve(query_ends, wanted, model, here) if is_planned else None
    with _Progress(title) as progress:
        result, arrivals = (_get if by_get else _move)(place, wanted, model, progress, parts)
    _report(result, ends, title, arrivals, as_json=as_json)
    return _conclude(result, is_resumed_in_vain=resume and not parts)


command = CliCommand(run, _declare)


def _conclude(result: MoveResult, *, is_resumed_in_vain: bool) -> int:
    if is_resumed_in_vain:
        say("nothing is missing here")
    return 0 if result.verdict.is_done else 1


@dataclass(frozen=True)
class _Place:
    """Where the instances come to: the device of the site file, a folder of ours, or another AE."""

    ends: Ends
    study: str
    site_file: str
    output: Path | None
    port: int | None
    title: str

    @property
    def is_for_us(self) -> bool:
        return self.title == self.ends.local.ae_title

    def check_move(self, destination: str | None) -> None:
        """Raises :class:`UsageError` for options that do not go together."""
        if (self.output is None) != (self.port is None):
            raise UsageError("--output and --port go together: where to store what comes, and where to listen for it")
        if self.output is not None and (self.ends.name or destination is not None):
            raise UsageError(
                "--output is for a PEER given by its address that sends to us: leave --to and --output out"
            )

    def check_get(self, destination: str | None) -> None:
        """Raises :class:`UsageError` for options that do not go together."""
        if destination is not None or self.port is not None:
            raise UsageError("--get brings the instances here, on our own association: leave --to and --port out")
        if self.ends.name and self.output is not None:
            raise UsageError("--output is for a PEER given by its address: what a device gets goes to its database")
        if not self.ends.name and self.output is None:
            raise UsageError("--get of a PEER given by its address needs --output: where to store what comes")

    def list_here(self) -> set[str]:
        """The SOP Instance UIDs of what has come before. Raises :class:`UsageError` where that is not known."""
        if self.output is not None:
            return {path.stem for path in self.output.glob("*.dcm")}
        if not (self.is_for_us and self.ends.name):
            raise UsageError("--resume is for what comes here: to the device of the site file, or with --output")
        with open_view(self.site_file) as view:
            return {image["SOPInstanceUID"] for image in view.find(Level.IMAGE, {"StudyInstanceUID": self.study})}

    @contextmanager
    def store(self) -> Iterator[tuple[Arrivals | None, Service]]:
        """What has come by C-GET, and the service that stores it."""
        if self.output is not None:
            with store_into(self.output, self.ends.local) as arrivals_and_storage:
                yield arrivals_and_storage
        else:
            with device(self.site_file) as modality, modality.storing(self.study) as arrivals_and_storage:
                yield arrivals_and_storage

    @contextmanager
    def listen(self) -> Iterator[tuple[Arrivals | None, Callable[[Wanted, Counts], None]]]:
        """The device of the site file takes what comes, where it is the destination of a peer that it knows.

        Else a folder with a port does, where they are given. Gives what has come, None where another AE takes it, and
        what waits until that is listed.
        """
        if self.output is not None and self.port is not None:
            with receive_into(self.output, self.ends.local, self.port) as arrivals:
                yield arrivals, _wait_for_nothing
        elif self.ends.name and self.is_for_us:
            with device(self.site_file) as modality, modality.receiving(self.study) as arrivals:
                yield arrivals, modality.wait_until_listed
        else:
            yield None, _wait_for_nothing


def _get(
    place: _Place, wanted: Wanted, model: Model, progress: GoOn, parts: Sequence[RetrievePart] | None
) -> tuple[MoveResult, Arrivals | None]:
    with place.store() as (arrivals, storage):
        return get_from_peer(place.ends, wanted, storage, model=model, go_on=progress, parts=parts), arrivals


def _move(
    place: _Place, wanted: Wanted, model: Model, progress: GoOn, parts: Sequence[RetrievePart] | None
) -> tuple[MoveResult, Arrivals | None]:
    with place.listen() as (arrivals, wait_until_listed):
        result = retrieve_from_peer(
            place.ends, wanted, destination=place.title, model=model, go_on=progress, parts=parts
        )
        wait_until_listed(wanted, result.counts)
    return result, arrivals


def _wait_for_nothing(wanted: Wanted, counts: Counts) -> None:
    """Others take what comes, or it goes to a folder."""


class _Progress:
    """Shows how far a retrieve is, on one line of a terminal, and lets it go on until Ctrl-C.

    The first Ctrl-C asks the peer to stop (C-CANCEL), so that the end says what has come; the second ends the command.
    """

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._line = StatusLine()
        self._is_stopped = False
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        self._line.clear()

    def _stop(self, *_: object) -> None:
        self._is_stopped = True
        signal.signal(signal.SIGINT, self._before)

    def __call__(self, counts: Counts) -> bool:
        done = counts.completed + counts.warning + counts.failed
        total = format_count(done + counts.remaining, "instance")
        self._line.show(f"{done} of {total} sent to {self._destination}, {counts.failed} failed")
        return not self._is_stopped


def _report(result: MoveResult, ends: Ends, destination: str, arrivals: Arrivals | None, *, as_json: bool) -> None:
    counts = result.counts
    came = [] if arrivals is None else arrivals.stored
    is_whole = result.verdict.is_done and not counts.failed
    refused = "" if arrivals is None else arrivals.describe_refusals(is_whole=is_whole)
    if as_json:
        print_document([retrieval_as_json(str(ends.remote), destination, result, came, refused)])
    if not as_json and not result.verdict.is_failure:
        print(f"{ends.remote}: {_describe_counts(counts, destination)}")
    if not as_json and not is_whole:
        for uid in came:
            print(f"came: {uid}")
        for uid in result.failed_uids:
            say(f"not sent: {uid}")
    if result.verdict.is_failure:
        raise OpenModalityError(
            f"{ends.remote}: {_describe_counts(counts, destination)}: {result.verdict.describe(result.comment)}",
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
    return refused or find_advice("retrieve", "C-MOVE", result.status)
