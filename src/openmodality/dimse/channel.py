"""What a service sees of an association: messages on presentation contexts.

:class:`Channel` is the port that the services declare. :class:`openmodality.network.association.Association` and the
in-memory pair of the tests fulfil it. The reader pulls: what it leaves unread of a message's data set is read and
dropped before the next message.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared
from openmodality.errors import NoPresentationContext, ProtocolError
from openmodality.value_class import value_class

if TYPE_CHECKING:
    from pydicom import Dataset

FOREVER: Final = math.inf
"""A time-out that never expires."""
MAX_IDENTIFIER_LENGTH: Final = 16 * 1024 * 1024
"""The longest data set that is collected in memory, in bytes (identifiers, attribute lists); images are streamed.

Twenty thousand references of a storage commitment request take a fifth of it.
"""


@value_class
class PresentationContext:
    """An accepted presentation context; the roles are those that this side plays (PS3.7 D.3.3.4)."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    as_scu: bool = True
    as_scp: bool = False


@value_class
class PeerInfo:
    """Who is at the other end; ``address`` is empty where there is no socket."""

    calling_ae_title: str
    called_ae_title: str
    address: str = ""
    implementation_class_uid: str = ""
    implementation_version_name: str = ""


class Message(Protocol):
    """A message that has begun to arrive: its command set is here, its data set can be read once."""

    @property
    def context(self) -> PresentationContext: ...
    @property
    def command(self) -> Command: ...
    @property
    def peer(self) -> PeerInfo: ...
    @property
    def channel(self) -> Channel:
        """The association on which it arrived, for a handler that has to ask something back."""
        ...

    def chunks(self) -> Iterator[memoryview]:
        """The data set as it arrives; each chunk is valid until the next is asked for."""
        ...

    def cancelled(self) -> bool:
        """Whether a C-CANCEL for this request has arrived; looks without waiting."""
        ...


class Channel(Protocol):
    """One association, as far as DIMSE sees it."""

    @property
    def contexts(self) -> Sequence[PresentationContext]: ...
    @property
    def peer(self) -> PeerInfo: ...

    def next_message_id(self) -> int:
        """A Message ID (0000,0110) that is free on this association."""
        ...

    def send(self, context_id: int, command: Command, data: DataSet | None = None) -> None:
        """Send one message; the Command Data Set Type must agree with ``data``."""
        ...

    def prepare(self, context_id: int, command: Command, data: DataSet | None = None) -> Prepared:
        """Encode a message and read the beginning of its data set, so that it can go out at once when its turn comes.

        Of several that are prepared at the same time each needs a source of its own for its data.
        """
        ...

    def send_prepared(self, message: Prepared) -> None:
        """Send what :meth:`prepare` has made."""
        ...

    def send_alike(self, context_id: int, command: Command, data_sets: Sequence[bytes]) -> None:
        """Send a message for each data set, all with the same command, in one write: for many short ones."""
        ...

    def receive(self, timeout_s: float | None = None) -> Message:
        """Wait for the next message's command set; ``None`` waits as long as the association's own setting says,
        :data:`FOREVER` without end.

        Raises :class:`PeerTimeout`, :class:`AssociationAborted` or :class:`TransportError`.
        """
        ...

    def answer(self, request: Message) -> None:
        """Let this side's own services answer a request that arrived while something else was waited for."""
        ...


def context_for(channel: Channel, abstract_syntax: str, transfer_syntax: str | None = None) -> PresentationContext:
    """The accepted context for an abstract syntax (and transfer syntax).

    Raises :class:`NoPresentationContext` where there is none.
    """
    for context in channel.contexts:
        if context.abstract_syntax == abstract_syntax and transfer_syntax in (None, context.transfer_syntax):
            return context
    raise NoPresentationContext(
        f"{channel.peer.called_ae_title} accepted no presentation context for {abstract_syntax}",
        advice="check that the peer supports this SOP Class and transfer syntax, and lets this AE title use it",
    )


def read_all(message: Message, limit_bytes: int = MAX_IDENTIFIER_LENGTH) -> bytes:
    """Read the whole data set of a message. Raises :class:`ProtocolError` where it is longer than ``limit_bytes``."""
    collected = bytearray()
    for chunk in message.chunks():
        if len(collected) + len(chunk) > limit_bytes:
            raise ProtocolError(f"{message.command.name}: the data set is longer than {limit_bytes} bytes")
        collected += chunk
    return bytes(collected)


def read_data_set(message: Message) -> Dataset:
    """Read the data set of a message as a pydicom data set; an absent one is empty.

    Raises :class:`ObjectInvalid` where the bytes are no data set.
    """
    # pydicom is slow to import, and an echo needs none
    from openmodality.dimse.data_set import decode_data_set  # noqa: PLC0415

    return decode_data_set(read_all(message), message.context.transfer_syntax)
