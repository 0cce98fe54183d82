"""The doctor at the virtual hospital, by the network alone: it names what was switched on, and keeps its promises."""

from __future__ import annotations

import random
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from openmodality.conformance.doctor.doctor import PeerProfile
from openmodality.conformance.doctor.findings import Severity
from openmodality.conformance.doctor.made_data import TEST_PATIENT_ID
from openmodality.errors import TransportError
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.personalities import PERSONALITIES
from openmodality.network.entity import RemoteAE
from tests import hospital_scu
from tests.examined import CALLING, examine_peer, list_known_names, list_texts
from tests.examined import list_names as told
from tests.peers.process import HOST, free_port

LONGEST_S: Final = 60.0
RIGHT: Final = 45
"""So many of fifty are to be named."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is switched on at a server, and what the patients of its hospital come from."""

    server: str
    texts: tuple[str, ...]
    seed: int = 1

    @property
    def names(self) -> set[str]:
        return {text.split("=")[0].split("/")[0].split("@")[0] for text in self.texts}


@dataclass(frozen=True, slots=True)
class Place:
    """A hospital that knows where the doctor listens."""

    hospital: Hospital
    port: int

    def examine(self, case: Case) -> PeerProfile:
        self.hospital.behave()
        self.hospital.misbehave(*(f"{case.server}:{text}" for text in case.texts))
        return examine_peer(self.hospital.peer(case.server), writes=True, report_port=self.port)


@contextmanager
def place(folder: Path, seed: int = 1) -> Iterator[Place]:
    port = free_port()
    with hospital_scu.hospital(folder, seed, **{CALLING: port}) as running:
        yield Place(running, port)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("hospital")) as made:
        yield made


QUICK: Final = (
    Case("printer", ("reject-called-ae",)),
    Case("printer", ("zero-contexts",)),
    Case("ris", ("abort",)),
    Case("pacs", ("store-lost-answer",)),
    Case("pacs", ("b006", "commit-twice")),
    Case("ris", ("worklist-no-charset", "mpps-other-uid")),
    Case("printer", ("image-b604", "out-of-film")),
)
"""Of each kind one or two, none that takes long."""


@pytest.mark.parametrize("case", QUICK, ids=lambda case: "+".join(case.texts))
def test_it_names_the_personality(here: Place, case: Case) -> None:
    found = here.examine(case)
    assert set(told(found)) == case.names
    assert found.seconds < LONGEST_S


PAIRS: Final = (
    Case("pacs", ("b000", "commit-twice")),
    Case("pacs", ("duplicate-0111", "commit-early")),
    Case("pacs", ("b007", "commit-no-role")),
    Case("pacs", ("a700/3", "commit-unknown")),
    Case("ris", ("worklist-ff01", "mpps-0107")),
    Case("ris", ("worklist-no-charset", "mpps-lost-answer")),
    Case("ris", ("worklist-leftover", "mpps-no-uid")),
    Case("ris", ("worklist-no-step", "mpps-0116")),
    Case("printer", ("session-0107", "film-b605")),
    Case("printer", ("printer-warning", "delete-0110")),
)


def list_fifty() -> list[Case]:
    """Forty personalities by lot, each at one of its servers, and ten pairs; at four hospitals of their own."""
    lot = random.Random(17)
    single = [Case(lot.choice(PERSONALITIES[name].servers), (name,)) for name in lot.sample(list_known_names(), 40)]
    return [Case(each.server, each.texts, seed=1 + number % 4) for number, each in enumerate((*single, *PAIRS))]


