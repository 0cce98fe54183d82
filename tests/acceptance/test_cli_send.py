"""``openmodality send`` and what people give it."""

from __future__ import annotations

import os
import pty
import signal
import threading
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    RLELossless,
)
from pynetdicom import evt
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from openmodality.encoding.part10 import read_file_meta
from tests.acceptance.command_line import finish, openmodality, receiving, start
from tests.interop import contents, wire
from tests.peers import dcmtk, objects, orthanc, pynetdicom_ae
from tests.peers.process import HOST, free_port, run, wait_until


@pytest.mark.needs("storescp")
def test_files_and_folders(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "folder" / "below", 3)
    single = objects.save(objects.ct_image(), tmp_path)
    with dcmtk.storescp(tmp_path / "received") as peer:
        ended = openmodality("send", peer, tmp_path / "folder", single)
        assert len(peer.files()) == 4
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith(f"{peer}: 4 of 4 instances stored, ")
    assert len(paths) == 3


@pytest.mark.needs("Orthanc")
def test_a_folder_arrives_at_orthanc(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "folder", 12)
    with orthanc.orthanc(tmp_path / "pacs") as pacs:
        ended = openmodality("send", pacs, tmp_path / "folder")
        assert (ended.status, ended.err) == (0, "")
        wait_until(lambda: pacs.instances() == sorted(path.stem for path in paths), what="the instances in Orthanc")


def test_warnings_stand_in_the_json(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path, 2)
    with pynetdicom_ae.serving([MRImageStorage], [(evt.EVT_C_STORE, lambda _: 0xB000)]) as peer:
        ended = openmodality("send", peer, "--json", *paths)
    assert (ended.status, ended.err) == (0, "")
    told = ended.item
    assert (told["instances"], told["stored"], told["not_stored"]) == (2, 2, [])
    assert told["outcomes"] == {"stored, attributes coerced": 2}
    assert [warning["status"] for warning in told["warnings"]] == ["B000", "B000"]


@pytest.mark.parametrize(("status", "stored"), [(0xA700, False), (0xC000, False), (0x0111, True), (0xB007, True)])
def test_status_decides_the_exit_status_and_is_said(tmp_path: Path, status: int, stored: bool) -> None:
    [path] = objects.mr_series(tmp_path, 1)
    with pynetdicom_ae.serving([MRImageStorage], [(evt.EVT_C_STORE, lambda _: status)]) as peer:
        ended = openmodality("send", peer, path)
    assert ended.status == (0 if stored else 1)
    assert ended.error_line.startswith(f"{path}: {status:04X} ")


def test_stop_on_failure(tmp_path: Path) -> None:
    objects.mr_series(tmp_path, 3)
    asked: list[int] = []

    def refuse(_: evt.Event) -> int:
        asked.append(1)
        return 0xA700

    with pynetdicom_ae.serving([MRImageStorage], [(evt.EVT_C_STORE, refuse)]) as peer:
        ended = openmodality("send", peer, "--stop-on-failure", "--json", tmp_path)
    assert ended.status == 1
    assert len(asked) == 1
    assert ended.item["outcomes"] == {"refused: out of resources": 1, "not sent": 2}


def test_what_is_not_dicom_in_a_folder_is_passed_over_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    objects.mr_series(folder, 2)
    (folder / "notes.txt").write_text("not DICOM")
    (folder / "empty.dcm").touch()
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, folder)
        assert len(peer.files()) == 2
    assert ended.status == 0
    assert ended.error_line == "2 files are not DICOM and were passed over"


