"""What may come in by file: whole, in its transfer syntax, with or without a head."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from openmodality.activities.importing import Importer
from openmodality.encoding.part10 import read_any
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import NotDicom
from openmodality.standard.query_retrieve import Level
from openmodality.store.files.instance_file import Stored
from openmodality.store.listing.entities import count
from openmodality.store.local import LocalStore, open_store
from tests.peers.objects import mr_image, save


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[LocalStore]:
    with open_store(tmp_path / "data", url=database_url, durability="os", clock=lambda: 1000.0) as opened:
        yield opened


@pytest.fixture
def importer(store: LocalStore) -> Importer:
    return Importer(store, ("1.2.3.4", "TEST"))


def relabel(path: Path, uid: str, *, length: int = 20) -> Path:
    """Another Transfer Syntax UID in the head, of the same length in bytes."""
    raw = path.read_bytes()
    own = read_any(raw).transfer_syntax_uid.encode()
    own += b"\0" * (len(own) % 2)
    new = uid.encode() + b"\0" * (len(uid) % 2)
    at = raw.index(b"\x02\0\x10\0UI")
    size = int.from_bytes(raw[144 - 4 : 144], "little") + len(new) - len(own)
    head = raw[:140] + size.to_bytes(4, "little") + raw[144:at] + b"\x02\0\x10\0UI" + len(new).to_bytes(2, "little")
    path.write_bytes(head + new + raw[at + 8 + len(own) :])
    return path


@pytest.mark.parametrize("end", [-1, -2, -33, 400])
def test_a_copy_that_broke_off_keeps_the_whole_one_out_of_nothing(
    importer: Importer, store: LocalStore, tmp_path: Path, end: int
) -> None:
    path = save(mr_image(rows=4, columns=4), tmp_path)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(path.read_bytes()[:end])
    with pytest.raises(ObjectInvalid, match=r"cut\.dcm: .*(cut off at byte \d+|is cut off)"):
        importer.import_file(cut)
    assert importer.import_file(path) is Stored.NEW
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 1


def test_pixels_that_are_too_few_are_named(importer: Importer, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    image.PixelData = bytes(30)
    with pytest.raises(ObjectInvalid, match=r"\(7FE0,0010\) has 30 bytes"):
        importer.import_file(save(image, tmp_path))


def test_what_is_behind_the_data_set_is_damage_or_nothing(importer: Importer, tmp_path: Path) -> None:
    path = save(mr_image(rows=4, columns=4), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + b"garbage text\n")
    with pytest.raises(ObjectInvalid, match="cut off"):
        importer.import_file(path)
    path.write_bytes(whole + bytes(63))
    assert importer.import_file(path) is Stored.NEW


@pytest.mark.parametrize("transfer_syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_data_set_without_a_head_gets_one(
    importer: Importer, store: LocalStore, tmp_path: Path, transfer_syntax: str
) -> None:
    image = mr_image(rows=4, columns=4, transfer_syntax=transfer_syntax)
    path = save(image, tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[read_any(raw).data_set_offset :])
    assert importer.import_file(path) is Stored.NEW
    kept = dcmread(store.files.path(image.SOPInstanceUID))
    assert kept.file_meta.TransferSyntaxUID == transfer_syntax
    assert kept.file_meta.ImplementationClassUID == "1.2.3.4"
    assert kept.pixel_array.shape == (4, 4)


@pytest.mark.parametrize(
    ("written", "claimed"),
    [
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ExplicitVRLittleEndian, JPEGBaseline8Bit),
        (ImplicitVRLittleEndian, JPEGBaseline8Bit),
    ],
)
def test_a_data_set_is_labelled_as_what_it_is(
    importer: Importer, store: LocalStore, tmp_path: Path, written: UID, claimed: UID
) -> None:
    image = mr_image(rows=4, columns=4, transfer_syntax=written)
    importer.import_file(relabel(save(image, tmp_path), claimed))
    kept = dcmread(store.files.path(image.SOPInstanceUID))
    assert kept.file_meta.TransferSyntaxUID == written
    assert (kept.PatientName, kept.pixel_array.shape) == ("Doe^Jane", (4, 4))


def test_an_element_without_a_vr_gets_one(importer: Importer, store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4, AccessionNumber="A1")
    path = save(image, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\x08\0\x50\0SH\x02\0A1", b"\x08\0\x50\0ZZ\0\0\x02\0\0\0A1"))
    importer.import_file(path)
    kept = dcmread(store.files.path(image.SOPInstanceUID))
    assert (kept.AccessionNumber, kept.PatientName) == ("A1", "Doe^Jane")


def test_a_file_that_is_right_is_kept_byte_for_byte(importer: Importer, store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    path = save(image, tmp_path)
    importer.import_file(path)
    assert store.files.path(image.SOPInstanceUID).read_bytes() == path.read_bytes()


def test_what_is_no_dicom_file_is_told_apart(importer: Importer, tmp_path: Path) -> None:
    notes, pipe = tmp_path / "notes.txt", tmp_path / "pipe.dcm"
    notes.write_text("no DICOM")
    os.mkfifo(pipe)
    for path in (notes, pipe):
        with pytest.raises(NotDicom):
            importer.import_file(path)


def test_an_instance_of_no_study_is_not_taken(importer: Importer, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4, StudyInstanceUID="")
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    path = tmp_path / "a.dcm"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(ObjectInvalid, match="StudyInstanceUID is missing"):
        importer.import_file(path)
