"""Which reader reads a file, and what is said where its library is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest

from openmodality.acquisition.readers.pixel_file import read_file
from openmodality.acquisition.readers.registry import Reading
from openmodality.errors import ConfigurationError, ObjectInvalid


@pytest.mark.parametrize(("name", "library"), [("a.nii.gz", "nibabel"), ("a.h5", "h5py"), ("a.mat", "h5py")])
def test_a_missing_library_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    if name.endswith("gz"):
        nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4)), tmp_path / name)
    else:
        h5py.File(tmp_path / name, "w").close()
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=f"requires {library}, which is not installed") as caught:
        read_file(tmp_path / name)
    assert caught.value.advice == "pip install 'openmodality[mr]'"


def test_a_name_tells_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    (tmp_path / "a.npy").rename(tmp_path / "a.nii")
    found = read_file(tmp_path / "a.nii")
    assert isinstance(found, list)
    assert np.array_equal(np.asarray(found[0].volume.array), np.ones((2, 2)))


def test_raw_pixels_are_what_is_said_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(12))
    with pytest.raises(ObjectInvalid, match="not a kind of file that holds an image"):
        read_file(tmp_path / "a.bin")
    (tmp_path / "a.toml").write_text('format = "raw:2x3"')
    assert isinstance(read_file(tmp_path / "a.bin"), list)
    (tmp_path / "b.bin").write_bytes(bytes(12))
    assert isinstance(read_file(tmp_path / "b.bin", Reading(raw_format="raw:2x3")), list)
