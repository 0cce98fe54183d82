"""What arrives on an association: messages, and the events that end it instead.

Rules. Reading is a pull. :meth:`IncomingMessages.receive` reads until a command set is whole; the data set behind it is
pulled fragment by fragment, each a slice of the one receive buffer, valid until the next is asked for. What nobody has
read of a message when the next one is asked for is read and forgotten. A release, an abort or a broken connection is
raised. Where this side releases, all reads together have the time of the release.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from openmodality.dimse.assembler import CommandReceived, MessageAssembler
from openmodality.dimse.outgoing import Prepared
from openmodality.errors import AssociationAborted, OpenModalityError, PeerTimeout, ProtocolError, TransportError
from openmodality.network.association_log import log
from openmodality.network.link import LINGER_S, Link
from openmodality.network.message import MessageInProgress
from openmodality.network.timeouts import Deadline, Timeouts
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.primitives import Indication, PresentationDataValue

MAX_EARLY: Final = 16
"""How many requests are kept while another is being answered; a peer may have one open (PS3.7 D.3.3.3)."""
MAX_LOOKED_AT: Final = 64
"""How many events of a peer are taken in between two pending responses."""
NEXT_MESSAGE: Final = "the next DIMSE message"
_RELEASE: Final = "the answer to A-RELEASE-RQ"


class IncomingMessages:
    """The messages of one association, in their order.

    ``awaited`` is what the next time-out says was waited for.
    """

    def __init__(self, link: Link, timeouts: Timeouts, max_operations_invoked: int) -> None:
        self.awaited = NEXT_MESSAGE
        self._link = link
        self._timeouts = timeouts
        self._max_responses = max_operations_invoked + MAX_EARLY
        self._assembler = MessageAssembler()
        self._early: deque[CommandReceived] = deque()
        self._current: MessageInProgress | None = None
        self._release_by: Deadline | None = None

    @property
    def is_in_message(self) -> bool:
        """Whether a message has been given out since the last :meth:`read_over`."""
        return self._current is not None

    @property
    def has_early(self) -> bool:
        """Whether messages have been taken in that :meth:`receive` has not given out."""
        return bool(self._early)

    @property
    def is_releasing(self) -> bool:
        """Whether this side has begun to release."""
        return self._release_by is not None

    def receive(self, wait_s: float | None) -> MessageInProgress:
        """Wait for the next message; ``None`` waits for ever.

        After the end of the association the responses come first that had arrived when a write failed. Raises
        :class:`PeerTimeout` where the time is over, else the error that has ended the association.
        """
        if self._link.is_open:
            self.read_over()
        if self._early:
            return self.begin(self._early.popleft())
        if not self._link.is_open:
            raise TransportError("the association has ended")
        return self.begin(self._receive_command(wait_s))

    def begin(self, received: CommandReceived) -> MessageInProgress:
        """Make a message the current one, whose data set comes next."""
        self._log_received(received)
        self._current = MessageInProgress(received)
        return self._current

    def receive_data(self) -> PresentationDataValue:
        """The next part of the current message's data set."""
        part = self._receive_part()
        if part.is_last and self._current is not None:
            self._current.has_more = False
        return part

    def read_over(self) -> None:
        """Forget the current message; what is left of it is read."""
        current, self._current = self._current, None  # first: from now on a stop need not wait for the rest
        while current is not None and current.has_more:
            current.has_more = not self._receive_part().is_last

    def look_for_cancel(self, message_id: int | None) -> bool:
        """Take in what has arrived, without waiting for more; whether it was a C-CANCEL for ``message_id``.

        A peer that sends C-CANCELs without end is listened to for a while only, and after the next response again.
        """
        for _ in range(MAX_LOOKED_AT):
            event = self._find_event()
            if event is None:
                return False
            received = self.assemble(event)
            if received is None:
                continue
            if not isinstance(received, CommandReceived) or received.command.has_data_set:
                raise self._link.break_off("a second request arrived before the first was answered")
            command = received.command
            if command.CommandField != CommandField.C_CANCEL_RQ:
                if len(self._early) == MAX_EARLY:
                    raise self._link.break_off(f"{MAX_EARLY} requests arrived before the first was answered")
                self._early.append(received)
            else:
                self._log_received(received)
                if command.MessageIDBeingRespondedTo == message_id:
                    return True
        return False

    def assemble(self, event: Indication) -> CommandReceived | PresentationDataValue | None:
        """Give an event to the assembler of messages; an event that ends the association is raised as an error."""
        if not isinstance(event, PresentationDataValue):
            self._link.flush()
            self._link.raise_end(event, in_message=self._assembler.in_message)
            raise self._link.break_off("a PDU arrived that has no place in an open association")
        try:
            return self._assembler.receive(event)
        except ProtocolError as error:
            raise self._link.break_off(error.message) from error

    def guard(self, write: Callable[..., None], *what: Prepared) -> None:
        """Call ``write``. Where it fails and the peer has sent the reason meanwhile, that reason is raised instead."""
        try:
            write(*what)
        except TransportError as error:
            self._raise_abort_behind(error)
            raise
        except BaseException:
            self._link.abort()  # half a message is out: nothing can follow it
            raise

    # While this side releases

    def begin_release(self) -> None:
        """Note that this side releases: from now on all reads share the time-out of the release."""
        self._release_by = Deadline(self._timeouts.release_s)

    def wait_for_release_event(self) -> Indication:
        """Wait for the next event. Raises :class:`PeerTimeout` where the time of the release is over."""
        while (event := self._link.provider.next_event()) is None:
            self._read(None, _RELEASE)
        return event

    def await_release(self, wait_s: float) -> None:
        """Wait so long for the peer to release, which is answered, and for nothing else.

        Raises the error that says how the association has ended, if it has: :class:`AssociationReleased` after a
        release.
        """
        deadline = Deadline(wait_s)
        try:
            while (event := self._link.provider.next_event()) is None:
                self._take(self._link.transport.read_before, deadline, "A-RELEASE-RQ")
        except PeerTimeout:
            return
        if not isinstance(event, PresentationDataValue):
            self._link.raise_end(event, in_message=self._assembler.in_message)

    @property
    def may_be_released(self) -> bool:
        """Whether no message is incomplete."""
        return not self._assembler.in_message

    # Inside

    def _log_received(self, received: CommandReceived) -> None:
        if log.isEnabledFor(logging.DEBUG):
            self._link.log_message("dimse.received", *received)

    def _receive_part(self) -> PresentationDataValue:
        while (event := self._link.provider.next_event()) is None:
            self._read(self._timeouts.data_s, "the rest of a data set", whole=True)
        received = self.assemble(event)
        if not isinstance(received, PresentationDataValue):
            raise self._link.break_off("a command set arrived where a data set was due")
        return received

    def _receive_command(self, wait_s: float | None) -> CommandReceived:
        received = self._find_command()
        if received is None:
            self._read(self._timeouts.data_s if self._assembler.in_message else wait_s, self.awaited)
            received = self._find_command() or self._receive_rest_of_command()
        return received

    def _receive_rest_of_command(self) -> CommandReceived:
        deadline = self._release_by or Deadline(self._timeouts.data_s)
        while (received := self._find_command()) is None:
            self._take(self._link.transport.read_before, deadline, self.awaited)
        return received

    def _find_command(self) -> CommandReceived | None:
        """The next command set that has wholly arrived."""
        while (event := self._link.provider.next_event()) is not None:
            received = self.assemble(event)
            if isinstance(received, CommandReceived):
                return received
        return None

    def _find_event(self) -> Indication | None:
        self._flush_held()
        return self._link.find_event()

    def _read(self, timeout_s: float | None, waiting_for: str, *, whole: bool = False) -> None:
        if self._release_by is not None:
            self._take(self._link.transport.read_before, self._release_by, _RELEASE)
        else:
            self._take(self._link.transport.read_into, timeout_s, waiting_for, whole=whole)

    def _take(self, read: Callable[..., int | None], *how: object, whole: bool = False) -> None:
        self._flush_held()
        self._link.take(read, *how, whole=whole)

    def _flush_held(self) -> None:
        """Write the responses that are held, before we wait for a peer that may wait for them."""
        if self._link.outbox.count:
            self.guard(self._link.outbox.flush)

    def _raise_abort_behind(self, error: TransportError) -> None:
        """A write failed: keep the responses that lie in the receive buffer; an A-ABORT there is the reason to report.

        A peer that takes nothing more will take no A-ABORT of ours either, and may send for ever.
        """
        deadline = Deadline(LINGER_S)
        try:
            while (deadline.left_s() or 0) > 0 and (event := self._link.find_event()) is not None:
                self._keep_response(event)
        except AssociationAborted as abort:
            raise abort from error
        except OpenModalityError:
            pass
        if isinstance(error, PeerTimeout):
            self._link.close()
        self._link.abort()

    def _keep_response(self, event: Indication) -> None:
        received = self.assemble(event)
        if not isinstance(received, CommandReceived) or len(self._early) >= self._max_responses:
            return
        if received.command.is_response and not received.command.has_data_set:
            self._early.append(received)
