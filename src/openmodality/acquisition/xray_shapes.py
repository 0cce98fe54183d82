"""Solid shapes in an X-ray beam, and how much of each ray lies in them, worked out exactly.

Coordinates in mm: x to the patient's left, y to the feet, z to the back; the tube is in front of the patient. The
gantry turns about the isocenter: its own z runs along the central ray, away from the tube.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from openmodality.acquisition.geometry import Vector
from openmodality.value_class import dataclass

Lengths = NDArray[np.float32]
AxisMatrix = NDArray[np.float64]
PixelSpan = tuple[slice, slice]

_FINER = 2  # outlines of plates are drawn on a grid that much finer
_PARALLEL = 1e-9
_OVERLAP = 1.0  # of the radius of a tube


@dataclass(frozen=True, slots=True)
class Body:
    """An ellipsoid, or with ``is_capped`` a cylinder along its second axis, cut off at its ends.

    ``turn_deg`` turns it in the plane of x and y; ``along`` lays its second axis along a direction instead.
    ``waist`` is how much the square of the radius of a cylinder is less in its middle: a vertebra has one.
    """

    centre: Vector
    half_axes: Vector
    turn_deg: float = 0.0
    along: Vector | None = None
    is_capped: bool = False
    waist: float = 0.0

    def shrink(self, by_mm: float) -> Body | None:
        """The body without a shell of this thickness; None where nothing is left. The pieces of a tube stay open."""
        a, b, c = (axis - by_mm for axis in self.half_axes)
        b = b if self.along is None else self.half_axes[1]
        if min(a, b, c) <= 0.0:
            return None
        return Body(self.centre, (a, b, c), self.turn_deg, self.along, self.is_capped, self.waist)

    def find_axes(self) -> AxisMatrix:
        """Its axes in the patient's coordinates, as columns."""
        return _turn(self.turn_deg) if self.along is None else _lay_along(self.along)


@lru_cache(maxsize=4096)
def _turn(degrees: float) -> AxisMatrix:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


