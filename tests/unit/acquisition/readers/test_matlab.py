"""MATLAB's files, of version 5 as scipy writes them and 7.3 as MATLAB does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from openmodality.acquisition.readers.matlab import is_hdf5, read_mat
from openmodality.acquisition.stack import make_stack
from openmodality.errors import ObjectInvalid

ARRAY = np.arange(24, dtype=np.float64).reshape(3, 4, 2)  # rows, columns, slices


def write_new(path: Path, **arrays: Any) -> Path:
    """As MATLAB writes version 7.3: HDF5 behind 512 bytes, and axes the other way round."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            if array.dtype.kind == "c":
                stored = np.empty(array.T.shape, dtype=[("real", "f8"), ("imag", "f8")])
                stored["real"], stored["imag"] = array.T.real, array.T.imag
            else:
                stored = array.T
            file.create_dataset(name, data=stored).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    return path


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("factor", [1.0, 1j])
def test_slices_are_the_last_axis(tmp_path: Path, version: str, factor: complex) -> None:
    array = ARRAY * factor
    if version == "5":
        scipy.io.savemat(tmp_path / "a.mat", {"image": array, "EchoTime": 30.0, "SeriesDescription": "X"})
    else:
        write_new(tmp_path / "a.mat", image=array, EchoTime=np.array([[30.0]]))
    (found,) = read_mat(tmp_path / "a.mat")
    assert found.volume.keywords["EchoTime"] == 30.0
    frames = dict(make_stack(found.volume).frames)
    assert sorted(frames) == [1, 2]
    assert all(np.array_equal(frames[n + 1], array[:, :, n]) for n in range(2))


def test_an_affine_is_of_the_indices_of_the_array(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"image": ARRAY, "affine": np.eye(4)})
    assert read_mat(tmp_path / "a.mat")[0].volume.axes == "ijk"


def test_what_is_no_array_is_named(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"image": ARRAY, "settings": {"a": 1}})
    assert "settings" in read_mat(tmp_path / "a.mat")[0].volume.unused


def test_links_to_other_files_are_refused(tmp_path: Path) -> None:
    path = write_new(tmp_path / "a.mat", image=ARRAY)
    assert is_hdf5(path)
    with h5py.File(path, "r+") as file:
        file["other"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(ObjectInvalid, match="links to elsewhere"):
        read_mat(path)
