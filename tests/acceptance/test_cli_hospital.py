"""Orders for a hospital that runs, from another terminal."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openmodality.cli.commands import hospital
from openmodality.hospital.addresses import PACS, PRINTER, RIS
from openmodality.hospital.orders import ORDERS
from tests.acceptance.command_line import finish, openmodality, start


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """Of the RIS of a hospital that runs until it is told to quit, or until the end."""
    with TemporaryDirectory(prefix="om-") as run:
        monkeypatch.setenv("XDG_RUNTIME_DIR", run)
        ports = ("--ris-port", "0", "--pacs-port", "0", "--printer-port", "0")
        process = start("hospital", "--json", "--data", tmp_path, *ports)
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["ris"]["port"]
        finally:
            if process.poll() is None:
                process.terminate()
            assert finish(process).status == 0


def order(port: int, *words: str) -> tuple[int, str, str]:
    ended = openmodality("hospital", "ctl", *words, "--ris-port", port)
    return ended.status, ended.out.strip(), ended.err.strip()


def test_a_hospital_obeys_from_another_terminal(port: int, tmp_path: Path) -> None:
    assert order(port, "misbehave", "pacs:a700@5") == (0, "misbehaves: pacs:a700@5", "")
    assert order(port, "peer", "CT1=192.0.2.7:11112")[1].endswith("CT1=192.0.2.7:11112")
    status, said, complained = order(port, "behave", "nope")
    assert (status, said) == (2, "")
    assert complained == "openmodality: 'nope' is not switched on; switched on: pacs:a700@5"
    assert order(port, "behave")[1] == "behaves"
    schedule = json.loads((tmp_path / "schedule.json").read_text(encoding="utf-8"))
    patient = schedule["items"][0]["PatientID"]
    status, said, complained = order(port, "patient", patient, "StudyInstanceUID=1.2.3")
    assert (status, said) == (2, "")
    assert "Study Instance UID and Scheduled Procedure Step ID name a worklist item" in complained
    assert order(port, "patient", patient, "PatientName=Roe^Rita")[1] == "changed in 1 worklist item"
    assert f"{len(schedule['items'])} open worklist items" in order(port, "status")[1]
    assert order(port, "quit")[:2] == (0, "stops")
    status, _, complained = order(port, "status")
    while status == 0:  # it answers until it has ended
        status, _, complained = order(port, "status")
    assert status == 1
    assert complained.startswith(f"openmodality: no hospital of yours answers whose RIS has port {port}; start one")


def test_wrong_usage(port: int) -> None:
    status, _, said = order(port)
    assert status == 2
    first, *listed = said.splitlines()
    assert first == "openmodality: ctl needs an order:"
    assert [line.split()[0] for line in listed] == list(ORDERS), "a line each"
    assert listed[-1].split() == ["quit", "end"]
    assert openmodality("hospital", "dance").error_line == (
        "openmodality: unexpected argument 'dance'; 'ctl' gives orders to a hospital that runs"
    )


@pytest.mark.parametrize("server", ["ris", "pacs", "printer"])
def test_a_port_that_is_taken_is_not_replaced(tmp_path: Path, server: str) -> None:
    ports = dict.fromkeys(("ris", "pacs", "printer"), 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports[server] = taken.getsockname()[1]
        options = [word for name, port in ports.items() for word in (f"--{name}-port", port)]
        ended = openmodality("hospital", "--data", tmp_path, *options)
    assert ended.status == 1
    assert ended.error_line.startswith(f"openmodality: cannot listen on 127.0.0.1 port {ports[server]}: ")


def test_each_port_is_that_of_a_new_site_file() -> None:
    usual = hospital.command.parser("hospital").read([])
    assert (usual["ris_port"], usual["pacs_port"], usual["printer_port"]) == (RIS.port, PACS.port, PRINTER.port)


def test_orders_have_a_page_of_their_own() -> None:
    page = openmodality("hospital", "ctl", "--help")
    assert page.status == 0
    assert page.out.startswith("Usage: openmodality hospital ctl [OPTIONS] [ORDER]...")
    assert all(f"\n  {name}" in page.out for name in ORDERS)
    assert "--ris-port" in page.out
    assert "--pacs-port" not in page.out
    assert "\nCommands:\n  ctl  Give an order" in openmodality("hospital", "--help").out
