"""NIfTI files: the place, the numbers and the bounds; nibabel writes them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from openmodality.acquisition.readers.nifti import is_nifti, read_nifti
from openmodality.acquisition.readers.registry import read_start
from openmodality.errors import ObjectInvalid

VOXELS = np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 5
PLACE = np.array([[-2.0, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 5], [0, 0, 0, 1]])


def write(path: Path, array: Any = VOXELS, affine: Any = PLACE, two: bool = False, **fields: Any) -> Path:
    image = (nibabel.Nifti2Image if two else nibabel.Nifti1Image)(array, affine)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "f4", "f8", "c8"])
def test_voxels_and_place_are_nibabels(tmp_path: Path, name: str, two: bool, dtype: str) -> None:
    path = write(tmp_path / name, VOXELS.astype(dtype), two=two)
    assert is_nifti(read_start(path))
    (found,) = read_nifti(path)
    assert np.array_equal(np.asarray(found.volume.array), VOXELS.astype(dtype))
    assert np.asarray(found.volume.array).dtype == np.dtype(dtype)
    assert np.allclose(np.asarray(found.volume.affine), PLACE)
    assert (found.volume.axes, found.volume.space, found.images) == ("ijk", "RAS", 4)


def test_the_sform_wins_then_the_qform_then_nothing(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOXELS, PLACE)
    other = PLACE.copy()
    other[0, 3] = 99
    image.set_qform(other, code=1)
    image.set_sform(PLACE, code=2)
    nibabel.save(image, tmp_path / "both.nii")
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "qform.nii")
    image.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "none.nii")
    offsets = [np.asarray(read_nifti(tmp_path / name)[0].volume.affine)[0, 3] for name in ("both.nii", "qform.nii")]
    assert offsets == [10, 99]
    with pytest.raises(ObjectInvalid, match="sform_code and qform_code are 0") as caught:
        read_nifti(tmp_path / "none.nii")
    assert "--assume-affine" in caught.value.advice
    (found,) = read_nifti(tmp_path / "none.nii", assume_affine=True)
    assert np.allclose(np.linalg.norm(np.asarray(found.volume.affine)[:3, :3], axis=0), [2, 3, 4])
    assert found.notices


def test_metres_are_made_mm(tmp_path: Path) -> None:
    (found,) = read_nifti(write(tmp_path / "a.nii", xyzt_units=1))
    assert np.allclose(np.asarray(found.volume.affine)[:3], PLACE[:3] * 1000)


def test_small_whole_numbers_keep_slope_and_intercept_beside_them(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOXELS, PLACE)
    image.header.set_slope_inter(2, 5)
    nibabel.save(image, tmp_path / "a.nii")
    with (tmp_path / "a.nii").open("r+b") as file:  # nibabel scales what it writes
        file.seek(112)
        file.write(struct.pack("<ff", 2, 5))
    stored = np.asarray(nibabel.load(tmp_path / "a.nii").dataobj.get_unscaled())
    (found,) = read_nifti(tmp_path / "a.nii")
    assert found.volume.keywords == {"RescaleSlope": 2.0, "RescaleIntercept": 5.0}
    assert np.array_equal(np.asarray(found.volume.array), stored)


def test_large_numbers_are_scaled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", VOXELS.astype(np.float32))
    with path.open("r+b") as file:
        file.seek(112)
        file.write(struct.pack("<ff", 0.5, 1))
    (found,) = read_nifti(path)
    assert np.allclose(np.asarray(found.volume.array), VOXELS * 0.5 + 1)
    assert found.volume.keywords == {}


def test_a_fourth_dimension_is_time(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.stack([VOXELS, VOXELS + 1], axis=-1), PLACE)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 1.5
    nibabel.save(image, tmp_path / "a.nii.gz")
    (found,) = read_nifti(tmp_path / "a.nii.gz")
    assert (found.positions, found.images, found.volume.dimension) == (2, 8, "time")
    assert found.volume.keywords == {"TemporalResolution": 1500.0}


def test_colour_is_three_samples(tmp_path: Path) -> None:
    rgb = np.zeros((2, 3, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["G"] = 7
    (found,) = read_nifti(write(tmp_path / "a.nii", rgb))
    assert np.asarray(found.volume.array).shape == (2, 3, 4, 3)
    assert np.asarray(found.volume.array)[0, 0, 0].tolist() == [0, 7, 0]
    assert (found.volume.is_colour, found.images) == (True, 4)


def test_a_file_that_lacks_its_last_byte_is_cut_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", np.ones((2, 3, 4), dtype=np.uint8))
    short = path.read_bytes()[:-1]
    for content in (short, gzip.compress(short)):
        path.write_bytes(content)
        with pytest.raises(ObjectInvalid, match="cut off"):
            read_nifti(path)


@pytest.mark.parametrize(
    ("offset", "form", "values", "reason"),
    [
        (40, "<8h", (3, 32000, 32000, 32000, 1, 1, 1, 1), "more than 4 GiB"),
        (40, "<8h", (3, 200, 300, 400, 1, 1, 1, 1), "cut off"),
        (40, "<8h", (5, 2, 3, 4, 2, 2, 1, 1), "5 dimensions"),
        (108, "<f", (1e9,), "begin at byte"),
        (70, "<h", (9999,), "header is not NIfTI's"),
    ],
)
def test_a_header_that_promises_too_much_is_refused(
    tmp_path: Path, offset: int, form: str, values: tuple[float, ...], reason: str
) -> None:
    path = write(tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, offset, *values)
    path.write_bytes(content)
    with pytest.raises(ObjectInvalid, match=reason):
        read_nifti(path)
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ObjectInvalid):
        read_nifti(path)
