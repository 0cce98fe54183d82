"""``openmodality echo``: ask a peer whether it is there."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from openmodality.cli.terminal.arguments import Command, Parser
from openmodality.cli.terminal.options import add_json
from openmodality.cli.terminal.output import clean
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.tls import add_tls
from openmodality.dimse.status import StatusCategory, category, describe
from openmodality.network.requestor import associate
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal

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
    remote = ends.remote
    start = perf_counter()
    proposals = [ContextProposal(VERIFICATION, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))]
    with associate(remote, ends.local, proposals) as association:
        status = echo(association)
        duration_ms = (perf_counter() - start) * 1000
    is_success = category(status) is StatusCategory.SUCCESS
    info = association.peer
    if as_json:
        answer = {
            "peer": str(remote),
            "status": f"{status:04X}",
            "success": is_success,
            "milliseconds": round(duration_ms, 1),
            "implementation_class_uid": info.implementation_class_uid,
            "implementation_version_name": info.implementation_version_name,
        }
        import json  # noqa: PLC0415 - start-up time: a tenth of a second is all that an echo may take

        print(json.dumps(answer))
    else:
        version = f", {info.implementation_version_name}" if info.implementation_version_name else ""
        print(clean(f"{remote}: {describe(status)} in {duration_ms:.0f} ms{version}"))
    return 0 if is_success else 1


command = Command(run, _declare)
