"""Instances in files: which they are, and how they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID, JPEGBaseline8Bit

from openmodality.encoding.part10 import encode_file_head, read_any
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import NotDicom, read_instance
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)
from tests.peers.objects import mr_image


@pytest.mark.parametrize("transfer_syntax", [*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN])
@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID"])
def test_the_data_set_says_which_instance_it_is(tmp_path: Path, transfer_syntax: str, keyword: str) -> None:
    """Whatever the File Meta Information says: the command has to name what is sent."""
    path = tmp_path / "image.dcm"
    image = mr_image(transfer_syntax=transfer_syntax)
    image.file_meta[f"MediaStorage{keyword}"].value = "1.2.3.4"
    image.save_as(path, enforce_file_format=False)
    assert read_instance(path).identity == (image.SOPClassUID, image.SOPInstanceUID)


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID"])
def test_what_the_data_set_leaves_out_is_in_the_file_meta_information(tmp_path: Path, keyword: str) -> None:
    path = tmp_path / "image.dcm"
    image = mr_image()
    expected = (image.SOPClassUID, image.SOPInstanceUID)
    del image[keyword]
    image.save_as(path, enforce_file_format=False)
    assert read_instance(path).identity == expected


@pytest.mark.parametrize("keyword", ["MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID"])
def test_a_uid_that_is_none_is_an_error_of_that_file(tmp_path: Path, keyword: str) -> None:
    path = tmp_path / "image.dcm"
    mr_image().save_as(path, enforce_file_format=True)
    raw = path.read_bytes()
    uid = str(getattr(dcmread(path).file_meta, keyword)).encode()
    for wrong in (b"\xe9" + uid[1:], b"x" + uid[1:]):
        path.write_bytes(raw.replace(uid, wrong))
        with pytest.raises(ObjectInvalid, match=f"{path}: its .* UID is no UID"):
            read_instance(path)


def test_a_named_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotDicom, match="is not a file"):
        read_instance(tmp_path / "pipe")


def test_what_is_not_dicom_is_told_from_dicom_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "broken").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(NotDicom):
        read_instance(tmp_path / "text")
    for name in ("broken", "gone"):
        with pytest.raises(ObjectInvalid) as caught:
            read_instance(tmp_path / name)
        assert type(caught.value) is ObjectInvalid


@pytest.mark.parametrize("written", UNCOMPRESSED)
@pytest.mark.parametrize("claimed", [*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, JPEGBaseline8Bit])
def test_an_instance_is_in_the_transfer_syntax_that_it_is_written_in(
    tmp_path: Path, written: str, claimed: str
) -> None:
    """Whatever its head says, where that is certain: sent as the head says it, nobody could read it."""
    path = tmp_path / "image.dcm"
    image = mr_image(transfer_syntax=written, StudyDescription="x" * 5000)  # beyond what is read first
    image.save_as(path, enforce_file_format=True)
    raw = path.read_bytes()
    data = raw[read_any(raw).data_set_offset :]
    path.write_bytes(encode_file_head(image.SOPClassUID, image.SOPInstanceUID, UID(claimed), "1.2") + data)
    instance = read_instance(path)
    assert (instance.transfer_syntax, instance.layout) == (written, "")
    assert instance.identity == (image.SOPClassUID, image.SOPInstanceUID)
    assert path.read_bytes()[instance.offset_bytes :] == data
