"""What counts as delivered of messages that a receiver answers nothing to: what it may not have read does not."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from struct import pack

import pytest

from openmodality.errors import TransportError
from openmodality.network.syslog_sender import SyslogReceiver, send_stream
from tests.interop.certificates import KeyPair, key_pair

HOST = "127.0.0.1"
FRAMES = [b"5 hello", b"5 again"]
WAIT_S = 20.0


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return key_pair(tmp_path, "repository")


class Receiver:
    """The other end of one connection under TLS, which reads no more of the socket than it is told to."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self.connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self._read_record())
        self._flush()

    def _read_record(self) -> bytes:
        """One record of TLS, and nothing behind it."""
        head = self.connection.recv(5, socket.MSG_WAITALL)
        return head + self.connection.recv(int.from_bytes(head[3:5], "big"), socket.MSG_WAITALL)

    def wait_for_goodbye(self) -> None:
        """Until a second record has come: the alert of the sender, behind what it sent. Nothing of it is read."""
        head = self.connection.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
        self.connection.recv(6 + int.from_bytes(head[3:5], "big"), socket.MSG_PEEK | socket.MSG_WAITALL)

    def read_all(self) -> bytes:
        read = b""
        while True:
            try:
                if not (data := self._tls.read(4096)):
                    return read
                read += data
            except ssl.SSLWantReadError:
                self._incoming.write(self._read_record())

    def say_goodbye(self) -> None:
        """The alert, whether anything was read or not."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()

    def _flush(self) -> None:
        self.connection.sendall(self._outgoing.read())


@contextmanager
def receiving(keys: KeyPair, act: Callable[[Receiver], None]) -> Iterator[SyslogReceiver]:
    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            # settimeout would make the socket one that does not wait for all.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, pack("ll", int(WAIT_S), 0))
            receiver = Receiver(connection, keys.server(clients_need_certificates=False))
            receiver.shake_hands()
            act(receiver)

    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield SyslogReceiver(HOST, listening.getsockname()[1], keys.client(), WAIT_S)
        thread.join(WAIT_S)
    assert not thread.is_alive()


def test_what_is_read_and_closed_is_delivered(keys: KeyPair) -> None:
    read: list[bytes] = []

    def take(receiver: Receiver) -> None:
        read.append(receiver.read_all())
        receiver.say_goodbye()

    with receiving(keys, take) as receiver:
        send_stream(receiver, FRAMES)
    assert read == [b"".join(FRAMES)]


def test_a_goodbye_without_reading_delivers_nothing(keys: KeyPair) -> None:
    """The system of the receiver has all that was sent, and the alert of TLS comes; but nobody read it."""

    def leave(receiver: Receiver) -> None:
        receiver.wait_for_goodbye()
        receiver.say_goodbye()

    with receiving(keys, leave) as receiver, pytest.raises(TransportError, match="broke"):
        send_stream(receiver, FRAMES)


def test_an_end_without_reading_delivers_nothing(keys: KeyPair) -> None:
    with receiving(keys, Receiver.wait_for_goodbye) as receiver, pytest.raises(TransportError, match="broke"):
        send_stream(receiver, FRAMES)
