"""What the device's storage SCP takes: the service, the check and the store in one, joined in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.objects.filter.private_sets import PrivateSets
from openmodality.services.storage import InstanceIdentity, StoreRequest, StoreResult, storage_service, store
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE_8BIT,
    UNCOMPRESSED,
)
from openmodality.store.files.instance_file import InstanceFile
from openmodality.store.local import LocalStore, open_store
from openmodality.store.validated import ValidatedSink
from tests.loopback import loopback_pair

UID = "1.2.3.4"
OURS: PrivateSets = frozenset({("MMCPrivate", 0x0029)})


@dataclass
class Writer:
    sink: Sink
    file: InstanceFile

    def write(self, chunk: memoryview) -> None:
        self.file.write(chunk)

    def commit(self) -> None:
        self.sink.local.accept(self.file)

    def abort(self) -> None:
        self.sink.aborted += 1
        self.file.abort()


@dataclass
class Sink:
    local: LocalStore
    opened: list[StoreRequest] = field(default_factory=list)
    aborted: int = 0

    def open(self, request: StoreRequest) -> Writer:
        self.opened.append(request)
        return Writer(self, self.local.create(request.identity.sop_instance_uid))


@pytest.fixture
def sink(tmp_path: Path, database_url: str) -> Iterator[Sink]:
    with open_store(tmp_path, url=database_url, durability="os") as local:
        yield Sink(local)


def image() -> Dataset:
    data_set = Dataset()
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    data_set.SOPClassUID, data_set.SOPInstanceUID = MR_IMAGE_STORAGE, UID
    data_set.Modality = "MR"
    data_set.ScanningSequence, data_set.SequenceVariant = "SE", "NONE"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID, data_set.FrameOfReferenceUID = "1.2.1", "1.2.2", "1.2.0003"
    data_set.ImagePositionPatient, data_set.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns, data_set.PixelSpacing = 50, 50, [1, 1]
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 16, 12, 11, 0
    data_set.PatientComments = "a type 3 attribute"
    data_set.AccessionNumber = ""
    data_set.add_new("PixelData", "OW", bytes(5000))
    return data_set


def sent(sink: Sink, data: bytes, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> StoreResult:
    context = PresentationContext(1, MR_IMAGE_STORAGE, transfer_syntax)
    service = storage_service(ValidatedSink(sink, OURS), {MR_IMAGE_STORAGE})
    channel = loopback_pair([context], [service])[0]
    return store(channel, context, InstanceIdentity(MR_IMAGE_STORAGE, UID), [data])


def stored(sink: Sink, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Dataset:
    return decode_data_set(sink.local.files.path(UID).read_bytes(), transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_a_sound_instance_is_stored_with_all_but_unknown_private_attributes(sink: Sink, transfer_syntax: str) -> None:
    data_set = image()
    data_set.private_block(0x0029, "MMCPrivate", create=True).add_new(1, "LO", "y")
    expected = decode_data_set(encode_data_set(data_set, transfer_syntax), transfer_syntax)
    data_set.private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
    result = sent(sink, encode_data_set(data_set, transfer_syntax), transfer_syntax)
    assert (result.status, result.comment) == (0x0000, "")
    assert stored(sink, transfer_syntax) == expected


@pytest.mark.parametrize(
    ("keyword", "value", "comment"),
    [
        ("Rows", None, "(0028,0010) Rows has no value"),
        ("PhotometricInterpretation", "  ", "(0028,0004) PhotometricInterpretation has no value"),
        ("PixelData", b"", "(7FE0,0010) has 0 bytes, and Rows, Columns and Bits Allocated ne"),
        ("StudyInstanceUID", "", "(0020,000D) StudyInstanceUID has no value"),
        ("StudyInstanceUID", "1.2.x", "(0020,000D) StudyInstanceUID is no UID"),
        ("FrameOfReferenceUID", "1." + "2" * 63, "(0020,0052) FrameOfReferenceUID is no UID"),
    ],
)
def test_what_fails_the_check_is_refused_and_leaves_nothing(
    sink: Sink, keyword: str, value: object, comment: str
) -> None:
    data_set = image()
    data_set[keyword]._value = value
    result = sent(sink, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert (result.status, result.comment) == (0xC001, comment)
    assert sink.aborted == 1
    assert not sink.local.files.path(UID).exists()


def test_a_missing_attribute_a_uid_in_a_sequence_and_a_cut_off_data_set_are_refused(sink: Sink) -> None:
    data_set = image()
    del data_set.Rows, data_set.Columns
    result = sent(sink, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert (result.status, result.comment) == (0xC001, "(0028,0010) Rows has no value, and 1 more")
    data_set = image()
    data_set.ReferencedImageSequence = [Dataset()]
    data_set.ReferencedImageSequence[0].add_new("ReferencedSOPInstanceUID", "UI", None)
    data_set.ReferencedImageSequence[0]["ReferencedSOPInstanceUID"]._value = "not a UID"
    assert sent(sink, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)).comment.endswith("is no UID")
    cut_off = encode_data_set(image(), EXPLICIT_VR_LITTLE_ENDIAN)[:-100]
    result = sent(sink, cut_off)
    assert (result.status, result.comment) == (0xC001, result.comment)
    assert "cut off" in result.comment
    assert sink.aborted == 3


@pytest.mark.parametrize(("keyword", "value"), [("SOPClassUID", ENHANCED_MR_IMAGE_STORAGE), ("SOPInstanceUID", "1.9")])
def test_an_identity_that_is_not_the_command_s_is_a_mismatch(sink: Sink, keyword: str, value: str) -> None:
    data_set = image()
    setattr(data_set, keyword, value)
    result = sent(sink, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert result.status == 0xA900
    assert result.comment
    assert (sink.aborted, sink.local.files.path(UID).exists()) == (1, False)


def test_an_instance_that_is_stored_already_is_a_success_and_changes_nothing(sink: Sink) -> None:
    data_set = image()
    assert sent(sink, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)).status == 0
    data_set.PatientComments = "other"
    assert sent(sink, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)).status == 0
    assert stored(sink).PatientComments == "a type 3 attribute"


def test_encapsulated_pixels_count_as_pixels(sink: Sink) -> None:
    data_set = image()
    del data_set.PixelData
    head = encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)
    fragments = bytes.fromhex("E07F10004F420000FFFFFFFF FEFF00E000000000 FEFF00E004000000 FFD8FFD9 FEFFDDE000000000")
    assert sent(sink, head + fragments, JPEG_BASELINE_8BIT).status == 0
    assert sink.local.files.path(UID).read_bytes() == head + fragments


def test_a_deflated_instance_is_refused_before_a_file_is_made(sink: Sink) -> None:
    result = sent(sink, b"", DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    assert (result.status, sink.opened) == (0xC001, [])
