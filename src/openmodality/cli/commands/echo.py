"""``openmodality echo``: ask a peer whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openmodality.activities.echo import EchoAnswer, describe_echo, echo_repeatedly
from openmodality.app.records.peers import echo_as_json
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, find_web_site, resolve
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.tls import add_tls
from openmodality.cli.terminal.values import parse_integer

if TYPE_CHECKING:
    import ssl

    from openmodality.device.site.site import Site

MAX_REPEATS: Final = 100_000


def _declare(parser: Parser) -> None:
    for add in (add_peer, add_site, add_calling, add_timeout, add_tls):
        add(parser)
    parser.add_argument(
        "--repeat",
        metavar="N",
        type=parse_integer(1, MAX_REPEATS),
        default=1,
        help="Ask so many times on one association; a line for each answer.",
    )
    add_json(parser)


def run(
    peer: str,
    site_file: str,
    calling: str | None,
    timeout: float | None,
    tls: ssl.SSLContext | None,
    repeat: int,
    as_json: bool,
) -> int:
    """Ask PEER whether it is there and speaks DICOM (C-ECHO).

    PEER is AETITLE@host:port, or a peer's name in the site file. One with a url is asked over DICOMweb.
    Exit status 0 when it answers Success, each time, 1 when it does not.
    """
    site = find_web_site(peer, site_file)
    if site is not None:
        where, answers = site.peers[peer].address, _echo_over_web(site, peer, repeat)
    else:
        ends = resolve(peer, "verification", site_file, calling, timeout, tls)
        where, answers = str(ends.remote), echo_repeatedly(ends, repeat)
    if as_json:
        print_document([echo_as_json(where, answer) for answer in answers])
    else:
        for answer in answers:
            print(clean(_format_answer(where, answer)))
    return 0 if all(answer.is_success for answer in answers) else 1


def _echo_over_web(site: Site, peer: str, repeat: int) -> list[EchoAnswer]:
    from openmodality.activities.web_peer import echo_web_peer  # noqa: PLC0415 - start-up time: HTTP

    return [echo_web_peer(site, site.peers[peer]) for _ in range(repeat)]


def _format_answer(where: str, answer: EchoAnswer) -> str:
    version = f", {answer.implementation_version_name}" if answer.implementation_version_name else ""
    return f"{where}: {describe_echo(answer)} in {answer.duration_s * 1000:.0f} ms{version}"


command = CliCommand(run, _declare)