def test_it_names_45_of_50(soak: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not soak:
        pytest.skip("fifty examinations take minutes: make soak")
    wrong, slowest_s, cases = [], 0.0, list_fifty()
    for seed in sorted({case.seed for case in cases}):
        with place(tmp_path / str(seed), seed) as there:
            for case in (each for each in cases if each.seed == seed):
                found = there.examine(case)
                slowest_s = max(slowest_s, found.seconds)
                if set(told(found)) != case.names:
                    wrong.append(f"{case.server} {' '.join(case.texts)}: {' '.join(told(found))}")
    with capsys.disabled():
        sys.stdout.write(f"\n{len(cases) - len(wrong)} of {len(cases)} named, the slowest after {slowest_s:.0f} s\n")
    assert len(cases) == 50
    assert len(cases) - len(wrong) >= RIGHT, wrong
    assert slowest_s < LONGEST_S


def test_an_honest_hospital_has_no_name_and_what_was_written_there_is_listed(here: Place) -> None:
    hospital = here.hospital
    before = set(hospital.pacs.instances), {step.sop_instance_uid for step in hospital.ris.steps}
    found = {server: here.examine(Case(server, ())) for server in ("ris", "pacs", "printer")}
    for server, area, text in (
        ("ris", "worklist", "it narrows by AccessionNumber, PatientName, PatientID"),
        ("pacs", "storage commitment", "the result comes on a new association"),
        ("printer", "print", "N-ACTION of the film box is answered with Success"),
    ):
        assert (told(found[server]), found[server].problems) == ([], 0)
        assert any(said.startswith(text) for said in list_texts(found[server], area)), found[server].findings
    stored = {each.uid for each in found["pacs"].written if each.kind == "instance"}
    assert set(hospital.pacs.instances) - before[0] == stored
    assert {str(hospital.pacs.instances[uid].header.PatientID) for uid in stored} == {TEST_PATIENT_ID}
    steps = {step.sop_instance_uid: step.status for step in hospital.ris.steps}
    (new,) = set(steps) - before[1]
    assert ([each.uid for each in found["ris"].written], steps[new]) == ([new], "DISCONTINUED")


def test_nothing_is_written_without_leave(here: Place) -> None:
    hospital = here.hospital
    hospital.behave()

    def count() -> tuple[int, int, int, int]:
        pacs = hospital.pacs
        return len(pacs.instances), len(pacs.commitments), len(hospital.ris.steps), len(hospital.printer.films)

    before = count()
    for server in ("ris", "pacs", "printer"):
        found = examine_peer(hospital.peer(server), report_port=here.port)
        assert found.written == ()
        assert any("without --write" in finding.text for finding in found.findings)
    assert count() == before


def test_a_report_that_nobody_can_take_is_no_fault_of_the_peer(here: Place) -> None:
    here.hospital.behave()
    with closing(socket.create_server((HOST, free_port()))) as taken:
        found = examine_peer(here.hospital.pacs_peer, writes=True, report_port=taken.getsockname()[1])
    assert told(found) == []
    said = list_texts(found, "storage commitment")
    assert [text for text in said if "cannot come in" in text]
    assert [text for text in said if "to which nobody listened" in text]
    assert not any(finding.verdict is Severity.PROBLEM for finding in found.findings)


# Peers that are none


@contextmanager
def raw_peer(*answers: bytes) -> Iterator[RemoteAE]:
    """Accepts connections, answers each piece that comes with the next of these bytes, then says no more."""
    with closing(socket.create_server((HOST, 0))) as listening:
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(2)
                    try:
                        for answer in answers:
                            connection.recv(65536)
                            connection.sendall(answer)
                        while answers and connection.recv(65536):
                            pass
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield RemoteAE("RAW", HOST, listening.getsockname()[1])
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ((), "closed the connection|broke"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "HTTP"),
        ((b"",), "within 0.5 s"),
    ],
    ids=["closes", "web", "silent"],
)
def test_who_speaks_no_dicom_is_told_at_once(answers: tuple[bytes, ...], message: str) -> None:
    """Either as the one error of the command, or as the one finding."""
    said = ""
    with raw_peer(*answers) as peer:
        try:
            said = " ".join(finding.text for finding in examine_peer(peer, patience_s=0.3).findings)
        except TransportError as error:
            said = error.message
    assert re.search(message, said)


def test_an_address_where_nobody_listens_is_an_error() -> None:
    with pytest.raises(TransportError, match="cannot connect"):
        examine_peer(RemoteAE("NOBODY", HOST, free_port()))
