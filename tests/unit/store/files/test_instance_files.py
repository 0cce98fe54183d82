from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

import openmodality
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.store.files.instance_file import InstanceFile, StorageFull, Stored
from openmodality.store.files.instance_files import InstanceFiles
from tests.peers.objects import mr_image, save

UID = "1.2.840.99.1"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(openmodality.__file__).parents[1])}


@pytest.fixture(params=["fsync", "os"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InstanceFiles]:
    opened = InstanceFiles(tmp_path / "instances", durability=request.param)
    yield opened
    opened.close()


def put(files: InstanceFiles, uid: str, content: bytes, head: bytes = b"") -> Stored:
    file = files.create(uid, head)
    file.write(memoryview(content))
    return file.commit()


def finish(file: InstanceFile) -> Stored:
    file.write(b"one")
    file.write(b"two")
    return file.commit()


def leftovers(files: InstanceFiles) -> list[Path]:
    return [path for path in (files.root / ".incoming").rglob("*") if path.is_file()]


def test_a_file_gets_its_name_only_when_it_is_complete(files: InstanceFiles) -> None:
    file = files.create(UID, b"head")
    buffer = bytearray(b"one ")
    file.write(memoryview(buffer))
    buffer[:] = b"two "
    file.write(buffer)
    file.write_all([b"three ", b"", memoryview(b"four")])
    assert not files.path(UID).exists()
    assert file.commit() is Stored.NEW
    assert files.path(UID).read_bytes() == b"headone two three four"
    assert file.length_bytes == len(b"headone two three four")
    assert leftovers(files) == []


def test_many_buffers_are_gathered_whole(files: InstanceFiles) -> None:
    file = files.create(UID, b"head")
    file.write_all([bytes([number % 251]) * (number % 7) for number in range(3000)])
    file.commit()
    expected = b"head" + b"".join(bytes([number % 251]) * (number % 7) for number in range(3000))
    assert files.path(UID).read_bytes() == expected


def test_a_short_write_is_continued(files: InstanceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    write, writev = os.write, os.writev
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, memoryview(data)[:3]))
    monkeypatch.setattr(os, "writev", lambda fd, views: writev(fd, [views[0][:2]]))
    file = files.create(UID, b"head")
    file.write(b"abcdefgh")
    file.write(b"ijklmnop")
    file.commit()
    assert files.path(UID).read_bytes() == b"headabcdefghijklmnop"


def test_an_empty_data_set_still_has_its_head(files: InstanceFiles) -> None:
    assert files.create(UID, b"head").commit() is Stored.NEW
    assert files.path(UID).read_bytes() == b"head"


def test_abort_removes_the_file_and_does_nothing_after_commit(files: InstanceFiles) -> None:
    file = files.create(UID)
    file.write(b"part")
    file.abort()
    file.abort()
    assert leftovers(files) == []
    assert not files.path(UID).exists()
    kept = files.create(UID)
    kept.commit()
    kept.abort()
    assert files.path(UID).exists()


def test_what_is_stored_already_is_not_changed(files: InstanceFiles) -> None:
    assert put(files, UID, b"content") is Stored.NEW
    assert put(files, UID, b"content") is Stored.SAME
    assert put(files, UID, b"changed") is Stored.DIFFERENT
    assert put(files, UID, b"content and more") is Stored.DIFFERENT
    assert files.path(UID).read_bytes() == b"content"
    assert leftovers(files) == []


def test_another_head_or_transfer_syntax_is_no_difference(files: InstanceFiles, tmp_path: Path) -> None:
    sources = {}
    for number, syntax in enumerate(("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")):
        image = mr_image(rows=4, columns=4, transfer_syntax=syntax, SOPInstanceUID=UID, StudyInstanceUID="1.2.1",
                         SeriesInstanceUID="1.2.1.1")  # fmt: skip
        image.file_meta.ImplementationVersionName = "X" * (number + 1)
        sources[syntax] = save(image, tmp_path / str(number)).read_bytes()
    assert [put(files, UID, content) for content in sources.values()] == [Stored.NEW, Stored.SAME, Stored.SAME]


def test_what_cannot_be_compared_counts_as_different(files: InstanceFiles, tmp_path: Path) -> None:
    put(files, UID, save(mr_image(rows=4, columns=4, SOPInstanceUID=UID), tmp_path).read_bytes())
    assert put(files, UID, b"no DICOM at all") is Stored.DIFFERENT


@pytest.mark.parametrize("uid", ["", "..", "../../etc/passwd", "1/2", "1.2.3" + "4" * 64, "1.2.a", "1.2\n", "１.2"])
def test_what_is_no_uid_becomes_no_file_name(files: InstanceFiles, uid: str) -> None:
    with pytest.raises(ObjectInvalid):
        files.create(uid)
    assert not files.root.exists()


def test_files_are_found_by_their_uid(files: InstanceFiles) -> None:
    uids = {f"1.2.3.{number}" for number in range(100)}
    for uid in uids:
        put(files, uid, b"x")
    (files.root / "00").mkdir(exist_ok=True)
    (files.root / "00" / "notes.txt").write_text("not ours")
    assert len(files.buckets()) > 50
    assert {uid for bucket in files.buckets() for uid in files.uids(bucket)} == uids
    assert all(files.path(uid).parent.name == files.bucket(uid) for uid in uids)


def test_without_fan_out_all_files_are_in_one_folder(tmp_path: Path) -> None:
    files = InstanceFiles(tmp_path, durability="os", fan_out=False)
    put(files, UID, b"x")
    files.close()
    assert [path.name for path in tmp_path.glob("*.dcm")] == [f"{UID}.dcm"]
    assert list(files.uids(files.buckets()[0])) == [UID]


