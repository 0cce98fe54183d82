"""Stored values of a frame: unused bits, signs, byte order, frames of a multi-frame image."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian

from openmodality.errors import ObjectInvalid, UsageError
from openmodality.imaging.frames import count_frames, read_frame
from tests.unit.imaging.images import RAMP, grey_image


def test_bits_above_high_bit_are_taken_away() -> None:
    frame = read_frame(grey_image(RAMP | 0xF000))
    assert frame.pixels.tolist() == RAMP.tolist()
    assert frame.limits == (0, 4095)


def test_a_signed_value_is_extended_from_its_high_bit() -> None:
    stored = np.array([[-2048, -1], [0, 2047]], dtype=np.int16)
    frame = read_frame(grey_image(stored & 0x0FFF, PixelRepresentation=1))
    assert frame.pixels.tolist() == stored.tolist()
    assert (frame.signed, frame.limits) == (True, (-2048, 2047))


def test_big_endian_pixels_are_read_as_such() -> None:
    data_set = grey_image(RAMP)
    data_set.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    data_set.PixelData = RAMP.astype(">u2").tobytes()
    assert read_frame(data_set).pixels.tolist() == RAMP.tolist()


def test_each_frame_by_its_number() -> None:
    data_set = grey_image(np.stack([RAMP, RAMP + 0, RAMP // 2]))
    assert count_frames(data_set) == 3
    assert read_frame(data_set, 3).pixels.tolist() == (RAMP // 2).tolist()


@pytest.mark.parametrize("number", [0, 2])
def test_a_frame_that_is_not_there_is_named(number: int) -> None:
    with pytest.raises(UsageError) as refused:
        read_frame(grey_image(RAMP), number)
    assert str(refused.value) == f"there is no frame {number}; the instance has 1"


def test_pixels_that_are_cut_off_are_refused() -> None:
    data_set = grey_image(RAMP)
    data_set.PixelData = data_set.PixelData[:-2]
    with pytest.raises(ObjectInvalid) as refused:
        read_frame(data_set)
    assert "PixelData ends before frame 1 does" in str(refused.value)


def test_an_instance_without_pixels_is_refused() -> None:
    data_set = grey_image(RAMP)
    del data_set.PixelData
    with pytest.raises(ObjectInvalid):
        read_frame(data_set)


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "examples_palette.dcm", "examples_rgb_color.dcm"])
def test_compression_palette_and_colour(name: str) -> None:
    path = get_testdata_file(name)
    data_set = dcmread(str(path))
    frame = read_frame(data_set)
    assert frame.has_colour == (name != "MR_small_RLE.dcm")
    if not frame.has_colour:
        assert np.array_equal(frame.pixels, data_set.pixel_array)
    else:
        assert (frame.pixels.dtype.name, frame.pixels.shape[2]) == ("uint8", 3)
