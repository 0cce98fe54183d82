"""The errors that say why an association ended before its time."""

from __future__ import annotations

from openmodality.errors import AssociationAborted
from openmodality.standard.upper_layer import ABORT_BY_USER, ABORT_REASON_NOT_SPECIFIED
from openmodality.upper_layer.foreign import advise_on
from openmodality.upper_layer.primitives import AbortIndication


def explain_stop() -> AssociationAborted:
    """Make the error for an association that this side was asked to stop."""
    return AssociationAborted(
        "aborted by this side, which stops", source=ABORT_BY_USER, reason=ABORT_REASON_NOT_SPECIFIED
    )


def explain_abort(peer_name: str, event: AbortIndication) -> AssociationAborted:
    """Make the error for an A-ABORT or A-P-ABORT of the peer."""
    if event.violation:
        text = f"{peer_name} broke the protocol: {event.violation}"
    else:
        text = f"{peer_name} aborted the association: {event.text}"
    advice = advise_on(event.violation) or "the reason is in the peer's own log"
    return AssociationAborted(text, source=event.source, reason=event.reason, advice=advice)
