"""A relay that writes down what two application entities say: association requests, answers, messages, their end.

It decodes the bytes with pynetdicom and pydicom, so that the device is not judged by its own decoder.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

from pydicom import Dataset
from pydicom.filereader import dcmread, read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
)

from tests.peers import witness
from tests.peers.process import HOST

_HEADER: Final = struct.Struct(">BxL")
_CHUNK_BYTES: Final = 65536
_LOOK_S: Final = 0.2
_PDV: Final = struct.Struct(">LBB")
_RQ, _AC, _RJ, _DATA, _RELEASE_RQ, _RELEASE_RP, _ABORT = range(1, 8)
_ENDS: Final = {_RJ: "rejected", _RELEASE_RP: "released", _ABORT: "aborted"}
_COMMANDS: Final = {
    0x0001: "C-STORE", 0x0020: "C-FIND", 0x0021: "C-MOVE", 0x0030: "C-ECHO", 0x0100: "N-EVENT-REPORT",
    0x0110: "N-GET", 0x0120: "N-SET", 0x0130: "N-ACTION", 0x0140: "N-CREATE", 0x0150: "N-DELETE", 0x0FFF: "C-CANCEL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """One DIMSE message; ``by_requestor`` says which side of the association sent it."""

    by_requestor: bool
    name: str
    abstract_syntax: str
    transfer_syntax: str
    command: Dataset
    data: Dataset | None


@dataclass(slots=True)
class Conversation:
    """One association from its request to its end, as it went over the wire."""

    number: int
    to: str
    request: A_ASSOCIATE
    accepted: dict[str, str] = field(default_factory=dict)
    accepted_roles: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    end: str = ""
    release_by_requestor: bool = False
    contexts: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def calling(self) -> str:
        """Calling AE Title."""
        return str(self.request.calling_ae_title).strip()

    @property
    def called(self) -> str:
        """Called AE Title."""
        return str(self.request.called_ae_title).strip()

    @property
    def proposed(self) -> list[tuple[str, tuple[str, ...]]]:
        """Abstract syntax and transfer syntaxes of each presentation context that was proposed, in their order."""
        contexts = self.request.presentation_context_definition_list
        return [(str(each.abstract_syntax), tuple(map(str, each.transfer_syntax))) for each in contexts]

    @property
    def maximum_length(self) -> int:
        """What the requestor announces as its longest P-DATA-TF (PS3.8 D.1)."""
        (item,) = self._items(MaximumLengthNotification)
        return int(item.maximum_length_received)

    @property
    def implementation(self) -> tuple[str, str]:
        """Implementation Class UID and Version Name of the requestor."""
        (uid,) = self._items(ImplementationClassUIDNotification)
        names = [str(item.implementation_version_name) for item in self._items(ImplementationVersionNameNotification)]
        return str(uid.implementation_class_uid), "".join(names)

    @property
    def roles(self) -> dict[str, tuple[bool, bool]]:
        """The SCU and SCP role that the requestor selects for itself, by SOP class (PS3.7 D.3.3.4)."""
        return _roles(self.request)

    @property
    def has_extended_negotiation(self) -> bool:
        """Whether SOP Class (Common) Extended Negotiation is in the request (PS3.7 D.3.3.5, D.3.3.6)."""
        return bool(self._items(SOPClassExtendedNegotiation) + self._items(SOPClassCommonExtendedNegotiation))

    @property
    def has_asynchronous_window(self) -> bool:
        """Whether an Asynchronous Operations Window is in the request (PS3.7 D.3.3.3)."""
        return bool(self._items(AsynchronousOperationsWindowNegotiation))

    def asked(self, name: str = "") -> list[Message]:
        """The requests, C-CANCEL included, in their order; of all commands or of one."""
        requests = (each for each in self.messages if not each.command.CommandField & 0x8000)
        return [each for each in requests if name in ("", each.name)]

    @property
    def most_outstanding(self) -> int:
        """The most requests of the requestor that were without their final response at the same time."""
        most = 0
        open_: set[int] = set()
        for message in self.messages:
            command = message.command
            if message.by_requestor and "MessageID" in command:
                open_.add(command.MessageID)
            elif not message.by_requestor and command.get("Status", 0xFF00) not in (0xFF00, 0xFF01):
                open_.discard(command.MessageIDBeingRespondedTo)
            most = max(most, len(open_))
        return most

    def _items(self, kind: type) -> list[Any]:
        return [item for item in self.request.user_information if isinstance(item, kind)]


class Wiretap:
    """Relays of one test, and what went through them.

    ``before_passing`` is called with each message while its receiver still waits for it.
    """

    def __init__(self) -> None:
        self.conversations: list[Conversation] = []
        self.changed = threading.Condition()
        self.before_passing: Callable[[Conversation, Message], object] = lambda conversation, message: None
        self.is_closed = False
        self._order: list[tuple[int, Conversation]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Wiretap:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True
        self._stack.close()

    def relay(
        self, to: str, port: int, *, near_tls: ssl.SSLContext | None = None, far_tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen in front of ``port``, which is called ``to`` from now on; the port to connect to.

        ``near_tls`` is for those who connect to the relay, ``far_tls`` for the relay's own connections.
        """
        witness.note(witness.WIRE)
        listening = socket.create_server((HOST, 0))
        self._stack.callback(_shut, listening)
        relay = _Relay(to, port, listening, near_tls, far_tls)
        threading.Thread(target=self._listen, args=(relay,), daemon=True).start()
        return int(listening.getsockname()[1])

    def to(self, *names: str) -> list[Conversation]:
        """The associations to one of our relays, in the order of their requests."""
        return [each for each in self.conversations if each.to in names]

    def with_command(self, name: str) -> list[Conversation]:
        """The associations on which a command was asked."""
        return [each for each in self.conversations if each.asked(name)]

    def most_at_once(self, choose: Callable[[Conversation], bool]) -> int:
        """The most associations of a kind that were open at the same time, from request to end."""
        count = most = 0
        for change, conversation in list(self._order):
            if choose(conversation):
                count += change
                most = max(most, count)
        return most

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until what was written down fulfils a condition."""
        with self.changed:
            return self.changed.wait_for(condition, timeout_s)

    def wait_for_ends(self) -> None:
        """Wait until no association is open."""
        assert self.wait_until(lambda: all(each.end for each in self.conversations))

    def begin(self, conversation: Conversation) -> None:
        """An association was requested."""
        with self.changed:
            conversation.number = len(self.conversations)
            self.conversations.append(conversation)
            self._order.append((1, conversation))
            self.changed.notify_all()

    def finish(self, conversation: Conversation, end: str) -> None:
        """An association has ended; only the first end counts."""
        with self.changed:
            if not conversation.end:
                conversation.end = end
                self._order.append((-1, conversation))
            self.changed.notify_all()

    def add(self, conversation: Conversation, message: Message) -> None:
        """A message has arrived, and is passed on after this."""
        self.before_passing(conversation, message)
        with self.changed:
            conversation.messages.append(message)
            self.changed.notify_all()

    def _listen(self, relay: _Relay) -> None:
        while True:
            try:
                near, _ = relay.listening.accept()
            except OSError:
                return
            threading.Thread(target=_Connection(self, relay.to).run, args=(near, relay), daemon=True).start()


@dataclass(frozen=True, slots=True)
class _Relay:
    """Where a relay listens and where it connects to, in the clear or under TLS."""

    to: str
    port: int
    listening: socket.socket
    near_tls: ssl.SSLContext | None
    far_tls: ssl.SSLContext | None

    def accepted(self, sock: socket.socket) -> socket.socket:
        """The connection from the requestor."""
        return self.near_tls.wrap_socket(sock, server_side=True) if self.near_tls else sock

    def connected(self) -> socket.socket:
        """A connection to the acceptor."""
        sock = socket.create_connection((HOST, self.port))
        return self.far_tls.wrap_socket(sock, server_hostname=HOST) if self.far_tls else sock


class _Connection:
    """One connection through a relay; its one thread reads from both sides, as TLS cannot do with two."""

    def __init__(self, tap: Wiretap, to: str) -> None:
        self._tap = tap
        self._to = to
        self._conversation: Conversation | None = None
        self._parts: dict[tuple[bool, int], tuple[bytearray, bytearray]] = {}

    def run(self, accepted: socket.socket, relay: _Relay) -> None:
        """Pass on until one side ends it."""
        with contextlib.suppress(OSError), accepted, relay.accepted(accepted) as near, relay.connected() as far:
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pass_on(near, far)
        if self._conversation is not None:
            self._tap.finish(self._conversation, "closed")

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        """Pass PDUs on, each written down before it goes, so that what is answered is known."""
        pending = {near: bytearray(), far: bytearray()}
        while not self._tap.is_closed:
            for source in _readable(near, far):
                data = source.recv(_CHUNK_BYTES)
                if not data:
                    return
                pending[source] += data
                for pdu in _whole_pdus(pending[source]):
                    self._note(pdu, source is near)
                    (far if source is near else near).sendall(pdu)

    def _note(self, pdu: bytes, by_requestor: bool) -> None:
        kind = pdu[0]
        if kind == _RQ:
            request = A_ASSOCIATE_RQ()
            request.decode(pdu)
            self._conversation = Conversation(0, self._to, request.to_primitive())
            self._tap.begin(self._conversation)
            return
        conversation = self._conversation
        assert conversation is not None, "something was said before the association request"
        if kind == _AC:
            _note_answer(conversation, pdu)
        elif kind == _DATA:
            self._note_data(conversation, memoryview(pdu)[6:], by_requestor)
        elif kind == _RELEASE_RQ:
            conversation.release_by_requestor = by_requestor
        elif kind in _ENDS:
            self._tap.finish(conversation, _ENDS[kind])

    def _note_data(self, conversation: Conversation, items: memoryview, by_requestor: bool) -> None:
        while items:
            length, context_id, control = _PDV.unpack_from(items)
            command, data = self._parts.setdefault((by_requestor, context_id), (bytearray(), bytearray()))
            (command if control & 1 else data).extend(items[6 : length + 4])
            items = items[length + 4 :]
            if control & 2 and (not control & 1 or _has_no_data(command)):
                message = _message(conversation.contexts[context_id], by_requestor, bytes(command), bytes(data))
                del self._parts[by_requestor, context_id]
                self._tap.add(conversation, message)


def _note_answer(conversation: Conversation, pdu: bytes) -> None:
    answer = A_ASSOCIATE_AC()
    answer.decode(pdu)
    primitive = answer.to_primitive()
    asked = {each.context_id: each for each in conversation.request.presentation_context_definition_list}
    for context in primitive.presentation_context_definition_results_list:
        if context.result == 0 and context.context_id is not None:
            abstract, transfer = str(asked[context.context_id].abstract_syntax), str(context.transfer_syntax[0])
            conversation.contexts[context.context_id] = (abstract, transfer)
            conversation.accepted[abstract] = transfer
    conversation.accepted_roles = _roles(primitive)


def _roles(primitive: A_ASSOCIATE) -> dict[str, tuple[bool, bool]]:
    items = (each for each in primitive.user_information if isinstance(each, SCP_SCU_RoleSelectionNegotiation))
    return {str(each.sop_class_uid): (bool(each.scu_role), bool(each.scp_role)) for each in items}


def _readable(near: socket.socket, far: socket.socket) -> list[socket.socket]:
    both = (near, far)
    decrypted: list[socket.socket] = [each for each in both if isinstance(each, ssl.SSLSocket) and each.pending()]
    return decrypted or select.select(both, [], [], _LOOK_S)[0]


def _whole_pdus(received: bytearray) -> Iterator[bytes]:
    while len(received) >= _HEADER.size and len(received) >= (end := _HEADER.size + _HEADER.unpack_from(received)[1]):
        yield bytes(received[:end])
        del received[:end]


def _command(raw: bytes) -> Dataset:
    return read_dataset(BytesIO(raw), is_implicit_VR=True, is_little_endian=True)


def _has_no_data(raw: bytearray) -> bool:
    return bool(_command(bytes(raw)).CommandDataSetType == 0x0101)


def _message(context: tuple[str, str], by_requestor: bool, raw_command: bytes, raw_data: bytes) -> Message:
    abstract, transfer = context
    command = _command(raw_command)
    name = _COMMANDS.get(command.CommandField & 0x7FFF, "?")
    data = _data_set(raw_data, transfer) if command.CommandDataSetType != 0x0101 else None
    return Message(by_requestor, name, abstract, transfer, command, data)


def _data_set(raw: bytes, transfer_syntax: str) -> Dataset:
    meta = Dataset()
    meta.TransferSyntaxUID = UID(transfer_syntax)
    file = BytesIO()
    file.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(file, meta, enforce_standard=False)  # type: ignore[arg-type]
    file.write(raw)
    file.seek(0)
    return dcmread(file, force=True)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
