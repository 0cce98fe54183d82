"""Files that are read as objects: not without bound."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

import openmodality.dimse.file_reading as file_reading
from openmodality.dimse.file_reading import read_bounded_file, read_some_elements
from openmodality.errors import ObjectInvalid
from tests.peers import objects


def test_a_file_is_read_with_and_without_its_pixels(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(), tmp_path)
    assert "PixelData" in read_bounded_file(path)
    assert "PixelData" not in read_bounded_file(path, stop_before_pixels=True)


def test_what_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = objects.mr_image()
    image.ReferencedImageSequence = [Dataset() for _ in range(300)]
    path = objects.save(image, tmp_path)
    assert len(read_bounded_file(path).ReferencedImageSequence) == 300
    monkeypatch.setattr(file_reading, "MAX_FILE_VALUES", 300)
    with pytest.raises(ObjectInvalid, match="more than 300 elements and values"):
        read_bounded_file(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    image = inner = objects.mr_image()
    for _ in range(80):
        inner.ReferencedImageSequence = [Dataset()]
        inner = inner.ReferencedImageSequence[0]
    with pytest.raises(ObjectInvalid, match="nested deeper than 64"):
        read_bounded_file(objects.save(image, tmp_path))


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "image_dfl.dcm"])
def test_elements_that_need_no_character_set_are_as_pydicom_reads_them(name: str) -> None:
    path = Path(str(get_testdata_file(name)))
    tags = [0x00080016, 0x00180050, 0x00200013, 0x00280010, 0x00280100]
    whole = dcmread(path)
    found = read_some_elements(path, tags)
    assert [*found] == [whole[tag] for tag in tags if tag in whole]


def test_a_file_that_cannot_be_read_has_no_elements(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(b"\0" * 128 + b"DICM")
    for tag in (0x00280100, 0x00100010):
        for name in ("cut", "none"):
            assert len(read_some_elements(tmp_path / name, [tag])) == 0
