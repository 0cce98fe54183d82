from __future__ import annotations

import socket

from openmodality.cli.demo.place import find_free_ports
from openmodality.hospital.addresses import LOCALHOST
from tests.peers.process import free_port


def test_usual_ports_where_all_are_free() -> None:
    usual = [free_port() for _ in range(3)]
    assert find_free_ports(usual) == {port: port for port in usual}


def test_other_ports_for_all_where_one_is_taken() -> None:
    usual = [free_port() for _ in range(3)]
    with socket.create_server((LOCALHOST, usual[1])):
        chosen = find_free_ports(usual)
    assert list(chosen) == usual
    assert len(set(chosen.values())) == 3
    assert not set(chosen.values()) & set(usual)
