"""``openmodality commit``: ask an archive to keep what was sent."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

from openmodality.activities.commit_jobs import ASKS_AT
from openmodality.app.records.jobs import describe_reason, job_as_json
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.peer import add_peer, is_direct
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.uids import add_uids
from openmodality.cli.terminal.values import parse_number
from openmodality.counted import format_count
from openmodality.errors import ConfigurationError, OpenModalityError
from openmodality.network.entity import RemoteAE
from openmodality.store.states import InstanceResult, JobState

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.app.view import JobDetails

_LOOK_S: Final = 0.2
_WAIT_S: Final = 60.0


def _declare(parser: Parser) -> None:
    add_peer(parser)
    add_uids(parser)
    parser.add_argument(
        "--wait",
        dest="wait_s",
        metavar="SECONDS",
        type=parse_number(0),
        default=_WAIT_S,
        help="How long to wait for the answer; 0 only queues the request.",
    )
    add_site(parser)
    add_json(parser)


def run(
    peer: str, study: str, series: str | None, instance: str | None, wait_s: float, site_file: str, as_json: bool
) -> None:
    """Ask PEER to commit itself to keep a study of the local database (Storage Commitment).

    PEER is a peer of the site file. The request is a job: "openmodality serve" does it; where nothing serves this
    device, this command works the queue and listens for the answer while it waits.

    Exit status 0 when everything is committed, 1 when something is not, or when no answer came in time.
    """
    with device(site_file, works=wait_s > 0) as modality:
        name = peer_name(modality, peer)
        job = modality.commit(study, name, series=series or "", instance=instance or "")
        if modality.works_queue:
            modality.serve()
        if wait_s:
            _follow(modality, job.id, wait_s)
        details = modality.jobs.show(job.id)
        results = modality.jobs.results([details.job])[job.id]
    if as_json:
        print_document([job_as_json(details.job, results, details.blockers)])
    elif details.job.state is JobState.DONE and not results[InstanceResult.FAILURE]:
        print(f"{name}: {format_count(results[InstanceResult.SUCCESS], 'instance')} committed")
    elif not wait_s:
        print(f"job {job.id} is queued")
    if wait_s:
        _fail_unless_committed(details, name)


command = CliCommand(run, _declare)


def peer_name(modality: Modality, peer: str) -> str:
    """The name in the site file of the peer that is meant, which may be given by its address."""
    if not is_direct(peer):
        return modality.site.peer(peer).name
    wanted = RemoteAE.parse(peer)
    for name, known in modality.site.peers.items():
        if (known.ae_title, known.host, known.port) == (wanted.ae_title, wanted.host, wanted.port):
            return name
    known_names = ", ".join(modality.site.peers)
    raise ConfigurationError(f"{peer} is no peer of {modality.site.path}", advice=f"its peers are: {known_names}")


def _follow(modality: Modality, job_id: int, wait_s: float) -> None:
    """Until the job has ended, or the time is over; another process may be the one that does it."""
    line, deadline, pause = StatusLine(), monotonic() + wait_s, threading.Event()
    while monotonic() < deadline:
        job = modality.jobs.show(job_id).job
        if job.state.finished or job.parameters.get(ASKS_AT):  # where it asks again, the archive has answered
            break
        line.show(f"job {job_id} {job.state}: {describe_reason(job)}")
        pause.wait(_LOOK_S)
    line.clear()


def _fail_unless_committed(details: JobDetails, name: str) -> None:
    job = details.job
    failed = [each for each in details.instances if each.result is InstanceResult.FAILURE]
    for each in failed:
        say(f"not committed: {each.SOPInstanceUID}: {each.comment}")
    if job.state is JobState.DONE and not failed:
        return
    if job.state.finished or failed:
        raise OpenModalityError(
            f"{name} has not committed everything: {describe_reason(job) or job.state}",
            advice=f"openmodality jobs show {job.id} tells more",
        )
    raise OpenModalityError(
        f"{name} has not answered yet: {describe_reason(job) or job.state}",
        advice=f"openmodality jobs show {job.id} tells when it has",
    )
