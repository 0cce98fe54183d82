"""Where slices cut an image."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydicom import Dataset

from openmodality.imaging.film.localiser import find_localiser_lines

AXIAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]


def plane(position: Sequence[float], orientation: Sequence[float], frame: str = "1.2", size: int = 101) -> Dataset:
    data_set = Dataset()
    data_set.ImagePositionPatient, data_set.ImageOrientationPatient = list(position), list(orientation)
    data_set.PixelSpacing, data_set.Rows, data_set.Columns = [1, 1], size, size
    data_set.FrameOfReferenceUID = frame
    return data_set


def lines(*others: Dataset, scale: float = 1.0) -> list[list[tuple[float, float]]]:
    own = plane([0, -50, 50], SAGITTAL)  # columns go to the back, rows to the feet
    found = find_localiser_lines(own, others, (scale, scale), (0.0, 0.0))
    return [sorted(line) for line in found]


def test_an_axial_slice_is_a_line_across_at_its_height() -> None:
    assert lines(plane([-50, -50, 20], AXIAL)) == [[(0.5, 30.5), (100.5, 30.5)]]


def test_lines_follow_the_picture() -> None:
    assert lines(plane([-50, -50, 20], AXIAL), scale=4) == [[(2.0, 122.0), (402.0, 122.0)]]


def test_an_oblique_slice_is_an_oblique_line() -> None:
    ((start, end),) = lines(plane([-50, -40, 40], [1, 0, 0, 0, 0.8, -0.6]))
    assert (end[1] - start[1]) / (end[0] - start[0]) == pytest.approx(0.6 / 0.8)


@pytest.mark.parametrize(
    "other",
    [
        plane([10, -50, 50], SAGITTAL),  # parallel
        plane([10, -50, 20], AXIAL),  # beside it
        plane([-50, -50, 20], AXIAL, frame="1.3"),  # of another frame of reference
        plane([-50, -50, 20], [1, 0, 0, 1, 0, 0]),  # no plane
        Dataset(),
    ],
)
def test_what_does_not_cut_the_image_has_no_line(other: Dataset) -> None:
    assert lines(other) == []
