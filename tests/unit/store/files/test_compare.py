"""Two files have the same content where their data sets encode the same, whatever they are wrapped in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from openmodality.store.files.compare import have_same_content, is_whole
from tests.peers.objects import mr_image

UIDS: dict[str, Any] = {"SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.5"}


def write(folder: Path, name: str, *, transfer_syntax: str = ExplicitVRLittleEndian, **values: Any) -> Path:
    image: FileDataset = mr_image(transfer_syntax=transfer_syntax, rows=4, columns=4, **UIDS, **values)
    path = folder / name
    image.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("other", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_the_transfer_syntax_makes_no_difference(tmp_path: Path, other: str) -> None:
    one = write(tmp_path, "one")
    assert have_same_content(one, write(tmp_path, "other", transfer_syntax=other))
    assert not have_same_content(one, write(tmp_path, "third", transfer_syntax=other, PatientID="SOMEBODY-ELSE"))


def test_file_meta_information_makes_no_difference(tmp_path: Path) -> None:
    one = write(tmp_path, "one")
    image = mr_image(rows=4, columns=4, **UIDS)
    image.file_meta.ImplementationVersionName = "ANOTHER"
    image.save_as(tmp_path / "other", enforce_file_format=True)
    assert have_same_content(one, tmp_path / "other")


def test_one_value_makes_a_difference(tmp_path: Path) -> None:
    assert not have_same_content(write(tmp_path, "one"), write(tmp_path, "other", PatientID="SOMEBODY-ELSE"))


def test_files_that_are_no_dicom_are_compared_byte_by_byte(tmp_path: Path) -> None:
    for name, content in (("one", b"text"), ("same", b"text"), ("other", b"texts")):
        (tmp_path / name).write_bytes(content)
    assert have_same_content(tmp_path / "one", tmp_path / "same")
    assert not have_same_content(tmp_path / "one", tmp_path / "other")
    assert not have_same_content(tmp_path / "one", write(tmp_path, "image"))


def test_padding_of_values_makes_no_difference(tmp_path: Path) -> None:
    """One writer ends a UID with a NUL and a text with a blank, as PS3.5 6.2 says, another does not care."""
    one = write(tmp_path, "one", PatientID="ODD", StudyID="A")
    other = tmp_path / "other"
    other.write_bytes(one.read_bytes().replace(b"ODD ", b"ODD\0").replace(b"1.2.3\0", b"1.2.3 "))
    assert one.read_bytes() != other.read_bytes()
    assert have_same_content(one, other)


def test_padding_of_the_data_set_makes_no_difference(tmp_path: Path) -> None:
    """(FFFC,FFFC) Data Set Trailing Padding (PS3.10 7.2)."""
    one = write(tmp_path, "one")
    other = tmp_path / "other"
    other.write_bytes(one.read_bytes() + b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0\0\0\0\0")
    assert have_same_content(one, other)


def test_zeros_at_the_end_of_pixels_are_no_padding(tmp_path: Path) -> None:
    for length_bytes in (30, 32):
        image = mr_image(rows=4, columns=4, **UIDS)
        image.PixelData = bytes(length_bytes)
        image.save_as(tmp_path / str(length_bytes), enforce_file_format=True)
    assert not have_same_content(tmp_path / "30", tmp_path / "32")


def test_private_attributes_that_the_device_does_not_keep_make_no_difference(tmp_path: Path) -> None:
    plain = write(tmp_path, "plain")
    image = mr_image(rows=4, columns=4, **UIDS)
    image.private_block(0x0071, "SOMEBODY", create=True).add_new(1, "LO", "value")
    image.save_as(tmp_path / "private", enforce_file_format=True)
    assert have_same_content(plain, tmp_path / "private", frozenset())
    assert not have_same_content(plain, tmp_path / "private", frozenset({("SOMEBODY", 0x0071)}))
    assert not have_same_content(plain, tmp_path / "private")


def test_two_values_are_not_the_same_as_one_that_holds_both(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PatientID="AB", StudyID="CD")
    assert not have_same_content(one, write(tmp_path, "other", PatientID="ABCD", StudyID=""))


@pytest.mark.parametrize("cut", [0, 2, 20, 400])
def test_a_file_is_whole_where_its_data_set_ends_where_it_should(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path, "one")
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    assert is_whole(path) is (cut == 0)


def test_a_file_is_not_whole_where_its_pixels_are_too_few(tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4, **UIDS)
    image.PixelData = bytes(8)
    image.save_as(tmp_path / "few", enforce_file_format=True)
    assert not is_whole(tmp_path / "few")