@lru_cache(maxsize=4096)
def _lay_along(direction: Vector) -> AxisMatrix:
    second = np.asarray(direction, dtype=np.float64)
    second /= np.linalg.norm(second)
    helper = np.array([0.0, 0.0, 1.0]) if abs(second[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    first = np.cross(second, helper)
    first /= np.linalg.norm(first)
    return np.column_stack([first, second, np.cross(first, second)])


@dataclass(frozen=True)
class Beam:
    """Focal spot and detector: a square of ``matrix`` pixels, ``pixel_mm`` wide, whose middle the central ray meets.

    The central ray goes through ``centre`` (x, y) in the plane of the isocenter. A positive ``primary_angle_deg`` turns
    the detector to the patient's left, a positive ``secondary_angle_deg`` to the head.
    """

    source_to_detector_mm: float
    source_to_isocenter_mm: float
    pixel_mm: float
    matrix: int
    centre: tuple[float, float] = (0.0, 0.0)
    primary_angle_deg: float = 0.0
    secondary_angle_deg: float = 0.0

    @cached_property
    def gantry(self) -> AxisMatrix:
        """The axes of the gantry as rows: along a row of the detector, along a column, along the central ray."""
        primary, secondary = radians(self.primary_angle_deg), radians(self.secondary_angle_deg)
        ray = np.array([sin(primary) * cos(secondary), -sin(secondary), cos(primary) * cos(secondary)])
        row = np.array([cos(primary), 0.0, -sin(primary)])
        return np.stack([row, np.cross(ray, row), ray])

    @property
    def magnification(self) -> float:
        """How much larger than in the plane of the isocenter a shadow is."""
        return self.source_to_detector_mm / self.source_to_isocenter_mm

    def make_coarser(self, factor: int) -> Beam:
        """The same rays on pixels that are larger by ``factor``."""
        return replace(self, matrix=self.matrix // factor, pixel_mm=self.pixel_mm * factor)

    def span(self, pixels: slice = slice(None)) -> Lengths:
        """Where pixels of a row or column lie on the detector, from its middle, in mm."""
        places = np.arange(self.matrix, dtype=np.float32)[pixels]
        return (places - np.float32((self.matrix - 1) / 2.0)) * np.float32(self.pixel_mm)

    def find_ray_lengths(self) -> Lengths:
        """From the focal spot to each pixel, in mm."""
        u, v = self.span()[None, :], self.span()[:, None]
        return np.sqrt(u * u + v * v + np.float32(self.source_to_detector_mm**2), dtype=np.float32)

    def place(self, point: Vector) -> AxisMatrix:
        """A point of the patient in the coordinates of the gantry."""
        return np.asarray(self.gantry @ (np.asarray(point, dtype=np.float64) - np.array([*self.centre, 0.0])))

    def path_length(self, body: Body, out: Lengths, *, at_most_once: bool = False) -> PixelSpan | None:
        """Add to ``out`` how many mm of each ray lie inside ``body``; with ``at_most_once`` keep the greater of the
        two. Returns the rows and columns that it may have changed.
        """
        middle = self.place(body.centre)
        window = self._find_shadow(middle, body)
        if window is None:
            return None
        u, v = self.span(window[1])[None, :], self.span(window[0])[:, None]
        scaled = (self.gantry @ body.find_axes()) / np.asarray(body.half_axes)
        near = (self.source_to_isocenter_mm + float(middle[2])) / self.source_to_detector_mm
        beside = scaled.T @ np.array([-middle[0], -middle[1], 0.0])
        d = [_mix(scaled[:, axis], u, v, self.source_to_detector_mm) for axis in range(3)]
        s = [_mix(scaled[:, axis] * near, u, v, 0.0) + np.float32(beside[axis]) for axis in range(3)]
        chord = find_chord(self, Ray(u, v, d, s), body.is_capped, np.float32(body.waist))
        if at_most_once:
            np.maximum(out[window], chord, out=out[window])
        else:
            out[window] += chord
        return window

    def find_plate(self, corners: Sequence[Vector], thickness_mm: float) -> Lengths:
        """How many mm of each ray lie in a thin plate, whose outline is that of ``corners``."""
        side = self.matrix * _FINER
        image = Image.new("L", (side, side))
        pen = ImageDraw.Draw(image)
        pen.polygon([self._find_pixel(self.place(corner)) for corner in corners], fill=255)
        small = np.asarray(image.resize((self.matrix, self.matrix), Image.Resampling.BOX), dtype=np.float32)
        return small * np.float32(thickness_mm / 255.0)

    def _find_pixel(self, point: AxisMatrix) -> tuple[float, float]:
        enlarged = self.source_to_detector_mm / (self.source_to_isocenter_mm + point[2])
        x, y = (float(value * enlarged / self.pixel_mm + self.matrix / 2.0) * _FINER for value in point[:2])
        return x, y

    def _find_shadow(self, middle: AxisMatrix, body: Body) -> PixelSpan | None:
        """Rows and columns that the shadow of ``body`` can touch; None where it touches none."""
        reach = float(np.linalg.norm(body.half_axes)) if body.is_capped else max(body.half_axes)
        reach = min(reach, self.source_to_isocenter_mm + float(middle[2]) - 1.0)
        near = self.source_to_isocenter_mm + float(middle[2]) - reach
        far = self.source_to_isocenter_mm + float(middle[2]) + reach
        spans = []
        for axis in (1, 0):
            edges = [
                (float(middle[axis]) + sign * reach) * self.source_to_detector_mm / distance
                for sign in (-1.0, 1.0) for distance in (near, far)
            ]  # fmt: skip
            half = (self.matrix - 1) / 2.0
            first = max(int(min(edges) / self.pixel_mm + half) - 1, 0)
            last = min(int(max(edges) / self.pixel_mm + half) + 2, self.matrix)
            if first >= last:
                return None
            spans.append(slice(first, last))
        return spans[0], spans[1]


def _mix(axis: AxisMatrix, u: Lengths, v: Lengths, distance: float) -> Lengths:
    return np.asarray(np.float32(axis[0]) * u + np.float32(axis[1]) * v + np.float32(axis[2] * distance))


@dataclass(frozen=True, slots=True)
class Ray:
    """Rays that meet the detector at ``u`` and ``v``, as s + t d in the axes of a body and scaled by them; s lies as
    far away as the middle of the body.
    """

    u: Lengths
    v: Lengths
    d: Sequence[Lengths]
    s: Sequence[Lengths]


def find_chord(beam: Beam, ray: Ray, is_capped: bool, waist: np.float32 | Lengths) -> Lengths:
    """How many mm of rays lie inside a body.

    A ray meets the surface where A t2 + 2 B t + C = 0, and the ends of a cylinder where its second coordinate is 1 or
    -1.
    """
    d, s, u, v = ray.d, ray.s, ray.u, ray.v
    one = np.float32(1.0)
    weight, limit = (-waist, one - waist) if is_capped else (one, one)
    a = np.maximum(d[0] * d[0] + d[2] * d[2] + weight * d[1] * d[1], np.float32(_PARALLEL))
    b = d[0] * s[0] + d[2] * s[2] + weight * d[1] * s[1]
    c = s[0] * s[0] + s[2] * s[2] + weight * s[1] * s[1] - limit
    root = np.sqrt(np.maximum(b * b - a * c, np.float32(0.0)))
    part = _cut_ends(a, b, root, d[1], s[1]) if is_capped else np.float32(2.0) * root / a
    to_pixel = np.sqrt(u * u + v * v + np.float32(beam.source_to_detector_mm**2), dtype=np.float32)
    return np.asarray(part * to_pixel, dtype=np.float32)


def _cut_ends(a: Lengths, b: Lengths, root: Lengths, along: Lengths, start: Lengths) -> Lengths:
    """How much of the ray lies in the cylinder and between its ends."""
    along = np.where(np.abs(along) < _PARALLEL, np.float32(_PARALLEL), along)
    ends = (np.float32(-1.0) - start) / along, (np.float32(1.0) - start) / along
    entry = np.maximum((-b - root) / a, np.minimum(*ends))
    leaving = np.minimum((-b + root) / a, np.maximum(*ends))
    return np.asarray(np.maximum(leaving - entry, np.float32(0.0)) * (root > 0.0), dtype=np.float32)


def make_tube(points: Iterable[Vector], radii: Sequence[float] | float, flat: float = 1.0) -> list[Body]:
    """A tube along ``points``: cylinders with balls at the joints, of which a ray counts the longest piece. Within the
    tube the cylinders reach into each other, so that a slanting ray stays as long as in one piece.

    ``radii`` is one radius, or one for each point; ``flat`` makes it that much thinner from front to back.
    """
    path = [np.asarray(point, dtype=np.float64) for point in points]
    sizes = [radii] * len(path) if isinstance(radii, float) else list(radii)
    bodies = [Body(_to_vector(place), (r, r, r * flat)) for place, r in zip(path, sizes, strict=True)]
    for number in range(len(path) - 1):
        step = path[number + 1] - path[number]
        radius = (sizes[number] + sizes[number + 1]) / 2.0
        reach = _OVERLAP * radius * step / max(float(np.linalg.norm(step)), _PARALLEL)
        start = path[number] - reach * (number > 0)
        end = path[number + 1] + reach * (number < len(path) - 2)
        half = float(np.linalg.norm(end - start)) / 2.0
        if half > 0.0:
            middle = _to_vector((start + end) / 2.0)
            bodies.append(Body(middle, (radius, half, radius * flat), along=_to_vector(step), is_capped=True))
    return bodies


def draw_curve(points: Sequence[Vector], count: int) -> list[Vector]:
    """``count`` points on a smooth curve (Catmull and Rom) through ``points``."""
    known = np.asarray(points, dtype=np.float64)
    padded = np.concatenate([2 * known[:1] - known[1:2], known, 2 * known[-1:] - known[-2:-1]])
    curve = []
    for place in np.linspace(0.0, len(known) - 1.0, count):
        number = min(int(place), len(known) - 2)
        t = place - number
        p0, p1, p2, p3 = padded[number : number + 4]
        point = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
        curve.append(_to_vector(point))
    return curve


def _to_vector(values: AxisMatrix) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
