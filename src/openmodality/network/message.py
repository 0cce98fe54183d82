"""A message on an association, as the services see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from openmodality.dimse.assembler import CommandReceived
from openmodality.dimse.channel import Channel, PeerInfo, PresentationContext
from openmodality.upper_layer.primitives import PresentationDataValue


class MessageInProgress:
    """A message whose command set has arrived; ``has_more`` while some of its data set has not been read."""

    __slots__ = ("command", "context_id", "has_more")

    def __init__(self, received: CommandReceived) -> None:
        self.context_id, self.command = received
        self.has_more = received.command.has_data_set


class MessageChannel(Channel, Protocol):
    """A channel whose messages arrive piece by piece."""

    def receive_data(self) -> PresentationDataValue:
        """The next part of the current message's data set."""
        ...

    def look_for_cancel(self, message_id: int | None) -> bool:
        """Whether a C-CANCEL for ``message_id`` has arrived."""
        ...


class AssociationMessage:
    """A message that has begun to arrive; see :class:`openmodality.dimse.channel.Message`."""

    __slots__ = ("_in_progress", "_was_cancelled", "channel", "command", "context")

    def __init__(self, channel: MessageChannel, context: PresentationContext, in_progress: MessageInProgress) -> None:
        self.channel = channel
        self.context = context
        self.command = in_progress.command
        self._in_progress = in_progress
        self._was_cancelled = False

    @property
    def peer(self) -> PeerInfo:
        """Who sent it."""
        return self.channel.peer

    def chunks(self) -> Iterator[memoryview]:
        """The data set as it arrives; each chunk is valid until the next is asked for."""
        while self._in_progress.has_more:
            yield self.channel.receive_data().data

    def cancelled(self) -> bool:
        """Whether a C-CANCEL for this request has arrived."""
        self._was_cancelled = self._was_cancelled or self.channel.look_for_cancel(self.command.MessageID)
        return self._was_cancelled
