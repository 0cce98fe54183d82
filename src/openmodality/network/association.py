"""An established association: the channel that services speak to, and how it is served and ended.

Theory of operation. One thread owns an association and every read and write in it. :mod:`openmodality.network.link`
has the connection, :mod:`openmodality.network.incoming` the messages that arrive, and
:mod:`openmodality.network.release` the release by this side.

Four things may arrive where something else was waited for, and each has its place: a request of the peer (a late
N-EVENT-REPORT) is answered by this side's services (:meth:`Association.answer`); a C-CANCEL is seen when
:meth:`Association.look_for_cancel` looks, between pending responses; a release is confirmed and ends the waiting with
:class:`AssociationReleased`; an abort ends it with :class:`AssociationAborted`.

Responses to C-STOREs of a peer that sends ahead may be held, to go out together (:mod:`openmodality.network.outbox`):
only in :meth:`Association.serve` and only while instances are stored quickly. They go out before the socket is read,
before another kind of request is answered, and before the PDUs of a release or an abort. A request may go out between
the arrival of the response to the one before and its reading (:mod:`openmodality.network.storage.follow_up`).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from openmodality.dimse.channel import FOREVER, Message
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared, prepare_alike, prepare_message
from openmodality.dimse.service import Service, answer
from openmodality.dimse.status import is_pending
from openmodality.errors import AssociationReleased, OpenModalityError, PeerTimeout, UsageError
from openmodality.network.agreement import Agreement
from openmodality.network.association_log import log, log_end
from openmodality.network.endings import explain_stop
from openmodality.network.incoming import NEXT_MESSAGE, IncomingMessages
from openmodality.network.link import Link
from openmodality.network.message import AssociationMessage, MessageInProgress
from openmodality.network.outbox import MAX_HELD
from openmodality.network.release import release_in_order
from openmodality.network.timeouts import DEFAULT_TIMEOUTS, Timeouts
from openmodality.network.transport import Arrived, Transport
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.primitives import PresentationDataValue
from openmodality.upper_layer.provider import Provider

QUICK_S: Final = 0.005
"""A response is held only after an instance that took less."""
STOP_PATIENCE_S: Final = 0.2
"""How long this side, which was asked to stop, waits after an answer for the peer to release before it aborts."""
_C_STORE_RQ: Final = int(CommandField.C_STORE_RQ)
_C_STORE_RSP: Final = int(CommandField.C_STORE_RSP)


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
        self.max_pdu_length = agreement.max_pdu_length
        self.timeouts = timeouts
        self._services = services
        self._by_id = {context.context_id: context for context in agreement.contexts}
        provider.accepted_contexts = self._by_id.keys()  # not those that the peer accepted in a way we cannot follow
        self._link = Link(transport, provider, agreement, timeouts.data_s)
        self._incoming = IncomingMessages(self._link, timeouts, agreement.max_operations_invoked)
        self._stores_quickly = False
        self._message_id = 0
        self.on_answer: Callable[[Command], object] | None = None
        """Gets the command set of each response that comes."""

    def __repr__(self) -> str:
        return f"<Association with {self.peer}, {'open' if self.is_open else 'ended'}, contexts: {len(self.contexts)}>"

    def __enter__(self) -> Association:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not self.is_open:
            return
        if kind is None:
            self.release()
        else:
            self.abort()

    @property
    def is_open(self) -> bool:
        """Whether messages can still be exchanged."""
        return self._link.is_open

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
        return prepare_message(context_id, command, data, self.max_pdu_length)

    def send_prepared(self, message: Prepared) -> None:
        """Send what :meth:`prepare` has made, reading the rest of its data set as it goes."""
        command, link = message.command, self._link
        if self._incoming.is_releasing:
            log.info("association.response_dropped", extra={"command": command.name})
            return
        if not link.is_open:
            raise UsageError("the association has ended")
        link.provider.check_can_send_data()
        if log.isEnabledFor(logging.DEBUG):
            link.log_message("dimse.sent", message.context_id, command)
        if link.follow_up.takes(message):
            self._incoming.guard(link.follow_up.finish, message)
        elif self._may_hold(message):
            link.outbox.hold(message)
        else:
            self._incoming.guard(link.outbox.send, message)
        if not command.is_response and command.CommandField != CommandField.C_CANCEL_RQ:
            self._incoming.awaited = f"the response to {command.name}"

    def send_alike(self, context_id: int, command: Command, data_sets: Sequence[bytes]) -> None:
        """Send a message for each data set in one write; see :class:`openmodality.dimse.channel.Channel`."""
        self.send_prepared(prepare_alike(context_id, command, data_sets, self.max_pdu_length))

    def follow_up(self, message: Prepared, message_id: int) -> None:
        """Let :meth:`send_prepared` of ``message`` begin when the C-STORE ``message_id`` is seen to be a Success."""
        self._link.follow_up.plan(message, message_id)

    def receive(self, timeout_s: float | None = None) -> AssociationMessage:
        """Wait for the next message; see :class:`openmodality.dimse.channel.Channel`."""
        own_s = self.timeouts.response_s if timeout_s is None else timeout_s
        received = self._incoming.receive(None if own_s == FOREVER else own_s)
        command = received.command
        if command.is_response:
            if not is_pending(command.Status):
                self._incoming.awaited = NEXT_MESSAGE
            if self.on_answer is not None:
                self.on_answer(command)
        return self._make_message(received)

    def answer(self, request: Message) -> None:
        """Let this side's services answer a request."""
        answer(self, self._services, request)

    def receive_data(self) -> PresentationDataValue:
        """The next part of the current message's data set."""
        return self._incoming.receive_data()

    def look_for_cancel(self, message_id: int | None) -> bool:
        """Take in what has arrived, without waiting for more; whether it was a C-CANCEL for ``message_id``."""
        return self._incoming.look_for_cancel(message_id)

    # The life of the association

    def serve(self) -> None:
        """Answer requests until the peer releases; raises what ends an association otherwise."""
        link, incoming = self._link, self._incoming
        while True:
            incoming.read_over()  # before the look at the flag: from here on :meth:`stop` wakes us up
            if link.is_stopping:
                return self._end_stopped()
            try:
                request = self.receive(self.timeouts.idle_s)
            except AssociationReleased:
                return None
            if link.outbox.count and request.command.CommandField != _C_STORE_RQ:
                incoming.guard(link.outbox.flush)  # what is asked for now may take long
            if not request.command.is_response:
                began = monotonic()
                self.answer(request)
                self._stores_quickly = monotonic() - began < QUICK_S

    def attend(self, timeout_s: float, wake: int) -> bool:
        """Answer requests of the peer where this side has nothing to ask; whether ``timeout_s`` has gone by.

        Ends before where bytes can be read from the file descriptor ``wake``. Raises what ends the association,
        :class:`AssociationReleased` where the peer releases it.
        """
        end, incoming, link = monotonic() + timeout_s, self._incoming, self._link
        while True:
            incoming.read_over()
            if not (incoming.has_early or link.provider.has_unread):
                arrived = link.transport.await_either(wake, end - monotonic())
                if arrived is not Arrived.PEER:
                    return arrived is Arrived.NOTHING
            request = self.receive()
            if not request.command.is_response:
                self.answer(request)

    def _end_stopped(self) -> None:
        """Answer the release that a peer asks for at this moment, as most do after their last response.

        Raises :class:`AssociationAborted` where none comes: the caller aborts.
        """
        try:
            self._incoming.await_release(STOP_PATIENCE_S)
        except AssociationReleased:
            return
        raise explain_stop()

    def release(self) -> None:
        """Release in order (PS3.8 7.2); what the peer still sends is given to the services."""
        if not self.is_open:
            return
        try:
            release_in_order(self._link, self._incoming, lambda received: self.answer(self._make_message(received)))
            log_end("association.released", self.peer)
        except PeerTimeout as error:
            log.warning("association.release_failed", extra={"peer": self._link.peer_name, "reason": error.message})
            self.abort()
        except OpenModalityError as error:
            log.info("association.release_failed", extra={"reason": error.message})
        finally:
            self._link.close()

    def abort(self) -> None:
        """Abort (PS3.8 7.3); never raises."""
        if self.is_open:
            log_end("association.aborted", self.peer, "by this side")
        self._link.abort()

    def stop(self, *, at_once: bool = False) -> None:
        """Ask from another thread that the owner aborts: now where it waits for a request, else after its answer.

        ``at_once`` does not let it read the rest of a message either.
        """
        self._link.is_stopping = True
        if at_once or not self._incoming.is_in_message:
            self._link.transport.shut(socket.SHUT_RD)

    def shut(self) -> None:
        """End the connection from another thread; the owner sees it break."""
        self._link.transport.shut()

    def call_at_end(self, told: Callable[[], None]) -> None:
        """Call ``told`` once, before the last PDU of this association goes out or its connection is closed.

        Whoever asked earlier is called earlier.
        """
        before = self._link.on_end

        def tell_both() -> None:
            if before is not None:
                before()
            told()

        self._link.on_end = told if before is None else tell_both

    # Inside

    def _make_message(self, received: MessageInProgress) -> AssociationMessage:
        return AssociationMessage(self, self._by_id[received.context_id], received)

    def _may_hold(self, message: Prepared) -> bool:
        """Whether the peer does not wait for this response to a C-STORE: its next request is here in part.

        Only while instances are stored quickly: what is held waits for the next one.
        """
        return (
            self._stores_quickly
            and message.command.CommandField == _C_STORE_RSP
            and not message.first
            and self._link.provider.has_unread
            and self._link.outbox.count < MAX_HELD
        )
