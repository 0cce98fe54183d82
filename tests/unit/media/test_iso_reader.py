"""An image unpacked is the folder it was made of; what is no image is refused."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

import pytest

from openmodality.errors import ObjectInvalid, StoreError, UsageError
from openmodality.media import iso_reader
from openmodality.media.iso_image import write_iso_image
from openmodality.media.iso_reader import open_medium, unpack_iso_image


def test_an_image_unpacked_is_the_folder_it_was_made_of(tmp_path: Path) -> None:
    files = {"DICOMDIR": b"1", "INDEX.HTM": b"22", "DICOM/PA000001/IM000001": bytes(5000)}
    for name, content in files.items():
        (tmp_path / "disc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "disc" / name).write_bytes(content)
    write_iso_image(tmp_path / "disc", tmp_path / "disc.iso", "DISC")
    with unpack_iso_image(tmp_path / "disc.iso") as root:
        found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert found == files
    assert not root.exists()


@pytest.mark.parametrize("content", [b"", bytes(70_000), bytes(32768) + b"\x01CD001" + b"\xff" * 4090])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "noise.iso").write_bytes(content)
    with pytest.raises(ObjectInvalid), unpack_iso_image(tmp_path / "noise.iso"):
        pass


def test_a_medium_is_a_folder_or_an_image(tmp_path: Path) -> None:
    image = make_image(tmp_path, DICOMDIR=b"1")
    assert image
    with open_medium(tmp_path / "disc") as root:
        assert root == tmp_path / "disc"
    with open_medium(tmp_path / "disc.iso") as root:
        assert (root / "DICOMDIR").read_bytes() == b"1"
    with pytest.raises(UsageError, match=r"^look at .*/disc.iso/X$"), open_medium(tmp_path / "disc.iso") as root:
        raise UsageError(f"look at {root / 'X'}")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"text", "is no image of a disc"), (bytes(70_000), "is no image of a disc"), (None, "DICOM")],
)
def test_what_is_no_medium_is_refused_in_words(tmp_path: Path, content: bytes | None, words: str) -> None:
    (tmp_path / "other.iso").write_bytes(make_image(tmp_path, OTHER=b"1") if content is None else content)
    with pytest.raises(ObjectInvalid, match=words) as caught, open_medium(tmp_path / "other.iso"):
        pass
    assert "name the folder that the DICOMDIR is in" in caught.value.advice


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "AAAAAAAA").write_bytes(b"x")
    write_iso_image(tmp_path / "disc", tmp_path / "disc.iso", "DISC")
    image = (tmp_path / "disc.iso").read_bytes().replace(b"AAAAAAAA", b"../../AA")
    (tmp_path / "evil.iso").write_bytes(image)
    with pytest.raises(ObjectInvalid), unpack_iso_image(tmp_path / "evil.iso"):
        pass


def make_image(tmp_path: Path, **files: bytes) -> bytearray:
    """An image of files by their names; a name with two underscores is one in a folder."""
    for name, content in files.items():
        path = tmp_path / "disc" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_iso_image(tmp_path / "disc", tmp_path / "disc.iso", "DISC")
    return bytearray((tmp_path / "disc.iso").read_bytes())


def find_record(image: bytearray, name: bytes) -> int:
    """Where the record of a folder begins that has this name."""
    place = image.find(name)
    while image[place - 1] not in (len(name), len(name) + 3):  # tables of paths have no length there
        place = image.find(name, place + 1)
    return place - 33


def unpack(tmp_path: Path, image: bytes | bytearray) -> dict[str, bytes]:
    (tmp_path / "made.iso").write_bytes(image)
    with unpack_iso_image(tmp_path / "made.iso", tmp_path) as root:
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def set_number(image: bytearray, place: int, value: int) -> None:
    image[place : place + 4] = value.to_bytes(4, "little")


def test_folders_that_lead_back_to_each_other_have_an_end(tmp_path: Path) -> None:
    image = make_image(tmp_path, AAAAAAAA__B=b"x")
    root = int.from_bytes(image[16 * 2048 + 158 : 16 * 2048 + 162], "little")
    set_number(image, find_record(image, b"AAAAAAAA") + 2, root)
    with pytest.raises(ObjectInvalid, match="lead back"):
        unpack(tmp_path, image)


def test_many_names_for_the_same_bytes_do_not_fill_the_disk(tmp_path: Path) -> None:
    image = make_image(tmp_path, **{f"F{number}": b"x" for number in range(3)})
    image += bytes(200_000)
    for name in (b"F0.;1", b"F1.;1", b"F2.;1"):
        set_number(image, find_record(image, name) + 2, 16)
        set_number(image, find_record(image, name) + 10, len(image) // 2)
    with pytest.raises(ObjectInvalid, match="together longer"):
        unpack(tmp_path, image)


def test_an_image_of_more_files_than_a_disc_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_image(tmp_path, **{f"F{number}": b"" for number in range(5)})
    assert len(unpack(tmp_path, image)) == 5
    monkeypatch.setattr(iso_reader, "MOST_RECORDS", 4)
    with pytest.raises(ObjectInvalid, match="too many"):
        unpack(tmp_path, image)


def test_a_file_in_several_parts_is_one(tmp_path: Path) -> None:
    image = make_image(tmp_path, FIRST=b"one ", SECON=b"two")
    image[find_record(image, b"FIRST") + 25] |= 0x80
    second = find_record(image, b"SECON")
    image[second + 33 : second + 38] = b"FIRST"
    assert unpack(tmp_path, image) == {"FIRST": b"one two"}
    image[find_record(image, b"FIRST") + 25] &= 0x7F
    with pytest.raises(ObjectInvalid):
        unpack(tmp_path, image)


@pytest.mark.parametrize("length", [17 * 2048, 20 * 2048])
def test_an_image_that_ends_early_is_refused_and_leaves_nothing(tmp_path: Path, length: int) -> None:
    image = make_image(tmp_path, FIRST=bytes(50_000))
    with pytest.raises(ObjectInvalid, match="ends before"):
        unpack(tmp_path, image[:length])
    assert not list(tmp_path.glob("openmodality-iso-*"))


def test_a_full_disk_is_no_fault_of_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_image(tmp_path, FIRST=b"1")

    def fill(self: object, record: object, path: Path, mode: str) -> BinaryIO:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(iso_reader._IsoImage, "_copy", fill)
    with pytest.raises(StoreError, match="no room"):
        unpack(tmp_path, image)
