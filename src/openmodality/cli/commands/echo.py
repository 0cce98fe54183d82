"""``openmodality echo``: ask a peer whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openmodality.activities.echo import echo_peer
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.tls import add_tls
from openmodality.dimse.status import describe

if TYPE_CHECKING:
    import ssl


def _declare(parser: Parser) -> None:
    for add in (add_peer, add_site, add_calling, add_timeout, add_tls, add_json):
        add(parser)


def run(
    peer: str, site_file: str, calling: str | None, timeout: float | None, tls: ssl.SSLContext | None, as_json: bool
) -> int:
    """Ask PEER whether it is there and speaks DICOM (C-ECHO).

    PEER is AETITLE@host:port, or a peer's name in the site file.
    Exit status 0 when it answers Success, 1 when it does not.
    """
    ends = resolve(peer, "verification", site_file, calling, timeout, tls)
    answer = echo_peer(ends)
    milliseconds = answer.duration_s * 1000
    if as_json:
        print_document([{
            "peer": str(ends.remote),
            "status": f"{answer.status:04X}",
            "success": answer.is_success,
            "milliseconds": round(milliseconds, 1),
            "implementation_class_uid": answer.implementation_class_uid,
            "implementation_version_name": answer.implementation_version_name,
        }])  # fmt: skip
    else:
        version = f", {answer.implementation_version_name}" if answer.implementation_version_name else ""
        print(clean(f"{ends.remote}: {describe(answer.status)} in {milliseconds:.0f} ms{version}"))
    return 0 if answer.is_success else 1


command = CliCommand(run, _declare)
