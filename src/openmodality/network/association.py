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

Responses to C-STOREs of a peer that sends ahead may be held, to go out together (:mod:`openmodality.network.outbox`):
only in :meth:`serve` and only while instances are stored quickly. They go out before the socket is read, before another
kind of request is answered, and before the PDUs of a release or an abort. A request may go out between the arrival of
the response to the one before and its reading (:mod:`openmodality.network.storage.follow_up`).

After the end, :meth:`Association.receive` still gives out the responses that had arrived when a write failed.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from openmodality.dimse.assembler import CommandReceived, MessageAssembler
from openmodality.dimse.channel import FOREVER, Message
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared, prepare
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
from openmodality.network.agreement import Agreement
from openmodality.network.endings import aborted, stopped
from openmodality.network.inbox import Inbox
from openmodality.network.message import AssociationMessage
from openmodality.network.outbox import MAX_HELD, Outbox
from openmodality.network.storage.follow_up import FollowUp
from openmodality.network.timeouts import DEFAULT_TIMEOUTS, Deadline, Timeouts
from openmodality.network.transport import Transport
from openmodality.standard.dimse import CommandField
from openmodality.standard.upper_layer import ABORT_UNEXPECTED_PDU
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

MAX_EARLY: Final = 16
"""Requests that are kept while another is being answered; one is all that a peer may have open (PS3.7 D.3.3.3)."""
MAX_LOOKED_AT: Final = 64
"""Events of a peer that are taken in between two pending responses."""
QUICK_S: Final = 0.005
"""A response is held only after an instance that took less."""
LINGER_S: Final = 2.0
"""How long a closing side waits for its last PDU to be read, and looks for the reason why a write failed."""


