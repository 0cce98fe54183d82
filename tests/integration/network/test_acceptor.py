"""Why an acceptor cannot listen."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from openmodality.errors import TransportError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import storage_policy
from openmodality.network.entity import LocalAE
from tests.peers.process import HOST, free_port


def refusal(host: str, port: int = 0) -> str:
    """What is said where listening fails, with the advice."""
    local = LocalAE()
    acceptor = Acceptor(local, (), storage_policy(local), Listening(host, port))
    with pytest.raises(TransportError) as failed:
        acceptor.start()
    return str(failed.value)


def test_a_port_in_use() -> None:
    port = free_port()
    with socket.create_server((HOST, port)):
        assert refusal(HOST, port) == (
            f"cannot listen on {HOST} port {port}: Address already in use;"
            " choose another port, or stop what uses this one"
        )


@pytest.mark.parametrize("host", ["256.1.1.1", "a..b", "\u00e4..b"])
def test_a_host_that_is_not_found(host: str) -> None:
    assert refusal(host) == (
        f"cannot listen on {host} port 0: the host is not found; give a name or an address of this machine"
    )


def test_an_address_of_another_machine() -> None:
    assert refusal("192.0.2.1") == (
        "cannot listen on 192.0.2.1 port 0: Cannot assign requested address; give a name or an address of this machine"
    )


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EACCES, "; ports below 1024 need a privilege; choose a higher one"), (errno.EMFILE, "")],
)
def test_why_nobody_can_listen_is_said_once(number: int, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a system call that fails, as root may take every port."""

    def refuse(address: object, **_: object) -> socket.socket:
        raise OSError(number, f"{os.strerror(number)} (while attempting to bind on address {address})")

    monkeypatch.setattr(socket, "create_server", refuse)
    assert refusal(HOST, 104) == f"cannot listen on {HOST} port 104: {os.strerror(number)}{advice}"
