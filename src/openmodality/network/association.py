"""An established association: the shell around ``upper_layer.Provider``, and the channel that services speak to.

Theory of operation. One thread owns an association and every read and write in it. Reading is a pull:
:meth:`Association.receive` reads from the socket until a command set is whole and gives the message out; its data set
is then pulled fragment by fragment, each a slice of the one receive buffer. What is left of a message when the next
one is asked for is read over.

Four things may arrive where something else was waited for, and each has its place: a request of the peer (a late
N-EVENT-REPORT) is answered by this side's services (:meth:`answer`); a C-CANCEL is seen when
:meth:`look_for_cancel` looks, between pending responses; a release is confirmed and ends the waiting with
:class:`AssociationReleased`; an abort ends it with :class:`AssociationAborted`. While we release, requests still
reach the services, but their responses have no way back (PS3.8 Sta7).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from openmodality.dimse.assembler import CommandReceived, DataReceived, MessageAssembler
from openmodality.dimse.channel import Message, PeerInfo, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, message_writes
from openmodality.dimse.service import Service, answer
from openmodality.dimse.status import is_pending
from openmodality.errors import (
    AssociationAborted,
    AssociationReleased,
    OpenModalityError,
    PeerTimeout,
    ProtocolError,
    TransportError,
    UsageError,
)
from openmodality.network.timeouts import DEFAULT_TIMEOUTS, Timeouts
from openmodality.network.transport import Transport
from openmodality.standard.dimse import CommandField
from openmodality.standard.upper_layer import ABORT_UNEXPECTED_PDU
from openmodality.upper_layer.negotiation import Negotiated
from openmodality.upper_layer.primitives import (
    AbortIndication,
    AbortRequest,
    Indication,
    PresentationDataValue,
    ProviderAbort,
    ReleaseConfirm,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
    Role,
    TransportClosed,
)
from openmodality.upper_layer.provider import Provider

log = logging.getLogger(__name__)

RECEIVE_BUFFER_BYTES: Final = 256 * 1024
MAX_EARLY: Final = 16
"""Requests that are kept while another is being answered; one is all that a peer may have open (PS3.7 D.3.3.3)."""
LINGER_S: Final = 2.0
"""How long a closing side waits for the peer to read its last PDU."""


class AssociationMessage:
    """A message that has begun to arrive; see :class:`openmodality.dimse.channel.Message`."""

    __slots__ = ("_has_more", "_was_cancelled", "channel", "command", "context")

    def __init__(self, channel: Association, context: PresentationContext, command: Command) -> None:
        self.channel = channel
        self.context = context
        self.command = command
        self._has_more = command.has_data_set
        self._was_cancelled = False

    @property
    def peer(self) -> PeerInfo:
        """Who sent it."""
        return self.channel.peer

    def chunks(self) -> Iterator[memoryview]:
        """The data set as it arrives; each chunk is valid until the next is asked for."""
        while self._has_more:
            part = self.channel.receive_data()
            self._has_more = not part.is_last
            yield part.data

    def cancelled(self) -> bool:
        """Whether a C-CANCEL for this request has arrived."""
        self._was_cancelled = self._was_cancelled or self.channel.look_for_cancel(self.command.MessageID)
        return self._was_cancelled


class Association:
    """One association after its negotiation; fulfils :class:`openmodality.dimse.channel.Channel`.

    As a context manager it releases at the end and aborts on an exception.
    """

    def __init__(  # six things make an association; none has a sensible default but the last two
        self,
        transport: Transport,
        provider: Provider,
        contexts: Sequence[PresentationContext],
        peer: PeerInfo,
        services: Sequence[Service] = (),
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.contexts = contexts
        self.peer = peer
        self.timeouts = timeouts
        self.max_pdu_length = 0
        self.max_operations_invoked = 1
        self._transport = transport
        self._provider = provider
        self._services = services
        self._by_id = {context.context_id: context for context in contexts}
        provider.accepted_contexts = self._by_id.keys()  # not those that the peer accepted in a way we cannot follow
        self._assembler = MessageAssembler()
        self._buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._current: AssociationMessage | None = None
        self._early: deque[AssociationMessage] = deque()
        self._awaited = _NEXT_MESSAGE  # in the words of a time-out
        self._message_id = 0
        self._releasing = False
        self._is_open = True

    def __enter__(self) -> Association:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not self._is_open:
            return
        if kind is None:
            self.release()
        else:
            self.abort()

    @property
    def is_open(self) -> bool:
        """Whether messages can still be exchanged."""
        return self._is_open

    # Channel

    def next_message_id(self) -> int:
        """The next Message ID (0000,0110), 1 to 65535 and around again."""
        self._message_id = self._message_id % 0xFFFF + 1
        return self._message_id

    def send(self, context_id: int, command: Command, data: DataSet | None = None) -> None:
        """Send one message, reading ``data`` as it goes."""
        if self._releasing:
            log.info("association.response_dropped", extra={"command": command.name})
            return
        if not self._is_open:
            raise UsageError("the association has ended")
        self._provider.check_can_send_data()
        write, timeout_s = self._transport.write, self.timeouts.data_s
        has_begun = False
        try:
            for buffers in message_writes(context_id, command, data, self.max_pdu_length):
                has_begun = True
                write(buffers, timeout_s)
        except TransportError as error:
            self._raise_abort_behind(error)
            raise
        except BaseException:
            if has_begun:
                self.abort()  # half a message is out: nothing can follow it
            raise
        if not command.is_response and command.CommandField != CommandField.C_CANCEL_RQ:
            self._awaited = f"the response to {command.name}"

    def receive(self, timeout_s: float | None = None) -> AssociationMessage:
        """Wait for the next message; see :class:`openmodality.dimse.channel.Channel`."""
        wait_s = self.timeouts.response_s if timeout_s is None else timeout_s
        self._read_over()
        if self._early:
            self._current = self._early.popleft()
        else:
            self._current = self._receive_command(wait_s)
        if self._current.command.is_response and not is_pending(self._current.command.Status):
            self._awaited = _NEXT_MESSAGE
        return self._current

    def answer(self, request: Message) -> None:
        """Let this side's services answer a request."""
        answer(self, self._services, request)

    def receive_data(self) -> DataReceived:
        """The next part of the current message's data set."""
        received = self._assemble(self._event(self.timeouts.data_s, "the rest of a data set"))
        if not isinstance(received, DataReceived):
            raise self._broken("a command set arrived where a data set was due")
        return received

    def look_for_cancel(self, message_id: int | None) -> bool:
        """Take in what has arrived, without waiting for more; whether it was a C-CANCEL for ``message_id``."""
        while (event := self._event_at_hand()) is not None:
            received = self._assemble(event)
            if received is None:
                continue
            if not isinstance(received, CommandReceived) or received.command.has_data_set:
                raise self._broken("a second request arrived before the first was answered")
            command = received.command
            if command.CommandField != CommandField.C_CANCEL_RQ:
                if len(self._early) == MAX_EARLY:
                    raise self._broken(f"{MAX_EARLY} requests arrived before the first was answered")
                self._early.append(self._message(received))
            elif command.MessageIDBeingRespondedTo == message_id:
                return True
        return False

    # The life of the association

    def serve(self) -> None:
        """Answer requests until the peer releases; raises what ends an association otherwise."""
        while True:
            try:
                request = self.receive(self.timeouts.idle_s)
            except AssociationReleased:
                return
            if not request.command.is_response:
                self.answer(request)

    def answer_for(self, seconds: float) -> None:
        """Answer requests of the peer for a while, such as a notification on the same association."""
        try:
            while True:
                self.answer(self.receive(seconds))
        except TransportError as error:
            if getattr(error, "waiting_for", None) != _NEXT_MESSAGE:
                raise

    def release(self) -> None:
        """Release in order (PS3.8 7.2); what the peer still sends is given to the services."""
        if not self._is_open:
            return
        self._read_over()
        self._releasing = True
        try:
            self._send_primitive(ReleaseRequest())
            self._await_release()
        except OpenModalityError as error:
            log.info("association.release_failed", extra={"reason": str(error)})
        finally:
            self._close()

    def abort(self) -> None:
        """Abort (PS3.8 7.3); never raises."""
        self._end_with(AbortRequest())

    def shut(self) -> None:
        """End the connection from another thread; the owner sees it break."""
        self._transport.shut()

    # Inside

    def _await_release(self) -> None:
        while True:
            event = self._event(self.timeouts.release_s, "the answer to A-RELEASE-RQ", in_release=True)
            if isinstance(event, ReleaseConfirm):
                return
            if isinstance(event, ReleaseIndication):
                self._send_primitive(ReleaseResponse())
                continue
            received = self._assemble(event)
            if isinstance(received, CommandReceived):
                self._current = self._message(received)
                if not received.command.is_response:
                    self.answer(self._current)
                self._read_over()

    def _receive_command(self, wait_s: float | None) -> AssociationMessage:
        while True:
            in_message = self._assembler.in_message
            event = self._event(self.timeouts.data_s if in_message else wait_s, self._awaited)
            received = self._assemble(event)
            if isinstance(received, CommandReceived):
                return self._message(received)

    def _message(self, received: CommandReceived) -> AssociationMessage:
        return AssociationMessage(self, self._by_id[received.context_id], received.command)

    def _read_over(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            for _ in current.chunks():
                pass

    def _assemble(self, event: Indication) -> CommandReceived | DataReceived | None:
        if not isinstance(event, PresentationDataValue):
            raise self._broken("a PDU arrived that has no place in an open association")
        try:
            return self._assembler.receive(event)
        except ProtocolError as error:
            raise self._broken(str(error)) from error

    def _broken(self, reason: str) -> ProtocolError:
        self._end_with(ProviderAbort(ABORT_UNEXPECTED_PDU))
        return ProtocolError(f"{self._peer_name()} broke the protocol: {reason}", advice="see the peer's own log")

    def _event(self, timeout_s: float | None, waiting_for: str, *, in_release: bool = False) -> Indication:
        """The next event; those that end the association are raised."""
        provider = self._provider
        while (event := provider.next_event()) is None:
            self._read(timeout_s, waiting_for)
        if type(event) is not PresentationDataValue:
            self._flush()
            if not in_release or isinstance(event, (AbortIndication, TransportClosed)):
                self._raise_end(event)
        return event

    def _event_at_hand(self) -> Indication | None:
        provider = self._provider
        while (event := provider.next_event()) is None:
            if not self._transport.readable():
                return None
            self._read(self.timeouts.data_s, _NEXT_MESSAGE)
        if type(event) is not PresentationDataValue:
            self._flush()
            self._raise_end(event)
        return event

    def _read(self, timeout_s: float | None, waiting_for: str) -> None:
        try:
            count = self._transport.read_into(self._buffer, timeout_s, waiting_for)
        except TransportError as error:
            if getattr(error, "waiting_for", None) is None:
                self._provider.transport_closed()
                self._close()
            raise
        if count:
            self._provider.receive_data(self._buffer[:count])
        else:
            self._provider.transport_closed()
        self._flush()

    def _flush(self) -> None:
        data = self._provider.data_to_send()
        if data:
            self._transport.write((data,), self.timeouts.data_s)

    def _raise_end(self, event: Indication) -> None:
        if isinstance(event, ReleaseIndication):
            self._send_primitive(ReleaseResponse())
            self._close(graceful=True)
            raise AssociationReleased(f"{self._peer_name()} released the association")
        if isinstance(event, AbortIndication):
            self._close(graceful=bool(event.violation))  # the A-ABORT is ours then, and has to arrive
            raise aborted(self._peer_name(), event)
        self._close()
        if isinstance(event, TransportClosed):
            raise TransportError(f"{self._peer_name()} closed the connection without releasing the association")

    def _raise_abort_behind(self, error: TransportError) -> None:
        """A write failed: if an A-ABORT of the peer lies in the receive buffer, that is the reason to report.

        A peer that takes nothing more will take no A-ABORT of ours either, and may send for ever.
        """
        if isinstance(error, PeerTimeout):
            self._close()
            return
        try:
            while (event := self._event_at_hand()) is not None:
                self._assemble(event)
        except AssociationAborted as abort:
            raise abort from error
        except OpenModalityError:
            pass
        self._end_with(AbortRequest())

    def _send_primitive(self, primitive: ReleaseRequest | ReleaseResponse | AbortRequest | ProviderAbort) -> None:
        self._provider.send(primitive)
        self._flush()

    def _end_with(self, primitive: AbortRequest | ProviderAbort) -> None:
        if not self._is_open:
            return
        with suppress(OpenModalityError):  # the connection may be gone, which is what an abort wants
            self._send_primitive(primitive)
        self._close(graceful=True)

    def _close(self, *, graceful: bool = False) -> None:
        if self._is_open:
            self._is_open = False
            if graceful:
                self._transport.close_gracefully(LINGER_S)
            else:
                self._transport.close()

    def _peer_name(self) -> str:
        return self.peer.called_ae_title if self._provider.role is Role.REQUESTOR else self.peer.calling_ae_title


_NEXT_MESSAGE: Final = "the next DIMSE message"


def contexts_of(negotiated: Negotiated) -> tuple[PresentationContext, ...]:
    """The accepted contexts, as DIMSE sees them."""
    return tuple(
        PresentationContext(c.id, c.abstract_syntax, c.transfer_syntax, as_scu=c.scu_role, as_scp=c.scp_role)
        for c in negotiated.accepted
    )


def aborted(peer_name: str, event: AbortIndication) -> AssociationAborted:
    """The error for an A-ABORT or A-P-ABORT of the peer."""
    if event.violation:
        text = f"{peer_name} broke the protocol: {event.violation}"
    else:
        text = f"{peer_name} aborted the association: {event.text}"
    return AssociationAborted(
        text, source=event.source, reason=event.reason, advice="the reason is in the peer's own log"
    )
