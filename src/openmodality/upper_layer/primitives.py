"""Service primitives (PS3.8 7): what the user of an association says to the provider, and what it hears from it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.reasons import abort_text
from openmodality.value_class import value_class


class Role(Enum):
    """Which side of the association this is: who asked for it, or who was asked."""

    REQUESTOR = "association-requestor"
    ACCEPTOR = "association-acceptor"


@value_class
class AssociateRequest:
    """A-ASSOCIATE request (requestor, Sta1). The transport connection is to be opened next."""

    pdu: A_ASSOCIATE_RQ


@value_class
class AssociateAccept:
    """A-ASSOCIATE response, accept (acceptor, Sta3)."""

    pdu: A_ASSOCIATE_AC


@value_class
class AssociateReject:
    """A-ASSOCIATE response, reject (acceptor, Sta3)."""

    pdu: A_ASSOCIATE_RJ


@value_class
class ReleaseRequest:
    """A-RELEASE request (Sta6)."""


@value_class
class ReleaseResponse:
    """A-RELEASE response (Sta8, and after a release collision Sta9 or Sta12)."""


@value_class
class AbortRequest:
    """A-ABORT request by the service-user, allowed at any time."""


@value_class
class ProviderAbort:
    """Abort as service-provider, for a protocol error that a layer above has seen; a reason of PS3.8 Table 9-26."""

    reason: int


Primitive = (
    AssociateRequest
    | AssociateAccept
    | AssociateReject
    | ReleaseRequest
    | ReleaseResponse
    | AbortRequest
    | ProviderAbort
)


@value_class
class AssociateIndication:
    """A-ASSOCIATE indication: decide, then send ``AssociateAccept`` or ``AssociateReject``."""

    pdu: A_ASSOCIATE_RQ


@value_class
class AssociateConfirm:
    """A-ASSOCIATE confirmation (accept)."""

    pdu: A_ASSOCIATE_AC


@value_class
class AssociateRejected:
    """A-ASSOCIATE confirmation (reject); the transport connection is to be closed."""

    pdu: A_ASSOCIATE_RJ


@value_class
class ReleaseIndication:
    """The peer asks to release. ``collision``: so do we, both requests crossed on the way."""

    collision: bool = False


@value_class
class ReleaseConfirm:
    """The peer has agreed to release."""


@value_class
class AbortIndication:
    """A-ABORT or A-P-ABORT indication. ``violation`` says what the peer did wrong if it was this provider that
    aborted.
    """

    source: int
    reason: int
    violation: str = ""

    @property
    def text(self) -> str:
        return self.violation or abort_text(self.source, self.reason)


@value_class
class TransportClosed:
    """The connection went away under a living association (the A-P-ABORT indication of AA-4)."""


class PresentationDataValue(NamedTuple):
    """P-DATA indication: a slice of a presentation data value, as it arrived. A tuple, because some are made for every
    instance.

    A value may come in several slices, and several short values of a data set in one. ``is_last`` is set only on the
    slice that completes a value whose last-fragment bit is set, which is the end of the command or data set. ``data``
    is valid until the next ``receive_data``.
    """

    context_id: int
    is_command: bool
    is_last: bool
    data: memoryview


Indication = (
    AssociateIndication
    | AssociateConfirm
    | AssociateRejected
    | ReleaseIndication
    | ReleaseConfirm
    | AbortIndication
    | TransportClosed
    | PresentationDataValue
)
