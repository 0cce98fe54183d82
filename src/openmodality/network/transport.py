"""One TCP or TLS connection: reads into a buffer, gathered writes, one place where socket errors get their names."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from openmodality.errors import PeerTimeout, TransportError
from openmodality.upper_layer.p_data import Buffer

if TYPE_CHECKING:
    import ssl

_UNNAMED: Final = "the peer"
_IOV_MAX: Final = 1000
"""Buffers in one gathered write; POSIX systems take at least 1024."""


class Transport:
    """A connected socket. Not for two threads at once, but for :meth:`shut`, which any thread may call.

    ``peer`` is how errors call the other side.
    """

    def __init__(self, sock: socket.socket, peer: str = _UNNAMED) -> None:
        self._peer = peer
        self._sock = sock
        self.is_secure = hasattr(sock, "cipher")
        """Whether the connection is under TLS; asked of the socket, because importing ssl costs a plain echo 8 ms."""
        self._timeout_s: float | None = None
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def read_into(self, buffer: memoryview, timeout_s: float | None, waiting_for: str) -> int:
        """Read what is there, waiting for at least one byte; 0 when the peer has closed.

        Raises :class:`PeerTimeout` naming ``waiting_for`` and :class:`TransportError`.
        """
        self._set_timeout(timeout_s)
        try:
            return self._sock.recv_into(buffer)
        except TimeoutError as error:
            raise self.timed_out(waiting_for, timeout_s) from error
        except OSError as error:
            raise self._broken(error) from error

    def write(self, buffers: Sequence[Buffer], timeout_s: float | None) -> None:
        """Write all buffers in order; raises :class:`PeerTimeout` when the peer takes nothing for ``timeout_s``."""
        self._set_timeout(timeout_s)
        try:
            if self.is_secure:
                for buffer in buffers if len(buffers) == 1 else (b"".join(buffers),):
                    self._sock.sendall(buffer)
            else:
                self._write_gathered(buffers)
        except TimeoutError as error:
            raise self.timed_out("it to take data", timeout_s) from error
        except OSError as error:
            raise self._broken(error) from error

    def _write_gathered(self, buffers: Sequence[Buffer]) -> None:
        sendmsg = self._sock.sendmsg
        pending = buffers
        while pending:
            batch = pending if len(pending) <= _IOV_MAX else pending[:_IOV_MAX]
            sent = sendmsg(batch)
            pending = _after(pending, sent)

    def readable(self) -> bool:
        """Whether a read would find something at once."""
        if self.is_secure and cast("ssl.SSLSocket", self._sock).pending():
            return True
        try:
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True  # the read that follows names the error

    def shut(self) -> None:
        """Stop the connection in both directions, so that a thread that waits in it wakes up."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def close_gracefully(self, timeout_s: float) -> None:
        """Close after the peer has closed or ``timeout_s`` has gone, so that our last PDU is not lost to a reset."""
        end = time.monotonic() + timeout_s
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self._sock.settimeout(left)
                if not self._sock.recv(65536):
                    break
        self._sock.close()

    def _set_timeout(self, timeout_s: float | None) -> None:
        if timeout_s != self._timeout_s:  # saves two system calls where nothing changes
            try:
                self._sock.settimeout(timeout_s)
            except OSError as error:
                raise self._broken(error) from error
            self._timeout_s = timeout_s

    def timed_out(self, waiting_for: str, timeout_s: float | None) -> PeerTimeout:
        """The error for a peer that let ``timeout_s`` pass."""
        return _timed_out(self._peer, waiting_for, timeout_s)

    def _broken(self, error: OSError) -> TransportError:
        tls_reason = getattr(error, "reason", None)  # an ssl.SSLError
        if tls_reason is not None:
            return TransportError(f"TLS with {self._peer} failed: {tls_reason}", advice=TLS_ADVICE)
        reason = error.strerror or type(error).__name__
        return TransportError(
            f"the connection with {self._peer} broke: {reason}", advice="check the network and the peer's own log"
        )


def _after(buffers: Sequence[Buffer], sent: int) -> Sequence[Buffer]:
    for index, buffer in enumerate(buffers):
        if sent < len(buffer):
            return [memoryview(buffer)[sent:], *buffers[index + 1 :]]
        sent -= len(buffer)
    return ()


def _timed_out(peer: str, waiting_for: str, timeout_s: float | None) -> PeerTimeout:
    return PeerTimeout(
        f"no answer from {peer} within {timeout_s:g} s while waiting for {waiting_for}",
        waiting_for=waiting_for,
        advice="check that the peer works and is not overloaded, or set a longer time-out",
    )


TLS_ADVICE: Final = "check that both sides use TLS on this port, and that each trusts the other's certificate"


def connect(
    host: str, port: int, timeout_s: float | None, ssl_context: ssl.SSLContext | None = None, peer: str = ""
) -> Transport:
    """Connect to a listening application; raises :class:`TransportError` or :class:`PeerTimeout` saying where.

    ``peer`` is how later errors call it, if not by host and port.
    """
    try:
        sock = socket.create_connection((host, port), timeout_s)
    except TimeoutError as error:
        raise PeerTimeout(
            f"no connection to {host}:{port} within {timeout_s:g} s",
            waiting_for="TCP connection",
            advice="check host, port and firewall",
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TransportError(
            f"cannot connect to {host}:{port}: {reason}", advice="check that the peer is running, its host and its port"
        ) from error
    peer = peer or f"{host}:{port}"
    return Transport(secure(sock, ssl_context, timeout_s, host, peer) if ssl_context else sock, peer)


def secure(
    sock: socket.socket,
    context: ssl.SSLContext,
    timeout_s: float | None,
    server_hostname: str | None = None,
    peer: str = _UNNAMED,
) -> ssl.SSLSocket:
    """Do the TLS handshake, as server where no ``server_hostname`` is given; closes the socket when it fails.

    Raises :class:`TransportError` with one clear text, also where the other side does not speak TLS at all.
    """
    import ssl  # noqa: PLC0415 - start-up time: most associations are plain

    try:
        sock.settimeout(timeout_s)
        return context.wrap_socket(sock, server_side=server_hostname is None, server_hostname=server_hostname)
    except TimeoutError as error:
        sock.close()
        raise _timed_out(peer, "the TLS handshake", timeout_s) from error
    except ssl.SSLError as error:
        sock.close()
        reason = error.reason or "no TLS"
        raise TransportError(f"TLS handshake with {peer} failed: {reason}", advice=TLS_ADVICE) from error
    except OSError as error:
        sock.close()
        reason = error.strerror or "it closed the connection"
        raise TransportError(f"TLS handshake with {peer} failed: {reason}", advice=TLS_ADVICE) from error
