"""Planes and ellipsoids (PS3.3 C.7.6.2)."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.geometry import Ellipsoid, Plane


def test_an_ellipsoid_outside_the_slice_is_not_looked_at() -> None:
    plane = Plane.make_square((0.0, 0.0, 0.0), "sagittal", field_of_view_mm=100.0, matrix=10)
    assert plane.cutout_around((20.0, 0.0, 0.0), (10.0, 10.0, 10.0)) is None
    assert plane.cutout_around((0.0, 90.0, 0.0), (10.0, 10.0, 10.0)) is None


def test_a_tilted_ellipsoid_fits_its_box() -> None:
    upright, turned = Ellipsoid((0, 0, 0), (1, 2, 3)), Ellipsoid((0, 0, 0), (1, 2, 3), 90.0)
    assert upright.reach == pytest.approx((1, 2, 3))
    assert turned.reach == pytest.approx((1, 3, 2))


def test_a_finer_grid_covers_the_same_area() -> None:
    plane = Plane.make_square((0.0, 0.0, 0.0), "axial", field_of_view_mm=100.0, matrix=10)
    finer = plane.finer(5)
    assert (finer.rows, finer.columns, finer.spacing_mm) == (50, 50, 2.0)
    # The corner of the first pixel stays where it was: half a pixel before its centre.
    assert finer.origin[0] - finer.spacing_mm / 2 == pytest.approx(plane.origin[0] - plane.spacing_mm / 2)


@pytest.mark.parametrize(
    ("orientation", "cosines"),
    [("axial", [1, 0, 0, 0, 1, 0]), ("sagittal", [0, 1, 0, 0, 0, -1]), ("coronal", [1, 0, 0, 0, 0, -1])],
)
def test_the_image_plane_says_how_the_slice_lies(orientation: str, cosines: list[int]) -> None:
    plane = Plane.make_square((0.0, 0.0, 0.0), orientation, field_of_view_mm=100.0, matrix=10)
    attributes = plane.attributes(5.0)
    assert [float(value) for value in attributes.ImageOrientationPatient] == cosines
    assert float(attributes.SliceLocation) == pytest.approx(0.0)
    assert (float(attributes.SliceThickness), float(attributes.PixelSpacing[0])) == (5.0, 10.0)


def test_the_surface_of_an_ellipsoid_is_level_one() -> None:
    body = Ellipsoid((1.0, 2.0, 3.0), (10.0, 20.0, 30.0))
    x, y, z = (np.array([value], dtype=np.float32) for value in (11.0, 2.0, 3.0))
    assert body.level(x, y, z)[0] == pytest.approx(1.0)