class Association:
    """One association after its negotiation; fulfils :class:`openmodality.dimse.channel.Channel`.

    As a context manager it releases at the end and aborts on an exception.
    """

    def __init__(
        self,
        transport: Transport,
        provider: Provider,
        agreement: Agreement,
        services: Sequence[Service] = (),
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.contexts = agreement.contexts
        self.peer = agreement.peer
        self.max_operations_invoked = agreement.max_operations_invoked
        self.timeouts = timeouts
        self._max_pdu_length = agreement.max_pdu_length
        self._transport = transport
        self._provider = provider
        self._services = services
        self._by_id = {context.context_id: context for context in agreement.contexts}
        provider.accepted_contexts = self._by_id.keys()  # not those that the peer accepted in a way we cannot follow
        self._assembler = MessageAssembler()
        self._inbox = Inbox(provider)
        self._current: AssociationMessage | None = None
        self._early: deque[AssociationMessage] = deque()
        self._outbox = Outbox(transport, agreement.max_pdu_length, timeouts.data_s)
        self._follow_up = FollowUp(self._outbox)
        self._stores_quickly = False
        self._awaited = _NEXT_MESSAGE  # in the words of a time-out
        self._message_id = 0
        self._releasing = False
        self._release_by: Deadline | None = None
        self._is_open = True
        self._is_stopping = False
        self.on_end: Callable[[], None] | None = None
        """Called once, before the last PDU of this association goes out or its connection is closed."""

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
        self.send_prepared(self.prepare(context_id, command, data))

    def prepare(self, context_id: int, command: Command, data: DataSet | None = None) -> Prepared:
        """Make a message ready; see :class:`openmodality.dimse.channel.Channel`."""
        return prepare(context_id, command, data, self._max_pdu_length)

    def send_prepared(self, message: Prepared) -> None:
        """Send what :meth:`prepare` has made, reading the rest of its data set as it goes."""
        command = message.command
        if self._releasing:
            log.info("association.response_dropped", extra={"command": command.name})
            return
        if not self._is_open:
            raise UsageError("the association has ended")
        self._provider.check_can_send_data()
        if self._follow_up.takes(message):
            self._write(self._follow_up.finish, message)
        elif self._may_hold(message):
            self._outbox.hold(message)
        else:
            self._write(self._outbox.send, message)
        if not command.is_response and command.CommandField != CommandField.C_CANCEL_RQ:
            self._awaited = f"the response to {command.name}"

    def follow_up(self, message: Prepared, message_id: int) -> None:
        """Let :meth:`send_prepared` of ``message`` begin when the C-STORE ``message_id`` is seen to be a Success."""
        self._follow_up.plan(message, message_id)

    def receive(self, timeout_s: float | None = None) -> AssociationMessage:
        """Wait for the next message; see :class:`openmodality.dimse.channel.Channel`."""
        own_s = self.timeouts.response_s if timeout_s is None else timeout_s
        wait_s = None if own_s == FOREVER else own_s
        if self._is_open:
            self._read_over()
        if self._early:
            self._current = self._early.popleft()
        elif not self._is_open:
            raise TransportError("the association has ended")
        else:
            self._current = self._receive_command(wait_s)
        if self._current.command.is_response and not is_pending(self._current.command.Status):
            self._awaited = _NEXT_MESSAGE
        return self._current

    def answer(self, request: Message) -> None:
        """Let this side's services answer a request."""
        answer(self, self._services, request)

    def receive_data(self) -> PresentationDataValue:
        """The next part of the current message's data set."""
        while (event := self._provider.next_event()) is None:
            self._read(self.timeouts.data_s, "the rest of a data set", whole=True)
        received = self._assemble(event)
        if not isinstance(received, PresentationDataValue):
            raise self._broken("a command set arrived where a data set was due")
        return received

    def look_for_cancel(self, message_id: int | None) -> bool:
        """Take in what has arrived, without waiting for more; whether it was a C-CANCEL for ``message_id``.

        A peer that sends C-CANCELs without end is listened to for a while only, and after the next response again.
        """
        for _ in range(MAX_LOOKED_AT):
            event = self._event_at_hand()
            if event is None:
                return False
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
            self._read_over()  # before the look at the flag: from here on :meth:`stop` wakes us up
            if self._is_stopping:
                raise stopped()
            try:
                request = self.receive(self.timeouts.idle_s)
            except AssociationReleased:
                return
            if self._outbox.count and request.command.CommandField != _C_STORE_RQ:
                self._write(self._outbox.flush)  # what is asked for now may take long
            if not request.command.is_response:
                began = monotonic()
                self.answer(request)
                self._stores_quickly = monotonic() - began < QUICK_S

    def release(self) -> None:
        """Release in order (PS3.8 7.2); what the peer still sends is given to the services."""
        if not self._is_open:
            return
        try:
            self._read_over()
            self._follow_up.drop()
            self._releasing = True
            self._release_by = Deadline(self.timeouts.release_s)
            self._send_primitive(ReleaseRequest())
            self._await_release()
        except PeerTimeout as error:
            log.warning("association.release_failed", extra={"peer": self._peer_name(), "reason": str(error)})
            self.abort()
        except OpenModalityError as error:
            log.info("association.release_failed", extra={"reason": str(error)})
        finally:
            self._close()

    def abort(self) -> None:
        """Abort (PS3.8 7.3); never raises."""
        self._end_with(AbortRequest())

    def stop(self, *, at_once: bool = False) -> None:
        """Ask from another thread that the owner aborts: now where it waits for a request, else after its answer.

        ``at_once`` does not let it read the rest of a message either.
        """
        self._is_stopping = True
        if at_once or self._current is None:
            self._transport.shut(socket.SHUT_RD)

    def shut(self) -> None:
        """End the connection from another thread; the owner sees it break."""
        self._transport.shut()

    # Inside

    def _may_hold(self, message: Prepared) -> bool:
        """Whether the peer does not wait for this response to a C-STORE: its next request is here in part.

        Only while instances are stored quickly: what is held waits for the next one.
        """
        return (
            self._stores_quickly
            and message.command.CommandField == _C_STORE_RSP
            and not message.first
            and self._provider.has_unread
            and self._outbox.count < MAX_HELD
        )

    def _write(self, write: Callable[..., None], *what: Prepared) -> None:
        try:
            write(*what)
        except TransportError as error:
            self._raise_abort_behind(error)
            raise
        except BaseException:
            self.abort()  # half a message is out: nothing can follow it
            raise

    def _await_release(self) -> None:
        owes_response = False
        while True:
            event = self._provider.next_event()
            if event is None:
                self._read(None, _RELEASE)
            elif isinstance(event, ReleaseConfirm):
                if owes_response:
                    self._send_primitive(ReleaseResponse())
                    self._close(graceful=True)
                return
            elif isinstance(event, ReleaseIndication) and not self._assembler.in_message:
                owes_response = self._provider.role is Role.ACCEPTOR  # PS3.8 7.2.2: the requestor responds first
                if not owes_response:
                    self._send_primitive(ReleaseResponse())
            else:
                self._answer_in_release(event)

    def _answer_in_release(self, event: Indication) -> None:
        received = self._assemble(event)
        if isinstance(received, CommandReceived):
            self._current = self._message(received)
            if not received.command.is_response:
                self.answer(self._current)
            self._read_over()

    def _receive_command(self, wait_s: float | None) -> AssociationMessage:
        message = self._next_command()
        if message is None:
            self._read(self.timeouts.data_s if self._assembler.in_message else wait_s, self._awaited)
            message = self._next_command() or self._rest_of_command()
        return message

    def _rest_of_command(self) -> AssociationMessage:
        deadline = Deadline(self.timeouts.data_s)
        while (message := self._next_command()) is None:
            self._take(self._transport.read_before, self._release_by or deadline, self._awaited)
        return message

    def _next_command(self) -> AssociationMessage | None:
        """The next message whose command set has wholly arrived."""
        while (event := self._provider.next_event()) is not None:
            received = self._assemble(event)
            if isinstance(received, CommandReceived):
                return self._message(received)
        return None

    def _message(self, received: CommandReceived) -> AssociationMessage:
        return AssociationMessage(self, self._by_id[received.context_id], received.command)

    def _read_over(self) -> None:
        current, self._current = self._current, None
        if current is not None and current.has_more:
            for _ in current.chunks():
                pass

    def _assemble(self, event: Indication) -> CommandReceived | PresentationDataValue | None:
        """What an event means for the messages; those that end the association are raised."""
        if not isinstance(event, PresentationDataValue):
            self._flush()
            self._raise_end(event)
            raise self._broken("a PDU arrived that has no place in an open association")
        try:
            return self._assembler.receive(event)
        except ProtocolError as error:
            raise self._broken(str(error)) from error

    def _broken(self, reason: str) -> ProtocolError:
        self._end_with(ProviderAbort(ABORT_UNEXPECTED_PDU))
        return ProtocolError(f"{self._peer_name()} broke the protocol: {reason}", advice="see the peer's own log")

    def _event_at_hand(self) -> Indication | None:
        """The next event, without waiting."""
        while (event := self._provider.next_event()) is None:
            if not self._take(self._transport.read_at_hand):
                return None
        return event

    def _read(self, timeout_s: float | None, waiting_for: str, *, whole: bool = False) -> None:
        """Take in what comes next; while we release, all reads together have the time of the release."""
        if self._release_by is not None:
            self._take(self._transport.read_before, self._release_by, _RELEASE)
        else:
            self._take(self._transport.read_into, timeout_s, waiting_for, whole=whole)

    def _take(self, read: Callable[..., int | None], *how: object, whole: bool = False) -> bool:
        """Let the transport read, and tell the provider; whether there was anything."""
        if self._outbox.count:
            self._write(self._outbox.flush)
        try:
            data = self._inbox.read(read, *how, whole=whole)
        except TransportError as error:
            if not isinstance(error, PeerTimeout):
                self._provider.transport_closed()
                self._close()
            raise
        if data is None:
            return False
        if data:
            if self._follow_up.is_planned:
                self._follow_up.look(data, begins=self._provider.is_between_pdus)
            self._provider.receive_data(data)
        elif self._is_stopping:
            raise stopped()
        else:
            self._provider.transport_closed()
        self._flush()
        return True

    def _flush(self) -> None:
        data = self._provider.data_to_send()
        if data:
            self._outbox.flush(data)

    def _raise_end(self, event: Indication) -> None:
        if isinstance(event, ReleaseIndication):
            if self._assembler.in_message:
                raise self._broken("A-RELEASE-RQ came in the middle of a message")
            self._tell_end()  # first: whoever has our response may ask for the next association at once
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
        """A write failed: keep the responses that lie in the receive buffer; an A-ABORT there is the reason to report.

        A peer that takes nothing more will take no A-ABORT of ours either, and may send for ever.
        """
        deadline = Deadline(LINGER_S)
        try:
            while (deadline.left_s() or 0) > 0 and (event := self._event_at_hand()) is not None:
                self._keep_response(event)
        except AssociationAborted as abort:
            raise abort from error
        except OpenModalityError:
            pass
        if isinstance(error, PeerTimeout):
            self._close()
        self._end_with(AbortRequest())

    def _keep_response(self, event: Indication) -> None:
        received = self._assemble(event)
        if not isinstance(received, CommandReceived) or len(self._early) >= self.max_operations_invoked + MAX_EARLY:
            return
        if received.command.is_response and not received.command.has_data_set:
            self._early.append(self._message(received))

    def _send_primitive(self, primitive: ReleaseRequest | ReleaseResponse | AbortRequest | ProviderAbort) -> None:
        self._provider.send(primitive)
        self._flush()

    def _end_with(self, primitive: AbortRequest | ProviderAbort) -> None:
        if not self._is_open:
            return
        self._tell_end()
        with suppress(OpenModalityError):  # the connection may be gone, which is what an abort wants
            self._send_primitive(primitive)
        self._close(graceful=True)

    def _tell_end(self) -> None:
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()

    def _close(self, *, graceful: bool = False) -> None:
        self._tell_end()
        self._current = None  # it knows us: a circle, which would keep the receive buffer until it is collected
        if self._is_open:
            self._is_open = False
            if graceful:
                self._transport.close_gracefully(LINGER_S)
            else:
                self._transport.close()

    def _peer_name(self) -> str:
        return self.peer.called_ae_title if self._provider.role is Role.REQUESTOR else self.peer.calling_ae_title


_C_STORE_RQ, _C_STORE_RSP = int(CommandField.C_STORE_RQ), int(CommandField.C_STORE_RSP)
_NEXT_MESSAGE: Final = "the next DIMSE message"
_RELEASE: Final = "the answer to A-RELEASE-RQ"
