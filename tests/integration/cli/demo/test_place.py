from __future__ import annotations

import json
import socket
from pathlib import Path

from openmodality.cli.demo.place import find_free_ports, load_ports
from openmodality.hospital.addresses import DEVICES, LOCALHOST, RIS
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


def test_a_folder_of_an_earlier_version_keeps_its_ports_and_gets_those_that_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({RIS.port: 12345}))
    ports = load_ports(tmp_path)
    assert ports[RIS.port] == 12345
    assert ports.keys() >= {port for _, port in DEVICES.values()}
    assert load_ports(tmp_path) == ports
