"""The connection of one association: bytes become events, primitives become bytes, and both have an end.

Rules. ``upper_layer.provider`` says what the bytes mean; this module moves them. Whatever ends an association passes
through :meth:`Link.close`, once. Who is waiting for the end, such as an acceptor that counts associations, is told
before our last PDU goes out: the peer may ask for its next association as soon as it has read that PDU.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from openmodality.errors import (
    AssociationReleased,
    OpenModalityError,
    PeerTimeout,
    ProtocolError,
    TransportError,
)
from openmodality.network.agreement import Agreement
from openmodality.network.association_log import make_message_log
from openmodality.network.endings import explain_abort, explain_stop
from openmodality.network.inbox import Inbox
from openmodality.network.outbox import Outbox
from openmodality.network.storage.follow_up import FollowUp
from openmodality.network.transport import Transport
from openmodality.standard.upper_layer import ABORT_UNEXPECTED_PDU
from openmodality.upper_layer.primitives import (
    AbortIndication,
    AbortRequest,
    Indication,
    ProviderAbort,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
    Role,
    TransportClosed,
)
from openmodality.upper_layer.provider import Provider

LINGER_S: Final = 2.0
"""How long a side that closes waits until its last PDU has been read, and how long it looks for the reason of a failed
write.
"""


class Link:
    """A transport and the provider that understands it; ``is_open`` until one side has ended the association."""

    def __init__(
        self, transport: Transport, provider: Provider, agreement: Agreement, write_timeout_s: float | None
    ) -> None:
        self.transport = transport
        self.provider = provider
        self.outbox = Outbox(transport, agreement.max_pdu_length, write_timeout_s)
        self.follow_up = FollowUp(self.outbox)
        self.is_open = True
        self.is_stopping = False
        """Whether this side was asked to stop. That no more bytes come is then what was asked for, and no fault."""
        self.on_end: Callable[[], None] | None = None
        """Called once, before our last PDU goes out or the connection is closed."""
        self.log_message = make_message_log(agreement.peer)
        self._inbox = Inbox(provider)
        self._peer = agreement.peer

    @property
    def peer_name(self) -> str:
        """The AE title of the other side."""
        is_requestor = self.provider.role is Role.REQUESTOR
        return self._peer.called_ae_title if is_requestor else self._peer.calling_ae_title

    def take(self, read: Callable[..., int | None], *how: object, whole: bool = False) -> bool:
        """Let ``read`` of the transport fetch bytes and hand them to the provider; whether there were any.

        ``whole`` is as in :meth:`Inbox.read`. Raises :class:`TransportError`, which has closed the connection unless it
        is a :class:`PeerTimeout`, and :class:`AssociationAborted` where this side was asked to stop.
        """
        try:
            data = self._inbox.read(read, *how, whole=whole)
        except PeerTimeout:
            raise
        except TransportError:
            self.provider.transport_closed()
            self.close()
            raise
        if data is None:
            return False
        if data:
            if self.follow_up.is_planned:
                self.follow_up.look_at(data, begins=self.provider.is_between_pdus)
            self.provider.receive_data(data)
        elif self.is_stopping:
            raise explain_stop()
        else:
            self.provider.transport_closed()
        self.flush()
        return True

    def find_event(self) -> Indication | None:
        """The next event, without waiting; ``None`` where the bytes at hand hold none."""
        while (event := self.provider.next_event()) is None:
            if not self.take(self.transport.read_at_hand):
                return None
        return event

    def flush(self) -> None:
        """Write what the provider has to send, behind what is held."""
        data = self.provider.data_to_send()
        if data:
            self.outbox.flush(data)

    def send_primitive(self, primitive: ReleaseRequest | ReleaseResponse | AbortRequest | ProviderAbort) -> None:
        """Send the PDU of a primitive."""
        self.provider.send(primitive)
        self.flush()

    # Its end

    def abort(self) -> None:
        """Abort as a user of the service (PS3.8 7.3); never raises."""
        self._end_with(AbortRequest())

    def break_off(self, reason: str) -> ProtocolError:
        """Abort as the provider (PS3.8 7.4), because the peer broke the protocol; gives the error to raise."""
        self._end_with(ProviderAbort(ABORT_UNEXPECTED_PDU))
        return ProtocolError(f"{self.peer_name} broke the protocol: {reason}", advice="see the peer's own log")

    def raise_end(self, event: Indication, *, in_message: bool) -> None:
        """Answer an event that ends the association, and raise the error that says how; other events do nothing.

        ``in_message``: a message has begun and not ended, so that the peer must not release.
        """
        if isinstance(event, ReleaseIndication):
            if in_message:
                raise self.break_off("A-RELEASE-RQ came in the middle of a message")
            self._tell_end()
            self.send_primitive(ReleaseResponse())
            self.close(graceful=True)
            raise AssociationReleased(f"{self.peer_name} released the association")
        if isinstance(event, AbortIndication):
            self.close(graceful=bool(event.violation))  # the A-ABORT is ours then, and has to arrive
            raise explain_abort(self.peer_name, event)
        self.close()
        if isinstance(event, TransportClosed):
            raise TransportError(
                f"{self.peer_name} closed the connection without releasing the association",
                advice="the peer or the network between cut it: the peer's own log may say why",
            )

    def close(self, *, graceful: bool = False) -> None:
        """Close the connection; ``graceful`` waits until the peer has read our last PDU. Again does no harm."""
        self._tell_end()
        if self.is_open:
            self.is_open = False
            if graceful:
                self.transport.close_gracefully(LINGER_S)
            else:
                self.transport.close()

    def _end_with(self, primitive: AbortRequest | ProviderAbort) -> None:
        if not self.is_open:
            return
        self._tell_end()
        with suppress(OpenModalityError):  # the connection may be gone, and then nobody is left to be told
            self.send_primitive(primitive)
        self.close(graceful=True)

    def _tell_end(self) -> None:
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()
