"""What the probe finds out about a peer under TLS, and how it explains what does not fit."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openmodality.errors import NotTrusted, TransportError, UsageError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import storage_policy
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.timeouts import Timeouts
from openmodality.network.tls import TlsFiles, client_context, server_context
from openmodality.network.tls_probe import TlsReport, explain_failure, probe_tls
from openmodality.services.verification import VERIFICATION_SERVICE
from tests.interop.certificates import KeyPair, key_pair
from tests.peers.process import HOST, free_port

LOCAL = LocalAE("TEST", timeouts=replace(Timeouts(), connect_s=10.0, association_s=10.0))
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC)


@contextmanager
def listening(context: ssl.SSLContext | None) -> Iterator[int]:
    with Acceptor(LOCAL, [VERIFICATION_SERVICE], storage_policy(LOCAL), Listening(HOST, 0, context)) as acceptor:
        yield acceptor.port


def server(pair: KeyPair, *trusted: KeyPair) -> ssl.SSLContext:
    return server_context(TlsFiles(pair.certificate, pair.key, tuple(one.authority for one in trusted)))


def client(trusted: KeyPair, shows: KeyPair | None = None) -> ssl.SSLContext:
    if shows is None:
        return client_context(TlsFiles(authorities=(trusted.authority,)))
    return client_context(TlsFiles(shows.certificate, shows.key, (trusted.authority,)))


def probe(theirs: ssl.SSLContext | None, ours: ssl.SSLContext) -> TlsReport:
    with listening(theirs) as port:
        return probe_tls(RemoteAE("PEER", HOST, port, ours), LOCAL)


def kind_of(report: TlsReport) -> str:
    return report.fault.kind if report.fault else ""


def test_two_sides_that_fit(keys: KeyPair) -> None:
    report = probe(server(keys, keys), client(keys, keys))
    assert report.fault is None
    assert report.versions == ("TLS 1.3", "TLS 1.2")
    assert (report.version, report.cipher_suite) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
    assert report.requires_certificate is True
    assert report.certificate is not None
    assert report.certificate.subject == "CN=hospital"
    assert report.describe() == [
        "TLS works with the settings of this side",
        "it chooses TLS 1.3 with TLS_AES_256_GCM_SHA384; it speaks TLS 1.3, TLS 1.2",
        "its certificate: CN=hospital, issued by CN=CA of hospital, good from 2020-01-01 to 2120-01-01",
        "it requires a certificate of the other side",
    ]


def test_an_expired_certificate_is_named(tmp_path: Path) -> None:
    old = key_pair(tmp_path, "old", valid=LONG_AGO)
    report = probe(server(old), client(old))
    assert kind_of(report) == "expired"
    assert report.fault is not None
    assert report.fault.reason.endswith(": CN=old, issued by CN=CA of old, good from 2001-01-01 to 2002-01-01")
    assert report.requires_certificate is False


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_certificates_that_do_not_fit(keys: KeyPair, strangers: KeyPair, version: ssl.TLSVersion) -> None:
    def only(context: ssl.SSLContext) -> ssl.SSLContext:
        context.maximum_version = context.minimum_version = version
        return context

    foreign = probe(only(server(strangers)), client(keys))
    assert kind_of(foreign) == "wrong_ca"
    assert foreign.certificate is not None
    assert foreign.certificate.issuer == "CN=CA of stranger"
    assert kind_of(probe(only(server(keys, keys)), client(keys))) == "our_certificate_missing"
    assert kind_of(probe(only(server(keys, keys)), client(keys, strangers))) == "our_ca_unknown"
    ours = client(keys)
    ours.load_verify_locations(keys.authority.with_name("hospital.crl"))
    ours.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    assert kind_of(probe(only(server(keys)), ours)) == "revoked"


def test_no_suite_in_common(keys: KeyPair) -> None:
    theirs, ours = server(keys, keys), client(keys, keys)
    theirs.set_ciphers("AES128-SHA:@SECLEVEL=0")
    theirs.maximum_version = ssl.TLSVersion.TLSv1_2
    report = probe(theirs, ours)
    assert kind_of(report) == "no_common_suite"
    assert report.fault is not None
    assert "the other side chooses AES128-SHA where it may" in report.fault.reason
    assert report.requires_certificate is True


def test_no_version_in_common(keys: KeyPair) -> None:
    theirs = server(keys)
    theirs.set_ciphers("AES128-SHA:@SECLEVEL=0")
    theirs.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.deprecated_call():
        theirs.maximum_version = ssl.TLSVersion.TLSv1_1
    report = probe(theirs, client(keys))
    assert kind_of(report) == "no_common_version"
    assert report.versions == ("TLS 1.1", "TLS 1.0")
    assert report.fault is not None
    assert "the other side speaks TLS 1.1, TLS 1.0, and this side TLS 1.3, TLS 1.2" in report.fault.reason


def test_a_peer_without_tls(keys: KeyPair) -> None:
    report = probe(None, client(keys))
    assert (kind_of(report), report.is_plain, report.versions) == ("plain_peer", True, ())
    assert "the other side speaks DICOM in the clear on this port, and no TLS" in report.describe()


def test_something_that_is_no_dicom_at_all(keys: KeyPair) -> None:
    """It closes each connection, as a firewall does."""
    with socket.create_server((HOST, 0)) as listener:

        def refuse() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=refuse)
        thread.start()
        report = probe_tls(RemoteAE("PEER", HOST, listener.getsockname()[1], client(keys)), LOCAL)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    assert report.fault is not None
    assert not report.is_plain
    assert kind_of(report) in ("closed", "other")


def test_a_failure_is_explained(keys: KeyPair) -> None:
    said = TransportError("it closed the connection")
    with listening(server(keys, keys)) as port:
        in_the_clear = explain_failure(RemoteAE("PEER", HOST, port), LOCAL, said)
        without_ours = explain_failure(RemoteAE("PEER", HOST, port, client(keys)), LOCAL, said)
        fits = explain_failure(RemoteAE("PEER", HOST, port, client(keys, keys)), LOCAL, said)
    assert in_the_clear.message == f"PEER@{HOST}:{port} speaks TLS 1.3 on this port, and was called in the clear"
    assert isinstance(without_ours, NotTrusted)
    assert without_ours.kind == "our_certificate_missing"
    assert fits is said
    assert explain_failure(RemoteAE("PEER", HOST, port, client(keys)), LOCAL, said) is said
    assert explain_failure(RemoteAE("PEER", HOST, port), LOCAL, said) is said


def test_nobody_and_no_settings_are_errors(keys: KeyPair) -> None:
    with pytest.raises(TransportError, match="cannot connect"):
        probe_tls(RemoteAE("PEER", HOST, free_port(), client(keys)), LOCAL)
    with pytest.raises(UsageError):
        probe_tls(RemoteAE("PEER", HOST, 104), LOCAL)


def test_what_was_said_before_a_reset_is_not_lost(keys: KeyPair) -> None:
    """Some peers reset the connection of who shows no certificate, and some before they say why."""
    theirs = server(keys, keys)
    theirs.maximum_version = ssl.TLSVersion.TLSv1_2
    with resetting(theirs) as port:
        report = probe_tls(RemoteAE("PEER", HOST, port, client(keys)), LOCAL)
    assert (report.versions, report.requires_certificate) == (("TLS 1.2",), True)
    assert kind_of(report) == "our_certificate_missing"


@contextmanager
def resetting(context: ssl.SSLContext) -> Iterator[int]:
    """Says its first flight of the handshake, then resets the connection when the answer comes."""
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = context.wrap_bio(incoming, outgoing, server_side=True)
                with connection, suppress(OSError):
                    connection.settimeout(10)
                    incoming.write(connection.recv(65536))
                    with suppress(ssl.SSLError):
                        tls.do_handshake()
                    connection.sendall(outgoing.read())
                    connection.recv(1)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
