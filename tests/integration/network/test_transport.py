"""One connection: time-outs of our own and of the system, looking without waiting, the end under TLS."""

from __future__ import annotations

import errno
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from openmodality.errors import PeerTimeout, TransportError
from openmodality.network import transport as transport_module
from openmodality.network.transport import Transport
from tests.interop.certificates import KeyPair, key_pair
from tests.peers.process import HOST


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("keys"), "here")


class Connection:
    """The two ends of a TLS connection: ours, and one whose records are handed over by hand."""

    def __init__(self, sock: socket.socket, other: socket.socket, keys: KeyPair) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.other, self.tls = other, keys.client().wrap_bio(self.incoming, self.outgoing, server_hostname=HOST)
        secured: list[ssl.SSLSocket] = []
        thread = threading.Thread(target=lambda: secured.append(keys.server().wrap_socket(sock, server_side=True)))
        thread.start()
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.other.sendall(self.outgoing.read())
                self.incoming.write(self.other.recv(65536))
        self.other.sendall(self.outgoing.read())
        thread.join()
        self.ours = Transport(secured[0])

    def record(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.outgoing.read()


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server((HOST, 0)) as server, socket.create_connection(server.getsockname()) as other:
        sock, _ = server.accept()
        with sock:
            yield sock, other


@pytest.fixture
def secure(keys: KeyPair) -> Iterator[Connection]:
    with pair() as (sock, other):
        connection = Connection(sock, other, keys)
        yield connection
        connection.ours.close()


class GivenUp(socket.socket):
    """A socket of which the system has given up the connection, as keep-alive makes it do."""

    def recv_into(self, *_: object) -> int:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")


@pytest.mark.parametrize("timeout_s", [None, 600.0])
def test_connection_that_the_system_gives_up_is_broken_not_late(timeout_s: float | None) -> None:
    with GivenUp() as sock, pytest.raises(TransportError, match="broke: Connection timed out") as caught:
        Transport(sock).read_into(memoryview(bytearray(10)), timeout_s, "something")
    assert not isinstance(caught.value, PeerTimeout)


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="the system has no such option")
def test_a_dead_connection_is_found_within_minutes() -> None:
    with pair() as (sock, _):
        Transport(sock)
        idle_s, interval_s, probes = (
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert idle_s <= 60
        assert idle_s + interval_s * probes <= 300


def test_looking_without_waiting() -> None:
    with pair() as (sock, other):
        transport, buffer = Transport(sock), memoryview(bytearray(10))
        assert transport.read_at_hand(buffer) is None
        other.sendall(b"abc")
        assert transport.read_into(buffer[:1], 5, "a byte") == 1
        assert transport.read_at_hand(buffer) == 2
        other.close()
        assert transport.read_into(buffer, 5, "the end") == 0
        assert transport.read_at_hand(buffer) == 0


def test_part_of_a_tls_record_is_nothing_yet(secure: Connection) -> None:
    record, buffer, started = secure.record(b"cancel"), memoryview(bytearray(100)), monotonic()
    for part in (record[:3], record[3:9]):
        secure.other.sendall(part)
        assert secure.ours.read_at_hand(buffer) is None
    assert monotonic() - started < 5
    secure.other.sendall(record[9:])
    assert secure.ours.read_into(buffer, 5, "the rest") == 6


def test_what_is_left_of_a_tls_record_is_at_hand(secure: Connection) -> None:
    buffer = memoryview(bytearray(10))
    secure.other.sendall(secure.record(b"abc"))
    assert secure.ours.read_into(buffer[:1], 5, "a byte") == 1
    assert secure.ours.read_at_hand(buffer) == 2, "nothing is left in the socket, but in the TLS layer"


@pytest.mark.parametrize("graceful", [True, False])
def test_the_end_under_tls_is_told(secure: Connection, graceful: bool) -> None:
    closing = threading.Thread(target=(lambda: secure.ours.close_gracefully(0.1)) if graceful else secure.ours.close)
    closing.start()
    while data := secure.other.recv(65536):
        secure.incoming.write(data)
    secure.incoming.write_eof()
    assert secure.tls.read(10) == b"", "close_notify; without it this is an SSLEOFError"
    closing.join()


@pytest.mark.parametrize("prompt", [True, False], ids=["a prompt peer", "another peer"])
@pytest.mark.parametrize("timeout_s", [0.05, 0.3])
def test_a_time_out_is_kept_whether_the_peer_is_watched_or_not(prompt: bool, timeout_s: float) -> None:
    with pair() as (sock, other):
        transport, buffer = Transport(sock), memoryview(bytearray(10))
        if prompt:
            make_prompt(transport, other)
        started = monotonic()
        with pytest.raises(PeerTimeout, match=f"within {timeout_s} s while waiting for more"):
            transport.read_into(buffer, timeout_s, "more")
        assert timeout_s - 0.01 <= monotonic() - started < 2 * timeout_s + 0.5
        other.sendall(b"late")
        assert transport.read_into(buffer, 5, "more") == 4


def make_prompt(transport: Transport, other: socket.socket) -> None:
    """Let the peer answer at once as often as it takes: a machine under load may be late."""
    buffer = memoryview(bytearray(10))

    def answer() -> None:
        while (data := other.recv(1)) != b".":
            other.sendall(data)

    echo = threading.Thread(target=answer)
    echo.start()
    for _ in range(10_000):
        transport.write((b"x",), 5)
        assert transport.read_into(buffer, 5, "an echo") == 1
        if transport.is_prompt:
            break
    transport.write((b".",), 5)
    echo.join()
    assert transport.is_prompt


def test_one_connection_of_the_process_is_watched_at_a_time() -> None:
    with pair() as (sock, other):
        transport = Transport(sock)
        other.sendall(b"here")
        assert transport._arrives_before(monotonic() + 60)
        with transport_module._WATCHING:
            assert not transport._arrives_before(monotonic() + 60), "at once: another thread is watching"
        assert transport._arrives_before(monotonic() + 60)


def test_two_prompt_peers_are_both_heard() -> None:
    with pair() as (first_sock, first), pair() as (second_sock, second):
        transports = [Transport(first_sock), Transport(second_sock)]
        for transport, other in zip(transports, (first, second), strict=True):
            make_prompt(transport, other)
            other.settimeout(10)
        heard: list[bytes] = []

        def listen(transport: Transport) -> None:
            buffer = memoryview(bytearray(10))
            for _ in range(200):
                count = transport.read_into(buffer, 5, "a word")
                heard.append(bytes(buffer[:count]))
                transport.write((b"+",), 5)

        threads = [threading.Thread(target=listen, args=(transport,)) for transport in transports]
        for thread in threads:
            thread.start()
        for _ in range(200):
            for other in (first, second):
                other.sendall(b"word")
            for other in (first, second):
                assert other.recv(1) == b"+"
        for thread in threads:
            thread.join()
        assert heard == [b"word"] * 400


def test_who_waits_wakes_up_when_the_connection_is_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    with pair() as (sock, _):
        transport, counts, waits = Transport(sock), list[int](), threading.Event()
        wait = transport._await

        def say_and_wait(what: int, timeout_s: float | None) -> None:
            waits.set()
            wait(what, timeout_s)

        monkeypatch.setattr(transport, "_await", say_and_wait)
        reading = threading.Thread(
            target=lambda: counts.append(transport.read_into(memoryview(bytearray(10)), 60, "more")), daemon=True
        )
        reading.start()
        assert waits.wait(10)
        transport.shut()
        reading.join(10)
        assert counts == [0]


def test_signals_do_not_stretch_a_time_out() -> None:
    ticks: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: ticks.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        with pair() as (sock, _):
            started = monotonic()
            with pytest.raises(PeerTimeout):
                Transport(sock).read_into(memoryview(bytearray(10)), 0.2, "more")
            assert monotonic() - started < 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ticks


@pytest.mark.parametrize("timeout_s", [0.05, 0.4])
def test_a_peer_that_takes_nothing_is_a_time_out(timeout_s: float) -> None:
    with pair() as (sock, _):
        started = monotonic()
        with pytest.raises(PeerTimeout, match="while waiting for it to take data"):
            Transport(sock).write((bytes(64 * 1024 * 1024),), timeout_s)
        assert timeout_s <= monotonic() - started < 2 * timeout_s + 0.5


def test_a_peer_that_takes_a_little_at_a_time_is_none() -> None:
    with pair() as (sock, other):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        data, taken = bytes(2_000_000), bytearray()

        def take() -> None:
            pause = threading.Event()
            while len(taken) < len(data):
                taken.extend(other.recv(100_000))
                pause.wait(0.03)

        taking = threading.Thread(target=take, daemon=True)
        taking.start()
        started = monotonic()
        Transport(sock).write((data,), 0.3)
        taking.join(30)
        assert len(taken) == len(data)
        assert monotonic() - started > 0.3, "longer than its time-out in all, and never without progress for so long"


class _Nagling:
    """A peer as most are: it writes each message in two parts, with Nagle's algorithm on."""

    def __init__(self, sock: socket.socket, messages: int) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        self.sock, self.messages = sock, messages

    def answer(self) -> None:
        for _ in range(self.messages):
            self.sock.recv(1)
            self.sock.sendall(b"a")
            self.sock.sendall(b"b")


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="of Linux")
def test_a_peer_with_nagles_algorithm_does_not_wait_for_our_delayed_acknowledgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """50 messages of which each would take 40 ms."""

    def exchange() -> float:
        with pair() as (sock, other):
            peer = threading.Thread(target=_Nagling(other, 50).answer)
            ours, buffer, began = Transport(sock), memoryview(bytearray(8)), monotonic()
            peer.start()
            for _ in range(50):
                ours.write((b"x",), 10)
                received = 0
                while received < 2:
                    received += ours.read_into(buffer, 10, "an answer")
            peer.join()
            return monotonic() - began

    quick = min(exchange() for _ in range(3))
    monkeypatch.setattr(transport_module, "_QUICK_ACK", None)  # as on a system that has no such option
    delayed = exchange()
    assert delayed > 1.5
    assert quick < delayed / 2
