"""A message on an association, as the services see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openmodality.dimse.channel import PeerInfo, PresentationContext
from openmodality.dimse.command import Command

if TYPE_CHECKING:
    from openmodality.network.association import Association


class AssociationMessage:
    """A message that has begun to arrive; see :class:`openmodality.dimse.channel.Message`."""

    __slots__ = ("_was_cancelled", "channel", "command", "context", "has_more")

    def __init__(self, channel: Association, context: PresentationContext, command: Command) -> None:
        self.channel = channel
        self.context = context
        self.command = command
        self.has_more = command.has_data_set
        """Whether some of its data set has not been read."""
        self._was_cancelled = False

    @property
    def peer(self) -> PeerInfo:
        """Who sent it."""
        return self.channel.peer

    def chunks(self) -> Iterator[memoryview]:
        """The data set as it arrives; each chunk is valid until the next is asked for."""
        while self.has_more:
            part = self.channel.receive_data()
            self.has_more = not part.is_last
            yield part.data

    def cancelled(self) -> bool:
        """Whether a C-CANCEL for this request has arrived."""
        self._was_cancelled = self._was_cancelled or self.channel.look_for_cancel(self.command.MessageID)
        return self._was_cancelled
