"""Every voxel of a volume stays at its place, whatever its axes are and however it is turned for readers."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from openmodality.acquisition.stack import Stack, make_stack
from openmodality.acquisition.volume import Volume

SHAPE = (3, 4, 5)  # of i, j, k
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
OBLIQUE = ((0.0, 0.0, 0.0), (12.0, -7.0, 31.0), (-40.0, 25.0, 8.0), (5.0, 44.0, -61.0))
AXES = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]


def turn(angles_deg: tuple[float, float, float]) -> NDArray[np.float64]:
    x, y, z = np.deg2rad(angles_deg)
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    return np.array(about_x) @ np.array(about_y) @ np.array(about_z)


def make_affine(order: tuple[int, ...], signs: tuple[int, ...], angles_deg: tuple[float, float, float]) -> NDArray:  # type: ignore[type-arg]
    axes = np.zeros((3, 3))
    for column, (row, sign, size) in enumerate(zip(order, signs, (0.9, 1.3, 2.7), strict=True)):
        axes[row, column] = sign * size
    affine = np.eye(4)
    affine[:3, :3] = turn(angles_deg) @ axes
    affine[:3, 3] = (11.0, -23.5, 47.25)
    return affine


def find_places(stack: Stack) -> NDArray[np.float64]:
    """Where the voxel of each value is, in LPS mm, by the attributes of the images alone (PS3.3 C.7.6.2.1.1)."""
    places = np.full((stack.shape[0] * stack.shape[1] * stack.shape[2], 3), np.nan)
    for number, pixels in stack.frames:
        said = Dataset()
        said.update(stack.shared)
        said.update(stack.own[number - 1])
        origin = np.array([float(each) for each in said.ImagePositionPatient])
        cosines = np.array([float(each) for each in said.ImageOrientationPatient])
        between_rows, between_columns = (float(each) for each in said.PixelSpacing)
        rows, columns = np.indices(pixels.shape)[..., np.newaxis]
        places[pixels] = origin + columns * between_columns * cosines[:3] + rows * between_rows * cosines[3:]
    return places


@pytest.mark.parametrize("angles_deg", OBLIQUE)
@pytest.mark.parametrize("slice_axis", ["i", "j", "k"])
def test_every_voxel_is_at_its_place(angles_deg: tuple[float, float, float], slice_axis: str, soak: bool) -> None:
    """All axes turned by all angles in a soak; in the suite all axes, a quarter of them by each of the angles."""
    values = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    first = OBLIQUE.index(angles_deg)
    for number, (order, signs) in enumerate(AXES):
        if not soak and (number + number // 4) % 4 != first:
            continue
        affine = make_affine(order, signs, angles_deg)
        for axes, array in (("ijk", values), ("kji", values.transpose())):
            places = find_places(make_stack(Volume(array=array, affine=affine, axes=axes, slice_axis=slice_axis)))
            indices = np.indices(SHAPE).reshape(3, -1)  # in the order of the values
            expected = RAS_TO_LPS @ (affine[:3, :3] @ indices + affine[:3, 3:])
            assert np.abs(places - expected.T).max() < 1e-3, (order, signs, axes)


@pytest.mark.parametrize(
    ("across", "row", "column", "step"),
    [
        (0, (0, 1, 0), (0, 0, -1), (1, 0, 0)),
        (1, (1, 0, 0), (0, 0, -1), (0, 1, 0)),
        (2, (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ],
)
def test_slices_are_seen_and_follow_each_other_as_readers_expect(
    across: int, row: tuple[int, ...], column: tuple[int, ...], step: tuple[int, ...]
) -> None:
    values = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    for order, signs in AXES:
        affine = make_affine(order, signs, (0.0, 0.0, 0.0))
        slices = make_stack(
            Volume(array=values, affine=affine, axes="ijk", slice_axis="ijk"[order.index(across)])
        ).slices
        assert slices is not None
        assert slices.along_row == pytest.approx(row)
        assert slices.along_column == pytest.approx(column)
        assert slices.step / slices.spacing_between_slices_mm == pytest.approx(step)
