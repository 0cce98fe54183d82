"""What the three shapes of shutters leave open."""

from __future__ import annotations

from pydicom.dataset import Dataset

from openmodality.imaging.shutter import (
    CircularShutter,
    PolygonalShutter,
    RectangularShutter,
    read_shutters,
)


def shutters(**values: object) -> Dataset:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


def test_edges_of_a_rectangle_are_seen() -> None:
    data_set = shutters(
        ShutterShape="RECTANGULAR", ShutterLeftVerticalEdge=2, ShutterRightVerticalEdge=3,
        ShutterUpperHorizontalEdge=1, ShutterLowerHorizontalEdge=2,
    )  # fmt: skip
    (shutter,) = read_shutters(data_set)
    assert shutter == RectangularShutter(2, 3, 1, 2)
    assert shutter.open_pixels((3, 4)).astype(int).tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_a_circle_counts_rows_by_the_aspect_of_a_pixel() -> None:
    round_ = CircularShutter((3, 3), 1).open_pixels((5, 5))
    assert round_.astype(int).sum() == 5
    flat = CircularShutter((3, 3), 2, aspect=2.0).open_pixels((5, 5))
    assert (flat[2].sum(), flat[:, 2].sum()) == (5, 3)


def test_a_polygon_holds_its_vertices() -> None:
    data_set = shutters(ShutterShape=["POLYGONAL"], VerticesOfThePolygonalShutter=[1, 1, 1, 4, 4, 4, 4, 1])
    (shutter,) = read_shutters(data_set)
    assert isinstance(shutter, PolygonalShutter)
    seen = shutter.open_pixels((6, 6))
    assert seen[:4, :4].all()
    assert seen.sum() == 16


def test_a_shutter_that_lacks_a_value_is_left_out() -> None:
    data_set = shutters(ShutterShape=["CIRCULAR", "RECTANGULAR"], CenterOfCircularShutter=[3, 3])
    assert read_shutters(data_set) == ()
    assert read_shutters(Dataset()) == ()
