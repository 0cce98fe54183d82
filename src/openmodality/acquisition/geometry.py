"""Slices and ellipsoids in the patient's coordinates (PS3.3 C.7.6.2.1.1): x to the left, y to the back, z to the
head; in mm.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from openmodality.value_class import dataclass

Vector = tuple[float, float, float]
Grid = NDArray[np.float32]
Cutout = tuple[slice, slice]

# (direction along a row, direction along a column) as Image Orientation (Patient) has them.
ORIENTATIONS: dict[str, tuple[Vector, Vector]] = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
}
NORMALS: dict[str, Vector] = {"axial": (0.0, 0.0, 1.0), "sagittal": (1.0, 0.0, 0.0), "coronal": (0.0, 1.0, 0.0)}


def find_axes(orientation: str | Vector) -> tuple[Vector, Vector, Vector]:
    """The directions along a row and along a column, and the normal along which slices are counted."""
    if isinstance(orientation, str):
        return (*ORIENTATIONS[orientation], NORMALS[orientation])
    wanted = np.asarray(orientation, dtype=float) / np.linalg.norm(orientation)
    nearest = max(NORMALS, key=lambda name: abs(float(np.asarray(NORMALS[name]) @ wanted)))
    usual = np.asarray(NORMALS[nearest])
    wanted = wanted * np.sign(usual @ wanted)
    turn = _turn_from(usual, wanted)
    row, column = (turn @ np.asarray(axis) for axis in ORIENTATIONS[nearest])
    return _vector(row), _vector(column), _vector(wanted)


def _turn_from(usual: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest rotation from one unit vector to another, less than a right angle away (Rodrigues)."""
    x, y, z = np.cross(usual, wanted)
    cross = np.asarray([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1.0 + usual @ wanted))


def _vector(values: NDArray[np.float64]) -> Vector:
    x, y, z = (float(each) for each in values)
    return x, y, z


