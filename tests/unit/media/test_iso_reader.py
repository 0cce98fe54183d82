"""An image unpacked is the folder it was made of; what is no image is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.errors import ObjectInvalid
from openmodality.media.iso_image import write_iso_image
from openmodality.media.iso_reader import unpack_iso_image


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


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "AAAAAAAA").write_bytes(b"x")
    write_iso_image(tmp_path / "disc", tmp_path / "disc.iso", "DISC")
    image = (tmp_path / "disc.iso").read_bytes().replace(b"AAAAAAAA", b"../../AA")
    (tmp_path / "evil.iso").write_bytes(image)
    with pytest.raises(ObjectInvalid), unpack_iso_image(tmp_path / "evil.iso"):
        pass
