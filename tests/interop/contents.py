"""Files to send, in every transfer syntax, and what came of them compared element by element, by pydicom."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from tests.peers import objects
from tests.peers.process import run

UNCOMPRESSED = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
NAMES = {
    ImplicitVRLittleEndian: "implicit", ExplicitVRLittleEndian: "explicit", ExplicitVRBigEndian: "big-endian",
    JPEGBaseline8Bit: "jpeg-baseline", RLELossless: "rle", JPEGLosslessSV1: "jpeg-lossless",
    JPEGLSLossless: "jpeg-ls", JPEG2000Lossless: "jpeg-2000",
}  # fmt: skip
COMPRESSED = list(NAMES)[3:]
"""JPEG Baseline needs ``dcmcjpeg`` and is not lossless."""


def rich_image(transfer_syntax: str) -> FileDataset:
    """An image with a sequence in a sequence, private elements, numbers of every size and an empty value."""
    image = objects.mr_image(transfer_syntax=transfer_syntax, PatientName="Müller^Jörg", PatientID="")
    inner = Dataset()
    inner.CodeValue, inner.CodingSchemeDesignator, inner.CodeMeaning = "T-A0100", "SRT", "Brain"
    outer = Dataset()
    outer.AnatomicRegionSequence = [inner, Dataset()]
    outer.ReferencedFrameNumber = [1, 2, 3]
    image.SourceImageSequence = [outer]
    image.ReferencedImageSequence = []
    image.RealWorldValueMappingSequence = [_real_world_values()]
    private = image.private_block(0x0029, "OPENMODALITY TEST", create=True)
    private.add_new(0x01, "LO", "a note")
    return image


def _real_world_values() -> Dataset:
    item = Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = 1.5, -1024.25
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 4095
    item["RealWorldValueFirstValueMapped"].VR = item["RealWorldValueLastValueMapped"].VR = "US"
    return item


def saved(transfer_syntax: str, folder: Path) -> Path:
    """An image as a file in a transfer syntax, compressed ones made by pydicom, gdcm or DCMTK."""
    if transfer_syntax in UNCOMPRESSED:
        return objects.save(rich_image(transfer_syntax), folder)
    if transfer_syntax == JPEGBaseline8Bit:
        return _by_dcmtk(_gray_picture(), folder, "+eb")
    image = objects.mr_image(rows=32, columns=48, BitsStored=16, HighBit=15)
    if transfer_syntax == JPEGLosslessSV1:
        return _by_dcmtk(image, folder, "+e1")
    if transfer_syntax == JPEG2000Lossless:
        _by_pillow(image)
    else:
        image.compress(transfer_syntax, generate_instance_uid=False)
    return objects.save(image, folder)


def _by_pillow(image: FileDataset) -> None:
    code_stream = BytesIO()
    Image.fromarray(image.pixel_array).save(code_stream, "JPEG2000", irreversible=False, no_jp2=True)
    image.PixelData = encapsulate([code_stream.getvalue()])
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    image.file_meta.TransferSyntaxUID = JPEG2000Lossless


def _by_dcmtk(image: FileDataset, folder: Path, option: str) -> Path:
    plain = objects.save(image, folder / "plain")
    path = folder / plain.name
    done = run("dcmcjpeg", "--uid-never", option, plain, path)
    assert done.status == 0, done.output
    return path


def _gray_picture() -> FileDataset:
    image = objects.mr_image(rows=32, columns=48, BitsAllocated=8, BitsStored=8, HighBit=7)
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    image.PixelData = (np.arange(32 * 48) // 6).astype(np.uint8).tobytes()
    image["PixelData"].VR = "OB"
    return image


def assert_same_content(one: Path, other: Path) -> None:
    """Every element has the same value; of the pixels it is the samples that count, not their byte order."""
    expected, found = dcmread(one), dcmread(other)
    assert np.array_equal(expected.pixel_array, found.pixel_array)
    assert found.file_meta.MediaStorageSOPInstanceUID == expected.SOPInstanceUID
    for data_set in (expected, found):
        del data_set.PixelData
        _leave_out_what_conversion_may_change(data_set)
    assert set(found.keys()) == set(expected.keys())
    for element in expected:
        assert found[element.tag].value == element.value, element.tag


def _leave_out_what_conversion_may_change(data_set: Dataset) -> None:
    # without its dictionary nobody knows the VR of a private element in Implicit VR: its bytes count
    for element in list(data_set):
        if element.tag.is_private and isinstance(element.value, str):
            element.VR, element.value = "UN", element.value.encode()
