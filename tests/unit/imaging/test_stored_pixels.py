"""Frames of stored files, against pydicom's decoding: ranges of bytes where they are native, else decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.imaging.frames import read_frame
from openmodality.imaging.preview import draw_preview, draw_stored_preview
from openmodality.imaging.stored_pixels import StoredPixelsCache, open_stored_pixels
from tests.unit.imaging.images import RAMP, grey_image

NATIVE = (
    "MR_small.dcm", "MR_small_implicit.dcm", "CT_small.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "rtdose.dcm", "SC_ybr_full_422_uncompressed.dcm", "SC_rgb_small_odd.dcm",
)  # fmt: skip
DECODED = (
    "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_expb.dcm", "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_rle_2frame.dcm", "SC_rgb_small_odd_big_endian.dcm", "image_dfl.dcm", "rtdose_rle.dcm", "rtdose_expb.dcm",
    "examples_jpeg2k.dcm", "examples_ybr_color.dcm", "liver_expb_1frame.dcm",
)  # fmt: skip


def find(name: str) -> Path:
    path = get_testdata_file(name)
    assert path
    return Path(str(path))


def write(data_set: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    data_set.file_meta.TransferSyntaxUID = syntax
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("name", [*NATIVE, *DECODED])
def test_every_frame_is_the_one_that_the_whole_file_gives(name: str) -> None:
    stored = open_stored_pixels(find(name))
    whole = read_bounded_file(stored.path)
    for number in {1, stored.frames}:
        expected = read_frame(whole, number)
        frame = stored.read_frame(number)
        assert np.array_equal(frame.pixels, expected.pixels)
        assert (frame.bits_stored, frame.signed) == (expected.bits_stored, expected.signed)


@pytest.mark.parametrize("name", NATIVE)
def test_a_native_frame_is_a_range_of_the_file_behind_its_header(name: str) -> None:
    stored = open_stored_pixels(find(name))
    whole = dcmread(stored.path)
    content = stored.path.read_bytes()
    value = whole.PixelData
    place = stored.find_range(stored.frames)
    assert place is not None
    assert place.offset >= content.index(value[:64])
    assert content[place.offset :][: place.length] == value[(stored.frames - 1) * place.length :][: place.length]
    assert stored.read_native(1).content == value[: place.length]
    assert stored.read_native(1).photometric_interpretation == whole.PhotometricInterpretation


@pytest.mark.parametrize("name", DECODED)
def test_all_else_is_decoded_into_little_endian_samples(name: str) -> None:
    stored = open_stored_pixels(find(name))
    assert stored.find_range(1) is None
    native = stored.read_native(stored.frames)
    whole = dcmread(stored.path)
    pixels = whole.pixel_array if stored.frames == 1 else whole.pixel_array[-1]
    kind = pixels.dtype.newbyteorder("<")
    assert np.array_equal(np.frombuffer(native.content, kind).reshape(pixels.shape), pixels)


def test_the_compressed_bytes_of_a_frame() -> None:
    stored = open_stored_pixels(find("SC_rgb_rle_2frame.dcm"))
    first, second = stored.read_encapsulated(1), stored.read_encapsulated(2)
    assert first[:4] == second[:4] == b"\x03\0\0\0", "the number of segments of an RLE header (PS3.5 G.5)"
    assert first in stored.path.read_bytes()
    with pytest.raises(UsageError, match="not compressed"):
        open_stored_pixels(find("MR_small.dcm")).read_encapsulated(1)


def test_words_of_eight_bit_pixels_in_big_endian_are_turned_round(tmp_path: Path) -> None:
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 4)
    data_set = grey_image(pixels.astype(np.uint16), BitsAllocated=8, BitsStored=8, HighBit=7)
    data_set.add_new(0x7FE00010, "OW", np.frombuffer(pixels.tobytes(), "<u2").astype(">u2").tobytes())
    path = write(data_set, tmp_path / "a.dcm", ExplicitVRBigEndian)
    assert np.array_equal(open_stored_pixels(path).read_frame().pixels, pixels)
    assert np.array_equal(read_frame(dcmread(path)).pixels, pixels)


def test_a_deflated_file_has_no_ranges(tmp_path: Path) -> None:
    path = write(grey_image(np.stack([RAMP, RAMP // 2])), tmp_path / "a.dcm", DeflatedExplicitVRLittleEndian)
    stored = open_stored_pixels(path)
    assert (stored.place, stored.find_range(2)) == (None, None)
    assert np.array_equal(stored.read_frame(2).pixels, RAMP // 2)
    assert stored.read_native(2).content == (RAMP // 2).astype("<u2").tobytes()


def test_bits_that_are_packed_across_frames_are_decoded(tmp_path: Path) -> None:
    data_set = grey_image(np.zeros((2, 3, 3), np.uint16), BitsAllocated=1, BitsStored=1, HighBit=0)
    data_set.add_new(0x7FE00010, "OB", b"\xff\x01\x00\x00")
    stored = open_stored_pixels(write(data_set, tmp_path / "a.dcm"))
    assert stored.find_range(2) is None
    assert stored.read_frame(1).pixels.all()
    assert not stored.read_frame(2).pixels.any()


def test_pixels_that_are_cut_off_or_missing_are_refused(tmp_path: Path) -> None:
    short = grey_image(np.stack([RAMP, RAMP]))
    short.PixelData = RAMP.astype("<u2").tobytes()
    stored = open_stored_pixels(write(short, tmp_path / "short.dcm"))
    assert stored.read_frame(1).pixels.tolist() == RAMP.tolist()
    with pytest.raises(ObjectInvalid, match="before frame 2"):
        stored.find_range(2)
    with pytest.raises(UsageError, match="no frame 3"):
        stored.find_range(3)
    with pytest.raises(ObjectInvalid, match="no pixels"):
        open_stored_pixels(find("rtstruct.dcm"))
    path = write(grey_image(RAMP), tmp_path / "cut.dcm")
    opened = open_stored_pixels(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ObjectInvalid, match="ends within"):
        opened.read_frame()


def test_a_preview_of_a_file_is_that_of_its_data_set() -> None:
    stored = open_stored_pixels(find("rtdose.dcm"))
    expected = draw_preview(read_bounded_file(stored.path), number=3)
    assert draw_stored_preview(stored, number=3) == expected


def test_what_a_file_says_is_read_once(tmp_path: Path) -> None:
    cache = StoredPixelsCache(most=1)
    first, second = (write(grey_image(RAMP), tmp_path / name) for name in ("a.dcm", "b.dcm"))
    opened = cache.open(first)
    assert cache.open(first) is opened
    cache.open(second)
    assert cache.open(first) is not opened, "only the last are kept"
    write(grey_image(RAMP // 2, PatientID="other"), first)
    assert cache.open(first).header.PatientID == "other"