@dataclass(frozen=True, slots=True)
class Plane:
    """A grid of points: ``origin`` is the centre of the first pixel, ``along_row`` points to the next column."""

    origin: Vector
    along_row: Vector
    along_column: Vector
    spacing_mm: float
    rows: int
    columns: int

    @classmethod
    def make_square(
        cls, centre: Vector, orientation: str | Vector, *, field_of_view_mm: float, matrix: int, offset_mm: float = 0.0
    ) -> Plane:
        """A square slice around ``centre``, moved along its normal by ``offset_mm``.

        ``orientation`` is a name, or the normal; its rows and columns lie as those of the named one nearest to it.
        """
        row, column, normal = find_axes(orientation)
        spacing = field_of_view_mm / matrix
        half = (matrix - 1) / 2.0 * spacing
        middle = np.asarray(centre) + offset_mm * np.asarray(normal)
        origin = middle - half * np.asarray(row) - half * np.asarray(column)
        return cls((float(origin[0]), float(origin[1]), float(origin[2])), row, column, spacing, matrix, matrix)

    def finer(self, factor: int) -> Plane:
        """The same area with each pixel cut into ``factor`` by ``factor``."""
        spacing = self.spacing_mm / factor
        shift = (spacing - self.spacing_mm) / 2.0
        origin = self._point(shift, shift)
        return replace(self, origin=origin, spacing_mm=spacing, rows=self.rows * factor, columns=self.columns * factor)

    def coordinates(self, cutout: Cutout) -> tuple[Grid, Grid, Grid]:
        """x, y and z of the points in ``cutout``, each as something that broadcasts to the shape of the cutout.

        What is the same in each row or column, as in planes along the axes, is there once.
        """
        v = (np.arange(cutout[0].start, cutout[0].stop, dtype=np.float32) * np.float32(self.spacing_mm))[:, None]
        u = (np.arange(cutout[1].start, cutout[1].stop, dtype=np.float32) * np.float32(self.spacing_mm))[None, :]
        x, y, z = map(partial(_add_steps, u, v), self.origin, self.along_row, self.along_column)
        return x, y, z

    def cutout_around(self, centre: Vector, reach: Vector) -> Cutout | None:
        """The part of the grid that a box of half sizes ``reach`` around ``centre`` can touch; None where it misses."""
        normal = _find_normal(self.along_row, self.along_column)
        offset = np.asarray(centre) - np.asarray(self.origin)
        extent = np.asarray(reach)
        if abs(float(offset @ normal)) > float(np.abs(normal) @ extent):
            return None
        rows = self._span(float(offset @ self.along_column), float(np.abs(self.along_column) @ extent), self.rows)
        columns = self._span(float(offset @ self.along_row), float(np.abs(self.along_row) @ extent), self.columns)
        return (rows, columns) if rows.stop > rows.start and columns.stop > columns.start else None

    def attributes(self, slice_thickness_mm: float) -> Dataset:
        """Image Plane Module (PS3.3 C.7.6.2)."""
        data_set = Dataset()
        data_set.ImagePositionPatient = [_ds(value) for value in self.origin]
        data_set.ImageOrientationPatient = [_ds(value) for value in (*self.along_row, *self.along_column)]
        data_set.PixelSpacing = [_ds(self.spacing_mm), _ds(self.spacing_mm)]
        data_set.SliceThickness = _ds(slice_thickness_mm)
        normal = _find_normal(self.along_row, self.along_column)
        data_set.SliceLocation = _ds(float(normal @ np.asarray(self.origin)))
        return data_set

    def _point(self, right_mm: float, down_mm: float) -> Vector:
        point = (
            np.asarray(self.origin) + right_mm * np.asarray(self.along_row) + down_mm * np.asarray(self.along_column)
        )
        return float(point[0]), float(point[1]), float(point[2])

    def _span(self, middle_mm: float, half_mm: float, count: int) -> slice:
        first = int(np.floor((middle_mm - half_mm) / self.spacing_mm))
        last = int(np.ceil((middle_mm + half_mm) / self.spacing_mm)) + 1
        return slice(max(first, 0), min(max(last, 0), count))


def _add_steps(u: Grid, v: Grid, start: float, along_row: float, along_column: float) -> Grid:
    place = np.full((1, 1), start, dtype=np.float32)
    if along_row:
        place = place + u * np.float32(along_row)
    if along_column:
        place = place + v * np.float32(along_column)
    return place


@lru_cache(maxsize=256)  # asked for each part of the patient in each slice
def _find_normal(along_row: Vector, along_column: Vector) -> NDArray[np.float64]:
    normal = np.cross(along_row, along_column)
    normal.setflags(write=False)
    return normal


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid; ``tilt_deg`` turns it about the x axis, positive from y (back) towards z (head)."""

    centre: Vector
    half_axes: Vector
    tilt_deg: float = 0.0

    @property
    def reach(self) -> Vector:
        """Half sizes of the upright box that holds it."""
        a, b, c = self.half_axes
        sine, cosine = np.sin(np.deg2rad(self.tilt_deg)), np.cos(np.deg2rad(self.tilt_deg))
        return a, float(np.hypot(b * cosine, c * sine)), float(np.hypot(b * sine, c * cosine))

    def level(self, x: Grid, y: Grid, z: Grid) -> Grid:
        """The squared relative distance of points from the centre: 1 on the surface, less inside."""
        a, b, c = (np.float32(value) for value in self.half_axes)
        dx, dy, dz = (values - np.float32(o) for values, o in zip((x, y, z), self.centre, strict=True))
        if self.tilt_deg:
            angle = np.deg2rad(self.tilt_deg)
            sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
            dy, dz = dy * cosine + dz * sine, dz * cosine - dy * sine
        return np.asarray((dx / a) ** 2 + (dy / b) ** 2 + (dz / c) ** 2, dtype=np.float32)


def _ds(value: float) -> str:
    return format_number_as_ds(round(value, 6) + 0.0)
