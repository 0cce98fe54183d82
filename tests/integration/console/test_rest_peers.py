"""Peers over REST: those of DICOMweb are asked as on the page Peers and the command line; matches come as lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]

from openmodality import Modality
from openmodality.cli.main import main
from openmodality.console.server import ConsoleServer
from openmodality.store.states import JobState
from tests import plain_http
from tests.console_site import ConsolePlace
from tests.peers.objects import mr_series
from tests.peers.process import HOST, free_port
from tests.peers.pynetdicom_ae import serving
from tests.rest_client import RestProgram, add_program

SLOW_PORT = free_port()
SITE = """
profile = "mr"
[data]
durability = "os"
[console]
port = {console}
[peers.cloud]
url = "http://127.0.0.1:{port}/dicom-web"
services = ["storage"]
[peers.slow]
ae_title = "SLOW"
host = "127.0.0.1"
port = {slow}
services = ["query_retrieve"]
"""


class EmptyArchive(BaseHTTPRequestHandler):
    """An archive of DICOMweb that has nothing, and refuses what it is given."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(400)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[ConsolePlace]:
    folder = tmp_path_factory.mktemp("web-peer")
    site = folder / "site.toml"
    site.write_text(SITE.format(console=free_port(), port=port, slow=SLOW_PORT), encoding="utf-8")
    with Modality(site) as modality, ConsoleServer(modality) as server, ExitStack() as stack:
        modality.import_files(mr_series(folder / "source", 1, PatientID="P1"))
        place = ConsolePlace(None, site, modality, server, stack)  # type: ignore[arg-type]
        place.add_user("anna", "operator")
        yield place


@pytest.fixture(scope="module")
def program(place: ConsolePlace) -> RestProgram:
    return add_program(place, "asks")


@pytest.fixture
def archive(port: int) -> Iterator[None]:
    with ThreadingHTTPServer((HOST, port), EmptyArchive) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def ask_on_page(place: ConsolePlace) -> str:
    anna = place.log_in("anna")
    anna.post("/peers/cloud/echo")
    return anna.get("/peers").text


def run_echo(place: ConsolePlace) -> object:
    """The exit status of the command."""
    with pytest.raises(SystemExit) as ended:
        main(["echo", "cloud", "--config", str(place.site)])
    return ended.value.code or 0


def test_one_that_is_away_is_said_to_be_away(
    place: ConsolePlace, program: RestProgram, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = program.fail("POST", "/peers/cloud/echo")
    assert (refused["status"], refused["peer"], bool(refused["advice"])) == (504, "cloud", True)
    assert program.get("/peers/cloud")["reached"] is False
    assert str(port) in ask_on_page(place)
    assert run_echo(place) == 1
    assert str(port) in capsys.readouterr().err


@pytest.mark.usefixtures("archive")
def test_one_that_answers_says_to_what(
    place: ConsolePlace, program: RestProgram, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "answered 204 OK, nothing found to a search (QIDO-RS)"
    answer = program.post("/peers/cloud/echo")
    assert (answer["success"], answer["peer"]) == (True, "cloud")
    assert said in str(answer)
    known = program.get("/peers/cloud")
    assert (known["reached"], known["said"]) == (True, said)
    assert said in ask_on_page(place)
    assert run_echo(place) == 0
    assert said in capsys.readouterr().out


def test_an_echo_that_succeeds_runs_what_waits_for_the_peer_at_once(
    place: ConsolePlace, program: RestProgram, request: pytest.FixtureRequest
) -> None:
    modality = place.modality
    (study,) = modality.studies(PatientID="P1")
    (job,) = modality.send(study["StudyInstanceUID"], "cloud")
    assert modality.wait_until(lambda: modality.jobs.show(job.id).job.attempts > 0, 30)
    waiting = modality.jobs.show(job.id).job
    assert waiting.state is JobState.TODO
    assert waiting.due_at is not None
    assert waiting.due_at > modality.clock() + 30, "by itself it would not run now"
    request.getfixturevalue("archive")
    program.post("/peers/cloud/echo")
    assert modality.wait_until(lambda: modality.jobs.show(job.id).job.state is JobState.FAILED, 30)


def test_a_match_is_a_line_before_the_next_one_has_come_and_who_goes_away_cancels(
    place: ConsolePlace, program: RestProgram
) -> None:
    goes_on, cancelled = threading.Event(), threading.Event()

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(100_000):  # more than the connection holds: the end does not come before the cancel
            if event.is_cancelled:
                cancelled.set()
                yield 0xFE00, None
                return
            match = Dataset()
            match.QueryRetrieveLevel, match.StudyInstanceUID = "STUDY", f"1.{number}"
            yield 0xFF00, match
            if not goes_on.wait(20 if number == 0 else 0.01):
                assert number, "the first match was not passed on before the second one"

    syntax = str(StudyRootQueryRetrieveInformationModelFind)
    with serving([syntax], [(evt.EVT_C_FIND, find)], aet="SLOW", port=SLOW_PORT):
        headers = {"authorization": f"Bearer {program.token}", "accept": "application/x-ndjson"}
        url = f"{place.url}/api/v1/peers/slow/query"
        with plain_http.stream("POST", url, json={}, headers=headers, timeout=20) as answer:
            line = json.loads(next(answer.iter_lines()))
        assert line == {"event": "match", "attributes": {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.0"}}
        goes_on.set()
        assert cancelled.wait(20), "the archive was told that nobody reads any more"
