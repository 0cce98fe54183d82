"""Lines that show on one image where other slices cut it (PS3.3 C.7.6.2.1.1: position and orientation of the plane)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from openmodality.imaging.film.annotation import Point
from openmodality.value_class import dataclass

_PARALLEL = 0.1
"""Sine of the angle under which planes count as parallel and no line is drawn."""

_Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """``corner`` is the centre of the first pixel; ``along_row`` and ``along_column`` are mm from pixel to pixel."""

    corner: _Vector
    along_row: _Vector
    along_column: _Vector
    rows: int
    columns: int

    @property
    def normal(self) -> _Vector:
        across = np.cross(self.along_row, self.along_column)
        return np.asarray(across / np.linalg.norm(across))

    @property
    def corners(self) -> tuple[_Vector, ...]:
        right, down = self.along_row * (self.columns - 1), self.along_column * (self.rows - 1)
        return self.corner, self.corner + right, self.corner + right + down, self.corner + down


def find_localiser_lines(
    data_set: Dataset, others: Iterable[Dataset], scale: tuple[float, float], offset: tuple[float, float]
) -> tuple[tuple[Point, Point], ...]:
    """Where the slices of ``others`` cut an image, in columns and rows of the picture.

    ``scale`` is pixels of the picture for a column and a row of the image, ``offset`` where the image begins in it.
    Slices of another frame of reference, parallel ones and those beside the image have no line.
    """
    own = _read_plane(data_set)
    if own is None:
        return ()
    lines = []
    for other in others:
        plane = _read_plane(other) if other.get("FrameOfReferenceUID") == data_set.get("FrameOfReferenceUID") else None
        line = _cut(own, plane) if plane else None
        if line is not None:
            start, end = (((x + 0.5) * scale[0] + offset[0], (y + 0.5) * scale[1] + offset[1]) for x, y in line)
            lines.append((start, end))
    return tuple(lines)


def _cut(own: _Plane, other: _Plane) -> tuple[Point, Point] | None:
    """The part of the rectangle ``other`` that lies in the plane of ``own``, in columns and rows of ``own``."""
    if np.linalg.norm(np.cross(own.normal, other.normal)) < _PARALLEL:
        return None
    heights = [float(np.dot(corner - own.corner, own.normal)) for corner in other.corners]
    points = []
    for index, (corner, height) in enumerate(zip(other.corners, heights, strict=True)):
        following, next_height = other.corners[(index + 1) % 4], heights[(index + 1) % 4]
        if (height < 0) != (next_height < 0):
            points.append(corner + (following - corner) * (height / (height - next_height)))
    if len(points) != 2:
        return None
    first, second = (_as_pixel(own, point) for point in points)
    return first, second


def _as_pixel(plane: _Plane, point: _Vector) -> Point:
    away = point - plane.corner
    return (
        float(np.dot(away, plane.along_row) / np.dot(plane.along_row, plane.along_row)),
        float(np.dot(away, plane.along_column) / np.dot(plane.along_column, plane.along_column)),
    )


def _read_plane(data_set: Dataset) -> _Plane | None:
    position, cosines, spacing = (
        [float(value) for value in data_set.get(keyword) or []]
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    )
    rows, columns = int(data_set.get("Rows") or 0), int(data_set.get("Columns") or 0)
    if (len(position), len(cosines), len(spacing)) != (3, 6, 2) or not rows or not columns:
        return None
    along_row, along_column = np.array(cosines[:3]) * spacing[1], np.array(cosines[3:]) * spacing[0]
    if not np.linalg.norm(np.cross(along_row, along_column)):
        return None
    return _Plane(np.array(position), along_row, along_column, rows, columns)
