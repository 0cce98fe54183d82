"""Two channel ends joined in memory: an SCU and an SCP in one thread, without a socket.

Every message goes through the same encoding, fragmenting and decoding as on a network. The other end's services answer
a request step by step, as responses are asked for, so that a C-CANCEL comes between two of them. It serves
whoever scripts both sides of a dialogue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from openmodality.dimse.assembler import CommandReceived, MessageAssembler
from openmodality.dimse.channel import Channel, Message, PeerInfo, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared, prepare_message
from openmodality.dimse.service import Response, Service, answer, answer_in_steps
from openmodality.errors import AssociationAborted, PeerTimeout
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.primitives import PresentationDataValue


@dataclass(slots=True)
class LoopbackMessage:
    """A message that has wholly arrived."""

    context: PresentationContext
    command: Command
    peer: PeerInfo
    channel: Channel
    parts: list[bytes] = field(default_factory=list)
    cancel_seen: bool = False

    def chunks(self) -> Iterator[memoryview]:
        while self.parts:
            yield memoryview(self.parts.pop(0))

    def cancelled(self) -> bool:
        return self.cancel_seen


class Loopback:
    """One end; make two with :func:`loopback_pair`."""

    def __init__(self, contexts: Sequence[PresentationContext], services: Sequence[Service], peer: PeerInfo) -> None:
        self.contexts: Sequence[PresentationContext] = contexts
        self.peer = peer
        self.max_pdu_length = 16384
        self.sent: list[Command] = []
        self._services = services
        self._inbox: deque[LoopbackMessage] = deque()
        self._work: deque[tuple[LoopbackMessage, Iterator[Response]]] = deque()
        self._message_id = 0
        self._other: Loopback | None = None

    def next_message_id(self) -> int:
        self._message_id += 1
        return self._message_id

    def send(self, context_id: int, command: Command, data: DataSet | None = None) -> None:
        """Send to the other end."""
        self.send_prepared(self.prepare(context_id, command, data))

    def prepare(self, context_id: int, command: Command, data: DataSet | None = None) -> Prepared:
        """A message for :meth:`send_prepared`."""
        return prepare_message(context_id, command, data, self.max_pdu_length)

    def send_prepared(self, message: Prepared) -> None:
        """Send to the other end."""
        if self._other is None:
            raise AssociationAborted("the other end is gone", source=2, reason=0)
        self.sent.append(message.command)
        raw = b"".join(b for writes in message.writes() for b in writes)
        for received in self._other._assemble(raw):
            self._other._take(received)

    def send_alike(self, context_id: int, command: Command, data_sets: Sequence[bytes]) -> None:
        """Send to the other end, one by one."""
        for data in data_sets:
            self.send(context_id, command, data)

    def receive(self, timeout_s: float | None = None) -> LoopbackMessage:
        """The next message; lets the other end work until there is one, and is a time-out when it has nothing to do."""
        while not self._inbox:
            if self._other is None:
                raise AssociationAborted("the other end is gone", source=2, reason=0)
            if not self._other.work():
                raise PeerTimeout("nothing was answered", waiting_for="DIMSE response")
        return self._inbox.popleft()

    def answer(self, request: Message) -> None:
        """Answer a request with this end's own services."""
        answer(self, self._services, request)

    def work(self) -> bool:
        """Take one step of answering what has arrived; ``False`` when there is nothing to do."""
        if not self._work:
            return False
        if next(self._work[0][1], None) is None:
            self._work.popleft()
        return True

    def close(self) -> None:
        """Cut the pair, as an abort would."""
        self._other = None

    def _take(self, message: LoopbackMessage) -> None:
        if message.command.CommandField == CommandField.C_CANCEL_RQ:
            for request, _ in self._work:
                if request.command.MessageID == message.command.MessageIDBeingRespondedTo:
                    request.cancel_seen = True
        elif message.command.is_response:
            self._inbox.append(message)
        else:
            self._work.append((message, answer_in_steps(self, self._services, message)))

    def _assemble(self, raw: bytes) -> Iterator[LoopbackMessage]:
        assembler = MessageAssembler()
        message: LoopbackMessage | None = None
        for fragment in _fragments(raw):
            event = assembler.receive(fragment)
            if isinstance(event, CommandReceived):
                context = next(c for c in self.contexts if c.context_id == event.context_id)
                message = LoopbackMessage(context, event.command, self.peer, self)
            elif isinstance(event, PresentationDataValue) and message is not None:
                message.parts.append(bytes(event.data))
        if message is not None:
            yield message


def _fragments(raw: bytes) -> Iterator[PresentationDataValue]:
    view, offset = memoryview(raw), 0
    while offset < len(view):
        length = int.from_bytes(view[offset + 6 : offset + 10], "big")
        control = view[offset + 11]
        data = view[offset + 12 : offset + 10 + length]
        yield PresentationDataValue(view[offset + 10], bool(control & 1), bool(control & 2), data)
        offset += 10 + length


def loopback_pair(
    contexts: Sequence[PresentationContext],
    acceptor_services: Sequence[Service],
    requestor_services: Sequence[Service] = (),
    peer: PeerInfo | None = None,
) -> tuple[Loopback, Loopback]:
    """The requestor's and the acceptor's end; ``contexts`` are as the requestor sees them, roles are turned for the
    other.
    """
    info = peer or PeerInfo("REQUESTOR", "ACCEPTOR")
    turned = tuple(
        PresentationContext(c.context_id, c.abstract_syntax, c.transfer_syntax, as_scu=c.as_scp, as_scp=c.as_scu)
        for c in contexts
    )
    requestor, acceptor = Loopback(contexts, requestor_services, info), Loopback(turned, acceptor_services, info)
    requestor._other, acceptor._other = acceptor, requestor
    return requestor, acceptor