def test_nothing_is_made_before_the_first_file(tmp_path: Path) -> None:
    files = InstanceFiles(tmp_path / "instances")
    assert files.buckets() == []
    assert files.remove_leftovers() == 0
    files.close()
    assert not files.root.exists()


def test_delete_says_whether_there_was_a_file(files: InstanceFiles) -> None:
    put(files, UID, b"x")
    assert files.modified_ns(UID) is not None
    assert files.delete(UID)
    assert not files.delete(UID)
    assert files.modified_ns(UID) is None


@pytest.mark.parametrize("durability", ["fsync", "os"])
def test_a_file_is_synced_before_it_gets_its_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: Literal["fsync", "os"]
) -> None:
    """What Success promises where the power may fail; in ``os`` nothing is waited for."""
    files = InstanceFiles(tmp_path, durability=durability)
    put(files, "1.2.3", b"the folders are made")
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def synced(fd: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else f"file of {os.fstat(fd).st_size}")
        fsync(fd)

    def linked(source: str, target: str) -> None:
        done.append("name")
        link(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    file = files.create("1.2.4")
    (files.root / files.bucket("1.2.4")).mkdir(exist_ok=True)
    file.write(b"content")
    assert file.commit() is Stored.NEW
    files.close()
    assert done == (["file of 7", "name", "folder"] if durability == "fsync" else ["name"])


def test_a_new_folder_and_the_end_of_a_name_are_synced(files: InstanceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Path] = []
    fsync = os.fsync

    def synced(fd: int) -> None:
        done.append(Path(f"/proc/self/fd/{fd}").readlink())
        fsync(fd)

    file = files.create(UID)
    file.write(b"content")
    temporary = file.complete()
    folder = files.path(UID).parent
    monkeypatch.setattr(os, "fsync", synced)
    files.name_once(temporary, UID)
    assert done == ([files.root, folder] if files.synced else [])
    done.clear()
    assert files.delete(UID)
    assert not files.delete(UID)
    assert done == ([folder] if files.synced else [])


def test_a_folder_that_is_removed_under_us_is_made_again(files: InstanceFiles) -> None:
    put(files, "1.2.3", b"x")
    shutil.rmtree(files.root)
    assert put(files, UID, b"x") is Stored.NEW
    assert leftovers(files) == []


def test_a_place_that_is_gone_is_a_store_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    files = InstanceFiles(Path("instances"))
    put(files, "1.2.3", b"x")
    shutil.rmtree(tmp_path / "here")
    with pytest.raises(StoreError, match="No such file or directory"):
        put(files, UID, b"x")
    files.close()


def test_what_others_have_put_among_the_temporary_names_stays_and_does_no_harm(files: InstanceFiles) -> None:
    strange = files.root / ".incoming" / "strange"
    (strange / "folder").mkdir(parents=True)
    (files.root / ".incoming" / "note").write_text("not ours")
    files.remove_leftovers()
    assert put(files, UID, b"x") is Stored.NEW
    assert (strange / "folder").is_dir()


def test_leftovers_of_a_living_process_stay_and_those_of_a_dead_one_go(files: InstanceFiles) -> None:
    ours = files.create(UID)
    ours.write(b"in the making")
    script = (
        "import os, sys; from pathlib import Path; from openmodality.store.files.instance_files import InstanceFiles\n"
        "file = InstanceFiles(Path(sys.argv[1])).create('1.2.3'); file.write(b'x'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(files.root)], check=False, env=ENVIRONMENT)
    assert len(leftovers(files)) == 2
    assert files.remove_leftovers() == 1
    assert files.remove_leftovers() == 0
    assert ours.commit() is Stored.NEW


def test_a_file_system_without_hard_links_will_do(files: InstanceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        Path(target).parent.stat()
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert put(files, UID, b"content") is Stored.NEW
    assert put(files, UID, b"content") is Stored.SAME
    assert put(files, UID, b"changed") is Stored.DIFFERENT
    assert leftovers(files) == []


def test_of_two_at_once_one_gets_the_name_without_hard_links_too(
    files: InstanceFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        Path(target).parent.stat()
        raise PermissionError(1, "no links here")

    put(files, "1.2.3", b"the folders are made")
    folder = files.path(UID).parent
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(os, "link", refuse)
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)  # another one is between its look and its rename
    with ThreadPoolExecutor() as pool:
        late = pool.submit(put, files, UID, b"late")
        with pytest.raises(TimeoutError):
            late.result(0.1)
        files.path(UID).write_bytes(b"early")
        os.close(fd)
        assert late.result() is Stored.DIFFERENT
    assert files.path(UID).read_bytes() == b"early"


@pytest.mark.parametrize(
    ("number", "kind"), [(28, StorageFull), (122, StorageFull), (27, StorageFull), (5, StoreError)]
)
def test_errors_of_the_file_system_leave_nothing(
    files: InstanceFiles, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StoreError]
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, "")

    for call in ("writev", "write", "link"):
        file = files.create(UID, b"head")
        with monkeypatch.context() as patched:
            patched.setattr(os, call, fail)
            with pytest.raises(StoreError) as caught:
                finish(file)
        assert type(caught.value) is kind
        assert os.strerror(number) in str(caught.value)
        assert leftovers(files) == []
        file.abort()
    assert not files.path(UID).exists()


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "instances").write_text("a file is in the way")
    with pytest.raises(StoreError, match="Not a directory"):
        InstanceFiles(tmp_path / "instances").create(UID)


def test_importing_brings_no_database_and_no_pydicom() -> None:
    script = (
        "import sys; import openmodality.store.files.instance_files\n"
        "sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'pydicom', 'numpy', 'sqlite3')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, env=ENVIRONMENT).returncode == 0
