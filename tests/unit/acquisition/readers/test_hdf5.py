"""HDF5 files of others: nothing outside the file, and no more than it holds."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from openmodality.acquisition.readers.hdf5 import open_hdf5, read_array
from openmodality.errors import ObjectInvalid


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(100))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("out", shape=(10,), dtype="u1", external=[(str(tmp_path / "raw"), 0, 100)])
        layout = h5py.VirtualLayout(shape=(4,), dtype="u1")
        layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
        file.create_virtual_dataset("virtual", layout)
    with open_hdf5(tmp_path / "a.h5", "a test") as file:
        for name in ("out", "virtual"):
            with pytest.raises(ObjectInvalid, match="kept in another file"):
                read_array(file[name], name)


def test_more_than_is_stored_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        big = file.create_dataset("big", shape=(40000, 40000), dtype="u2", chunks=(100, 100), compression="gzip")
        big[0, 0] = 1
        file["small"] = np.arange(4)
    with open_hdf5(tmp_path / "a.h5", "a test") as file:
        with pytest.raises(ObjectInvalid, match="cut off"):
            read_array(file["big"], "big")
        assert read_array(file["small"], "small").tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("link", [h5py.ExternalLink("b.h5", "/x"), h5py.SoftLink("/y")])
def test_links_are_refused(tmp_path: Path, link: object) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("g")["link"] = link
    with pytest.raises(ObjectInvalid, match="links to elsewhere"), open_hdf5(tmp_path / "a.h5", "a test"):
        pass
