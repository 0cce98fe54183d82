"""``openmodality echo``: ask a peer whether it is there."""

from __future__ import annotations

import json
from time import perf_counter

import typer

from openmodality.cli.peer import CallingOption, JsonOption, PeerArgument, TimeoutOption, local_ae, resolve
from openmodality.dimse.status import StatusCategory, category, describe
from openmodality.network.entity import DEFAULT_AE_TITLE
from openmodality.network.requestor import associate
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal


def run(
    peer: PeerArgument,
    calling: CallingOption = DEFAULT_AE_TITLE,
    timeout: TimeoutOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Ask a peer whether it is there and speaks DICOM (C-ECHO).

    Exit status 0 when it answers Success, 1 when it does not.
    """
    remote = resolve(peer)
    start = perf_counter()
    proposals = [ContextProposal(VERIFICATION, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))]
    with associate(remote, local_ae(calling, timeout), proposals) as association:
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
        print(json.dumps(answer))
    else:
        version = f", {info.implementation_version_name}" if info.implementation_version_name else ""
        print(f"{remote}: {describe(status)} in {duration_ms:.0f} ms{version}")
    raise typer.Exit(0 if is_success else 1)
