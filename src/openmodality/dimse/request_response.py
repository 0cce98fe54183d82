"""Asking and waiting: one request, its responses, whatever else arrives in between (PS3.7 7.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openmodality.dimse.channel import Channel, Message
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared
from openmodality.dimse.status import is_pending
from openmodality.errors import ProtocolError
from openmodality.standard.dimse import DATA_SET_PRESENT, NO_DATA_SET, CommandField

SecondsLeft = Callable[[], float]
"""Returns how many seconds are left of a time that several messages share; infinity where there is no limit."""


def send_and_await(
    channel: Channel, context_id: int, command: Command, data: DataSet | None = None, *, timeout_s: float | None = None
) -> Message:
    """Send a request and wait for its one response."""
    message_id = send_request(channel, context_id, command, data)
    return await_response(channel, message_id, timeout_s=timeout_s)


def await_responses(
    channel: Channel, context_id: int, command: Command, data: DataSet | None = None, *, timeout_s: float | None = None
) -> Iterator[Message]:
    """Send a request and yield its responses until one is not pending; read each before asking for the next."""
    message_id = send_request(channel, context_id, command, data)
    pending = True
    while pending:
        response = await_response(channel, message_id, timeout_s=timeout_s)
        pending = is_pending(response.command.Status)
        yield response


def send_request(channel: Channel, context_id: int, command: Command, data: DataSet | None = None) -> int:
    """Send a request with a new Message ID, which is returned."""
    message_id = channel.next_message_id()
    channel.send(context_id, _number_command(command, message_id, data), data)
    return message_id


def _number_command(command: Command, message_id: int, data: DataSet | None) -> Command:
    kind = NO_DATA_SET if data is None else DATA_SET_PRESENT
    return command._replace(MessageID=message_id, CommandDataSetType=kind)


def await_response(channel: Channel, message_id: int, *, timeout_s: float | SecondsLeft | None = None) -> Message:
    """Wait for the response to ``message_id``; requests of the peer that arrive meanwhile are answered.

    ``timeout_s`` limits the time from one message to the next; a function returns, before each message, how much time
    is left for all.

    A late N-EVENT-REPORT on this association is such a request. A response to anything else breaks the protocol.
    """
    while True:
        message = channel.receive(timeout_s() if callable(timeout_s) else timeout_s)
        command = message.command
        if not command.is_response:
            channel.answer(message)
        elif command.MessageIDBeingRespondedTo == message_id and command.Status is not None:
            return message
        else:
            raise ProtocolError(f"{command.name} arrived that answers no open request or has no Status")


class Outstanding:
    """Requests that are open at the same time, within the asynchronous operations window (PS3.7 7.6, D.3.3.3).

    Their responses may come in any order. For operations whose response has no data set.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._open: set[int] = set()
        self._answered: dict[int, Command] = {}

    def prepare(self, context_id: int, command: Command, data: DataSet | None = None) -> Prepared:
        """Make a request ready for :meth:`send`, such as while all that may be open at once wait for responses."""
        channel = self._channel
        return channel.prepare(context_id, _number_command(command, channel.next_message_id(), data), data)

    def send(self, request: Prepared) -> int:
        """Send a request; its Message ID is what :meth:`await_response` takes."""
        self._channel.send_prepared(request)
        message_id = request.command.MessageID or 0
        self._open.add(message_id)
        return message_id

    def await_response(self, message_id: int, *, timeout_s: float | None = None) -> Command:
        """Wait for the response to one of the open requests; those to others are kept for them."""
        while message_id not in self._answered:
            message = self._channel.receive(timeout_s)
            command = message.command
            answered = command.MessageIDBeingRespondedTo
            if not command.is_response:
                self._channel.answer(message)
            elif answered in self._open and answered not in self._answered and command.Status is not None:
                self._answered[answered] = command
            else:
                raise ProtocolError(f"{command.name} arrived that answers no open request or has no Status")
        self._open.discard(message_id)
        return self._answered.pop(message_id)


def send_cancel(channel: Channel, context_id: int, message_id: int) -> None:
    """Send C-CANCEL-RQ for an open request (PS3.7 9.3.2.3); its final response still has to be awaited."""
    channel.send(context_id, Command(CommandField=CommandField.C_CANCEL_RQ, MessageIDBeingRespondedTo=message_id), None)
