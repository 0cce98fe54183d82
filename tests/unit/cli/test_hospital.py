from __future__ import annotations

import socket

import pytest

from openmodality.cli import hospital
from openmodality.hospital.addresses import LOCALHOST, Endpoint


def test_printer_moves_where_its_port_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(hospital, "PRINTER", Endpoint("OM_PRINT", port))
        assert hospital._printer_port(LOCALHOST) == 0
        assert f"port {port} is taken" in capsys.readouterr().err
    assert hospital._printer_port(LOCALHOST) == port
    assert capsys.readouterr().err == ""
