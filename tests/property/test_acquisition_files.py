"""Files of any content: frames, or one clear error; never anything else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from openmodality.acquisition.files import read_frames
from openmodality.errors import ObjectInvalid

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
HEADS = (b"", b"\x93NUMPY\x01\x00", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", bytes(128) + b"DICM")


def _reads_or_refuses(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refusal = ""
    try:
        frames, _ = read_frames(path)
    except ObjectInvalid as error:
        refusal = str(error)
    if refusal:
        assert path.name in refusal or "(0028,0101)" in refusal
    else:
        assert all(frame.pixels.dtype == np.uint16 and frame.pixels.ndim == 2 for frame in frames)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from(HEADS), noise=st.binary(max_size=400))
def test_noise(tmp_path: Path, head: bytes, noise: bytes) -> None:
    _reads_or_refuses(tmp_path / "a", head + noise)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(whole=st.sampled_from(WHOLE), data=st.data())
def test_damaged_files(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _reads_or_refuses(tmp_path / "a", bytes(content))
