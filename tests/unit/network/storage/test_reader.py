"""Data sets of files on their way to a peer."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from openmodality.dimse.data_set import decode_data_set
from openmodality.dimse.outgoing import DataSet, KnownLength
from openmodality.encoding.part10 import encode_file_head, read_any
from openmodality.encoding.pixel_check import PixelDataCheck
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.objects.filter.private_search import KnownPrivateOnly
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE_8BIT,
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


@pytest.mark.parametrize("rows", [8, 1024])
@pytest.mark.parametrize("target", UNCOMPRESSED)
def test_an_element_without_a_vr_gets_one_before_it_goes_out(tmp_path: Path, rows: int, target: str) -> None:
    """Others cannot read it: neither DCMTK nor pydicom do."""
    path = tmp_path / "image.dcm"
    image = mr_image(rows=rows, columns=1024, AccessionNumber="A1")
    image.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(b"\x08\0\x50\0SH\x02\0A1", b"\x08\0\x50\0\x02\0\0\0A1"))
    with InstanceReader(check=True).data_set(read_instance(path), target) as data:
        sent = decode_data_set(joined(data), target)
    assert (sent.AccessionNumber, sent.PatientName) == ("A1", image.PatientName)
    assert len(sent.PixelData) == len(image.PixelData)


@pytest.mark.parametrize("rows", [8, 1024])
@pytest.mark.parametrize("target", [*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN])
@pytest.mark.parametrize("rewrite", [None, KnownPrivateOnly(frozenset())])
def test_pixels_that_are_too_few_are_an_error_of_that_file(
    tmp_path: Path, rows: int, target: str, rewrite: KnownPrivateOnly | None
) -> None:
    image = mr_image(rows=rows, columns=1024)
    image.Rows = rows + 1
    path = tmp_path / "image.dcm"
    image.save_as(path, enforce_file_format=True)
    reader = InstanceReader(check=True, rewrite=rewrite)
    with pytest.raises(ObjectInvalid) as caught, reader.data_set(read_instance(path), target) as data:
        joined(data)
    assert caught.value.message.startswith(f"{path}: (7FE0,0010) has")


def test_a_file_is_checked_however_many_before_it_were_alike_and_right(tmp_path: Path) -> None:
    reader, paths = InstanceReader(check=True), [tmp_path / f"{number}.dcm" for number in range(4)]
    for path in paths:
        mr_image(rows=8, columns=8).save_as(path, enforce_file_format=True)
    raw = paths[0].read_bytes()
    rows, length = b"\x28\x00\x10\x00US\x02\x00", b"\xe0\x7f\x10\x00OW\x00\x00"
    damaged = [raw.replace(rows + b"\x08", rows + b"\x09"), raw.replace(length, length + b"\xff\xff", 1)[:-2]]
    for path, data, said in zip(paths[1::2], damaged, ("need 144", "is cut off"), strict=True):
        path.write_bytes(data)
        for good in paths[::2]:
            assert b"".join(map(bytes, reader.iterate(read_instance(good))))
        with pytest.raises(ObjectInvalid, match=said):
            b"".join(map(bytes, reader.iterate(read_instance(path))))


@pytest.mark.parametrize("rows", [8, 1024])
def test_what_would_be_written_anew_and_is_cut_off_is_an_error_of_that_file(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "image.dcm"
    mr_image(rows=rows, columns=1024).save_as(path, enforce_file_format=True)
    instance = read_instance(path)
    # What stands where a VR belongs is none, so that it counts as part of a length, which is more than there is.
    path.write_bytes(path.read_bytes().replace(b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00\xff\xff"))
    with pytest.raises(ObjectInvalid) as caught:
        b"".join(map(bytes, InstanceReader(check=True).iterate(instance)))
    assert caught.value.message.startswith(f"{path}: the data set is cut off")


def test_a_compressed_image_in_implicit_vr_is_written_as_its_transfer_syntax_needs(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    image = mr_image(transfer_syntax=IMPLICIT_VR_LITTLE_ENDIAN)
    image.file_meta.TransferSyntaxUID = UID(JPEG_BASELINE_8BIT)
    image.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    image["PixelData"].is_undefined_length = True
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_dataset(buffer, image)
    raw = buffer.getvalue()
    path.write_bytes(encode_file_head(image.SOPClassUID, image.SOPInstanceUID, JPEG_BASELINE_8BIT, "1.2") + raw)
    instance = read_instance(path)
    assert (instance.transfer_syntax, instance.layout) == (JPEG_BASELINE_8BIT, IMPLICIT_VR_LITTLE_ENDIAN)
    sent = b"".join(map(bytes, InstanceReader(check=True).iterate(instance)))
    walk = DataSetWalk(JPEG_BASELINE_8BIT, (PixelDataCheck(JPEG_BASELINE_8BIT),), strict=True)
    walk.feed(sent)
    walk.finish()
    assert b"\xff\xd8\xff\xd9" in sent


@pytest.mark.parametrize("target", UNCOMPRESSED)
def test_a_deflated_file_is_inflated_as_it_goes(tmp_path: Path, target: str) -> None:
    """Without a decoder, which would hold it in memory whatever it grows to."""
    image = mr_image(transfer_syntax=DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    image.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    instance = read_instance(tmp_path / "image.dcm")
    with InstanceReader(check=True).data_set(instance, target) as data:
        sent = decode_data_set(joined(data), target)
    assert (sent.PatientName, len(sent.PixelData)) == (image.PatientName, len(image.PixelData))


def test_a_deflated_data_set_of_odd_length_is_padded(tmp_path: Path) -> None:
    """PS3.5 A.5; many files lack it, and a receiver refuses what is odd."""
    for extra in range(8):
        image = mr_image(rows=4, columns=4, transfer_syntax=DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, StudyID="x" * extra)
        path = tmp_path / f"{extra}.dcm"
        image.save_as(path, enforce_file_format=True)
        raw = path.read_bytes()
        path.write_bytes(raw if len(raw) - read_any(raw).data_set_offset & 1 else raw + b"\0")
        instance = read_instance(path)
        assert instance.length_bytes % 2
        with InstanceReader(check=True).data_set(instance, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) as data:
            assert len(joined(data)) == instance.length_bytes + 1