def test_what_cannot_be_read_in_a_folder_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    [path] = objects.mr_series(folder, 1)
    (folder / "loop.dcm").symlink_to(folder / "loop.dcm")
    (folder / "broken.dcm").write_bytes(bytes(128) + b"DICM")
    (folder / "notes.txt").write_text("not DICOM")
    os.mkfifo(folder / "pipe")
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, folder, "--json")
        assert [file.name for file in peer.files()] == [path.name]
    assert ended.status == 1
    broken, loop, passed_over = ended.err.splitlines()
    assert broken.startswith(f"{folder / 'broken.dcm'}: the File Meta Information ")
    assert loop.startswith(f"{folder / 'loop.dcm'}: cannot be read: Too many levels of symbolic links")
    assert passed_over == "2 files are not DICOM and were passed over"
    assert [entry["path"] for entry in ended.item["not_stored"]] == [
        str(folder / n) for n in ("broken.dcm", "loop.dcm")
    ]
    assert {entry["error"] for entry in ended.item["not_stored"]} == {"ObjectInvalid"}


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "in a folder"])
def test_only_a_damaged_file_is_reported_like_one_beside_a_good_one(tmp_path: Path, is_named: bool) -> None:
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(bytes(128) + b"DICM")
    (tmp_path / "notes.txt").write_text("not DICOM")
    peer, path = f"NOBODY@{HOST}:{free_port()}", damaged if is_named else tmp_path
    person, program = openmodality("send", peer, path), openmodality("send", peer, path, "--json")
    assert person.status == program.status == 1
    assert person.out.startswith(f"{peer}: 0 of 0 instances stored, ")
    assert person.err.startswith(f"{damaged}: the File Meta Information ")
    assert "no DICOM file" not in person.err
    assert (program.item["instances"], program.item["stored"]) == (0, 0)
    assert [(entry["path"], entry["error"]) for entry in program.item["not_stored"]] == [
        (str(damaged), "ObjectInvalid")
    ]


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "in a folder"])
def test_nothing_but_other_files_is_wrong_usage(tmp_path: Path, is_named: bool) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not DICOM")
    ended = openmodality("send", f"A@{HOST}:104", notes if is_named else tmp_path, "--json")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.endswith("openmodality: there is no DICOM file to send; name DICOM files, or folders of them\n")


def test_one_file_that_is_not_dicom(tmp_path: Path) -> None:
    objects.mr_series(tmp_path / "folder", 1)
    (tmp_path / "folder" / "notes.txt").write_text("not DICOM")
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, tmp_path / "folder")
    assert (ended.status, ended.error_line) == (0, "1 file is not DICOM and was passed over")
    assert ": 1 of 1 instance stored, " in ended.out


def test_json_counts_what_was_stored_and_names_the_error(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path, 2)

    def answer_one(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        command = connection.receive_command()
        message_id = int.from_bytes(command[0x0110], "little")
        while not connection.expect(wire.P_DATA)[5] & 2:
            pass
        answer = wire.response(0x8001, wire.MR_IMAGE, message_id=message_id, status=0)
        connection.send(wire.p_data(wire.value(answer, 3)))
        connection.until_closed()

    with wire.listening(answer_one) as peer:
        ended = openmodality("send", peer, *paths, "--json", "--timeout", "0.3")
    told = ended.item
    first = read_file_meta(paths[0].read_bytes())
    assert (told["instances"], told["stored"]) == (2, 1)
    assert told["bytes"] == paths[0].stat().st_size - first.data_set_offset
    assert [entry["error"] for entry in told["not_stored"]] == ["PeerTimeout"]


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_ctrl_c_says_how_far_it_came(tmp_path: Path, as_json: bool) -> None:
    paths = objects.mr_series(tmp_path, 3)
    asked = threading.Event()

    def answer_one(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        message_id = int.from_bytes(connection.receive_command()[0x0110], "little")
        while not connection.expect(wire.P_DATA)[5] & 2:
            pass
        answer = wire.response(
            0x8001, wire.MR_IMAGE, message_id=message_id, status=0xB000
        )  # what is no success is taken in before the next is sent
        connection.send(wire.p_data(wire.value(answer, 3)))
        connection.receive_command()
        asked.set()
        connection.until_closed()

    with wire.listening(answer_one) as peer:
        sending = start("send", peer, paths[0], tmp_path, *["--json"] * as_json)
        assert asked.wait(10)
        sending.send_signal(signal.SIGINT)
        ended = finish(sending)
    assert ended.status == 130
    assert "Traceback" not in ended.err
    if not as_json:
        assert ended.out.startswith(f"{peer}: 1 of 4 instances stored, ")
        assert ended.out.endswith(", 1 with a warning, interrupted with 3 not sent\n")
        return
    told = ended.item
    assert (told["instances"], told["stored"]) == (4, 1)
    assert told["outcomes"] == {"stored, attributes coerced": 1, "not sent": 3}
    assert sorted(entry["path"] for entry in told["not_stored"]) == sorted(map(str, paths))
    assert {entry["error"] for entry in told["not_stored"]} == {"Interrupted"}
    assert "before Ctrl-C" in told["not_stored"][0]["reason"]


def test_dicomdir_is_never_sent(tmp_path: Path) -> None:
    """A DICOMDIR is a Part 10 file, but no instance of a storage SOP Class (PS3.10 8.6)."""
    image = objects.save(objects.mr_image(), tmp_path / "IMAGES")
    directory = dcmread(image)
    directory.file_meta.MediaStorageSOPClassUID = directory.SOPClassUID = MediaStorageDirectoryStorage
    directory.save_as(tmp_path / "renamed")
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, tmp_path / "renamed", image)
        assert [file.stem for file in peer.files()] == [image.stem]
    assert ended.status == 1
    assert "1.2.840.10008.1.3.10" in ended.error_line


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.dcm", b"hello", "only DICOM files can be sent"),
        ("empty.dcm", b"", "only DICOM files can be sent"),
        ("head.dcm", bytes(128) + b"DICM", "only DICOM files can be sent"),
    ],
)
def test_named_file_that_is_not_dicom_is_reported_and_the_others_are_sent(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    [path] = objects.mr_series(tmp_path / "good", 1)
    bad = tmp_path / name
    bad.write_bytes(content)
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, bad, path)
        assert len(peer.files()) == 1
    assert ended.status == 1
    assert ended.error_line.startswith(f"{bad}: ")
    assert said in ended.error_line


