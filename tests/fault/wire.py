"""What the network's fault tests share: an acceptor that writes to a folder, and a peer that sends any bytes at all."""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from openmodality.dimse.command import Command, decode_command, encode_command
from openmodality.dimse.service import Service
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.services.storage import InstanceSink, storage_service
from openmodality.services.verification import VERIFICATION_SERVICE, echo
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.store.files.folder import FolderSink, Identity
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.upper_layer.items import PresentationContextRQ
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.upper_layer.pdu import (
    A_ABORT,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
    PDU,
)
from openmodality.upper_layer.pdu import decode as decode_pdu
from openmodality.upper_layer.user_information import UserInformation
from tests.interop.certificates import KeyPair
from tests.peers.process import HOST, wait_until

_T = TypeVar("_T")

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
ECHO_ID, MR_ID, MR_EXPLICIT_ID = 1, 3, 5

RQ = A_ASSOCIATE_RQ(
    called_ae_title="ACCEPTOR",
    calling_ae_title="PEER",
    presentation_contexts=(
        PresentationContextRQ(ECHO_ID, VERIFICATION, (IMPLICIT,)),
        PresentationContextRQ(MR_ID, MR, (IMPLICIT,)),
        PresentationContextRQ(MR_EXPLICIT_ID, MR, (EXPLICIT,)),
    ),
    user_information=UserInformation(maximum_length=16384, implementation_class_uid="1.2.3"),
)
RELEASE = A_RELEASE_RQ().encode()
ABORT = A_ABORT(0, 0).encode()
ECHO_COMMAND = encode_command(
    Command(CommandField=CommandField.C_ECHO_RQ, AffectedSOPClassUID=VERIFICATION, MessageID=1)
)

BY_USER = A_ABORT(0, 0)
INVALID_PARAMETER = A_ABORT(2, 6)
UNEXPECTED_PDU = A_ABORT(2, 2)

SHORT = Timeouts(connect_s=5, association_s=0.3, release_s=5, response_s=5, data_s=0.3, idle_s=0.3)
PATIENT = Timeouts(connect_s=5, association_s=20, release_s=5, response_s=5, data_s=20, idle_s=20)


def pdv(context_id: int, control: int, fragment: bytes, length: int | None = None) -> bytes:
    """A presentation data value; ``control`` 1 command, 2 last; ``length`` a lie."""
    return struct.pack(">LBB", len(fragment) + 2 if length is None else length, context_id, control) + fragment


def p_data(*values: bytes, length: int | None = None) -> bytes:
    """A P-DATA-TF of these values; ``length`` a lie."""
    body = b"".join(values)
    return struct.pack(">BxL", 4, len(body) if length is None else length) + body


def echo_message(command: bytes = ECHO_COMMAND) -> bytes:
    """A C-ECHO-RQ in one PDU."""
    return p_data(pdv(ECHO_ID, 3, command))


def store_command(uid: str) -> bytes:
    """The command set of a C-STORE-RQ."""
    return encode_command(
        Command(
            CommandField=CommandField.C_STORE_RQ,
            AffectedSOPClassUID=MR,
            AffectedSOPInstanceUID=uid,
            MessageID=7,
            Priority=0,
            CommandDataSetType=0,
        )
    )


