"""What two applications have agreed on for an association (PS3.8 7.1, PS3.7 D.3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from openmodality.dimse.channel import PeerInfo, PresentationContext
from openmodality.upper_layer.negotiation import Negotiated
from openmodality.value_class import value_class


@value_class
class Agreement:
    """The contexts, the peer, and the limits that it sets us."""

    contexts: Sequence[PresentationContext]
    peer: PeerInfo
    max_pdu_length: int
    """The longest P-DATA-TF that we send, in bytes; 0 for no limit."""
    max_operations_invoked: int = 1
    """How many requests we may have open at once."""


def list_contexts(negotiated: Negotiated) -> tuple[PresentationContext, ...]:
    """The accepted contexts, as DIMSE sees them."""
    return tuple(
        PresentationContext(c.id, c.abstract_syntax, c.transfer_syntax, as_scu=c.scu_role, as_scp=c.scp_role)
        for c in negotiated.accepted
    )
