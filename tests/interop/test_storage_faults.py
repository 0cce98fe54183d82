"""Peers that refuse, abort, sleep, reject and break off: each is told for what it is (R/F Table 4.2-8, trap 25)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pynetdicom import evt
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from openmodality.errors import (
    AssociationAborted,
    AssociationRejected,
    NoPresentationContext,
    ObjectInvalid,
    PeerTimeout,
    TransportError,
)
from openmodality.network.entity import LocalAE
from openmodality.network.timeouts import Timeouts
from openmodality.standard.upper_layer import REJECT_REASONS
from tests.acceptance.command_line import openmodality
from tests.interop import contents, ours, wire
from tests.peers import dcmtk, objects, pynetdicom_ae
from tests.peers.process import wait_until

IMPATIENT = LocalAE("OURS", timeouts=Timeouts(10, 10, 0.2, 0.3, 10, 10))


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return objects.mr_series(tmp_path / "files", 3, rows=128, columns=128)


@pytest.mark.needs("storescp")
@pytest.mark.parametrize("switch", ["--refuse"])
def test_every_instance_is_not_sent_where_dcmtk_rejects(tmp_path: Path, series: list[Path], switch: str) -> None:
    with dcmtk.storescp(tmp_path / "received", switch) as peer:
        sent = ours.send_files(peer, series)
        ended = openmodality("send", peer, series[0])
    for one in sent:
        assert isinstance(one.error, AssociationRejected)
        assert (one.error.result, one.error.source, one.error.reason) == (1, 1, 1)
        assert not one.is_transient
    assert ended.status == 1
    assert "rejected the association: rejected-permanent" in ended.error_line


@pytest.mark.needs("storescp")
@pytest.mark.requirement("RF-4.2.1.3.1.3-08")
@pytest.mark.parametrize("switch", ["--abort-during", "--abort-after"])
def test_dcmtk_aborts(tmp_path: Path, series: list[Path], switch: str) -> None:
    with dcmtk.storescp(tmp_path / "received", switch) as peer:
        first, *others = ours.send_files(peer, series)
        ended = openmodality("send", peer, series[0])
    for one in (first, *others):  # each was offered on an association of its own
        assert isinstance(one.error, AssociationAborted), one
        assert one.error.source == 0
        assert one.is_transient
    assert ended.status == 1
    assert "STORESCP aborted the association: DICOM UL service-user" in ended.error_line


@pytest.mark.needs("storescp")
@pytest.mark.parametrize(("switch", "answered"), [("--sleep-during", 0), ("--sleep-after", 1)])
def test_a_dcmtk_that_sleeps_is_not_asked_again(tmp_path: Path, series: list[Path], switch: str, answered: int) -> None:
    with dcmtk.storescp(tmp_path / "received", switch, 30) as peer:
        sent = ours.send_files(peer, series, IMPATIENT)
    assert [one.is_stored for one in sent] == [index < answered for index in range(3)]
    late, *others = sent[answered:]
    assert isinstance(late.error, PeerTimeout), late
    assert "0.3 s" in str(late.error)
    assert all(one.is_transient for one in (late, *others))
    assert all(str(one.error).startswith("not sent, because the association ended: ") for one in others)


@pytest.mark.needs("storescp")
@pytest.mark.parametrize("switch", ["--reject", "--ignore"])
def test_dcmtk_has_nothing_against_us(tmp_path: Path, series: list[Path], switch: str) -> None:
    """``--reject`` turns down who does not say its Implementation Class UID; ``--ignore`` keeps nothing."""
    with dcmtk.storescp(tmp_path / "received", switch) as peer:
        assert [one.is_stored for one in ours.send_files(peer, series)] == [True] * 3
        assert len(peer.files()) == (3 if switch == "--reject" else 0)


@pytest.mark.needs("storescp")
def test_dcmtk_is_killed_in_the_middle(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2, rows=2048, columns=2048)
    with dcmtk.storescp(tmp_path / "received", "--sleep-during", 30, "--max-pdu", 4096) as peer:
        assert peer.process is not None
        kill = peer.process.kill
        local = LocalAE("OURS", timeouts=Timeouts(10, 10, 0.2, 10, 10, 10))
        with ours.associated(peer, ours.ECHO, local):
            kill()
            peer.process.wait()
        first, second = ours.send_files(peer, paths, local)
    assert isinstance(first.error, TransportError)
    assert "Connection refused" in str(first.error)
    assert first.is_transient
    assert second.is_transient


REJECTIONS = [(result, source, reason) for result in (1, 2) for source, reason in REJECT_REASONS]


@pytest.mark.parametrize("code", REJECTIONS, ids=lambda code: "-".join(map(str, code)))
def test_every_rejection_is_told_apart(series: list[Path], code: tuple[int, int, int]) -> None:
    def reject(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.rejection(*code))
        assert connection.until_closed() == [], "a rejected requestor closes and says nothing"

    with wire.listening(reject) as peer:
        sent = ours.send_files(peer, series)
    for one in sent:
        assert isinstance(one.error, AssociationRejected)
        assert (one.error.result, one.error.source, one.error.reason) == code
        assert one.is_transient == (code[0] == 2)
        assert REJECT_REASONS[code[1:]] in str(one.error)


def test_pynetdicom_aborts_in_the_middle_of_the_transfer(series: list[Path]) -> None:
    def abort(event: evt.Event) -> int:
        event.assoc.abort()
        return 0

    with pynetdicom_ae.serving([MRImageStorage], [(evt.EVT_C_STORE, abort)]) as peer:
        first, *_ = ours.send_files(peer, series)
    assert isinstance(first.error, AssociationAborted)


def test_abort_while_we_write_is_reported_as_the_abort(tmp_path: Path) -> None:
    """The peer aborts and closes while megabytes are on their way: the reset of the connection hides no A-ABORT."""
    path = objects.save(objects.mr_image(rows=4096, columns=4096), tmp_path)

    def abort(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        connection.expect(wire.P_DATA)
        connection.send(wire.abortion(2, 6))
        assert wire.ABORT not in connection.until_closed()

    with wire.listening(abort) as peer:
        [sent] = ours.send_files(peer, [path])
    assert isinstance(sent.error, AssociationAborted), sent.error
    assert (sent.error.source, sent.error.reason) == (2, 6)
    assert "invalid-PDU-parameter-value" in str(sent.error)


def test_connection_that_breaks_is_a_transport_error(series: list[Path]) -> None:
    def break_off(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        connection.receive_command()

    with wire.listening(break_off, break_off, break_off) as peer:
        sent = ours.send_files(peer, series)
    for one in sent:
        assert isinstance(one.error, TransportError)
        assert not isinstance(one.error, PeerTimeout)
        assert one.is_transient


def test_peer_that_releases_instead_of_answering(series: list[Path]) -> None:
    def release(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        connection.receive_command()
        connection.send(wire.RELEASE_REQUEST)
        assert wire.RELEASE_RP in connection.until_closed()

    with wire.listening(release) as peer:
        first, *_ = ours.send_files(peer, series)
    assert "SCRIPT released the association" in str(first.error)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pynetdicom forgets an aborted socket
def test_instance_without_context_is_not_sent_and_the_association_stays(tmp_path: Path) -> None:
    """Trap 26 and MR-3.2.3.1: a SOP Class that the peer refuses harms no other instance of the job."""
    paths = [objects.save(objects.ct_image(), tmp_path), objects.save(objects.mr_image(), tmp_path)]
    received: list[str] = []
    released: list[str] = []

    def keep(event: evt.Event) -> int:
        received.append(event.dataset.SOPInstanceUID)
        return 0

    handlers = [(evt.EVT_C_STORE, keep), (evt.EVT_RELEASED, lambda _: released.append("A-RELEASE"))]
    with pynetdicom_ae.serving([MRImageStorage], handlers) as peer:
        sent = {one.instance.path: one for one in ours.send_files(peer, paths)}
        wait_until(lambda: bool(released), what="the release at the peer")
    assert isinstance(sent[paths[0]].error, NoPresentationContext)
    assert "1.2.840.10008.5.1.4.1.1.2" in str(sent[paths[0]].error)
    assert not sent[paths[0]].is_transient
    assert sent[paths[1]].is_stored
    assert received == [paths[1].stem]


@pytest.mark.needs("storescp")
def test_a_broken_file_harms_no_other(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 3)
    broken = contents.saved("1.2.840.10008.1.2.5", tmp_path / "files")
    data = broken.read_bytes()
    broken.write_bytes(data[: len(data) - 101])
    with dcmtk.storescp(tmp_path / "received", "+xi") as peer:
        sent = ours.send_files(peer, [paths[0], broken, *paths[1:]])
        assert len(peer.files()) == 3
    by_path = {one.instance.path: one for one in sent}
    assert isinstance(by_path[broken].error, ObjectInvalid)
    assert str(broken) in str(by_path[broken].error)
    assert all(by_path[path].is_stored for path in paths)
