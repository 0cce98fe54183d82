"""Peers of the live acceptor: many connections at a time in one thread, plain and under TLS, each with one stream.

A line holds what is still to be sent on one connection and what has been heard. Under TLS it does the handshake, says
its stream inside, and ends with close_notify or without; a tampered one changes its own records on their way.
"""

from __future__ import annotations

import selectors
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Final

from fuzz.mutation import Mutator
from fuzz.recording import HOST
from fuzz.tree import records

HANG_S: Final = 15.0
"""More than all time-outs of the acceptor that can follow one another, and its wait for the peer to close."""

_STALLED_EVERY: Final = 150
_CHUNK_BYTES: Final = 65536
_TAMPERED_FLIGHTS: Final = 0.4


class Line:
    """One connection as bytes in and out, without TLS."""

    def __init__(self, data: bytes) -> None:
        self.outgoing = bytearray(data)
        self.heard = bytearray()
        self.has_more = False
        """Whether there will be more to send, once something has been heard."""

    def receive(self, data: bytes) -> None:
        """Take in what the acceptor sent."""
        self.heard += data


class SecureLine(Line):
    """The stream inside a TLS session; ``on_the_way`` changes what goes out."""

    def __init__(
        self, data: bytes, context: ssl.SSLContext, on_the_way: Callable[[bytes], bytes] = bytes, *, says_end: bool
    ) -> None:
        super().__init__(b"")
        self.has_more = True
        self._data, self._on_the_way, self._says_end = data, on_the_way, says_end
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=HOST)
        self.receive(b"")

    def receive(self, data: bytes) -> None:
        self._in.write(data)
        try:
            if self.has_more:
                self._tls.do_handshake()
                self._speak()
            while part := self._tls.read(_CHUNK_BYTES):
                self.heard += part
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # the acceptor has ended it
            self.has_more = False
        if sent := self._out.read():
            self.outgoing += self._on_the_way(sent)

    def _speak(self) -> None:
        self.has_more = False
        if self._data:
            self._tls.write(self._data)
        if self._says_end:
            with suppress(ssl.SSLWantReadError):
                self._tls.unwrap()


def tampering(rng: Random) -> Callable[[bytes], bytes]:
    """Changes some of the flights of a session: their records, or bytes of them."""

    def tampered(flight: bytes) -> bytes:
        return Mutator([records(flight)]).stream(rng) if rng.random() < _TAMPERED_FLIGHTS else flight

    return tampered


@dataclass(slots=True)
class Attempt:
    """One stream on its way to the acceptor, and what came back."""

    index: int
    data: bytes
    line: Line = field(default_factory=lambda: Line(b""))
    started: float = 0.0
    took_s: float = 0.0
    has_ended: bool = False

    @property
    def stays(self) -> bool:
        """Whether the connection stays open after the stream, so that a time-out has to end it."""
        return self.index % _STALLED_EVERY == 0

    def begin(self, port: int, line: Line, selector: selectors.BaseSelector) -> None:
        """Connect; :func:`step` does the rest."""
        sock = socket.create_connection((HOST, port), timeout=HANG_S)
        sock.setblocking(False)
        self.line, self.started = line, monotonic()
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)


def step(selector: selectors.BaseSelector) -> Iterator[Attempt]:
    """Move all connections on; yields those that the acceptor has ended. Raises AssertionError for one that hangs."""
    for key, events in selector.select(timeout=0.5):
        sock, attempt = key.fileobj, key.data
        assert isinstance(sock, socket.socket)
        if events & selectors.EVENT_READ and _hears_the_end(sock, attempt.line):
            selector.unregister(sock)
            sock.close()
            attempt.took_s = monotonic() - attempt.started
            yield attempt
            continue
        _write(sock, attempt)
        wanted = selectors.EVENT_WRITE if attempt.line.outgoing else 0
        selector.modify(sock, selectors.EVENT_READ | wanted, attempt)
    now = monotonic()
    for key in selector.get_map().values():
        if now - key.data.started > HANG_S:
            raise AssertionError(f"stream {key.data.index}: the connection is open after {HANG_S:g} s")


def _write(sock: socket.socket, attempt: Attempt) -> None:
    line = attempt.line
    try:
        del line.outgoing[: sock.send(line.outgoing[:_CHUNK_BYTES])]
    except BlockingIOError:
        return
    except OSError:
        line.outgoing.clear()
    if not line.outgoing and not line.has_more and not attempt.stays and not attempt.has_ended:
        attempt.has_ended = True
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)


def _hears_the_end(sock: socket.socket, line: Line) -> bool:
    try:
        data = sock.recv(_CHUNK_BYTES)
    except BlockingIOError:
        return False
    except OSError:
        return True
    line.receive(data)
    return not data
