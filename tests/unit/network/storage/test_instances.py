"""Data sets of files on their way to a peer."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from pydicom import dcmread

from openmodality.dimse.data_set import decode_data_set
from openmodality.dimse.outgoing import DataSet, KnownLength
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import InstanceReader, NotDicom, read_instance
from openmodality.objects.filter.private_search import KnownPrivateOnly
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)
from tests.peers.objects import mr_image


def joined(data: DataSet) -> bytes:
    assert not isinstance(data, bytes | bytearray | memoryview)
    return b"".join(map(bytes, data.chunks if isinstance(data, KnownLength) else data))


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_is_rewritten_on_the_way_arrives_in_any_transfer_syntax(tmp_path: Path, transfer_syntax: str) -> None:
    image = mr_image()
    image.private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
    image.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    reader = InstanceReader(rewrite=KnownPrivateOnly(frozenset()))
    with reader.data_set(read_instance(tmp_path / "image.dcm"), transfer_syntax) as data:
        sent = decode_data_set(joined(data), transfer_syntax)
    assert 0x00290010 in image
    assert sent.PixelData
    assert [element.tag for element in sent] == [element.tag for element in image if not element.tag.is_private]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_rewritten_has_a_known_length_before_its_turn(tmp_path: Path, is_known: bool) -> None:
    image = mr_image()
    image.private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
    image.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    instance = read_instance(tmp_path / "image.dcm")
    reader = InstanceReader(rewrite=KnownPrivateOnly(frozenset({("OTHER", 0x0029)} if is_known else ())))
    with reader.data_set(instance, EXPLICIT_VR_LITTLE_ENDIAN) as data:
        assert isinstance(data, KnownLength)
        assert data.length_bytes == len(joined(data))
        assert (data.length_bytes == instance.length_bytes) is is_known
        assert (len(tuple(data.chunks)) == 1) is is_known, "as it is, where there is nothing to change"


def test_without_anything_to_change_a_file_goes_as_it_is(tmp_path: Path) -> None:
    mr_image().save_as(tmp_path / "image.dcm", enforce_file_format=True)
    instance = read_instance(tmp_path / "image.dcm")
    with InstanceReader().data_set(instance, EXPLICIT_VR_LITTLE_ENDIAN) as data:
        assert joined(data) == instance.path.read_bytes()[instance.offset_bytes :]


class Failing(InstanceReader):
    """A disk that fails after the first of the file."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def _read(self, file: BinaryIO, path: Path) -> memoryview:
        if not self._left:
            file.close()
            file = cast("BinaryIO", BrokenFile())
        self._left -= 1
        return super()._read(file, path)


class BrokenFile:
    def readinto(self, _: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_a_disk_that_fails_is_an_error_of_that_file(tmp_path: Path, transfer_syntax: str, after: int) -> None:
    path = tmp_path / "image.dcm"
    mr_image(rows=1024, columns=1024).save_as(path, enforce_file_format=True)
    said = pytest.raises(ObjectInvalid, match=f"{path}: cannot be read: Input/output error")
    with said, Failing(after).data_set(read_instance(path), transfer_syntax) as data:
        joined(data)


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
