"""Opening a TCP connection and putting it under TLS; what goes wrong is said in one clear text."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from openmodality.errors import TCP_CONNECTION, NotReached, PeerTimeout, TransportError
from openmodality.network.host import prepare_for_resolver
from openmodality.network.timeouts import Deadline
from openmodality.network.tls_failures import TLS_ADVICE, explain_tls, make_not_trusted
from openmodality.network.transport import UNNAMED, Transport, explain_time_out, is_time_out

if TYPE_CHECKING:
    import ssl

ALERT_S: Final = 1.0
"""How long a client gets to read why its handshake has failed."""
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")
_PROTOCOL_VERSION_ALERT: Final = bytes.fromhex("15 0301 0002 02 46")
"""A fatal alert protocol_version(70), RFC 5246 7.2.2."""
_READ_BYTES: Final = 65536


def connect(
    host: str, port: int, timeout_s: float | None, ssl_context: ssl.SSLContext | None = None, peer: str = ""
) -> Transport:
    """Connect to a listening application. Raises :class:`TransportError` or :class:`PeerTimeout` saying where.

    ``peer`` is how later errors call it, if not by host and port.
    """
    peer = peer or f"{host}:{port}"
    return Transport(open_socket(host, port, timeout_s, ssl_context, peer), peer)


def open_socket(
    host: str, port: int, timeout_s: float | None, ssl_context: ssl.SSLContext | None = None, peer: str = ""
) -> socket.socket:
    """The socket of a connection, under TLS with a context. Raises as :func:`connect` does."""
    try:
        name: Any = prepare_for_resolver(host)
        sock = socket.create_connection((name, port), timeout_s)
    except UnicodeError as error:
        raise NotReached(f"cannot connect to {host}:{port}: the host is neither a name nor an address") from error
    except OSError as error:
        raise _explain_no_connection(f"{host}:{port}", timeout_s, error) from error
    if ssl_context is None:
        return sock
    secured = wrap_socket(sock, ssl_context, host, peer or f"{host}:{port}")
    shake_hands(secured, timeout_s, peer or f"{host}:{port}")
    return secured


def _explain_no_connection(where: str, timeout_s: float | None, error: OSError) -> TransportError:
    if is_time_out(error):
        return PeerTimeout(
            f"no connection to {where} within {timeout_s:g} s",
            waiting_for=TCP_CONNECTION,
            advice="check host, port and firewall",
        )
    reason = error.strerror or type(error).__name__
    return NotReached(
        f"cannot connect to {where}: {reason}", advice="check that the peer is running, its host and its port"
    )


def wrap_socket(
    sock: socket.socket, context: ssl.SSLContext, server_hostname: str | None = None, peer: str = UNNAMED
) -> ssl.SSLSocket:
    """The socket under TLS, as server where no ``server_hostname`` is given; :func:`shake_hands` is to follow.

    Raises :class:`TransportError`, and closes the socket, where the connection has ended already.
    """
    try:
        return context.wrap_socket(
            sock,
            server_side=server_hostname is None,
            do_handshake_on_connect=False,
            server_hostname=server_hostname,
        )
    except OSError as error:
        sock.close()
        raise _explain_no_handshake(error, None, peer) from error


def shake_hands(sock: ssl.SSLSocket, timeout_s: float | None, peer: str = UNNAMED) -> None:
    """Do the TLS handshake; closes the socket when it fails.

    Raises :class:`TransportError` with one clear text, also where the other side does not speak TLS at all.
    """
    try:
        sock.settimeout(timeout_s)
        sock.do_handshake()
    except OSError as error:
        if sock.server_side and (reason := getattr(error, "reason", "")):  # of an ssl.SSLError
            _send_alert(sock, reason)
        sock.close()
        raise _explain_no_handshake(error, timeout_s, peer) from error


def _send_alert(sock: ssl.SSLSocket, reason: str) -> None:
    """Tell a client that speaks no TLS that this port does, which OpenSSL does not, and let the alert arrive.

    What the client has sent is read over: to close on unread bytes is a reset, which would take the alert away.
    """
    deadline = Deadline(ALERT_S)
    with suppress(OSError):
        if reason in _NO_TLS:
            socket.socket.send(sock, _PROTOCOL_VERSION_ALERT)
        socket.socket.shutdown(sock, socket.SHUT_WR)  # below TLS, which has failed
        while (left_s := deadline.left_s() or 0) > 0:
            sock.settimeout(left_s)
            if not socket.socket.recv(sock, _READ_BYTES):
                return


def _explain_no_handshake(error: OSError, timeout_s: float | None, peer: str) -> TransportError:
    if is_time_out(error):
        return explain_time_out(peer, "the TLS handshake", timeout_s)
    import ssl  # noqa: PLC0415 - start-up time: most associations are plain

    if isinstance(error, ssl.SSLError):
        return make_not_trusted(f"TLS handshake with {peer}", explain_tls(error))
    reason = error.strerror or "it closed the connection"
    return TransportError(f"TLS handshake with {peer} failed: {reason}", advice=TLS_ADVICE)
