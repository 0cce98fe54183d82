"""Connections that cannot be opened, and handshakes that fail."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from openmodality.errors import PeerTimeout, TransportError
from openmodality.network.connecting import connect, shake_hands, wrap_socket


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
