"""What each side says where TLS fails, ten kinds of it; and suites with DHE, which a server needs parameters for."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from openmodality.errors import TransportError
from openmodality.network.connecting import shake_hands, wrap_socket
from openmodality.network.tls import TlsFiles, client_context, server_context
from openmodality.network.transport import Transport
from tests.interop.certificates import KeyPair, key_pair
from tests.peers.process import HOST

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC)
NOT_YET = datetime(2090, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
TIMEOUT_S = 10.0


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("old"), "old", valid=LONG_AGO)


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("young"), "young", valid=NOT_YET)


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("lonely"), "lonely", signs_itself=True)


def server(pair: KeyPair, *trusted: KeyPair) -> ssl.SSLContext:
    return server_context(TlsFiles(pair.certificate, pair.key, tuple(one.authority for one in trusted)))


def client(*trusted: KeyPair, shows: KeyPair | None = None) -> ssl.SSLContext:
    authorities = tuple(one.authority for one in trusted)
    if shows is None:
        return client_context(TlsFiles(authorities=authorities))
    return client_context(TlsFiles(shows.certificate, shows.key, authorities))


@dataclass
class Said:
    """What both sides say; empty where one has nothing to complain of."""

    client: str = ""
    server: str = ""
    client_advice: str = ""
    cipher: str = ""


def talk(theirs: ssl.SSLContext | None, ours: ssl.SSLContext | None, *, hostname: str = HOST) -> Said:
    """Let both sides shake hands and send a byte; ``None`` speaks no TLS."""
    said = Said()

    def serve(sock: socket.socket) -> None:
        try:
            said.server = exchange(sock, theirs, None)
        finally:
            sock.close()

    def exchange(sock: socket.socket, context: ssl.SSLContext | None, name: str | None) -> str:
        try:
            if context is not None:
                secured = wrap_socket(sock, context, name)
                shake_hands(secured, TIMEOUT_S)
                said.cipher = (secured.cipher() or ("",))[0]
                sock = secured
            with closing(Transport(sock)) as transport:
                transport.write((b"\1" + bytes(5),), TIMEOUT_S)
                transport.read_into(memoryview(bytearray(16)), TIMEOUT_S, "a byte")
        except TransportError as error:
            if name is not None:
                said.client_advice = error.advice
            return error.message
        return ""

    with socket.create_server((HOST, 0)) as listening:
        connection = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
    thread = threading.Thread(target=serve, args=(accepted,))
    thread.start()
    said.client = exchange(connection, ours, hostname)
    connection.close()
    thread.join(TIMEOUT_S)
    return said


HANDSHAKE = "TLS handshake with the peer failed: the certificate of the other side "


def test_two_who_trust_each_other_have_nothing_to_say(keys: KeyPair) -> None:
    said = talk(server(keys, keys), client(keys, shows=keys))
    assert (said.client, said.server) == ("", "")


@pytest.mark.parametrize("suite", ["DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256"])
def test_a_client_that_has_nothing_but_dhe_is_served(keys: KeyPair, suite: str) -> None:
    context = client(keys, shows=keys)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    said = talk(server(keys, keys), context)
    assert (said.client, said.server, said.cipher) == ("", "", suite)


@pytest.mark.parametrize(
    ("name", "who", "advice"),
    [
        ("old", "has expired", "a new certificate is needed"),
        ("young", "is not valid yet", "a new certificate is needed"),
    ],
)
def test_a_certificate_out_of_its_time(
    request: pytest.FixtureRequest, keys: KeyPair, name: str, who: str, advice: str
) -> None:
    pair: KeyPair = request.getfixturevalue(name)
    said = talk(server(pair), client(pair))
    assert said.client == f"{HANDSHAKE}{who} (CERTIFICATE_VERIFY_FAILED)"
    assert said.client_advice.startswith(advice)
    assert talk(server(keys, pair), client(keys, shows=pair)).server == said.client


def test_a_certificate_of_another_ca(keys: KeyPair, strangers: KeyPair) -> None:
    said = talk(server(strangers), client(keys))
    assert said.client == f"{HANDSHAKE}is of a CA that this side does not trust (CERTIFICATE_VERIFY_FAILED)"
    assert "does not trust the CA of our certificate (TLSV1_ALERT_UNKNOWN_CA)" in said.server


def test_a_certificate_that_vouches_for_itself(keys: KeyPair, lonely: KeyPair) -> None:
    said = talk(server(lonely), client(keys))
    assert said.client.startswith(f"{HANDSHAKE}is signed by itself, and this side does not trust it")


def test_no_certificate_where_one_is_required(keys: KeyPair) -> None:
    said = talk(server(keys, keys), client(keys))
    assert "the other side showed no certificate, and this side requires one" in said.server
    assert "the other side requires a certificate, and this side showed none" in said.client


def test_no_suite_in_common(keys: KeyPair) -> None:
    theirs, ours = server(keys), client(keys)
    theirs.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
    theirs.maximum_version = ssl.TLSVersion.TLSv1_2
    ours.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    said = talk(theirs, ours)
    assert "the two sides allow no cipher suite in common (NO_SHARED_CIPHER)" in said.server
    assert "no cipher suite in common, or it requires a certificate" in said.client


def test_no_version_in_common(keys: KeyPair) -> None:
    theirs, ours = server(keys), client(keys)
    theirs.minimum_version = ssl.TLSVersion.TLSv1_3
    ours.maximum_version = ssl.TLSVersion.TLSv1_2
    said = talk(theirs, ours)
    assert "the two sides allow no version of TLS in common (UNSUPPORTED_PROTOCOL)" in said.server
    assert "the other side allows no version of TLS that this side allows" in said.client


def test_a_plain_peer(keys: KeyPair) -> None:
    does_not = "TLS handshake with the peer failed: the other side does not speak TLS (WRONG_VERSION_NUMBER)"
    assert talk(None, client(keys)).client == does_not
    assert talk(server(keys), None).server == does_not


def test_a_certificate_of_another_host(keys: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(keys.authority))  # without authorities those of the machine are trusted
    said = talk(server(keys), client(), hostname="pacs.example")
    assert said.client == f"{HANDSHAKE}is for another host (CERTIFICATE_VERIFY_FAILED)"
    assert talk(server(keys), client(), hostname="localhost").client == ""


def test_a_certificate_that_is_revoked(keys: KeyPair) -> None:
    ours = client(keys)
    ours.load_verify_locations(keys.authority.with_name("hospital.crl"))
    ours.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    said = talk(server(keys), ours)
    assert said.client == f"{HANDSHAKE}is revoked (CERTIFICATE_VERIFY_FAILED)"
    assert "the other side says that our certificate is revoked (SSLV3_ALERT_CERTIFICATE_REVOKED)" in said.server


def test_a_browser_on_a_port_of_tls(keys: KeyPair) -> None:
    with socket.create_server((HOST, 0)) as listening:
        connection = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
    with connection, accepted:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TransportError, match="this looks like HTTP, not DICOM under TLS"):
            shake_hands(wrap_socket(accepted, server(keys)), TIMEOUT_S)
