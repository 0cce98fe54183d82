"""ISO 9660 images: names, labels, and nothing half-written."""

from __future__ import annotations

import io
from pathlib import Path

import pycdlib
import pytest

from openmodality.errors import StoreError, UsageError
from openmodality.media.iso_image import write_iso_image


def read(image: Path, name: str) -> bytes:
    opened = pycdlib.PyCdlib()
    opened.open(str(image))
    found = io.BytesIO()
    opened.get_file_from_iso_fp(found, iso_path=name)
    opened.close()
    return found.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "DICOM").mkdir(parents=True)
    (tmp_path / "set" / "DICOMDIR").write_bytes(b"directory")
    (tmp_path / "set" / "DICOM" / "IM000001").write_bytes(bytes(5000))
    (tmp_path / "set" / "README.TXT").write_bytes(b"words")
    return tmp_path / "set"


def test_files_are_in_the_image(tmp_path: Path, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    length = write_iso_image(
        folder, tmp_path / "x.iso", "my disc", progress=lambda done, total: seen.append((done, total))
    )
    assert (read(tmp_path / "x.iso", "/DICOMDIR.;1"), read(tmp_path / "x.iso", "/README.TXT;1")) == (
        b"directory",
        b"words",
    )
    assert read(tmp_path / "x.iso", "/DICOM/IM000001.;1") == bytes(5000)
    assert b"MY_DISC" in (tmp_path / "x.iso").read_bytes()[32768:34816]
    assert seen[-1][0] == seen[-1][1]
    assert length == (tmp_path / "x.iso").stat().st_size


@pytest.mark.parametrize("looks", [1, 2, 6])
def test_an_image_that_is_ended_leaves_nothing(tmp_path: Path, folder: Path, looks: int) -> None:
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == looks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_iso_image(folder, tmp_path / "x.iso", "DISC", progress=progress)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


@pytest.mark.parametrize("name", ["im1.dcm", "TOOLONGNAME", "A.LONG", "A B"])
def test_a_name_that_no_reader_knows_is_refused(tmp_path: Path, folder: Path, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(UsageError) as refused:
        write_iso_image(folder, tmp_path / "x.iso", "DISC")
    assert name in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


def test_a_link_is_no_file_of_a_disc(tmp_path: Path, folder: Path) -> None:
    (folder / "LINK").symlink_to("/etc/passwd")
    with pytest.raises(UsageError):
        write_iso_image(folder, tmp_path / "x.iso", "DISC")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(StoreError) as refused:
        write_iso_image(folder, tmp_path / "none" / "x.iso", "DISC")
    assert "cannot write the image" in str(refused.value)
