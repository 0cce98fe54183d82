"""Path lengths through the digital trunk against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.xray_phantom import Beam, Body


def test_path_through_the_middle_of_an_ellipsoid_is_its_depth() -> None:
    beam = Beam(source_to_detector_mm=1000.0, source_to_isocenter_mm=800.0, pixel_mm=1.0, matrix=101)
    out = np.zeros((101, 101), dtype=np.float32)
    beam.path_length(Body((0, 0, 0), (20, 10, 30)), out)
    assert out[50, 50] == pytest.approx(60.0, rel=1e-4)
    # The shadow is the body enlarged by 1000/800: 25 wide, 12.5 high.
    assert out[50, 50 + 24] > 0.0
    assert out[50, 50 + 27] == out[50 + 14, 50] == 0.0


def test_path_of_an_oblique_ray() -> None:
    """The chord of a sphere is 2 sqrt(r2 - d2), d the distance of its centre from the ray."""
    beam = Beam(source_to_detector_mm=1000.0, source_to_isocenter_mm=800.0, pixel_mm=1.0, matrix=401)
    out = np.zeros((401, 401), dtype=np.float32)
    beam.path_length(Body((100, 0, 0), (40, 40, 40)), out)
    direction = np.array([130.0, 0.0, 1000.0]) / np.hypot(130.0, 1000.0)
    to_centre = np.array([100.0, 0.0, 800.0])
    distance = np.linalg.norm(np.cross(to_centre, direction))
    assert out[200, 200 + 130] == pytest.approx(2 * np.sqrt(40.0**2 - distance**2), rel=1e-3)


def test_a_turned_ellipsoid() -> None:
    beam = Beam(source_to_detector_mm=1000.0, source_to_isocenter_mm=800.0, pixel_mm=1.0, matrix=201)
    out, straight = np.zeros((201, 201), dtype=np.float32), np.zeros((201, 201), dtype=np.float32)
    beam.path_length(Body((0, 0, 0), (40, 10, 10), turn_deg=90.0), out)
    beam.path_length(Body((0, 0, 0), (10, 40, 10)), straight)
    assert np.allclose(out, straight, atol=0.05)


def test_overlapping_parts_count_once_where_asked() -> None:
    beam = Beam(source_to_detector_mm=1000.0, source_to_isocenter_mm=800.0, pixel_mm=1.0, matrix=51)
    out = np.zeros((51, 51), dtype=np.float32)
    for depth in (10, 30, 20):
        beam.path_length(Body((0, 0, 0), (10, 10, depth)), out, at_most_once=True)
    assert out[25, 25] == pytest.approx(60.0, rel=1e-4)


def test_a_body_outside_the_field_throws_no_shadow() -> None:
    beam = Beam(source_to_detector_mm=1000.0, source_to_isocenter_mm=800.0, pixel_mm=1.0, matrix=51)
    out = np.zeros((51, 51), dtype=np.float32)
    beam.path_length(Body((500, 0, 0), (10, 10, 10)), out)
    assert not out.any()
