"""What open consoles write, mapped by data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from openmodality.acquisition.readers.adapters import FILE_NAME, find_adapter, load_adapters
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.stack import make_stack
from openmodality.errors import ConfigurationError, ObjectInvalid

VOLUME = (np.arange(48).reshape(2, 4, 6) + 1j).astype(np.complex64)


def read(path: Path, folder: Path | None = None) -> FoundSeries:
    adapter = find_adapter(path, load_adapters(folder))
    assert adapter is not None
    return adapter.read(path)


def write_marge(path: Path, **changed: Any) -> Path:
    said = {"image3D": VOLUME, "axesOrientation": [2, 1, 0], "fov": [3.0, 8.0, 12.0], "dfov": [0.0, 0.0, 0.0],
            "nPoints": [6, 4, 2], "repetitionTime": 500.0, "etl": 4, "seqName": "RARE"}  # fmt: skip
    scipy.io.savemat(path, said | changed)
    return path


def write_mri4all(folder: Path, **parameters: Any) -> Path:
    (folder / "other").mkdir(parents=True)
    np.save(folder / "other" / "volume.npy", np.zeros((4, 6, 2, 2), np.complex64))
    task = {
        "protocol_name": "T2", "sequence": "tse_2D", "parameters": {"TR": 600, "TE": 20, "Odd": 1, **parameters},
        "patient": {"first_name": "Jane", "last_name": "Doe", "mrn": "T1"}, "exam": {"acc": "A1"},
    }  # fmt: skip
    (folder / "scan.json").write_text(json.dumps(task))
    return folder


def test_marge_has_axes_of_the_scanner_and_centimetres(tmp_path: Path) -> None:
    found = read(write_marge(tmp_path / "a.mat"))
    affine = np.asarray(found.volume.affine)
    # Readout along z (left), phase along y (posterior), slices along x (feet): 120, 80 and 30 mm of 6, 4 and 2 voxels.
    assert np.allclose(affine[:3, :3], np.diag([20.0, 20.0, -15.0]))
    assert np.allclose(affine[:3, :3] @ [2.5, 1.5, 0.5] + affine[:3, 3], 0)
    assert (found.volume.keywords["RepetitionTime"], found.description, found.object_name) == (500, "RARE", "MR Image")
    assert set(found.volume.unused) == {"nPoints"}
    stack = make_stack(found.volume)
    assert stack.shape == (2, 4, 6)
    assert float(stack.shared.SliceThickness) == 15


def test_a_shift_of_the_field_of_view_moves_the_centre(tmp_path: Path) -> None:
    affine = np.asarray(read(write_marge(tmp_path / "a.mat", dfov=[1.0, 2.0, 3.0])).volume.affine)
    assert np.allclose(affine[:3, :3] @ [2.5, 1.5, 0.5] + affine[:3, 3], [3, 2, -1])


def test_mri4all_has_a_folder_for_each_scan(tmp_path: Path) -> None:
    found = read(write_mri4all(tmp_path / "scan", FOV=120, orientation="Sagittal", slice_thickness=5))
    assert found.identity == {"PatientName": "Doe^Jane", "PatientID": "T1", "AccessionNumber": "A1"}
    assert (found.volume.keywords["EchoTime"], found.volume.keywords["ProtocolName"]) == (20, "T2")
    assert (found.positions, found.volume.dimension) == (2, "echo")
    columns = np.asarray(found.volume.affine)[:3, :3].T
    assert np.allclose(columns, [[0, 20, 0], [0, 0, -30], [5, 0, 0]])
    assert set(found.volume.unused) == {"parameters.Odd"}
    assert make_stack(found.volume).shape == (4, 4, 6)


def test_a_position_that_is_not_in_the_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match="adapter MRI4ALL has no position 'Oblique'"):
        read(write_mri4all(tmp_path / "scan", FOV=120, orientation="Oblique"))


def test_an_adapter_of_the_site_comes_first(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(
        '[[adapter]]\nname = "MRI4ALL"\ntree = "scan.json"\narray = "*/*.npy"\naxes = "jikt"\n'
        '[adapter.keywords]\nEchoTime = {key = "parameters.te", factor = 1000}\n'
    )
    found = read(write_mri4all(tmp_path / "scan"), tmp_path)
    assert found.volume.keywords == {"EchoTime": 20000}
    assert [each.name for each in load_adapters(tmp_path)] == ["MRI4ALL", "MaRGE"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("adapter =", "Invalid"),
        ('[[adapter]]\nname = "A"\narray = "x"\ntree = "t"\nodd = 1', "adapter has no odd"),
        ('[[adapter]]\nname = "A"\narray = "x"', "either tree or required"),
        ('[[adapter]]\nname="A"\narray="x"\ntree="t"\n[adapter.geometry.positions]\nA = "LXH"', "X is no direction"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigurationError, match=reason):
        load_adapters(tmp_path)


def test_other_files_have_no_adapter(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"image": VOLUME})
    (tmp_path / "b.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    assert [find_adapter(tmp_path / name, load_adapters()) for name in ("a.mat", "b.mat", ".")] == [None] * 3
