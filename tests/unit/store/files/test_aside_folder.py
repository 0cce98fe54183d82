from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from openmodality.errors import StoreError
from openmodality.store.files.aside_folder import AsideFolder


@pytest.fixture
def aside(tmp_path: Path) -> AsideFolder:
    return AsideFolder(tmp_path / "aside", synced=True)


def test_contents_of_one_uid_stand_beside_each_other_and_each_once(aside: AsideFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    names = [aside.put(tmp_path / "file", "1.2.3", digest) for digest in (b"one" * 8, b"two" * 8, b"one" * 8)]
    assert names[0] == names[2]
    assert aside.names() == sorted(set(names))
    assert aside.path(names[1]).read_bytes() == b"content"
    assert names[0].startswith("1.2.3_")


@pytest.mark.parametrize("linked", [True, False])
def test_a_file_system_without_links_gets_a_copy(
    aside: AsideFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "another file system")

    fsync, synced = os.fsync, list[int]()

    def sync(fd: int) -> None:
        synced.append(os.fstat(fd).st_size if stat.S_ISREG(os.fstat(fd).st_mode) else 0)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", sync)
    if not linked:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "file").write_bytes(b"content")
    name = aside.put(tmp_path / "file", "1.2.3", b"digest")
    assert aside.path(name).read_bytes() == b"content"
    assert (len(b"content") in synced) is not linked
    assert (tmp_path / "file").exists()
    assert aside.names() == [name]
    aside.remove(name)
    assert aside.names() == []


def test_a_name_leads_nowhere_else(aside: AsideFolder) -> None:
    with pytest.raises(StoreError):
        aside.path("../1.2.3.dcm")
