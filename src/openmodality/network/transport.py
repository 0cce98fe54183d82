"""One TCP or TLS connection: reads into a buffer, gathered writes; socket errors get their names here.

Rules: a plain socket is read and written without waiting (MSG_DONTWAIT), and waited for only where nothing came or
could go: the usual message is one system call, where Python's own time-outs take two. A peer that answered the last
time within :data:`WATCH_S` is watched for as long before we sleep (docs/decisions, 22). Each wait has the whole
time-out: it starts anew whenever bytes have come or gone. Under TLS Python's time-outs hold, which count per call.

Many peers write a PDU in two parts with Nagle's algorithm on: they send the second part when we have acknowledged the
first, and the system delays that by 40 ms while it waits for something of ours to send it with. So before we wait for
such a peer the system is told to acknowledge at once, each time, because it forgets that (tcp(7), TCP_QUICKACK). A
peer that answers within :data:`ACKNOWLEDGE_S` is not one of them, and costs nothing more.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from openmodality.buffer import Buffer
from openmodality.errors import PeerTimeout, TransportError
from openmodality.network.timeouts import Deadline
from openmodality.network.tls_failures import TLS_ADVICE, explain_tls_break, make_not_trusted

if TYPE_CHECKING:
    import ssl

UNNAMED: Final = "the peer"
"""How errors call a peer whose name is not known yet."""
_IOV_MAX: Final = 1000
"""Buffers in one gathered write; POSIX systems take at least 1024."""
WATCH_S: Final = 0.001
"""How long a prompt peer is watched for before the system is asked to wake us: one that has answered within that."""
ACKNOWLEDGE_S: Final = 0.0001
"""After how long of watching the peer may be waiting for our acknowledgement."""
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux has it; where a system has not, nothing is done."""
_WATCHING: Final = threading.Lock()
_KEEPALIVE_OPTIONS: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20))
"""Seconds: many firewalls forget a silent connection after some minutes, systems by themselves wait two hours."""


class Arrived(Enum):
    """What ended a wait for one of two things."""

    PEER = auto()
    OTHER = auto()
    NOTHING = auto()


