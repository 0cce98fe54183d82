"""A digital trunk for projection: ellipsoids with exact path lengths, a skeleton, lungs, and a stomach that fills with
barium.

Coordinates in mm: x to the patient's left, y to the feet, z away from the tube; the origin lies at the isocenter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.geometry import Vector
from openmodality.acquisition.xray_physics import (
    BARIUM_SUSPENSION,
    CORTICAL_BONE,
    LUNG,
    SOFT_TISSUE,
    SPONGIOUS_BONE,
    Material,
)  # fmt: skip

Lengths = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Body:
    """An ellipsoid; ``turn_deg`` turns it in the plane of the detector."""

    centre: Vector
    half_axes: Vector
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Beam:
    """Focal spot and detector: a square of ``matrix`` pixels, ``pixel_mm`` wide, centred on the central ray at
    ``centre`` (x, y).
    """

    source_to_detector_mm: float
    source_to_isocenter_mm: float
    pixel_mm: float
    matrix: int
    centre: tuple[float, float] = (0.0, 0.0)

    def path_length(self, body: Body, out: Lengths, *, at_most_once: bool = False) -> None:
        """Add to ``out`` how many mm of each ray lie inside ``body``; with ``at_most_once`` keep the greater of the
        two.

        A ray is s + t d. Scaled by the half axes the ellipsoid is a unit sphere, and the ray meets it where
        |s|2 + 2 t (s.d) + t2 |d|2 = 1; the length inside is 2 sqrt((s.d)2 - |d|2 (|s|2 - 1)) / |d|2 times the unscaled
        |d|.
        """
        window = self._shadow(body)
        if window is None:
            return
        half = (self.matrix - 1) / 2.0
        u = ((np.arange(window[1].start, window[1].stop, dtype=np.float32) - half) * self.pixel_mm)[None, :]
        v = ((np.arange(window[0].start, window[0].stop, dtype=np.float32) - half) * self.pixel_mm)[:, None]
        a, b, c = body.half_axes
        angle = body.turn_deg * pi / 180.0
        sx, sy = self.centre[0] - body.centre[0], self.centre[1] - body.centre[1]
        p0, q0 = _rotate(sx, sy, angle)
        source = (p0 / a, q0 / b, (-self.source_to_isocenter_mm - body.centre[2]) / c)
        du = ((u * cos(angle) + v * sin(angle)) / a).astype(np.float32)
        dv = ((v * cos(angle) - u * sin(angle)) / b).astype(np.float32)
        dw = self.source_to_detector_mm / c
        square = du * du + dv * dv + np.float32(dw * dw)
        middle = du * np.float32(source[0]) + dv * np.float32(source[1]) + np.float32(source[2] * dw)
        inside = middle * middle - square * np.float32(sum(value * value for value in source) - 1.0)
        np.maximum(inside, np.float32(0.0), out=inside)
        length = np.sqrt(u * u + v * v + np.float32(self.source_to_detector_mm**2), dtype=np.float32)
        chord = np.float32(2.0) * np.sqrt(inside) / square * length
        if at_most_once:
            np.maximum(out[window], chord, out=out[window])
        else:
            out[window] += chord

    def _shadow(self, body: Body) -> tuple[slice, slice] | None:
        """Rows and columns that the shadow of ``body`` can touch."""
        reach = max(body.half_axes[:2])
        near = self.source_to_isocenter_mm + body.centre[2] - body.half_axes[2]
        far = self.source_to_isocenter_mm + body.centre[2] + body.half_axes[2]
        if near <= 1.0:
            return slice(0, self.matrix), slice(0, self.matrix)
        spans = []
        for axis in (1, 0):
            offset = body.centre[axis] - self.centre[axis]
            edges = [
                (offset + sign * reach) * self.source_to_detector_mm / distance
                for sign in (-1.0, 1.0) for distance in (near, far)
            ]  # fmt: skip
            half = (self.matrix - 1) / 2.0
            first = max(int(min(edges) / self.pixel_mm + half) - 1, 0)
            last = min(int(max(edges) / self.pixel_mm + half) + 2, self.matrix)
            if first >= last:
                return None
            spans.append(slice(first, last))
        return spans[0], spans[1]


def _rotate(x: float, y: float, angle: float) -> tuple[float, float]:
    return x * cos(angle) + y * sin(angle), y * cos(angle) - x * sin(angle)


TRUNK = (
    Body((0, 40, 0), (172, 430, 108)), Body((0, 330, 0), (178, 150, 104)), Body((-175, -120, 0), (48, 150, 46), 6.0),
    Body((175, -120, 0), (48, 150, 46), -6.0),
)  # fmt: skip
LUNGS = (Body((-78, -150, 0), (62, 138, 84), 4.0), Body((78, -150, 0), (60, 138, 84), -4.0))
ORGANS = (
    Body((26, -95, -26), (62, 58, 46), 30.0),
    Body((-72, 8, -8), (88, 62, 66), -14.0),
    Body((92, 6, 26), (42, 50, 44)),
)
DIAPHRAGM = (Body((-80, -14, 0), (66, 60, 84)), Body((80, -8, 0), (64, 56, 84)))
# Oesophagus, stomach and duodenum as a line that the barium follows: x, y, z, radius.
SWALLOW = (
    (4, -250, 24, 7), (5, -200, 26, 7), (8, -140, 28, 7), (12, -85, 26, 7), (20, -45, 20, 7), (42, -22, 12, 24),
    (56, 8, 4, 33), (56, 48, -6, 32), (46, 84, -14, 29), (22, 110, -18, 26), (-10, 112, -16, 20), (-34, 96, -10, 11),
    (-46, 90, -6, 15), (-64, 104, 2, 10), (-68, 140, 8, 11), (-50, 168, 10, 10), (-14, 160, 10, 10), (20, 148, 6, 10),
)  # fmt: skip
STEPS_PER_SEGMENT = 6
# Gas in the colon: x, y, radius. It lies towards the front.
COLON_GAS = (
    (-94, 196, 21), (-98, 160, 19), (-97, 126, 20), (-92, 92, 22), (-76, 70, 19), (-51, 74, 16), (87, 42, 18),
    (103, 74, 15), (107, 104, 14), (106, 136, 13), (100, 214, 14), (81, 246, 16), (56, 262, 17), (30, 268, 15),
)  # fmt: skip


def skeleton() -> tuple[list[Body], list[Body]]:
    """Spongious and cortical parts of spine, ribs and pelvis."""
    spongious: list[Body] = []
    cortical: list[Body] = []
    for level in range(-11, 8):
        y = 34.0 * level
        width = 19.0 + 0.45 * (level + 11)
        spongious.append(Body((0, y, 34), (width, 14.2, 15)))
        cortical += [
            Body((0, y - 13, 34), (width, 1.3, 5)), Body((0, y + 13, 34), (width, 1.3, 5)),
            Body((-width * 0.62, y - 2, 52), (3.2, 4.8, 4)), Body((width * 0.62, y - 2, 52), (3.2, 4.8, 4)),
            Body((0, y + 10, 66), (2.8, 9, 6)), Body((-width - 9, y - 2, 54), (9, 2.6, 3)),
            Body((width + 9, y - 2, 54), (9, 2.6, 3)),
        ]  # fmt: skip
    return spongious + list(_pelvis()), cortical


def ribs() -> list[Body]:
    """Twelve pairs of ribs as chains of short pieces; they overlap, so a ray counts the longest piece only."""
    pieces: list[Body] = []
    for pair in range(11):
        y0 = -374.0 + 34.0 * pair
        width = 96.0 + 40.0 * sin(pi * min(pair + 2, 9) / 11.0)
        reach = 1.0 if pair < 8 else 0.72 - 0.12 * (pair - 8)
        for step in range(30):
            angle = pi * reach * step / 29.0
            x = 16.0 + (width - 16.0) * sin(angle * 0.94)
            z = 52.0 - 122.0 * (1.0 - cos(angle)) / 2.0 + 14.0 * sin(angle)
            y = y0 + 26.0 * angle - 6.0 * sin(2.0 * angle)
            slope = 20.0 * cos(angle)
            pieces += [Body((side * x, y, z), (11.0, 5.6, 4.6), side * slope) for side in (-1.0, 1.0)]
    return pieces


def _pelvis() -> Iterable[Body]:
    for side in (-1.0, 1.0):
        yield Body((side * 88, 262, 26), (58, 66, 7), side * 22.0)
        yield Body((side * 72, 330, 10), (24, 34, 14), side * -16.0)
        yield Body((side * 108, 352, 0), (24, 24, 23))
        yield Body((side * 150, 392, 0), (20, 58, 20), side * -10.0)
    yield Body((0, 292, 44), (40, 54, 15))


def barium(progress: float, phase: float = 0.0) -> list[Body]:
    """Where the barium is when it went ``progress`` (0 to 1) of its way; ``phase`` moves the waves of the stomach wall.

    Pieces overlap: a ray counts the longest piece only.
    """
    pieces: list[Body] = []
    path = np.asarray(SWALLOW, dtype=np.float64)
    reached = progress * (len(path) - 1)
    for number in range(int(reached * STEPS_PER_SEGMENT) + 1):
        segment = min(number // STEPS_PER_SEGMENT, len(path) - 2)
        part = number / STEPS_PER_SEGMENT - segment
        x, y, z, radius = path[segment] * (1.0 - part) + path[segment + 1] * part
        wave = 1.0 - 0.16 * max(0.0, sin(number * 0.42 - phase)) if radius > 14.0 else 1.0
        if radius < 7.5 and reached - number / STEPS_PER_SEGMENT > 2.5:
            continue  # behind the bolus the oesophagus closes again
        size = radius * wave
        length = size * (1.9 if radius < 7.5 else 1.0)
        pieces.append(Body((x, y, z), (size, length, min(size, 22.0))))
    return pieces


def anatomy(beam: Beam) -> dict[Material, Lengths]:
    """Path lengths through all that does not move. Where a part replaces another its length is taken off the other."""
    soft, lung, bone, compact = (np.zeros((beam.matrix, beam.matrix), dtype=np.float32) for _ in range(4))
    for body in TRUNK:
        beam.path_length(body, soft, at_most_once=True)
    for body in LUNGS:
        beam.path_length(body, lung)
    heart = np.zeros_like(lung)
    for body in (*DIAPHRAGM, ORGANS[0]):
        beam.path_length(body, heart, at_most_once=True)
    lung = np.maximum(lung - heart, 0.0)
    vessels = _vessels(beam)
    lung -= np.minimum(lung, vessels)
    for body in ORGANS[1:]:
        beam.path_length(Body(body.centre, (body.half_axes[0], body.half_axes[1], body.half_axes[2] * 0.12)), soft)
    spongious, cortical = skeleton()
    for body in spongious:
        beam.path_length(body, bone)
    for body in cortical:
        beam.path_length(body, compact)
    rib = np.zeros_like(bone)
    for body in ribs():
        beam.path_length(body, rib, at_most_once=True)
    bone += rib
    gas = np.zeros_like(soft)
    for x, y, radius in COLON_GAS:
        beam.path_length(Body((x, y, -46), (radius, radius * 0.9, radius * 0.9)), gas, at_most_once=True)
    soft -= np.minimum(soft, lung + bone + compact + gas)
    return {SOFT_TISSUE: soft, LUNG: lung, SPONGIOUS_BONE: bone, CORTICAL_BONE: compact}


def contrast(beam: Beam, progress: float, phase: float = 0.0) -> Lengths:
    """Path lengths through the barium."""
    layer = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    for body in barium(progress, phase):
        beam.path_length(body, layer, at_most_once=True)
    return layer


def with_contrast(still: dict[Material, Lengths], layer: Lengths) -> dict[Material, Lengths]:
    """``still`` with soft tissue replaced by barium where there is some."""
    soft = still[SOFT_TISSUE]
    return {**still, SOFT_TISSUE: soft - np.minimum(soft, layer), BARIUM_SUSPENSION: layer}


def _vessels(beam: Beam) -> Lengths:
    """Vessels of the lung: they branch out from the hilum and get thinner."""
    layer = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    for side in (-1.0, 1.0):
        for branch in range(9):
            angle = -1.25 + 0.31 * branch
            for step in range(14):
                distance = 8.0 + 7.5 * step
                bend = angle + 0.10 * sin(branch * 1.7 + step * 0.5)
                x = side * (30.0 + distance * cos(bend) * 0.86)
                y = -150.0 + distance * sin(bend) * 1.25
                size = max(6.2 - 0.34 * step, 1.3) * sqrt(0.7 + 0.1 * (branch % 3))
                beam.path_length(Body((x, y, 8.0 * sin(branch)), (7.0, size, size), side * bend * 57.0), layer)
    return layer
