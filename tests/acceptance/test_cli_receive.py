"""``openmodality receive``: what is in the folder is complete, whatever happens."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.acceptance.command_line import Ended, finish, openmodality, receiving, start, wait_for_files
from tests.interop import contents, wire
from tests.peers import dcmtk, objects
from tests.peers.process import HOST, wait_until


@pytest.mark.parametrize("durability", ["fsync", "os"])
def test_receive_and_stop(tmp_path: Path, durability: str) -> None:
    paths = objects.mr_series(tmp_path / "files", 3)
    with receiving(tmp_path / "new" / "received", "--durability", durability) as here:
        assert openmodality("send", here.address, *paths).status == 0
        assert [file.name for file in here.files()] == sorted(path.name for path in paths)
        ended = here.stop()
    assert ended.status == 0
    assert ended.error_line == "received 3 files"
    for path in paths:
        contents.assert_same_content(path, here.folder / path.name)
    assert {file.name for file in here.folder.iterdir()} <= {*(path.name for path in paths), ".incoming"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    with receiving(tmp_path) as here:
        ended = here.stop(number)
    assert (ended.status, ended.error_line) == (0, "received 0 files")


def test_stop_while_an_association_is_open(tmp_path: Path) -> None:
    with receiving(tmp_path) as here, wire.associated(here.address):
        ended = here.stop()
    assert ended.status == 0
    assert "Traceback" not in ended.err


def test_json_is_a_line_for_each_instance(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2)
    with receiving(tmp_path / "received", "--json") as here:
        assert openmodality("send", here.address, *paths, "--calling", "ME").status == 0
        assert openmodality("send", here.address, paths[0]).status == 0
        ended = here.stop()
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line["stored"] for line in lines] == ["new", "new", "already stored"]
    assert {line["sop_instance_uid"] for line in lines} == {path.stem for path in paths}
    assert lines[0]["calling_ae_title"] == "ME"


def test_output_that_nobody_reads_stops_it_and_fails_no_instance(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2)
    with receiving(tmp_path / "received", "--json") as here:
        assert here.process.stdout is not None
        assert here.process.stderr is not None
        here.process.stdout.close()
        sent = openmodality("send", here.address, paths[0])
        with here.process.stderr as errors:
            said = errors.read()
        here.ended.append(Ended(here.process.wait(10), "", said))
        assert len(here.files()) == 1
    assert (sent.status, sent.err) == (0, "")
    assert here.ended[0].status == 1
    assert here.ended[0].err.splitlines()[-1] == "received 1 file"  # before it the end of an association that was open
    assert "Traceback" not in here.ended[0].err


@pytest.mark.needs("storescu")
def test_aet_is_enforced_where_it_is_given(tmp_path: Path) -> None:
    [path] = objects.mr_series(tmp_path / "files", 1)
    with receiving(tmp_path / "any") as here:
        assert dcmtk.scu("storescu", here.address, path).status == 0
    with receiving(tmp_path / "one", "--aet", "RECEIVER") as here:
        assert dcmtk.scu("storescu", here.address, path).status == 0
        other = dcmtk.scu("storescu", type(here.address)("OTHER", here.address.port), path)
        assert "Called AE Title Not Recognized" in other.output
        assert len(here.files()) == 1


def test_two_senders_at_once(tmp_path: Path) -> None:
    one = objects.mr_series(tmp_path / "one", 20)
    two = objects.mr_series(tmp_path / "two", 20)
    with receiving(tmp_path / "received", "--durability", "os") as here:
        senders = [start("send", here.address, tmp_path / name, "--json") for name in ("one", "two")]
        for sender in senders:
            ended = finish(sender)
            assert (ended.status, ended.item["stored"]) == (0, 20)
        assert {file.name for file in here.files()} == {path.name for path in one + two}


def test_the_same_instance_from_two_senders_is_kept_once(tmp_path: Path) -> None:
    objects.mr_series(tmp_path / "files", 10)
    with receiving(tmp_path / "received", "--durability", "os") as here:
        senders = [start("send", here.address, tmp_path / "files") for _ in range(2)]
        assert [finish(sender).status for sender in senders] == [0, 0]
        assert len(here.files()) == 10


def test_kill_in_the_middle_leaves_only_complete_files(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 60, rows=256, columns=256)
    with receiving(tmp_path / "received") as here:
        sender = start("send", here.address, tmp_path / "files")
        wait_for_files(here, 5)
        assert here.stop(signal.SIGKILL).status == -signal.SIGKILL
        assert finish(sender).status == 1
    originals = {path.name: path for path in paths}
    kept = here.files()
    assert len(kept) >= 5
    for file in kept:
        contents.assert_same_content(originals[file.name], file)
    with receiving(tmp_path / "received") as again:
        assert not [file for file in (again.folder / ".incoming").rglob("*") if file.is_file()]
        assert openmodality("send", again.address, tmp_path / "files").status == 0
        assert len(again.files()) == 60


def test_sender_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with receiving(tmp_path) as here:
        with wire.associated(here.address, wire.MR_IMAGE) as connection:
            connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)))
            connection.send(wire.p_data(wire.value(wire.implicit_image("1.2.3.4", 10_000)[:5000], 0)))
            wait_until(lambda: _partial_files(here.folder) == 1, what="the file in the making")
        wait_until(lambda: _partial_files(here.folder) == 0, what="the file in the making to be removed")
        assert not here.files()


@pytest.mark.parametrize(
    ("length", "sent", "said"),
    [(1000, 500, b"is cut off"), (999, 999, b"odd length"), (1000, 1004, b"is cut off")],
    ids=["cut off", "odd", "half an element more"],
)
def test_instance_that_does_not_end_cleanly_is_refused_and_not_kept(
    tmp_path: Path, length: int, sent: int, said: bytes
) -> None:
    image = wire.implicit_image("1.2.3.4", length)
    data = (image + bytes(4))[: len(image) - length + sent]
    with receiving(tmp_path) as here, wire.associated(here.address, wire.MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)), wire.p_data(wire.value(data, 2)))
        answer = connection.receive_command()
        assert wire.status_of(answer) == 0xC001
        assert said in answer[0x0902]
        assert not here.files()
        assert _partial_files(here.folder) == 0


def _partial_files(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / ".incoming").rglob("*"))


def test_other_content_under_the_same_uid_keeps_the_first(tmp_path: Path) -> None:
    first, second = objects.mr_image(seed=1), objects.mr_image(seed=2)
    second.SOPInstanceUID = second.file_meta.MediaStorageSOPInstanceUID = first.SOPInstanceUID
    with receiving(tmp_path / "received") as here:
        assert openmodality("send", here.address, objects.save(first, tmp_path / "1")).status == 0
        again = openmodality("send", here.address, objects.save(second, tmp_path / "2"))
        [file] = here.files()
        ended = here.stop()
    assert dcmread(file).PixelData == first.PixelData
    assert "0110 Processing failure (other content is stored under this UID, and is kept)" in again.error_line
    assert again.status == 1
    assert "came again with different content, the first is kept" in ended.err


def test_a_warning_says_who_and_why(tmp_path: Path) -> None:
    with receiving(tmp_path, "--aet", "RECEIVER") as here:
        assert openmodality("echo", f"OTHER@{HOST}:{here.address.port}", "--calling", "ME").status == 1
        ended = here.stop()
    warning, _ = ended.err.splitlines()
    assert warning.startswith(f"openmodality: warning: association.rejected address={HOST} calling=ME reason=")
    assert "called-AE-title-not-recognized" in warning


def test_port_in_use(tmp_path: Path) -> None:
    with receiving(tmp_path / "one") as here:
        ended = openmodality("receive", tmp_path / "two", "--port", here.address.port, "--host", HOST)
    assert ended.status == 1
    assert f"cannot listen on {HOST} port {here.address.port}: Address already in use" in ended.error_line


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = openmodality("receive", tmp_path / "file", "--port", 0)
    assert ended.status == 2
    assert f"'{tmp_path / 'file'}' is a file" in ended.error_line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    ended = openmodality("receive", tmp_path, "--port", 0)
    tmp_path.chmod(0o700)
    assert ended.status == 2
    assert "cannot be written to" in ended.error_line


def test_system_folder_that_nobody_can_write_to() -> None:
    ended = openmodality("receive", "/proc/self/fd", "--port", 0)
    assert ended.status == 2
    assert "/proc/self/fd: cannot be written to" in ended.error_line


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "x"],
        [],
        ["--port", "0", "--durability", "no"],
        ["--port", "0", "--aet", ""],
        ["--port", "0", "--aet", " "],
        ["--port", "0", "--max-pdu", "3"],
        ["--port", "0", "--max-pdu", "5000000000"],
    ],
)
def test_wrong_usage_of_receive_is_an_error(tmp_path: Path, arguments: list[str]) -> None:
    ended = openmodality("receive", tmp_path, *arguments)
    assert ended.status == 2
    assert ended.error_line.startswith("openmodality: ")