class Transport:
    """A connected socket. Not for two threads at once, but for :meth:`shut`, which any thread may call.

    ``peer`` is how errors call the other side.
    """

    def __init__(self, sock: socket.socket, peer: str = UNNAMED) -> None:
        self._peer = peer
        self._sock = sock
        self.is_secure = hasattr(sock, "cipher")
        """Whether the connection is under TLS; asked of the socket, because importing ssl costs a plain echo 8 ms."""
        self._timeout_s: float | None = None
        self.is_prompt = False
        """Whether the last wait was short, so that the next is worth watching."""
        self._polls: dict[int, select.poll] = {}
        sock.settimeout(None)
        # A response is one small write, which the system would else hold back until the peer has acknowledged the last.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in _KEEPALIVE_OPTIONS:
            if hasattr(socket, name):  # not on every system
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)

    def read_into(self, buffer: memoryview, timeout_s: float | None, waiting_for: str) -> int:
        """Read what is there, waiting for at least one byte; 0 when the peer has closed.

        Raises :class:`PeerTimeout`, which names ``waiting_for``, where the time is over, and :class:`TransportError`
        where the connection breaks.
        """
        try:
            if self.is_secure:
                self._set_timeout(timeout_s)
                self._acknowledge()
                return self._sock.recv_into(buffer)
            return self._read_plain(buffer, timeout_s)
        except OSError as error:
            if is_time_out(error):
                raise explain_time_out(self._peer, waiting_for, timeout_s) from error
            raise self._explain_break(error) from error

    def _read_plain(self, buffer: memoryview, timeout_s: float | None) -> int:
        """Read with one system call where bytes are there; where a prompt peer is awaited, without going to sleep."""
        receive = self._sock.recv_into
        try:
            return receive(buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            began = monotonic()
        while True:
            if not (self.is_prompt and self._arrives_before(began + WATCH_S)):
                self.is_prompt = False
                self._acknowledge()
                self._await(select.POLLIN, timeout_s)
            with suppress(BlockingIOError):  # what was there is gone: a system may do that
                count = receive(buffer, 0, socket.MSG_DONTWAIT)
                self.is_prompt = monotonic() - began < WATCH_S
                return count

    def _arrives_before(self, end: float) -> bool:
        """Look again and again: to be put to sleep and woken up may cost more than a prompt peer needs for its work.

        One thread of the process at a time; what the others wait for comes as it comes.
        """
        if not _WATCHING.acquire(blocking=False):
            return False
        try:
            look, acknowledge_at = self._make_poller(select.POLLIN).poll, monotonic() + ACKNOWLEDGE_S
            while (now := monotonic()) < end:
                if look(0):
                    return True
                if now >= acknowledge_at:
                    self._acknowledge()
                    acknowledge_at = end
            return False
        finally:
            _WATCHING.release()

    def _acknowledge(self) -> None:
        """Acknowledge what has come, and what comes next, without delay."""
        if _QUICK_ACK is not None:
            with suppress(OSError):  # of a system without it, or a socket that has no TCP; the read names other errors
                self._sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    def _await(self, what: int, timeout_s: float | None) -> None:
        """Sleep until bytes have come or can go. Raises :class:`TimeoutError` where neither happens in time."""
        if not self._make_poller(what).poll(None if timeout_s is None else timeout_s * 1000):
            raise TimeoutError

    def _make_poller(self, what: int) -> select.poll:
        # poll rather than select, which takes no file descriptor above 1023; kept, because to register costs as much
        poll = self._polls.get(what)
        if poll is None:
            poll = self._polls[what] = select.poll()
            poll.register(self._sock, what)
        return poll

    def read_before(self, buffer: memoryview, deadline: Deadline, waiting_for: str) -> int:
        """As :meth:`read_into`, for one of several reads that have one deadline together."""
        left_s = deadline.left_s()
        try:
            if left_s is None or left_s > 0:
                return self.read_into(buffer, left_s, waiting_for)
        except PeerTimeout as error:
            raise explain_time_out(self._peer, waiting_for, deadline.timeout_s) from error
        raise explain_time_out(self._peer, waiting_for, deadline.timeout_s)

    def read_at_hand(self, buffer: memoryview) -> int | None:
        """Read what is there without waiting; ``None`` where there is nothing, or not yet a whole TLS record."""
        try:
            if not self.is_secure:
                return self._sock.recv_into(buffer, 0, socket.MSG_DONTWAIT)
            if not self._is_readable():
                return None
            self._set_timeout(0.0)
            return self._sock.recv_into(buffer)
        except OSError as error:
            if self._must_wait(error):
                return None
            raise self._explain_break(error) from error

    def await_either(self, other: int, timeout_s: float) -> Arrived:
        """Wait for bytes of the peer, or for those that can be read from another file descriptor, which go first."""
        both = select.poll()
        both.register(self._sock, select.POLLIN)
        both.register(other, select.POLLIN)
        wait_s = 0.0 if self.is_secure and cast("ssl.SSLSocket", self._sock).pending() else max(0.0, timeout_s)
        ready = {descriptor for descriptor, _ in both.poll(wait_s * 1000)}
        if other in ready:
            return Arrived.OTHER
        is_readable = bool(ready) or (self.is_secure and self._is_readable())
        return Arrived.PEER if is_readable else Arrived.NOTHING

    def write(self, buffers: Sequence[Buffer], timeout_s: float | None) -> None:
        """Write all buffers in order. Raises :class:`PeerTimeout` where the peer takes nothing for ``timeout_s``."""
        try:
            if self.is_secure:
                self._set_timeout(timeout_s)
                # TLS has no gathered write: joined, the buffers are fewer records and system calls
                for buffer in buffers if len(buffers) == 1 else (b"".join(buffers),):
                    self._sock.sendall(buffer)
            else:
                self._write_gathered(buffers, timeout_s)
        except OSError as error:
            if is_time_out(error):
                raise explain_time_out(self._peer, "it to take data", timeout_s) from error
            raise self._explain_break(error) from error

    def _write_gathered(self, buffers: Sequence[Buffer], timeout_s: float | None) -> None:
        sendmsg = self._sock.sendmsg
        pending = buffers
        while pending:
            batch = pending if len(pending) <= _IOV_MAX else pending[:_IOV_MAX]
            try:
                if len(batch) == 1:
                    sent = self._sock.send(batch[0], socket.MSG_DONTWAIT)
                else:
                    sent = sendmsg(batch, (), socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._await(select.POLLOUT, timeout_s)
                continue
            if batch is pending and sent == sum(map(len, pending)):
                return  # the usual case, without a new list
            pending = _skip_sent(pending, sent)

    def _is_readable(self) -> bool:
        # what OpenSSL has decrypted already is no longer in the socket, so that poll alone would miss it
        if cast("ssl.SSLSocket", self._sock).pending():
            return True
        try:
            return bool(self._make_poller(select.POLLIN).poll(0))
        except (OSError, ValueError):
            return True  # the read that follows names the error

    def _must_wait(self, error: OSError) -> bool:
        if not self.is_secure:
            return isinstance(error, BlockingIOError)
        import ssl  # noqa: PLC0415 - start-up time: most associations are plain

        return isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError)

    def shut(self, how: int = socket.SHUT_RDWR) -> None:
        """Stop the connection, so that a thread that waits in it wakes up; ``SHUT_RD`` lets it still write."""
        with suppress(OSError):
            socket.socket.shutdown(self._sock, how)  # below TLS, which belongs to the other thread

    def close(self) -> None:
        """Give the socket back."""
        self._say_closing()
        self._sock.close()

    def close_gracefully(self, timeout_s: float) -> None:
        """Close after the peer has closed or ``timeout_s`` has gone, so that our last PDU is not lost to a reset."""
        end = monotonic() + timeout_s
        self._say_closing()
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            while (left := end - monotonic()) > 0:
                self._sock.settimeout(left)
                if not self._sock.recv(65536):
                    break
        self._sock.close()

    def _say_closing(self) -> None:
        """Under TLS: send close_notify, without which the peer takes the end for an attack (RFC 8446 6.1)."""
        if self.is_secure:
            with suppress(OSError, ValueError):  # that of the peer is not waited for, which is an error too
                self._sock.settimeout(0)
                cast("ssl.SSLSocket", self._sock).unwrap()

    def _set_timeout(self, timeout_s: float | None) -> None:
        """Under TLS, where a record is more than one read, Python's own time-outs hold."""
        if timeout_s != self._timeout_s:
            self._sock.settimeout(timeout_s)
            self._timeout_s = timeout_s

    def _explain_break(self, error: OSError) -> TransportError:
        if getattr(error, "reason", None) is not None:  # an ssl.SSLError
            fault = explain_tls_break(cast("ssl.SSLError", error))
            if fault.is_of_trust:  # TLS 1.3 tells after the handshake that a certificate is refused
                return make_not_trusted(f"TLS with {self._peer}", fault)
            return TransportError(f"TLS with {self._peer} failed: {fault.reason}", advice=fault.advice)
        reason = error.strerror or type(error).__name__
        if type(error).__name__ == "SSLEOFError":  # of ssl, which a plain connection does not import
            reason = "it closed the connection"
        if self.is_secure:  # under TLS 1.3 a peer that does not trust us says so, or nothing, after the handshake
            return TransportError(f"the TLS connection with {self._peer} broke: {reason}", advice=TLS_ADVICE)
        return TransportError(
            f"the connection with {self._peer} broke: {reason}", advice="check the network and the peer's own log"
        )


def _skip_sent(buffers: Sequence[Buffer], sent: int) -> Sequence[Buffer]:
    for index, buffer in enumerate(buffers):
        if sent < len(buffer):
            return [memoryview(buffer)[sent:], *buffers[index + 1 :]]
        sent -= len(buffer)
    return ()


def is_time_out(error: OSError) -> bool:
    """Whether our own time is over; with an errno it is the system that has given the connection up."""
    return isinstance(error, TimeoutError) and error.errno is None


def explain_time_out(peer: str, waiting_for: str, timeout_s: float | None) -> PeerTimeout:
    """Make the error for a peer that did not do in time what was waited for."""
    return PeerTimeout(
        f"no answer from {peer} within {timeout_s:g} s while waiting for {waiting_for}",
        waiting_for=waiting_for,
        advice="check that the peer works and is not overloaded, or set a longer time-out",
    )
