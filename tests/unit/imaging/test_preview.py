"""Previews: the window of PS3.3 C.11.2.1.2.1, and black that is black in both photometric interpretations."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.errors import ObjectInvalid
from openmodality.imaging.preview import grey_values, preview_png, windowed


def image(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], **values: object) -> Dataset:
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data_set.NumberOfFrames = pixels.shape[0]
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 16, 12, 11, 0
    data_set.add_new(0x7FE00010, "OW", pixels.astype("<u2").tobytes())
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


RAMP = np.array([[0, 1000], [2000, 4095]], dtype=np.uint16)


def test_window_equation() -> None:
    # Center 100, width 101: 49.5 and below are black, 149.5 and above white, 99.5 lies in the middle.
    values = np.array([[0.0, 49.5, 99.5, 149.5, 500.0]], dtype=np.float32)
    assert windowed(values, 100.0, 101.0).tolist() == [[0.0, 0.0, 127.5, 255.0, 255.0]]


def test_window_of_width_one_is_a_threshold() -> None:
    assert windowed(np.array([[9.0, 10.0]], dtype=np.float32), 10.0, 1.0).tolist() == [[0.0, 255.0]]


def test_without_a_window_all_values_are_shown() -> None:
    grey = grey_values(image(RAMP))
    assert (grey[0, 0], grey[1, 1]) == (0, 255)
    assert 0 < grey[0, 1] < grey[1, 0] < 255


def test_window_of_the_image_is_used_the_first_of_several() -> None:
    grey = grey_values(image(RAMP, WindowCenter=["1500", "10"], WindowWidth=["100", "10"]))
    assert grey.tolist() == [[0, 0], [255, 255]]


def test_monochrome1_is_inverted() -> None:
    assert np.array_equal(
        grey_values(image(RAMP, PhotometricInterpretation="MONOCHROME1")), 255 - grey_values(image(RAMP))
    )


def test_window_counts_after_the_modality_lut() -> None:
    shifted = image(RAMP, RescaleSlope="2", RescaleIntercept="-100", WindowCenter="2900", WindowWidth="100")
    assert grey_values(shifted).tolist() == [[0, 0], [255, 255]]


def test_the_first_of_several_frames_is_shown() -> None:
    assert np.array_equal(grey_values(image(np.stack([RAMP, RAMP * 0]))), grey_values(image(RAMP)))


def test_png_is_made_smaller() -> None:
    png = preview_png(image(np.zeros((40, 80), dtype=np.uint16)), longest_side=20)
    with Image.open(io.BytesIO(png)) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", (20, 10), "L")


@pytest.mark.parametrize("data_set", [Dataset(), image(RAMP, SamplesPerPixel=3)])
def test_what_is_no_greyscale_image_is_refused(data_set: Dataset) -> None:
    with pytest.raises(ObjectInvalid, match="PixelData"):
        preview_png(data_set)
