"""What is read of a server's first messages: version, suite, certificate, whether it asks for one."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest

from openmodality.network.server_hello import ServerHello, read_server_hello
from openmodality.network.tls import TlsFiles, client_context, server_context
from tests.interop.certificates import KeyPair


def first_flight(theirs: ssl.SSLContext, ours: ssl.SSLContext) -> bytes:
    """What a server answers to a ClientHello."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ours.wrap_bio(ssl.MemoryBIO(), to_server)
    server = theirs.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server):
        with suppress(ssl.SSLError):
            side.do_handshake()
    return to_client.read()


def server(keys: KeyPair, version: ssl.TLSVersion, suites: str, *, asks: bool) -> ssl.SSLContext:
    context = server_context(TlsFiles(keys.certificate, keys.key, (keys.authority,) if asks else ()))
    context.maximum_version = version
    context.set_ciphers(suites)
    return context


@pytest.mark.parametrize("asks", [True, False])
def test_tls_1_2_goes_in_the_clear(keys: KeyPair, asks: bool) -> None:
    theirs = server(keys, ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384", asks=asks)
    flight = first_flight(theirs, client_context(TlsFiles(authorities=(keys.authority,))))
    der = ssl.PEM_cert_to_DER_cert(keys.certificate.read_text("ascii"))
    assert read_server_hello(flight) == ServerHello("TLS 1.2", 0xC030, der, asks)
    cut = read_server_hello(flight[:200])
    assert cut == ServerHello("TLS 1.2", 0xC030)


def test_tls_1_3_shows_version_and_suite(keys: KeyPair) -> None:
    theirs = server(keys, ssl.TLSVersion.TLSv1_3, "ECDHE-RSA-AES256-GCM-SHA384", asks=True)
    flight = first_flight(theirs, client_context(TlsFiles(authorities=(keys.authority,))))
    assert read_server_hello(flight) == ServerHello("TLS 1.3", 0x1302)


def test_an_alert_is_no_hello(keys: KeyPair) -> None:
    theirs = server(keys, ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384", asks=False)
    ours = client_context(TlsFiles(authorities=(keys.authority,)))
    ours.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    ours.maximum_version = ssl.TLSVersion.TLSv1_2
    assert read_server_hello(first_flight(theirs, ours)) is None


@pytest.mark.parametrize(
    "data", [b"", b"\x07\0\0\0\0\x04\0\0\0\0", b"\x16\x03\x03\0\x06\x02\0\0\x02\x03\x03", bytes(range(256))]
)
def test_what_is_no_hello_is_none(data: bytes) -> None:
    assert read_server_hello(data) is None
