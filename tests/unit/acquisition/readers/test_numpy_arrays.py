"""NumPy's files: numbers, never code."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.readers.numpy_arrays import read_npy, read_npz
from openmodality.errors import ObjectInvalid

VOLUME = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_as_it_was_saved(tmp_path: Path, order: Any) -> None:
    np.save(tmp_path / "a.npy", np.asarray(VOLUME, order=order))
    (found,) = read_npy(tmp_path / "a.npy")
    assert np.array_equal(np.asarray(found.volume.array), VOLUME)


def test_arrays_affine_and_keywords_of_an_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=VOLUME, affine=np.eye(4), EchoTime=30.0, PatientID="7", mask=np.arange(3))
    (found,) = read_npz(tmp_path / "a.npz")
    assert np.array_equal(np.asarray(found.volume.array), VOLUME)
    assert np.array_equal(np.asarray(found.volume.affine), np.eye(4))
    assert (found.volume.keywords, found.identity) == ({"EchoTime": 30.0}, {"PatientID": "7"})
    assert set(found.volume.unused) == {"mask"}


def test_each_image_of_an_archive_is_a_series(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", water=VOLUME, fat=VOLUME + 1)
    assert [found.description for found in read_npz(tmp_path / "a.npz")] == ["water", "fat"]


def test_more_than_the_shape_needs_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VOLUME)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes() + b"more")
    with pytest.raises(ObjectInvalid, match="holds 100 bytes, and 2,3,4 of float32 are 96"):
        read_npy(tmp_path / "a.npy")


def test_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(ObjectInvalid, match="no number"):
        read_npy(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", image=np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(ObjectInvalid, match="no number"):
        read_npz(tmp_path / "a.npz")


def test_an_archive_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<u2", "fortran_order": False, "shape": (60000, 60000)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", head.getvalue() + bytes(1000))
    with pytest.raises(ObjectInvalid, match=r"4 GiB|cut off"):
        read_npz(tmp_path / "a.npz")


def test_an_archive_without_an_image_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", numbers=np.arange(3))
    with pytest.raises(ObjectInvalid, match="none of its arrays is an image"):
        read_npz(tmp_path / "a.npz")
