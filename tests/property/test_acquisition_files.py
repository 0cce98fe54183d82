"""Files of any content: frames, or one clear error; never anything else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from openmodality.acquisition.source import AcquiredFrame
from openmodality.errors import ObjectInvalid
from tests.acquired import read_frames

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


def _numpy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, PIXELS)
    return stream.getvalue()


def _picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind)
    return stream.getvalue()


def _dicom() -> bytes:
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID, data_set.SOPInstanceUID = MRImageStorage, "1.2.3"
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows = data_set.Columns = 8
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 16, 12, 11, 0
    data_set.RescaleSlope, data_set.EchoTime = "1", "30"
    data_set.PixelData = PIXELS.tobytes()
    stream = io.BytesIO()
    data_set.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


WHOLE = (_numpy(), _picture("PNG"), _picture("TIFF"), _dicom())
KINDS = ("NumPy", "PNG", "TIFF", "DICOM")
HEADS = (b"", b"\x93NUMPY\x01\x00", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", bytes(128) + b"DICM")


def _frames_or_refusal(path: Path, content: bytes) -> list[AcquiredFrame]:
    """The frames, each of which makes an image; none where the file is refused in words that name it."""
    path.write_bytes(content)
    refusal = ""
    try:
        frames, _ = read_frames(path)
    except ObjectInvalid as error:
        frames, refusal = [], str(error)
    assert bool(frames) != bool(refusal), "a file that is read has an image"
    assert not refusal or refusal.startswith((f"{path}: ", "(0028,0101) Bits Stored"))
    for frame in frames:
        assert frame.pixels.dtype.kind in "biufc"
        assert len(frame.pixels.shape) == 2 or frame.pixels.shape[2] == 3
        assert 0 not in frame.pixels.shape
    assert path.read_bytes() == content
    return frames


@pytest.mark.parametrize("whole", WHOLE, ids=KINDS)
def test_whole_files_are_read_as_they_are(tmp_path: Path, whole: bytes) -> None:
    (frame,) = _frames_or_refusal(tmp_path / "whole.image", whole)
    assert np.array_equal(frame.pixels, PIXELS)


@given(head=st.sampled_from(HEADS), noise=st.binary(max_size=400))
def test_noise_is_no_image(tmp_path: Path, head: bytes, noise: bytes) -> None:
    assert _frames_or_refusal(tmp_path / "noise.image", head + noise) == []


@given(whole=st.sampled_from(WHOLE), data=st.data())
def test_files_that_are_cut_off_are_read_right_or_not_at_all(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    for frame in _frames_or_refusal(tmp_path / "cut.image", cut):
        assert np.array_equal(frame.pixels, PIXELS)


@given(whole=st.sampled_from(WHOLE), data=st.data())
def test_damaged_files_make_images_or_are_refused(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    frames = _frames_or_refusal(tmp_path / "damaged.image", bytes(content))
    again = _frames_or_refusal(tmp_path / "damaged.image", bytes(content))
    assert [frame.pixels.tolist() for frame in again] == [frame.pixels.tolist() for frame in frames]
