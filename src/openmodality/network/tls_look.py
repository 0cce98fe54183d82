"""One look at a server under TLS: what it says to some settings, before the handshake ends or fails.

It is a look and no more: whatever certificate the server shows is taken, and nothing is sent to it.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final

from openmodality.errors import TransportError
from openmodality.network.cipher_suites import EVERY_SUITE
from openmodality.network.connecting import open_socket
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.server_hello import ServerHello, read_server_hello
from openmodality.network.timeouts import Deadline

_READ_BYTES: Final = 65536
_MOST_BYTES: Final = 1024 * 1024
"""What is read of a handshake; a chain of certificates is a few thousand bytes."""
_LEAST_WAIT_S: Final = 0.001


def make_open_context(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A context that takes whatever a peer does, or one version alone: to look at a peer, never to send it anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(EVERY_SUITE)
    with warnings.catch_warnings():  # Python warns of old versions, which are what is asked about
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version or ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version or ssl.TLSVersion.MAXIMUM_SUPPORTED
    return context


def look_at_server(remote: RemoteAE, context: ssl.SSLContext, local: LocalAE) -> ServerHello | None:
    """What a server says to these settings before the handshake ends or fails."""
    timeout_s = local.timeouts.connect_s
    try:
        sock = open_socket(remote.host, remote.port, timeout_s)
    except TransportError:
        return None
    with closing(sock):
        try:
            received, certificate = _shake_hands(sock, context, remote.host, Deadline(timeout_s))
        except (OSError, ValueError):  # ssl.SSLError is one: versions that this OpenSSL has not
            return None
    hello = read_server_hello(received)
    return hello and replace(hello, certificate=hello.certificate or certificate)


def _shake_hands(sock: socket.socket, context: ssl.SSLContext, host: str, deadline: Deadline) -> tuple[bytes, bytes]:
    """All that the server sent, also before it hung up, and its certificate where the handshake has ended well."""
    incoming, outgoing, received = ssl.MemoryBIO(), ssl.MemoryBIO(), bytearray()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while len(received) < _MOST_BYTES:
        try:
            tls.do_handshake()
            with suppress(OSError):
                sock.sendall(outgoing.read())
            return bytes(received), tls.getpeercert(binary_form=True) or b""
        except ssl.SSLWantReadError:
            data = _exchange(sock, outgoing.read(), deadline)
        except ssl.SSLError:
            break
        if not data:
            break
        received += data
        incoming.write(data)
    return bytes(received), b""


def _exchange(sock: socket.socket, message: bytes, deadline: Deadline) -> bytes:
    """Send a message; what the server says then, nothing where it hangs up or its time is over."""
    left_s = deadline.left_s()
    if left_s is not None and left_s <= 0:
        return b""
    try:
        sock.settimeout(left_s if left_s is None else max(left_s, _LEAST_WAIT_S))
        sock.sendall(message)
        return sock.recv(_READ_BYTES)
    except OSError:
        return b""