def test_file_that_is_not_there_and_folder_that_is_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    nothing = openmodality("send", f"A@{HOST}:104", tmp_path / "empty")
    assert (nothing.status, nothing.error_line) == (
        2, "openmodality: there is no DICOM file to send; name DICOM files, or folders of them"
    )  # fmt: skip
    missing = openmodality("send", f"A@{HOST}:104", tmp_path / "missing.dcm")
    assert missing.status == 2
    assert f"'{tmp_path / 'missing.dcm'}' does not exist" in missing.error_line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_fails_the_command(tmp_path: Path) -> None:
    good, bad = objects.mr_series(tmp_path, 2)
    bad.chmod(0)
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, good, bad)
        assert len(peer.files()) == 1
    assert ended.status == 1
    assert "Permission denied" in ended.error_line


@pytest.mark.parametrize("transfer_syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_file_without_preamble(tmp_path: Path, transfer_syntax: str) -> None:
    whole = contents.saved(transfer_syntax, tmp_path / "whole")
    bare = tmp_path / "bare.dcm"
    bare.write_bytes(whole.read_bytes()[read_file_meta(whole.read_bytes()).data_set_offset :])
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, bare)
        [file] = peer.files()
    assert (ended.status, ended.err) == (0, "")
    contents.assert_same_content(whole, file)


def test_file_with_file_meta_information_but_without_preamble(tmp_path: Path) -> None:
    whole = contents.saved(ExplicitVRLittleEndian, tmp_path / "whole")
    bare = tmp_path / "bare.dcm"
    bare.write_bytes(whole.read_bytes()[132:])
    with receiving(tmp_path / "received") as peer:
        assert openmodality("send", peer.address, bare).status == 0
        [file] = peer.files()
    contents.assert_same_content(whole, file)


def test_file_meta_information_without_the_uids(tmp_path: Path) -> None:
    """Some systems leave (0002,0002) and (0002,0003) out: the data set has them."""
    image = objects.mr_image()
    del image.file_meta.MediaStorageSOPClassUID
    del image.file_meta.MediaStorageSOPInstanceUID
    path = tmp_path / "short.dcm"
    image.save_as(path)
    with receiving(tmp_path / "received") as peer:
        assert openmodality("send", peer.address, path).status == 0
        [file] = peer.files()
    assert file.stem == image.SOPInstanceUID


