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

from openmodality.store.files.compare import same_content
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
    assert same_content(one, write(tmp_path, "other", transfer_syntax=other))
    assert not same_content(one, write(tmp_path, "third", transfer_syntax=other, PatientID="SOMEBODY-ELSE"))


def test_file_meta_information_makes_no_difference(tmp_path: Path) -> None:
    one = write(tmp_path, "one")
    image = mr_image(rows=4, columns=4, **UIDS)
    image.file_meta.ImplementationVersionName = "ANOTHER"
    image.save_as(tmp_path / "other", enforce_file_format=True)
    assert same_content(one, tmp_path / "other")


def test_one_value_makes_a_difference(tmp_path: Path) -> None:
    assert not same_content(write(tmp_path, "one"), write(tmp_path, "other", PatientID="SOMEBODY-ELSE"))


def test_files_that_are_no_dicom_are_compared_byte_by_byte(tmp_path: Path) -> None:
    for name, content in (("one", b"text"), ("same", b"text"), ("other", b"texts")):
        (tmp_path / name).write_bytes(content)
    assert same_content(tmp_path / "one", tmp_path / "same")
    assert not same_content(tmp_path / "one", tmp_path / "other")
    assert not same_content(tmp_path / "one", write(tmp_path, "image"))
