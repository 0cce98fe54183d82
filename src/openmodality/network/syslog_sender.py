"""Sends syslog messages to a receiver that answers nothing: over TLS (RFC 5425), TCP, or in datagrams (RFC 5426).

Theory of operation. No receiver says that it has taken a message, so "delivered" is as much as a connection can tell:
all bytes were acknowledged by the receiver's system while its side was open, and then it closed its side in answer to
our own close. A receiver that closed before that, or whose system reset the connection because bytes were left unread,
has perhaps not taken them: then nothing of this connection counts, and all of it is sent again. So a message may come
twice, and none is lost. Of datagrams nothing is known but that they were sent.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Final

from openmodality.errors import TransportError
from openmodality.network.connecting import open_socket
from openmodality.network.host import prepare_for_resolver
from openmodality.network.timeouts import Deadline
from openmodality.network.transport import is_time_out
from openmodality.value_class import dataclass

LARGEST_DATAGRAM: Final = 65507
"""What UDP over IPv4 holds."""
_LOOK_S: Final = 0.01
_ADVICE: Final = "what was sent is sent again; look at the receiver's own log"


@dataclass(frozen=True, slots=True)
class SyslogReceiver:
    """Where messages go, under TLS with ``ssl_context``; ``timeout_s`` is what each step may take."""

    host: str
    port: int
    ssl_context: ssl.SSLContext | None
    timeout_s: float

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def send_stream(receiver: SyslogReceiver, frames: Sequence[bytes]) -> None:
    """Send messages with their octet counts; when this returns they are delivered.

    Raises :class:`TransportError`, or :class:`NotTrusted` where the TLS handshake fails, where that is not certain.
    """
    sock = open_socket(receiver.host, receiver.port, receiver.timeout_s, receiver.ssl_context)
    with closing(sock):
        try:
            sock.settimeout(receiver.timeout_s)
            sock.sendall(b"".join(frames))
            _await_acknowledgement(sock, receiver)
            _close_cleanly(sock)
        except OSError as error:
            raise _explain(receiver, error) from error


def send_datagrams(receiver: SyslogReceiver, messages: Sequence[bytes]) -> list[int]:
    """Send each message as a datagram; the places of those that are too long for one.

    Raises :class:`TransportError` where the system sends none.
    """
    too_long = [place for place, message in enumerate(messages) if len(message) > LARGEST_DATAGRAM]
    try:
        host = prepare_for_resolver(receiver.host)
        family, kind, protocol, _, address = socket.getaddrinfo(host, receiver.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            for place, message in enumerate(messages):
                if place not in too_long:
                    sock.sendto(message, address)
    except (OSError, UnicodeError) as error:
        raise _explain(receiver, error) from error
    return too_long


def _await_acknowledgement(sock: socket.socket, receiver: SyslogReceiver) -> None:
    """Wait until the other system has acknowledged all bytes, and its side is still open then.

    Its close would have come before the acknowledgement of what we sent after it.
    """
    deadline = Deadline(receiver.timeout_s)
    while _count_unacknowledged(sock):
        _refuse_closed(sock, receiver)
        if (deadline.left_s() or 0) <= 0:
            raise TransportError(f"{receiver} takes nothing within {receiver.timeout_s:g} s", advice=_ADVICE)
        select.select([], [], [], _LOOK_S)
    _refuse_closed(sock, receiver)


def _count_unacknowledged(sock: socket.socket) -> int:
    """How many bytes the other system has not acknowledged; 0 on a system that does not say."""
    try:
        import fcntl  # noqa: PLC0415 - not on every system
        import termios  # noqa: PLC0415 - likewise

        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])
    except (ImportError, OSError):
        return 0


def _refuse_closed(sock: socket.socket, receiver: SyslogReceiver) -> None:
    """Raises :class:`TransportError` where the receiver has closed its side, whatever it has read before."""
    sock.settimeout(0)
    try:
        while received := sock.recv(4096):
            del received  # a receiver has nothing to say
        raise TransportError(f"{receiver} closed the connection before all was sent", advice=_ADVICE)
    except (BlockingIOError, ssl.SSLWantReadError):
        return
    finally:
        with suppress(OSError):
            sock.settimeout(receiver.timeout_s)


def _close_cleanly(sock: socket.socket) -> None:
    """Close our side and wait until the receiver closes its own, without a reset for what it left unread."""
    if not isinstance(sock, ssl.SSLSocket):
        _await_end(sock)
        return
    try:
        sock.unwrap()
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return  # closed in answer to us, though without the alert that RFC 5425 asks for
    except OSError as error:
        if not isinstance(error, ConnectionError) and not is_time_out(error) and error.errno in (0, None):
            return  # likewise, as older versions of Python say it
        raise
    # The alert may have been on its way before ours: of what was not read then only the system below TLS tells.
    with suppress(TimeoutError):  # what stays open below a closed TLS is no sign of that
        _await_end(sock)


def _await_end(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass


def _explain(receiver: SyslogReceiver, error: OSError | UnicodeError) -> TransportError:
    if isinstance(error, OSError) and is_time_out(error):
        return TransportError(
            f"{receiver} does not close its side within {receiver.timeout_s:g} s, so that nobody knows what it has",
            advice=_ADVICE,
        )
    reason = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
    return TransportError(f"the connection to {receiver} broke: {reason}", advice=_ADVICE)
