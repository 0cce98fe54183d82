"""The table of failures in docs/connect-your-hospital.md: each message is provoked, and is what one sees."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from openmodality import Modality
from openmodality.app.records.jobs import describe_reason
from openmodality.exam.series import Series
from openmodality.network.acceptor import Listening
from tests.acceptance.documents import ROOT, fits
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import call
from tests.interop import ours, wire
from tests.interop.certificates import key_pair
from tests.peers.process import HOST, free_port, wait_until

TABLE: Final = re.findall(
    r"^\| `(.+?)` \|", (ROOT / "docs" / "connect-your-hospital.md").read_text(encoding="utf-8"), re.MULTILINE
)

COMMANDS: Final = {
    "... called-AE-title-not-recognized ...": ("pacs:reject-called-ae", "echo", "pacs"),
    "... calling-AE-title-not-recognized ...": ("pacs:reject-calling-ae", "echo", "pacs"),
    "... local-limit-exceeded ...": ("pacs:local-limit", "echo", "pacs"),
    "... accepted none of the presentation contexts ...": ("ris:zero-contexts", "worklist"),
    "... aborted the association ...": ("pacs:abort", "echo", "pacs"),
    "... closed the connection without releasing the association ...": ("pacs:drop", "echo", "pacs"),
    "nothing is scheduled": ("", "worklist", "-k", "ScheduledStationAETitle=NOBODY"),
    "the worklist was refused: A900 ...": ("ris:worklist-a900", "worklist"),
    "the peer does not support some of the keys": ("ris:worklist-ff01", "worklist"),
    "item ...: (0040,0100) ScheduledProcedureStepSequence ...": ("ris:worklist-no-step", "worklist"),
}
JOBS: Final = {
    "ris answered N-CREATE with 0110 ...": "ris:mpps-0110",
    "... status A700 ...": "pacs:a700",
    "... status A900 ...": "pacs:a900",
    "... status C000 ...": "pacs:c000",
    "waiting for pacs to report on ...": "pacs:commit-never",
    "pacs answered the commitment request with 0110 ...": "pacs:commit-refused",
    "... not committed by pacs ...": "pacs:commit-failures",
}
REFUSED, TIMED_OUT = "cannot connect to ...: Connection refused", "no connection to ... within ..."
UNANSWERED = "... closed the connection without answering the association request"
TLS_ALERT, HTTP = "... a TLS alert came ...", "... this looks like HTTP ..."
UNTRUSTED, NO_TLS = (
    "TLS handshake with ... failed: ... (CERTIFICATE_VERIFY_FAILED)",
    "TLS handshake with ... failed: ...",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with in_hospital(tmp_path_factory.mktemp("failures")) as made:
        yield made


def test_every_message_of_the_table_is_provoked() -> None:
    assert sorted(TABLE) == sorted(
        [*COMMANDS, *JOBS, REFUSED, TIMED_OUT, UNANSWERED, UNTRUSTED, NO_TLS, TLS_ALERT, HTTP]
    )


@pytest.mark.parametrize("message", COMMANDS)
def test_command_says(message: str, place: Place) -> None:
    personality, *words = COMMANDS[message]
    place.hospital.misbehave(*[personality] if personality else [])
    try:
        lines = printed(words, place.site)
    finally:
        place.hospital.behave()
    assert any(fits(message, re.sub("^openmodality: ", "", line)) for line in lines), lines


@pytest.mark.parametrize("message", JOBS)
def test_job_says(message: str, place: Place) -> None:
    place.hospital.misbehave(JOBS[message])
    try:
        with Modality(place.site) as modality:
            modality.serve()
            earlier = {job.id for job in modality.jobs.list()}
            with modality.exam(patient={"PatientID": "TEST-1", "PatientName": "TEST^CONNECTION"}) as exam:
                add_picture(exam.series("PICTURE", sop_class_uid=SecondaryCaptureImageStorage))
            wait_until(lambda: any(fits(message, said) for said in reasons(modality, earlier)), what=message)
            assert any(fits(message, said) for said in reasons(modality, earlier)), "it stays, for who looks later"
    finally:
        place.hospital.behave()


def test_nobody_listens(place: Place) -> None:
    assert fits(f"openmodality: {REFUSED} ...", printed(["echo", f"ANY@{HOST}:{free_port()}"], place.site)[0])


def test_no_dicom_or_tls_listens(place: Place) -> None:
    with wire.listening(lambda connection: connection.expect(wire.ASSOCIATE_RQ)) as peer:
        lines = printed(["echo", str(peer)], place.site)
    assert fits(f"openmodality: {UNANSWERED}; ...", lines[0]), lines


def test_tls_does_not_fit(place: Place, tmp_path: Path) -> None:
    keys, strangers = key_pair(tmp_path, "hospital"), key_pair(tmp_path, "stranger")
    trusting = ["--tls-ca", str(strangers.authority)]
    with ours.archive(tmp_path / "archive", listening=Listening(HOST, 0, keys.server())) as here:
        untrusted = printed(["echo", str(here), *trusting], place.site)
        here.wait_until_idle()
    with wire.listening(lambda connection: connection.send(wire.rejection(1, 1, 3))) as peer:
        plain = printed(["echo", str(peer), *trusting], place.site)
    assert any(fits(f"openmodality: {UNTRUSTED}; ...", line) for line in untrusted), untrusted
    assert any(fits(f"openmodality: {NO_TLS}; ...", line) for line in plain), plain
    assert not any(fits(f"openmodality: {UNTRUSTED}; ...", line) for line in plain), plain


def test_a_port_of_tls_is_called_in_the_clear(place: Place, tmp_path: Path) -> None:
    keys = key_pair(tmp_path, "hospital")
    with ours.archive(tmp_path / "archive", listening=Listening(HOST, 0, keys.server())) as here:
        lines = printed(["echo", str(here)], place.site)  # with the line of the log of who listens
        here.wait_until_idle()
    said = f"openmodality: {TLS_ALERT}; use TLS for this peer, or the peer's port without TLS"
    assert any(fits(said, line) for line in lines), lines


def test_a_web_server_listens(place: Place) -> None:
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"

    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(answer)

    with wire.listening(script) as peer:
        [line] = printed(["echo", str(peer)], place.site)
    assert fits(f"openmodality: {HTTP}; check host and port: ...", line), line


def test_packets_go_nowhere(place: Place, tmp_path: Path) -> None:
    """A listener whose queue of connections is full lets further ones wait, as a firewall does."""
    with socket.create_server((HOST, 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        usual, text = place.hospital.pacs_peer.port, place.site.read_text(encoding="utf-8")
        site = tmp_path / "site.toml"
        site.write_text(
            text.replace(f"port = {usual}", f"port = {port}").replace(
                "# connect_timeout_s = 30", "connect_timeout_s = 1"
            ),
            encoding="utf-8",
        )
        lines = printed(["echo", "pacs"], site)
    assert fits(f"openmodality: {TIMED_OUT} ...", lines[0]), lines


def printed(words: Sequence[str], site: Path) -> list[str]:
    _, output = call(words, site.parent)
    return output.splitlines()


def add_picture(series: Series) -> None:
    with series:
        series.add(np.zeros((8, 8), dtype=np.uint8))


def reasons(modality: Modality, earlier: set[int]) -> list[str]:
    jobs = [job for job in modality.jobs.list() if job.id not in earlier]
    return [describe_reason(job) for job in jobs]
