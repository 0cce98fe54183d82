"""What a TLS server has said in the clear before a handshake ended or failed (RFC 5246 7.4; RFC 8446 4).

OpenSSL gives a program the certificate of the other side when all is well, and nothing of it where a handshake fails,
which is when somebody must know it. Up to TLS 1.2 certificate and certificate request go in the clear; of TLS 1.3 the
version and the suite do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openmodality.value_class import value_class

_HANDSHAKE: Final = 22
_SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_REQUEST = 2, 11, 13
_SUPPORTED_VERSIONS: Final = 43
_VERSIONS: Final = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
_RANDOM_END: Final = 34
"""Of a ServerHello: two bytes of version, 32 of random numbers."""


@value_class
class ServerHello:
    """What a server chose, its certificate (DER, empty where it was not seen), and whether it asked for one."""

    version: str
    suite: int
    certificate: bytes = b""
    asks_certificate: bool = False


def read_server_hello(received: bytes) -> ServerHello | None:
    """Read the first messages of a server; ``None`` where they are no ServerHello of a known version."""
    try:
        return _read_messages(received)
    except IndexError:
        return None


def _read_messages(received: bytes) -> ServerHello | None:
    hello: tuple[str, int] | None = None
    certificate, asks = b"", False
    for kind, body in _split_messages(_join_records(received)):
        if kind == _SERVER_HELLO and hello is None:
            hello = _read_hello(body)
        elif kind == _CERTIFICATE:
            certificate = _read_first_certificate(body)
        elif kind == _CERTIFICATE_REQUEST:
            asks = True
    return ServerHello(*hello, certificate, asks) if hello and hello[0] else None


def _join_records(received: bytes) -> bytes:
    """The handshake messages of the records that are in the clear."""
    joined, at = bytearray(), 0
    while at + 5 <= len(received) and received[at] == _HANDSHAKE:
        length = int.from_bytes(received[at + 3 : at + 5])
        joined += received[at + 5 : at + 5 + length]
        at += 5 + length
    return bytes(joined)


def _split_messages(handshake: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(handshake):
        length = int.from_bytes(handshake[at + 1 : at + 4])
        body = handshake[at + 4 : at + 4 + length]
        if len(body) < length:
            return
        yield handshake[at], body
        at += 4 + length


def _read_hello(body: bytes) -> tuple[str, int]:
    """Version and suite; TLS 1.3 names its version in an extension."""
    version = int.from_bytes(body[:2])
    at = _RANDOM_END + 1 + body[_RANDOM_END]
    suite = int.from_bytes(body[at : at + 2])
    at += 5  # suite, compression, length of the extensions
    while at + 4 <= len(body):
        kind, length = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        if kind == _SUPPORTED_VERSIONS:
            version = int.from_bytes(body[at + 4 : at + 4 + length])
        at += 4 + length
    return _VERSIONS.get(version, ""), suite


def _read_first_certificate(body: bytes) -> bytes:
    length = int.from_bytes(body[3:6])
    return body[6 : 6 + length]
