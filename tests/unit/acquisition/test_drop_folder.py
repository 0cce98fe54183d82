"""The watched folder: nothing is taken too early, nothing is lost, nothing is taken twice unless it must be."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from openmodality.acquisition.drop_folder import (
    DropFolder,
    DroppedFile,
    FileStatus,
    FolderState,
    choose_settled,
    make_arrival_key,
    move_aside,
    scan,
)
from openmodality.errors import ObjectInvalid, StoreError

SMALL, LARGE = FileStatus(10, 1), FileStatus(20, 2)


def test_a_file_is_complete_when_it_did_not_change_for_a_while() -> None:
    state, complete = choose_settled({"a.png": SMALL}, FolderState(), 0.0, 2.0)
    assert complete == []
    state, complete = choose_settled({"a.png": SMALL}, state, 1.0, 2.0)
    assert complete == []
    state, complete = choose_settled({"a.png": SMALL}, state, 2.0, 2.0)
    assert complete == ["a.png"]


def test_growing_starts_the_wait_again() -> None:
    state, _ = choose_settled({"a.png": SMALL}, FolderState(), 0.0, 2.0)
    state, complete = choose_settled({"a.png": LARGE}, state, 2.0, 2.0)
    assert complete == []
    _, complete = choose_settled({"a.png": LARGE}, state, 4.0, 2.0)
    assert complete == ["a.png"]


def test_a_file_is_never_complete_at_first_sight_without_a_marker() -> None:
    assert choose_settled({"a.png": SMALL}, FolderState(), 0.0, 0.0)[1] == []


def test_a_marker_makes_it_complete_at_once() -> None:
    assert choose_settled({"a.png": SMALL, "a.png.done": SMALL}, FolderState(), 0.0, 60.0)[1] == ["a.png"]


def test_what_is_being_written_and_companions_are_not_looked_at() -> None:
    listing = dict.fromkeys((".a.png", "a.png.part", "a.tmp", "a.json"), SMALL)
    state, complete = choose_settled(listing, FolderState(), 0.0, 0.0)
    assert (dict(state.seen), complete) == ({}, [])


def test_files_that_went_away_are_forgotten() -> None:
    state, _ = choose_settled({"a.png": SMALL}, FolderState(), 0.0, 2.0)
    state, _ = choose_settled({}, state, 1.0, 2.0)
    assert choose_settled({"a.png": SMALL}, state, 3.0, 2.0)[1] == []


def test_a_delivered_file_moves_to_done_with_companion_and_without_marker(tmp_path: Path) -> None:
    for name in ("a.png", "a.json", "a.png.done"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    arrivals: list[DroppedFile] = []
    DropFolder(tmp_path, arrivals.append).step(FolderState(), 0.0)
    assert [arrival.path.name for arrival in arrivals] == ["a.png"]
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a.json", "a.png"]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_refused_file_moves_to_failed_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "a.png.done").touch()

    def refuse(arrival: DroppedFile) -> None:
        raise ObjectInvalid("a.png: no picture", advice="Save it again.")

    DropFolder(tmp_path, refuse).step(FolderState(), 0.0)
    assert (tmp_path / "failed" / "a.png").read_bytes() == b"x"
    assert (tmp_path / "failed" / "a.png.txt").read_text(encoding="utf-8") == "a.png: no picture\nSave it again.\n"


def test_the_reason_is_for_its_owner_alone_even_where_one_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "a.png.done").touch()
    (tmp_path / "failed").mkdir()
    reason = tmp_path / "failed" / "a.png.txt"
    reason.write_text("from earlier", encoding="utf-8")
    reason.chmod(0o666)

    def refuse(arrival: DroppedFile) -> None:
        raise ObjectInvalid("a.png: no picture")

    DropFolder(tmp_path, refuse).step(FolderState(), 0.0)
    assert stat.S_IMODE(reason.stat().st_mode) == 0o600
    assert reason.read_text(encoding="utf-8") == "a.png: no picture\n\n"


def test_a_file_that_could_not_be_delivered_stays_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "a.png.done").touch()
    tries: list[DroppedFile] = []

    def full(arrival: DroppedFile) -> None:
        tries.append(arrival)
        if len(tries) == 1:
            raise StoreError("disk full")

    folder = DropFolder(tmp_path, full)
    state = folder.step(FolderState(), 0.0)
    assert (tmp_path / "a.png").exists()
    folder.step(state, 1.0)
    assert (tmp_path / "done" / "a.png").exists()
    assert tries[0].key == tries[1].key


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    for content in (b"1", b"2", b"3"):
        (tmp_path / "a.png").write_bytes(content)
        move_aside(tmp_path / "a.png", "done")
    assert {path.name: path.read_bytes() for path in (tmp_path / "done").iterdir()} == {
        "a.png": b"1",
        "a-1.png": b"2",
        "a-2.png": b"3",
    }


@pytest.mark.parametrize("stuck", ["vol.nii.gz", "vol.json"])
def test_a_file_is_never_left_without_its_companion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck: str
) -> None:
    for name in ("vol.nii.gz", "vol.json"):
        (tmp_path / name).touch()
    real, names = Path.rename, {"vol.nii.gz", "vol.json"}

    def rename(path: Path, target: Path) -> Path:
        if path == tmp_path / stuck:
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(PermissionError):
            move_aside(tmp_path / "vol.nii.gz", "held")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == names
    move_aside(tmp_path / "vol.nii.gz", "held")
    assert {path.name for path in (tmp_path / "held").iterdir()} == names


@pytest.mark.parametrize("companion", ["vol.json", "vol-1.toml"])
def test_a_file_whose_companion_was_moved_without_it_is_refused(tmp_path: Path, companion: str) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / companion).touch()
    (tmp_path / "vol.nii.gz").touch()
    (tmp_path / "vol.nii.gz.done").touch()
    taken: list[DroppedFile] = []
    DropFolder(tmp_path, taken.append).step(FolderState(), 0.0)
    assert taken == []
    assert companion in (tmp_path / "failed" / "vol.nii.gz.txt").read_text("utf-8")
    (tmp_path / "held" / companion).with_suffix(".nii.gz").touch()
    (tmp_path / "vol.nii.gz").touch()
    (tmp_path / "vol.nii.gz.done").touch()
    DropFolder(tmp_path, taken.append).step(FolderState(), 1.0)
    assert [each.path.name for each in taken] == ["vol.nii.gz"]


def test_key_depends_on_name_and_content(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1")):
        (tmp_path / name).write_bytes(content)
    first, other_name = make_arrival_key(tmp_path / "a"), make_arrival_key(tmp_path / "b")
    (tmp_path / "a").write_bytes(b"2")
    assert len({first, other_name, make_arrival_key(tmp_path / "a")}) == 3


def test_scan_ignores_its_own_folders_empty_ones_and_links(tmp_path: Path) -> None:
    for name in ("done", "failed", "held"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    state, complete = scan(tmp_path, FolderState(), now_s=0.0)
    assert (dict(state.seen), complete) == ({}, [])


def test_a_folder_is_taken_whole_when_nothing_in_it_has_changed_for_longer(tmp_path: Path) -> None:
    scan_folder, taken = tmp_path / "scan-1", list[DroppedFile]()
    (scan_folder / "other").mkdir(parents=True)
    (scan_folder / "scan.json").write_text("{}")
    (scan_folder / "other" / "volume.npy.part").write_bytes(b"1")
    watched = DropFolder(tmp_path, taken.append)
    state = watched.step(FolderState(), 0.0)
    state = watched.step(state, 100.0)
    assert taken == []  # a file in it is still being written
    (scan_folder / "other" / "volume.npy.part").rename(scan_folder / "other" / "volume.npy")
    for moment in (101.0, 110.0):
        state = watched.step(state, moment)
    assert taken == []
    (scan_folder / "other" / "more.npy").write_bytes(b"2")
    for moment in (111.0, 120.0):
        state = watched.step(state, moment)
    assert taken == []  # it has grown
    watched.step(state, 121.0)
    assert [each.path.name for each in taken] == ["scan-1"]
    assert (tmp_path / "done" / "scan-1" / "other" / "volume.npy").is_file()
    assert not scan_folder.exists()


def test_the_key_of_a_folder_depends_on_all_its_files(tmp_path: Path) -> None:
    keys = []
    for name, content in (("a", b"1"), ("b", b"1"), ("b", b"2")):
        (tmp_path / "scan" / "other").mkdir(parents=True, exist_ok=True)
        (tmp_path / "scan" / "other" / name).write_bytes(content)
        keys += [make_arrival_key(tmp_path / "scan"), make_arrival_key(tmp_path / "scan")]
    assert keys[::2] == keys[1::2]
    assert len(set(keys)) == 3


def test_a_marker_says_that_a_folder_is_whole(tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "a.png").write_bytes(b"x")
    (tmp_path / "scan.done").touch()
    taken = list[DroppedFile]()
    DropFolder(tmp_path, taken.append).step(FolderState(), 0.0)
    assert [each.path.name for each in taken] == ["scan"]
    assert {each.name for each in tmp_path.iterdir()} == {"done"}


def test_watching_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "b.png").write_bytes(b"x")
    arrivals: list[DroppedFile] = []
    answers = iter([False, False, True])
    moments = iter([0.0, 5.0])
    DropFolder(tmp_path, arrivals.append).watch(lambda _: next(answers), lambda: next(moments))
    assert [arrival.path.name for arrival in arrivals] == ["a.png", "b.png"]


def test_a_fault_at_one_file_is_reported_and_the_next_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("img10.png", "img2.png"):
        (tmp_path / name).write_bytes(name.encode())
        (tmp_path / f"{name}.done").touch()
    taken = []

    def deliver(arrival: DroppedFile) -> None:
        taken.append(arrival.path.name)
        if arrival.path.name == "img2.png":
            raise ZeroDivisionError("what may hold data")

    DropFolder(tmp_path, deliver).step(FolderState(), 0.0)
    assert taken == ["img2.png", "img10.png"]
    assert (tmp_path / "done" / "img10.png").exists()
    assert "ZeroDivisionError" in (tmp_path / "failed" / "img2.png.txt").read_text("utf-8")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "drop folder: fault at a file"
    ]
    assert "what may hold data" not in caplog.text


def test_what_cannot_be_read_or_moved_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root reads and moves everything, by system calls that fail."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
        (tmp_path / f"{name}.done").touch()
    real, taken = Path.open, []

    def open_file(path: Path, *arguments: Any, **more: Any) -> Any:
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", open_file)
    folder = DropFolder(tmp_path, lambda arrival: taken.append(arrival.path.name))
    state = folder.step(FolderState(), 0.0)
    assert taken == ["b.png"]
    assert "Permission denied" in (tmp_path / "failed" / "a.png.txt").read_text("utf-8")
    (tmp_path / "c.png").touch()
    (tmp_path / "c.png.done").touch()
    monkeypatch.setattr(Path, "rename", open_file)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    state = folder.step(state, 1.0)
    assert taken == ["b.png", "c.png"]
    assert (tmp_path / "c.png").exists()
    assert DropFolder(tmp_path / "gone", folder.deliver).step(state, 2.0) == state


class Refusing:
    """Takes files of three bytes, and refuses others."""

    def __init__(self) -> None:
        self.tries: list[tuple[int, bool]] = []

    def __call__(self, arrival: DroppedFile) -> None:
        size = arrival.path.stat().st_size
        self.tries.append((size, arrival.may_grow))
        if size != 3:
            raise ObjectInvalid("a.png: cut off")


def test_a_file_of_a_writer_that_pauses_is_taken_when_it_has_grown(tmp_path: Path) -> None:
    file, deliver = tmp_path / "a.png", Refusing()
    folder, state = DropFolder(tmp_path, deliver), FolderState()
    file.write_bytes(b"1")
    for now_s in (0.0, 2.0, 5.0, 20.0):
        state = folder.step(state, now_s)
    assert (deliver.tries, file.exists()) == ([(1, True)], True), "it is not tried again as it is"
    file.write_bytes(b"123")
    for now_s in (25.0, 27.0):
        state = folder.step(state, now_s)
    assert deliver.tries == [(1, True), (3, True)]
    assert (tmp_path / "done" / "a.png").exists()
    assert state.refused == {}


def test_a_file_that_cannot_be_used_and_does_not_grow_is_refused_in_the_end(tmp_path: Path) -> None:
    file, deliver = tmp_path / "a.png", Refusing()
    folder, state = DropFolder(tmp_path, deliver), FolderState()
    file.write_bytes(b"1")
    for now_s in (0.0, 2.0, 31.9):
        state = folder.step(state, now_s)
    assert file.exists()
    state = folder.step(state, 32.0)
    assert deliver.tries == [(1, True), (1, False)]
    assert (tmp_path / "failed" / "a.png").exists()
    assert folder.step(state, 33.0) == FolderState()


def test_a_marker_says_that_a_refused_file_is_whole(tmp_path: Path) -> None:
    file, deliver = tmp_path / "a.png", Refusing()
    folder, state = DropFolder(tmp_path, deliver), FolderState()
    file.write_bytes(b"1")
    for now_s in (0.0, 2.0):
        state = folder.step(state, now_s)
    (tmp_path / "a.png.done").touch()
    folder.step(state, 3.0)
    assert (deliver.tries[-1], (tmp_path / "failed" / "a.png").exists()) == ((1, False), True)
