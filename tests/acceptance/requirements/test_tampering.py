"""MR 10.1.1: a record of TLS that somebody changes on its way ends the association, and the log says why."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.store.states import JobKind, JobState
from tests.devices import add_image
from tests.interop.certificates import KeyPair
from tests.interop.sites import PeerTable, write_site
from tests.peers import dcmtk, objects
from tests.peers.process import HOST, Address, free_port, wait_until

RECORD_HEAD = 5
APPLICATION_DATA = 23
FORGED = {"to": 6, "from": 9}
"""Which of the encrypted records is changed."""
SAYS = "the integrity check of what came from the other side failed, it was changed on its way"
ABORTS = "the association is aborted (provider, reason-not-specified)"


class Forger:
    """A relay of TLS records. ``changes`` is the direction in which a record has its last bit changed, ``to`` the peer
    or ``from`` it; empty for an honest relay. The record comes after the handshake and the request of the association:
    under TLS 1.3 a client shakes hands in three encrypted records, a server in five and two tickets.
    """

    def __init__(self, port: int) -> None:
        self.changes = ""
        self.forged = 0
        self._target = port
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def relay(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection((HOST, self._target), 10)
                self._sockets += [near, far]
                for ends in (("to", near, far), ("from", far, near)):
                    self._threads.append(threading.Thread(target=self._copy, args=ends, daemon=True))
                    self._threads[-1].start()

    def close(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for sock in self._sockets:
            sock.close()

    def _copy(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        seen = 0
        with suppress(OSError):
            while len(head := source.recv(RECORD_HEAD, socket.MSG_WAITALL)) == RECORD_HEAD:
                body = bytearray(source.recv(int.from_bytes(head[3:]), socket.MSG_WAITALL))
                seen += head[0] == APPLICATION_DATA
                if direction == self.changes and seen == FORGED[direction]:
                    body[-1] ^= 1
                    self.forged += 1
                target.sendall(head + body)
        for sock in (source, target):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def forging(port: int) -> Iterator[tuple[Forger, int]]:
    """The relay in front of a port, and its own port."""
    forger = Forger(port)
    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=forger.relay, args=(listener,), daemon=True)
        thread.start()
        yield forger, listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    forger.close()


@pytest.mark.needs("storescu", "echoscu")
@pytest.mark.requirement("MR-10.1.1-05")
def test_what_comes_is_checked(tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    """DCMTK sends an image, somebody in between changes it."""
    peer = PeerTable("pacs", Address("PACS", free_port()), ["verification"], {"incoming": ["verification", "storage"]})
    site = write_site(tmp_path, "mr", [peer], keys=keys)
    image = objects.save(objects.mr_image(rows=64, columns=64), tmp_path / "files")
    with Modality(site.path) as modality, forging(site.device.port) as (forger, port):
        modality.serve()
        there = Address(site.device.aet, port)
        forger.changes = "to"
        sent = dcmtk.scu("storescu", there, *keys.dcmtk(), image, calling="PACS")
        assert forger.forged == 1
        assert sent.status != 0

        def reasons() -> list[str]:
            return [vars(each)["reason"] for each in caplog.records if each.message == "association.ended"]

        wait_until(lambda: bool(reasons()), timeout_s=10)
        assert SAYS in reasons()[0]
        assert ABORTS in reasons()[0]
        assert "handshake" not in reasons()[0]
        assert modality.studies() == []
        forger.changes = ""
        assert dcmtk.scu("storescu", there, *keys.dcmtk(), image, calling="PACS").status == 0
        assert len(modality.studies()) == 1


@pytest.mark.needs("storescp")
@pytest.mark.requirement("MR-10.1.1-05")
def test_what_is_answered_is_checked(tmp_path: Path, keys: KeyPair) -> None:
    """The answers of DCMTK are changed; the job says so, and is there to be tried again."""
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as archive, forging(archive.port) as (forger, port):
        forger.changes = "from"
        there = Address(archive.aet, port)
        site = write_site(tmp_path, "mr", [PeerTable("pacs", there, ["storage"])], keys=keys)
        with Modality(site.path) as modality:
            with modality.exam(patient={"PatientID": "P1", "PatientName": "Doe^Jane"}) as exam:
                series = exam.series("T1")
                for number in (1, 2, 3):
                    add_image(series, number)
            assert modality.wait_until(
                lambda: any(job.attempts for job in modality.jobs.list(kinds=[JobKind.SEND])), 20
            )
            (job,) = modality.jobs.list(kinds=[JobKind.SEND])
    assert forger.forged >= 1
    assert job.state is JobState.TODO
    assert "handshake" not in job.reason
    assert SAYS in job.reason
    assert ABORTS in job.reason
