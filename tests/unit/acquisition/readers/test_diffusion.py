"""b-values and directions beside a NIfTI file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.readers.diffusion import apply_diffusion, turn_to_patient
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid

RADIOLOGICAL = np.diag([-2.0, 2.0, 2.0, 1.0])  # determinant below 0, as dcm2niix writes
NEUROLOGICAL = np.diag([2.0, 2.0, 2.0, 1.0])


def volume(count: int = 3, affine: Any = RADIOLOGICAL) -> FoundSeries:
    return FoundSeries("a.nii", Volume(array=np.zeros((2, 2, 2, count)), affine=affine, axes="ijk"))


@pytest.mark.parametrize(
    ("affine", "expected"),
    [
        (RADIOLOGICAL, [[1, 0, 0], [0, -1, 0], [0, 0, 1]]),  # i leads left, j to the front, k to the head
        (NEUROLOGICAL, [[1, 0, 0], [0, -1, 0], [0, 0, 1]]),  # i leads right, and x is turned round
    ],
)
def test_directions_are_turned_to_the_patients_axes(affine: Any, expected: list[list[int]]) -> None:
    assert np.allclose(turn_to_patient(np.eye(3), affine), expected)


def test_a_turned_volume_turns_them_too() -> None:
    angle = np.deg2rad(30)
    turned = np.eye(4)
    turned[:3, :3] = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    (direction,) = turn_to_patient(np.array([[0.0, 1, 0]]), turned @ RADIOLOGICAL)
    assert np.allclose(direction, [np.sin(angle), -np.cos(angle), 0])


def test_values_and_directions_of_each_volume(tmp_path: Path) -> None:
    (tmp_path / "a.bval").write_text("0 1000 1000\n")
    (tmp_path / "a.bvec").write_text("0 1 0\n0 0 1\n0 0 0\n")
    found = apply_diffusion(volume(), tmp_path / "a.nii.gz")
    assert found.volume.keywords["DiffusionBValue"] == [0, 1000, 1000]
    assert found.volume.keywords["DiffusionGradientOrientation"] == [[], [1, 0, 0], [0, -1, 0]]
    assert found.volume.dimension == "b-value"


def test_without_files_nothing_is_said(tmp_path: Path) -> None:
    assert apply_diffusion(volume(), tmp_path / "a.nii").volume.keywords == {}


@pytest.mark.parametrize(
    ("values", "directions", "reason"),
    [
        ("0 1000", "0 1\n0 0\n0 0", "2 b-values"),
        ("0 a 1", "", "rows of numbers"),
        ("0 nan 1", "", "finite"),
        ("0 1000 1000", "0 1 0\n0 0 1", "2 rows of 3"),
        ("0 1000 1000", "0 3 0\n0 0 1\n0 0 0", "length 3"),
    ],
)
def test_what_does_not_belong_to_the_volume_is_refused(
    tmp_path: Path, values: str, directions: str, reason: str
) -> None:
    (tmp_path / "a.bval").write_text(values)
    if directions:
        (tmp_path / "a.bvec").write_text(directions)
    with pytest.raises(ObjectInvalid, match=reason):
        apply_diffusion(volume(), tmp_path / "a.nii")
