"""Associations under TLS, both roles; and what happens where only one side wants it (PS3.15 B)."""

from __future__ import annotations

import logging
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import MRImageStorage, Verification  # type: ignore[attr-defined]

from openmodality.errors import AssociationAborted, PeerTimeout, TransportError
from openmodality.network.acceptor import Listening
from openmodality.network.entity import RemoteAE
from openmodality.network.timeouts import Timeouts
from openmodality.services.verification import echo
from tests.interop import contents, ours, wire
from tests.interop.certificates import KeyPair
from tests.peers import dcmtk, objects, pynetdicom_ae
from tests.peers.process import HOST, Address


def secured(peer: Address, context: ssl.SSLContext) -> RemoteAE:
    return RemoteAE(peer.aet, peer.host, peer.port, context)


def test_ours_to_ours(tmp_path: Path, keys: KeyPair) -> None:
    path = objects.save(objects.mr_image(rows=1024, columns=1024), tmp_path / "files")
    with ours.archive(tmp_path / "received", listening=Listening(HOST, 0, keys.server())) as here:
        peer = secured(here, keys.client())
        with ours.associated(peer) as association:
            assert echo(association) == 0
        [sent] = ours.send_files(peer, [path])
        assert sent.is_stored, sent.error
        [file] = here.folder.files()
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescu")
def test_dcmtk_stores_to_us(tmp_path: Path, keys: KeyPair) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path / "files")
    with ours.archive(tmp_path / "received", listening=Listening(HOST, 0, keys.server())) as here:
        done = dcmtk.scu("storescu", here, *keys.dcmtk(), path)
        assert done.status == 0, done.output
        [file] = here.folder.files()
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescp")
def test_we_store_to_dcmtk(tmp_path: Path, keys: KeyPair) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path / "files")
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as peer:
        [sent] = ours.send_files(secured(peer, keys.client()), [path])
        assert sent.is_stored, sent.error
        [file] = peer.files()
    contents.assert_same_content(path, file)


def test_pynetdicom_stores_to_us(tmp_path: Path, keys: KeyPair) -> None:
    with (
        ours.archive(tmp_path, listening=Listening(HOST, 0, keys.server())) as here,
        pynetdicom_ae.associated(here, [MRImageStorage], tls_args=(keys.client(), HOST)) as association,
    ):
        assert association.send_c_store(objects.mr_image()).Status == 0


def test_pynetdicom_answers_us(keys: KeyPair) -> None:
    entity = AE("PEER")
    entity.add_supported_context(Verification)
    server = entity.start_server((HOST, 0), block=False, ssl_context=keys.server())
    assert server is not None
    try:
        with ours.associated(RemoteAE("PEER", HOST, server.server_address[1], keys.client())) as association:
            assert echo(association) == 0
    finally:
        entity.shutdown()


def test_plain_peer_on_a_tls_port(tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), ours.archive(tmp_path, listening=Listening(HOST, 0, keys.server())) as here:
        with pytest.raises(AssociationAborted, match="a TLS alert came") as caught:
            ours.associated(here)
        here.wait_until_idle()
    assert caught.value.advice == "use TLS for this peer, or the peer's port without TLS"
    asked, ended = caplog.records
    assert (asked.message, ended.message) == ("association.requested", "association.ended")
    assert "TLS handshake with the peer failed: the other side does not speak TLS" in str(vars(ended)["reason"])


@pytest.mark.needs("echoscu")
def test_plain_dcmtk_on_a_tls_port(tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), ours.archive(tmp_path, listening=Listening(HOST, 0, keys.server())) as here:
        assert dcmtk.scu("echoscu", here).status != 0
        here.wait_until_idle()
    assert [record.message for record in caplog.records] == ["association.ended"]


def test_we_speak_tls_to_a_plain_port(tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), ours.archive(tmp_path) as here:
        with pytest.raises(TransportError) as caught:
            ours.associated(secured(here, keys.client()))
        here.wait_until_idle()
    assert str(caught.value).startswith(f"TLS handshake with OURS@{HOST}:{here.port} failed: ")
    assert caught.value.advice.startswith("use TLS on both sides of this port")
    assert [record.message for record in caplog.records] == ["association.none"]


@pytest.mark.needs("storescp")
def test_we_speak_tls_to_plain_dcmtk(tmp_path: Path, keys: KeyPair) -> None:
    local = replace(ours.LOCAL, timeouts=Timeouts(connect_s=0.5))
    with dcmtk.storescp(tmp_path / "received") as peer, pytest.raises(TransportError) as caught:
        ours.associated(secured(peer, keys.client()), local=local)
    assert "TLS handshake" in str(caught.value)


def test_authority_that_we_do_not_trust(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    listening = Listening(HOST, 0, keys.server())
    with ours.archive(tmp_path, listening=listening) as here, pytest.raises(TransportError) as caught:
        ours.associated(secured(here, strangers.client()))
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)


def test_certificate_of_another_host(tmp_path: Path, keys: KeyPair) -> None:
    listening = Listening("", 0, keys.server())
    with ours.archive(tmp_path, listening=listening) as here, pytest.raises(TransportError) as caught:
        ours.associated(RemoteAE("OURS", "127.0.0.2", here.port, keys.client()))
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)


@pytest.mark.parametrize("shown", ["none", "of a stranger"])
def test_client_certificate_is_required(
    tmp_path: Path, keys: KeyPair, strangers: KeyPair, caplog: pytest.LogCaptureFixture, shown: str
) -> None:
    context = keys.client(shows_certificate=False)
    if shown == "of a stranger":
        context.load_cert_chain(strangers.certificate, strangers.key)
    with ours.archive(tmp_path, listening=Listening(HOST, 0, keys.server())) as here:
        with pytest.raises(TransportError):
            ours.associated(secured(here, context))
        here.wait_until_idle()
    [record] = caplog.records
    assert "TLS handshake with the peer failed: " in str(vars(record)["reason"])


def test_client_certificate_is_not_required_where_the_site_says_so(tmp_path: Path, keys: KeyPair) -> None:
    listening = Listening(HOST, 0, keys.server(clients_need_certificates=False))
    with (
        ours.archive(tmp_path, listening=listening) as here,
        ours.associated(secured(here, keys.client(shows_certificate=False))) as association,
    ):
        assert echo(association) == 0


def test_handshake_that_the_client_never_begins(
    tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    local = replace(ours.LOCAL, timeouts=Timeouts(connect_s=0.2))
    listening = Listening(HOST, 0, keys.server())
    with ours.archive(tmp_path, local=local, listening=listening) as here, wire.connected(here) as silent:
        here.wait_until_idle()
        assert silent.until_closed() == []
    [record] = caplog.records
    assert "while waiting for the TLS handshake" in str(vars(record)["reason"])


def test_handshake_that_the_server_never_answers(keys: KeyPair) -> None:
    local = replace(ours.LOCAL, timeouts=Timeouts(connect_s=0.2))
    with socket.create_server((HOST, 0)) as server, pytest.raises(PeerTimeout) as caught:
        ours.associated(RemoteAE("SILENT", HOST, server.getsockname()[1], keys.client()), local=local)
    assert caught.value.waiting_for == "the TLS handshake"


def test_a_slow_handshake_keeps_nobody_else_waiting(tmp_path: Path, keys: KeyPair) -> None:
    with (
        ours.archive(tmp_path, listening=Listening(HOST, 0, keys.server())) as here,
        wire.connected(here),
        ours.associated(secured(here, keys.client())) as association,
    ):
        assert echo(association) == 0
