"""Connections that cannot be opened, and handshakes that fail."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from time import monotonic
from typing import Final

import pytest

from openmodality.errors import PeerTimeout, TransportError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import storage_policy
from openmodality.network.connecting import connect, shake_hands, wrap_socket
from openmodality.network.entity import LocalAE
from openmodality.network.timeouts import Timeouts
from tests.peers.process import HOST

SHORT_S: Final = 10.0
"""Less than any time-out that is not set, and long enough for a busy machine."""


def test_a_host_that_is_no_name_is_an_error_of_the_connection() -> None:
    with pytest.raises(TransportError, match=r"cannot connect to ris\.\.hospital:104: the host is neither a name nor"):
        connect("ris..hospital", 104, 1)


@pytest.mark.parametrize("timeout_s", [None, 600.0])
def test_connecting_that_the_system_gives_up_is_no_time_out_of_ours(
    monkeypatch: pytest.MonkeyPatch, timeout_s: float | None
) -> None:
    def give_up(*_: object) -> socket.socket:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(socket, "create_connection", give_up)
    with pytest.raises(TransportError, match=r"cannot connect to there:104: Connection timed out") as caught:
        connect("there", 104, timeout_s)
    assert not isinstance(caught.value, PeerTimeout)


def test_a_peer_that_speaks_no_tls_is_named() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        secured = wrap_socket(ours, ssl.create_default_context(), "there", "PACS")
        theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(TransportError, match="TLS handshake with PACS failed"):
            shake_hands(secured, 5.0, "PACS")
    assert secured.fileno() == -1


def test_a_handshake_has_a_time_out() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        secured = wrap_socket(ours, ssl.create_default_context(), "there", "PACS")
        with pytest.raises(PeerTimeout, match="while waiting for the TLS handshake"):
            shake_hands(secured, 0.05, "PACS")
    assert secured.fileno() == -1


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who takes connections and says nothing."""
    with socket.create_server((HOST, 0)) as listening:
        yield listening.getsockname()[1]


def test_a_connection_has_the_time_out_that_was_given() -> None:
    """A listener whose queue of connections is full lets further ones wait, as a firewall does."""
    with socket.create_server((HOST, 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        began = monotonic()
        with pytest.raises(PeerTimeout, match=r"no connection to .* within 0\.2 s"):
            connect(HOST, full.getsockname()[1], 0.2)
    assert monotonic() - began < SHORT_S


def test_the_handshake_of_a_client_has_the_same_time_out(silent: int) -> None:
    began = monotonic()
    with pytest.raises(PeerTimeout, match="while waiting for the TLS handshake"):
        connect(HOST, silent, 0.2, ssl.create_default_context(), "PACS")
    assert monotonic() - began < SHORT_S


def test_an_acceptor_gives_a_client_that_says_nothing_as_long(caplog: pytest.LogCaptureFixture) -> None:
    local = LocalAE("OURS", timeouts=Timeouts(connect_s=0.2))
    listening = Listening(HOST, 0, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    with (
        Acceptor(local, (), storage_policy(local), listening) as acceptor,
        socket.create_connection((HOST, acceptor.port), SHORT_S) as client,
    ):
        assert client.recv(1) == b"", "it is closed, and not only when we give up"
    [record] = caplog.records
    assert "within 0.2 s while waiting for the TLS handshake" in str(vars(record)["reason"])
