"""Path lengths through solid shapes against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openmodality.acquisition.xray_shapes import Beam, Body, draw_curve, make_tube


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


def test_a_cylinder_ends_at_its_caps() -> None:
    beam = Beam(source_to_detector_mm=1e5, source_to_isocenter_mm=9e4, pixel_mm=1.0, matrix=101)
    out = np.zeros((101, 101), dtype=np.float32)
    beam.path_length(Body((0, 0, 0), (15, 20, 10), is_capped=True), out)
    # Rays run nearly parallel: across the cylinder 20 mm, and no less near its end, which lies 22.2 mm from the middle.
    assert out[50, 50] == pytest.approx(20.0, rel=1e-2)
    assert out[50 + 20, 50] == pytest.approx(20.0, rel=1e-2)
    assert out[50 + 24, 50] == 0.0


def test_a_waist_is_narrow_in_the_middle_and_as_wide_as_the_cylinder_at_the_ends() -> None:
    beam = Beam(source_to_detector_mm=1e5, source_to_isocenter_mm=9e4, pixel_mm=0.5, matrix=201)
    out = np.zeros((201, 201), dtype=np.float32)
    beam.path_length(Body((0, 0, 0), (20, 20, 20), is_capped=True, waist=0.36), out)
    assert out[100, 100] == pytest.approx(2 * 20.0 * 0.8, rel=1e-2)
    assert out[100 + 44, 100] == pytest.approx(2 * 20.0, rel=2e-2)


def test_a_tube_is_as_thick_along_its_way_as_in_one_piece() -> None:
    """Slanting from front to back: a ray goes through more of it than across, wherever the pieces meet."""
    beam = Beam(source_to_detector_mm=1e5, source_to_isocenter_mm=9e4, pixel_mm=1.0, matrix=101)
    pieces, whole = (np.zeros((101, 101), dtype=np.float32) for _ in range(2))
    ends = ((-60.0, 0.0, -60.0), (60.0, 0.0, 60.0))
    for body in make_tube(draw_curve(ends, 13), 6.0):
        beam.path_length(body, pieces, at_most_once=True)
    for body in make_tube(ends, 6.0):
        beam.path_length(body, whole, at_most_once=True)
    assert whole[50, 50] == pytest.approx(12 * 2**0.5, rel=1e-2)
    assert np.allclose(pieces[50, 20:80], whole[50, 20:80], rtol=0.06)


def test_a_curve_goes_through_its_points() -> None:
    points = [(0.0, 0.0, 0.0), (10.0, 0.0, 4.0), (20.0, 10.0, 8.0)]
    curve = draw_curve(points, 5)
    assert [curve[0], curve[2], curve[4]] == [pytest.approx(point) for point in points]


def test_the_c_arm_turns_about_the_isocenter() -> None:
    """What lies behind the isocenter goes to the patient's right where the detector turns to the left, and so on."""
    behind = (0.0, 0.0, 50.0)
    straight = Beam(1000.0, 800.0, 1.0, 64)
    assert straight.place(behind) == pytest.approx([0.0, 0.0, 50.0])
    left = replace(straight, primary_angle_deg=30.0)
    assert left.place(behind) == pytest.approx([-25.0, 0.0, 43.301], abs=1e-3)
    head = replace(straight, secondary_angle_deg=30.0)
    assert head.place(behind) == pytest.approx([0.0, 25.0, 43.301], abs=1e-3)
    assert np.linalg.norm(replace(left, secondary_angle_deg=20.0).gantry, axis=1) == pytest.approx([1.0] * 3)


def test_a_turn_by_a_right_angle_shows_the_side() -> None:
    def width(angle: float) -> int:
        beam = Beam(1000.0, 800.0, 1.0, 201, primary_angle_deg=angle)
        out = np.zeros((201, 201), dtype=np.float32)
        beam.path_length(Body((0, 0, 0), (40, 20, 10)), out)
        return int((out[100] > 0).sum())

    assert width(0.0) == pytest.approx(2 * 40 * 1.25, abs=2)
    assert width(90.0) == pytest.approx(2 * 10 * 1.25, abs=2)


def test_a_plate_has_the_outline_of_its_corners() -> None:
    beam = Beam(1000.0, 800.0, 1.0, 101)
    plate = beam.find_plate([(-20, -10, 0), (20, -10, 0), (20, 10, 0), (-20, 10, 0)], 5.0)
    assert plate[50, 50] == pytest.approx(5.0)
    assert (plate > 2.5).sum() == pytest.approx(50 * 25, rel=0.1)
    assert plate[50, 50 + 27] == plate[50 + 15, 50] == 0.0


def test_nothing_is_left_of_a_body_that_is_thinner_than_its_shell() -> None:
    assert Body((0, 0, 0), (5, 5, 1)).shrink(1.0) is None
    inner = Body((0, 0, 0), (5, 6, 7)).shrink(1.0)
    assert inner is not None
    assert inner.half_axes == (4, 5, 6)


def test_coarser_pixels_are_the_same_rays() -> None:
    fine = Beam(1000.0, 800.0, 1.0, 64)
    coarse = fine.make_coarser(2)
    assert (coarse.matrix, coarse.pixel_mm) == (32, 2.0)
    assert coarse.span()[[0, -1]] == pytest.approx([-31.0, 31.0])
