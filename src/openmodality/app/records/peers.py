"""The answers of peers as JSON values: to an echo, a query and a retrieve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom import Dataset

    from openmodality.activities.echo import EchoAnswer
    from openmodality.device.site.site import Peer
    from openmodality.query.moving import MoveResult

_OUTCOMES: Final = {"succeed": "done", "partial": "partly done", "fail": "failed"}


def echo_as_json(peer: str, answer: EchoAnswer) -> dict[str, Any]:
    """The answer to a C-ECHO for a program; that of a peer of DICOMweb says what it was to."""
    return {
        "peer": peer,
        "status": str(answer.status) if answer.said else f"{answer.status:04X}",
        "success": answer.is_success,
        "milliseconds": round(answer.duration_s * 1000, 1),
        "implementation_class_uid": answer.implementation_class_uid,
        "implementation_version_name": answer.implementation_version_name,
        "said": answer.said or None,
    }


def item_as_json(number: int | None, attributes: Dataset, defects: Sequence[str]) -> dict[str, Any]:
    """A worklist item for a program; one that is not kept has no number."""
    from openmodality.app.records.data_sets import data_set_as_json  # noqa: PLC0415 - start-up time: pydicom

    known = {} if number is None else {"item": number}
    return {**known, "attributes": data_set_as_json(attributes), "defects": list(defects)}


def retrieval_as_json(
    peer: str, destination: str, result: MoveResult, came: Sequence[str], refused: str
) -> dict[str, Any]:
    """What a retrieve has brought for a program: ``came`` and ``refused`` say what did, and did not, get in here."""
    counts = result.counts
    return {
        "peer": peer,
        "destination": destination,
        "status": f"{result.status:04X}",
        "outcome": _OUTCOMES[result.verdict.effect],
        "completed": counts.completed,
        "warning": counts.warning,
        "failed": counts.failed,
        "remaining": counts.remaining,
        "failed_sop_instance_uids": list(result.failed_uids),
        "received_sop_instance_uids": list(came),
        "refused_here": refused,
        "comment": result.comment,
    }


def peer_as_json(peer: Peer) -> dict[str, Any]:
    """A peer as the site file has it, for a program."""
    return {
        "name": peer.name,
        "alias": peer.settings.alias,
        "description": peer.settings.description,
        "ae_title": peer.ae_title,
        "host": peer.host,
        "port": peer.port,
        "tls": peer.tls,
        "services": sorted(peer.services),
    }
