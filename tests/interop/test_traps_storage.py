"""What real peers do to naive storage code; each test is named after its trap, the peers are scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.network.association import Association
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sending import send
from openmodality.services.storage_plan import AssociationPlan
from tests.interop import contents, ours, wire
from tests.interop.wire import EXPLICIT, IMPLICIT, MR_IMAGE
from tests.peers import dcmtk, objects
from tests.peers.process import run, wait_until


def received_data(connection: wire.Wire) -> tuple[dict[int, bytes], bytes, list[int]]:
    """A C-STORE request: its command, its data set, the lengths of the fragments."""
    command, data, lengths, control = connection.receive_command(), b"", [], 0
    while not control & 2:
        body = connection.expect(wire.P_DATA)
        control, data = body[5], data + body[6:]
        lengths.append(len(body) - 6)
    return command, data, lengths


def storing(*statuses: int, max_pdu: int = 16384, syntax: str = EXPLICIT, comment: bytes = b""):  # type: ignore[no-untyped-def]
    """A script that accepts an association, answers C-STORE requests with the statuses and is released."""

    def script(connection: wire.Wire) -> list[tuple[dict[int, bytes], bytes, list[int]]]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, syntax)], max_pdu=max_pdu))
        seen = []
        for status in statuses:
            seen.append(received_data(connection))
            parts = [wire.element(0x0902, comment)] if comment else []
            message_id = int.from_bytes(seen[-1][0][0x0110], "little")
            answer = wire.response(0x8001, MR_IMAGE, *parts, message_id=message_id, status=status)
            connection.send(wire.p_data(wire.value(answer, 3)))
        connection.expect(wire.RELEASE_RQ)
        connection.send(wire.RELEASE_RESPONSE)
        return seen

    return script


@pytest.mark.parametrize("max_pdu", [4096, 4097, 4099, 16383])
@pytest.mark.parametrize("source", [IMPLICIT, EXPLICIT], ids=["as it is", "converted"])
def test_trap_02_every_fragment_that_we_send_is_even(tmp_path: Path, max_pdu: int, source: str) -> None:
    path = contents.saved(source, tmp_path)
    with wire.listening(storing(0, max_pdu=max_pdu, syntax=IMPLICIT)) as peer:
        [sent] = ours.send_files(peer, [path])
    assert sent.is_stored, sent.error
    [[(command, data, lengths)]] = peer.result
    assert [length for length in lengths if length % 2] == []
    assert max(lengths) <= max_pdu - 6
    assert len(data) == sum(lengths)
    assert command[0x1000].rstrip(b"\0").decode() == path.stem


def test_trap_02_values_of_odd_length_are_sent_as_they_lie_in_the_file(tmp_path: Path) -> None:
    """Two odd values make an even data set: a peer has always got it like that from others."""
    image = objects.mr_image()
    path = objects.save(image, tmp_path)
    raw = path.read_bytes()
    odd = raw.replace(b"PN\x08\x00Doe^Jane", b"PN\x07\x00Doe^Jan").replace(
        b"LO\x0a\x00TEST-0001 ", b"LO\x09\x00TEST-0001"
    )
    assert len(odd) == len(raw) - 2
    path.write_bytes(odd)
    with wire.listening(storing(0)) as peer:
        [sent] = ours.send_files(peer, [path])
    assert sent.is_stored, sent.error
    assert odd.endswith(peer.result[0][0][1])


@pytest.mark.parametrize("uid", ["1.2.03.4", "1.02", "1.2.3." + "9" * 58])
def test_trap_03_uids_that_are_not_quite_right_are_stored(tmp_path: Path, uid: str) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq(uid), 3)))
        connection.send(wire.p_data(wire.value(wire.implicit_image(uid), 2)))
        assert wire.status_of(connection.receive_command()) == 0
        assert [file.stem for file in here.folder.files()] == [uid]


@pytest.mark.parametrize("uid", ["../../etc/passwd", "1.2/3", "a.b.c", "1.2.3." + "9" * 60])
def test_uids_that_are_none_are_refused_and_touch_no_file(tmp_path: Path, uid: str) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq(uid), 3)))
        connection.send(wire.p_data(wire.value(wire.implicit_image(uid), 2)))
        answer = connection.receive_command()
        assert wire.status_of(answer) == 0x0117
        assert answer[0x0902]
        assert list(tmp_path.iterdir()) == []


def test_trap_12_scp_that_takes_implicit_only(tmp_path: Path) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    with wire.listening(storing(0, syntax=IMPLICIT)) as peer:
        [sent] = ours.send_files(peer, [path])
    assert sent.is_stored, sent.error
    assert b"OPENMODALITY TEST" in peer.result[0][0][1]


def test_trap_20_files_are_looked_at_before_the_association_is_opened(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path, 3)
    order: list[str] = []

    def instances() -> Iterator[FileInstance]:
        for path in paths:
            order.append("file")
            yield read_instance(path)

    with wire.listening(storing(0, 0, 0)) as peer:

        def associate(plan: AssociationPlan) -> Association:
            order.append("association")
            return ours.associated(peer, plan.proposals)

        assert all(sent.is_stored for sent in send(associate, instances(), InstanceReader()))
    assert order == ["file", "file", "file", "association"]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (0xB000, "stored, attributes coerced"),
        (0xB006, "stored, elements discarded"),
        (0xB007, "stored, data set does not match its SOP class"),
    ],
)
def test_trap_23_warning_is_stored_and_kept_with_its_comment(tmp_path: Path, status: int, meaning: str) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    with wire.listening(storing(status, comment=b"Patient ID changed")) as peer:
        [sent] = ours.send_files(peer, [path])
    assert sent.result is not None
    assert (sent.result.verdict.meaning, sent.result.comment) == (meaning, "Patient ID changed")
    assert sent.is_stored


def test_trap_24_duplicate_on_resend_is_stored(tmp_path: Path) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    with wire.listening(storing(0, 0x0111)) as peer:
        first, second = ours.send_files(peer, [path, path])
    assert first.is_stored
    assert second.is_stored
    assert second.result is not None
    assert second.result.verdict.meaning == "the peer had it already"


@pytest.mark.parametrize(("status", "transient"), [(0xA700, True), (0xA7FE, True), (0xA900, False), (0xC123, False)])
def test_trap_25_the_peers_comment_comes_through(tmp_path: Path, status: int, transient: bool) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    with wire.listening(storing(status, comment=b"quota of department")) as peer:
        [sent] = ours.send_files(peer, [path])
    assert sent.result is not None
    assert sent.result.comment == "quota of department"
    assert sent.is_transient is transient


@pytest.mark.needs("dcmconv", "storescp")
def test_trap_26_deflated_is_inflated_for_a_peer_without_it(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(), tmp_path / "plain")
    deflated = tmp_path / "deflated.dcm"
    assert run("dcmconv", "+td", path, deflated).status == 0
    with dcmtk.storescp(tmp_path / "received", "+xe") as peer:
        [sent] = ours.send_files(peer, [deflated])
        assert sent.is_stored, sent.error
        [file] = peer.files()
    contents.assert_same_content(path, file)


def test_trap_27_uids_stay_as_they_are(tmp_path: Path) -> None:
    path = contents.saved("1.2.840.10008.1.2.5", tmp_path / "files")
    with ours.archive(tmp_path / "received") as here:
        for _ in range(2):
            assert ours.send_files(here, [path])[0].is_stored
        [file] = here.folder.files()
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert dcmread(file)[keyword].value == dcmread(path)[keyword].value


def test_data_set_of_another_instance_is_refused_over_the_wire(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)))
        connection.send(wire.p_data(wire.value(wire.implicit_image("1.2.3.5"), 2)))
        answer = connection.receive_command()
        assert wire.status_of(answer) == 0xA900
        assert answer[0x0902].startswith(b"SOP Instance UID of data set")
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.5", message_id=2), 3)))
        connection.send(wire.p_data(wire.value(wire.implicit_image("1.2.3.5"), 2)))
        assert wire.status_of(connection.receive_command()) == 0
        assert [file.stem for file in here.folder.files()] == ["1.2.3.5"]


def test_sending_deletes_nothing(tmp_path: Path) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    before = path.read_bytes()
    for status in (0, 0xA700, 0xB000):
        with wire.listening(storing(status)) as peer:
            ours.send_files(peer, [path])
    assert path.read_bytes() == before


def test_requestor_that_stops_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here:
        with wire.associated(here, MR_IMAGE) as connection:
            connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)))
            connection.send(wire.p_data(wire.value(wire.implicit_image("1.2.3.4")[:600], 0)))
            wait_until(lambda: any(tmp_path.iterdir()), what="the beginning of the file")
            connection.send(wire.abortion())
        here.wait_until_idle()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [100, 0xFFF0])
def test_data_set_that_is_cut_off_before_its_uids_cannot_be_understood(tmp_path: Path, length: int) -> None:
    data = wire.implicit_image("1.2.3.4")[:8] + bytes(50)
    data = data[:4] + length.to_bytes(4, "little") + data[8:]
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)), wire.p_data(wire.value(data, 2)))
        answer = connection.receive_command()
        assert wire.status_of(answer) == 0xC001
        assert b"cut off" in answer[0x0902]
        assert list(tmp_path.iterdir()) == []