def element(tag: int, value: bytes) -> bytes:
    """An element in Implicit VR."""
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def image(uid: str, pixel_bytes: int = 2000) -> bytes:
    """A data set in Implicit VR; the pixels say which instance it is."""
    text = uid.encode() + b"\0" * (len(uid) % 2)
    pixels = (uid.encode() * (pixel_bytes // len(uid) + 1))[:pixel_bytes]
    return b"".join(
        (element(0x00080016, MR.encode() + b"\0"), element(0x00080018, text), element(0x7FE00010, pixels)),
    )


@dataclass(frozen=True, slots=True)
class Scene:
    """An acceptor, the folder it stores into, and what it has logged."""

    acceptor: Acceptor
    folder: Path
    records: list[logging.LogRecord]
    keys: KeyPair | None = None

    @property
    def remote(self) -> RemoteAE:
        """The acceptor, as our requestor calls it."""
        return RemoteAE("ACCEPTOR", HOST, self.acceptor.port, self.keys.client() if self.keys else None)

    @property
    def lines(self) -> list[str]:
        """Event and reason of each warning so far."""
        return [f"{record.getMessage()} {record.__dict__.get('reason', '')}".strip() for record in self.records]

    def settle(self) -> None:
        """Wait until every connection has ended."""
        wait_until(lambda: not self.acceptor.open_connections, what="all connections to end")

    def stored(self) -> dict[str, bytes]:
        """The data sets in the folder by SOP Instance UID; nothing else may be there once all has settled."""
        self.settle()
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        assert all(path.suffix == ".dcm" and path.parent == self.folder for path in paths), "something half-written"
        return {path.stem: data_set_of(path.read_bytes()) for path in paths}

    def still_answers(self) -> None:
        """A C-ECHO goes through."""
        with associate(self.remote, LocalAE("PEER"), [ContextProposal(VERIFICATION, (IMPLICIT,))]) as association:
            assert echo(association) == 0
        self.settle()

    def ended_with(self, *lines: str) -> None:
        """One log line for each of these, its beginning (* is any text); nothing half-written, and still alive."""
        wait_until(lambda: len(self.lines) >= len(lines), what="the log line of each connection")
        self.stored()
        assert [line for line in self.lines if line.startswith(("association.failed", "dimse.handler_failed"))] == []
        assert len(self.lines) == len(lines), self.lines
        for line, expected in zip(self.lines, lines, strict=True):
            assert re.match(re.escape(expected).replace(r"\*", ".*"), line), line
        self.still_answers()


def data_set_of(content: bytes) -> bytes:
    """What follows the File Meta Information."""
    return content[144 + int.from_bytes(content[140:144], "little") :]


@contextmanager
def scene(
    folder: Path,
    *,
    timeouts: Timeouts = PATIENT,
    services: Sequence[Service] = (),
    sink: InstanceSink | None = None,
    max_connections: int = 512,
    keys: KeyPair | None = None,
) -> Iterator[Scene]:
    """An acceptor with verification and storage to ``folder``, other ``services`` first; under TLS with ``keys``."""
    files = InstanceFiles(folder, durability="os", fan_out=False)
    local = LocalAE("ACCEPTOR", timeouts=timeouts)
    own = storage_service(sink or FolderSink(files, Identity("1.2.3", "TEST"), lambda _: None), StorageClasses())
    listening = Listening(HOST, 0, keys.server() if keys else None, max_connections)
    with (
        logged() as records,
        Acceptor(local, (*services, VERIFICATION_SERVICE, own), storage_policy(local), listening) as acceptor,
    ):
        yield Scene(acceptor, folder, records, keys)
    files.close()


class _Keeping(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextmanager
def logged() -> Iterator[list[logging.LogRecord]]:
    """The warnings and errors of the package while the block runs."""
    records: list[logging.LogRecord] = []
    handler = _Keeping(records)
    logger = logging.getLogger("openmodality")
    logger.addHandler(handler)
    try:
        yield records
    finally:
        logger.removeHandler(handler)


class Peer:
    """A TCP connection to the acceptor on which anything can be sent. Use as a context manager."""

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *data: bytes) -> None:
        """Send; a connection that the acceptor has ended meanwhile is no failure."""
        with suppress(ConnectionError):
            self.socket.sendall(b"".join(data))

    def associate(self) -> None:
        """Have an association accepted."""
        self.send(RQ.encode())
        answer = self.receive()
        assert isinstance(answer, A_ASSOCIATE_AC)
        assert all(context.result == 0 for context in answer.presentation_contexts)

    def release(self) -> None:
        """Release in order."""
        self.send(RELEASE)
        assert self.receive() == A_RELEASE_RP()

    def receive(self) -> PDU:
        """The next PDU."""
        head = self._exactly(6)
        return decode_pdu(head[0], self._exactly(int.from_bytes(head[2:], "big")))

    def response(self) -> Command:
        """The next PDU, which is a whole command set."""
        pdu = self.receive()
        assert isinstance(pdu, P_DATA_TF), pdu
        (value,) = pdu.presentation_data_values
        assert value.is_command
        return decode_command(value.data)

    def closed(self) -> bool:
        """Whether the acceptor has closed, after waiting for it; whatever it still sent is thrown away."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def closed_within(self, timeout_s: float) -> bool:
        """Whether the acceptor ends the connection within this time."""
        self.socket.settimeout(timeout_s)
        try:
            return self.closed()
        finally:
            self.socket.settimeout(20)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self._read(length - len(data))
            assert more, "the acceptor closed"
            data += more
        return data

    def _read(self, length: int) -> bytes:
        return self.socket.recv(length)


class SecurePeer(Peer):
    """The same under TLS; records can be made without being sent, and sent in any pieces by ``socket``."""

    def __init__(self, port: int, keys: KeyPair) -> None:
        super().__init__(port)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = keys.client().wrap_bio(self._in, self._out, server_hostname=HOST)
        self._receiving(self._tls.do_handshake)
        self.socket.sendall(self._out.read())

    def records(self, *data: bytes) -> bytes:
        """One record for each of these; what is made has to be sent in the order in which it was made."""
        for each in data:
            self._tls.write(each)
        return self._out.read()

    def send(self, *data: bytes) -> None:
        super().send(self.records(b"".join(data)))

    def _read(self, length: int) -> bytes:
        return self._receiving(lambda: self._tls.read(length))

    def _receiving(self, call: Callable[[], _T]) -> _T:
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                more = self.socket.recv(65536)
                assert more, "the acceptor closed"
                self._in.write(more)


def held() -> tuple[int, int]:
    """How many threads and file descriptors this process has."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, not walking