@pytest.mark.parametrize("cut", [1, 2, 1000], ids=["odd", "even", "much"])
@pytest.mark.parametrize("transfer_syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, "1.2.840.10008.1.2.5"])
def test_file_that_is_cut_off_is_reported_and_the_others_are_sent(
    tmp_path: Path, transfer_syntax: str, cut: int
) -> None:
    good = objects.mr_series(tmp_path / "good", 2)
    bad = contents.saved(transfer_syntax, tmp_path / "bad")
    bad.write_bytes(bad.read_bytes()[:-cut])
    with receiving(tmp_path / "received") as peer:
        ended = openmodality("send", peer.address, good[0], bad, good[1])
        assert {file.name for file in peer.files()} == {path.name for path in good}
    assert ended.status == 1
    assert ended.error_line.startswith(f"{bad}: ")
    assert "cut off" in ended.error_line


@pytest.mark.needs("storescp")
@pytest.mark.parametrize("cut", [2, 1000])
@pytest.mark.parametrize("options", [("+xd",), ("+xi",)], ids=["goes as it is", "is inflated"])
def test_deflated_file_that_is_cut_off_is_not_sent(tmp_path: Path, options: tuple[str, ...], cut: int) -> None:
    image = objects.mr_image(transfer_syntax="1.2.840.10008.1.2.1.99")
    path = objects.save(image, tmp_path / "deflated")
    path.write_bytes(path.read_bytes()[:-cut])
    with dcmtk.storescp(tmp_path / "received", *options) as peer:
        ended = openmodality("send", peer, path, objects.save(objects.mr_image(), tmp_path / "whole"))
        assert len(peer.files()) == 1
    assert ended.status == 1
    assert ended.error_line.startswith(f"{path}: ")
    assert "cut off" in ended.error_line


@pytest.mark.needs("storescp")
def test_compressed_file_that_is_cut_off_is_not_decompressed(tmp_path: Path) -> None:
    path = contents.saved("1.2.840.10008.1.2.5", tmp_path / "compressed")
    path.write_bytes(path.read_bytes()[:-8])  # the delimiter of the fragments
    with dcmtk.storescp(tmp_path / "received", "+xi") as peer:
        ended = openmodality("send", peer, path)
        assert not peer.files()
    assert ended.status == 1
    assert ended.error_line.startswith(f"{path}: ")
    assert "cut off" in ended.error_line


@pytest.mark.needs("storescp")
def test_an_object_without_pixels_may_claim_to_be_compressed(tmp_path: Path) -> None:
    image = objects.mr_image()
    del image.PixelData
    image.file_meta.TransferSyntaxUID = RLELossless
    path = objects.save(image, tmp_path / "report")
    unknown = path.read_bytes().replace(b"ISO_IR 100", b"NO_SUCH_ST")  # about which pydicom would warn, and quote it
    path.write_bytes(unknown)
    with dcmtk.storescp(tmp_path / "received", "+xi") as peer:
        ended = openmodality("send", peer, path)
        assert len(peer.files()) == 1
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.needs("dcmconv")
def test_a_deflated_file_is_inflated_where_it_must_be(tmp_path: Path) -> None:
    """Trap 26: as it is where the peer takes it, inflated where it does not."""
    path = objects.save(objects.mr_image(), tmp_path / "plain")
    deflated = tmp_path / "deflated.dcm"
    assert run("dcmconv", "+td", path, deflated).status == 0
    with receiving(tmp_path / "ours") as peer:
        assert openmodality("send", peer.address, deflated).status == 0
        [file] = peer.files()
    assert dcmread(file).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1.99"
    contents.assert_same_content(path, file)
    with dcmtk.storescp(tmp_path / "theirs", "+xi") as other:
        assert openmodality("send", other, deflated).status == 0
        [file] = other.files()
    contents.assert_same_content(path, file)


def test_a_terminal_gets_a_line_of_progress_and_loses_it_again(tmp_path: Path) -> None:
    objects.mr_series(tmp_path, 1)
    near, far = pty.openpty()
    with receiving(tmp_path / "received") as peer:
        sending = start("send", peer.address, tmp_path, stderr=far)
        os.close(far)
        ended = finish(sending)
    said = os.read(near, 4096)
    os.close(near)
    assert ended.status == 0
    assert said.startswith(b"\r\x1b[Ksent 1 of 1 files, ")
    assert said.endswith(b"\r\x1b[K")


def test_an_error_comment_is_one_line_and_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    [path] = objects.mr_series(tmp_path, 1)

    def refuse(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        connection.receive_command()
        while not connection.expect(wire.P_DATA)[5] & 2:
            pass
        comment = wire.element(0x0902, b"bad\x1b[31mred\nopenmodality: fake line ")
        connection.send(wire.p_data(wire.value(wire.response(0x8001, wire.MR_IMAGE, comment, status=0xA700), 3)))
        connection.expect(wire.RELEASE_RQ)
        connection.send(wire.RELEASE_RESPONSE)

    with wire.listening(refuse, refuse) as peer:
        person = openmodality("send", peer, path)
        program = openmodality("send", peer, path, "--json")
    assert "(bad\ufffd[31mred\ufffdopenmodality: fake line)" in person.error_line
    assert "(bad\ufffd[31mred\nopenmodality: fake line); the peer has" in program.item["not_stored"][0]["reason"]


def test_messages_that_stderr_cannot_take_stop_nothing(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2)
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(paths[0].read_bytes()[:-1])
    with receiving(tmp_path / "received") as peer, Path("/dev/full").open("wb") as full:
        ended = finish(start("send", peer.address, paths[0], bad, paths[1], stderr=full.fileno()))
        assert len(peer.files()) == 2
    assert ended.status == 1
    assert ": 2 of 3 instances stored, " in ended.out


def test_dead_peer_and_wrong_title(tmp_path: Path) -> None:
    [path] = objects.mr_series(tmp_path / "files", 1)
    dead = openmodality("send", f"NOBODY@{HOST}:{free_port()}", path)
    assert dead.status == 1
    assert "Connection refused" in dead.error_line
    with receiving(tmp_path / "received", "--aet", "RECEIVER") as peer:
        wrong = openmodality("send", f"OTHER@{HOST}:{peer.address.port}", path)
        assert not peer.files()
    assert wrong.status == 1
    assert "called-AE-title-not-recognized; check the AE title" in wrong.error_line


def test_dead_peer_is_said_once_for_many_files(tmp_path: Path) -> None:
    objects.mr_series(tmp_path, 20, rows=8, columns=8)
    ended = openmodality("send", f"NOBODY@{HOST}:{free_port()}", tmp_path)
    assert ended.status == 1
    assert ended.err.count("Connection refused") == 1
    assert " and 19 other files: " in ended.error_line


def test_peer_that_dies_in_the_middle(tmp_path: Path) -> None:
    objects.mr_series(tmp_path, 5, rows=8, columns=8)

    def die(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)]))
        connection.receive_command()

    def hang_up(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)

    with wire.listening(die, hang_up) as peer:
        ended = openmodality("send", peer, tmp_path, "--json")
    assert ended.status == 1
    assert ended.err == ""
    assert ended.item["outcomes"] == {"not sent": 5}


def test_the_association_is_proposed_as_the_options_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 51H is the longest PDU (PS3.8 D.1), 58H the user (PS3.7 D.3.3.7), 40H a transfer syntax (PS3.8 9.3.2.2)."""
    [path] = objects.mr_series(tmp_path, 1)

    def propose(*options: str) -> bytes:
        def look(connection: wire.Wire) -> bytes:
            request = connection.expect(wire.ASSOCIATE_RQ)
            connection.send(wire.rejection(1, 1, 1))
            return request

        with wire.listening(look) as peer:
            assert openmodality("send", peer, path, *options).status == 1
        (request,) = peer.result
        assert isinstance(request, bytes)
        return request

    plain = propose()
    syntaxes = [wire.item(0x40, uid.encode()) for uid in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")]
    assert [syntax in plain for syntax in syntaxes] == [True, True]
    assert bytes([0x58]) + b"\0" not in plain[-60:]
    monkeypatch.setenv("OPENMODALITY_PASSWORD", "secret")
    chosen = propose("--transfer-syntax", "ImplicitVRLittleEndian", "--max-pdu", "8192", "--user", "ann")
    assert [syntax in chosen for syntax in syntaxes] == [True, False]
    assert wire.item(0x51, (8192).to_bytes(4, "big")) in chosen
    assert wire.item(0x58, b"\2\0\0\3ann\0\6secret") in chosen
    monkeypatch.delenv("OPENMODALITY_PASSWORD")
    assert wire.item(0x58, b"\1\0\0\3ann\0\0") in propose("--user", "ann")


def test_everything_is_sent_as_often_as_is_said(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2)
    with receiving(tmp_path / "received", "--json") as here:
        ended = openmodality("send", here.address, *paths, "--repeat", 3, "--json")
        lines = here.stop().out.splitlines()
    assert (ended.status, ended.item["instances"], ended.item["stored"], len(lines)) == (0, 6, 6, 6)
