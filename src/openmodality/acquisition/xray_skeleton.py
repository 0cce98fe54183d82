"""The bones of the digital trunk: spine, ribs, sacrum, pelvis and hips, with a compact shell around spongy bone.

Coordinates as in ``xray_shapes``. Sizes are those of an adult.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from math import cos, pi, sin
from typing import Final

import numpy as np

from openmodality.acquisition.geometry import Vector
from openmodality.acquisition.xray_bodies import Bodies, keep_longest
from openmodality.acquisition.xray_shapes import Beam, Body, Lengths, draw_curve, make_tube
from openmodality.acquisition.xray_texture import blur
from openmodality.value_class import dataclass

LUMBAR_STEP, THORACIC_STEP = 34.0, 24.5
FIRST_LUMBAR = 102.0
"""Where the first lumbar vertebra lies; the others follow downwards, the thoracic ones upwards."""
_SIDES: Final = (-1.0, 1.0)
_SOFT_EDGE_MM: Final = 0.35
_PIXELS_AT_ONCE: Final = 1 << 20
"""So many pixels, about, have the layers of the bones that are projected together."""


@dataclass(frozen=True, slots=True)
class Bones:
    """A bone made of bodies, of which a ray counts the longest piece, and what lies within its shell."""

    bodies: tuple[Body, ...]
    marrow: tuple[Body | None, ...]

    @classmethod
    def make(cls, bodies: Iterable[Body], shell_mm: float) -> Bones:
        """A bone with a shell of compact bone."""
        made = tuple(bodies)
        return cls(made, tuple(body.shrink(shell_mm) for body in made))


@dataclass(frozen=True, slots=True)
class Skeleton:
    """How many mm of each ray lie in spongy and in compact bone."""

    spongy: Lengths
    compact: Lengths


def project_skeleton(beam: Beam) -> Skeleton:
    """The shadow of all bones."""
    spongy, compact = (np.zeros((beam.matrix, beam.matrix), dtype=np.float32) for _ in range(2))
    at_once = max(_PIXELS_AT_ONCE // beam.matrix**2, 1)
    layers = np.zeros((2 * at_once, beam.matrix, beam.matrix), dtype=np.float32)
    for bodies in _put_together(at_once):
        region = keep_longest(beam, bodies, layers)
        if region is None:
            continue
        for outer, inner in zip(layers[::2], layers[1::2], strict=True):
            spongy[region] += inner[region]
            compact[region] += np.maximum(outer[region] - inner[region], 0.0)
        layers[:, *region] = 0.0
    for side in _SIDES:
        wing = blur(beam.find_plate([_mirror(corner, side) for corner in _WING], 8.0), 3.0 / beam.pixel_mm)
        spongy += wing
        compact += wing * np.float32(0.22)
    holes = np.zeros_like(spongy)
    for hole in _list_foramina():
        beam.path_length(hole, holes)
    spongy -= np.minimum(spongy, holes)
    return Skeleton(*(blur(layer, _SOFT_EDGE_MM / beam.pixel_mm) for layer in (spongy, compact)))


@cache
def _put_together(count: int) -> tuple[Bodies, ...]:
    """The bones, so many at once: a layer for each, and one for what lies within its shell."""
    shells = [(bone.bodies, tuple(body for body in bone.marrow if body is not None)) for bone in list_bones()]
    parts = (shells[first : first + count] for first in range(0, len(shells), count))
    return tuple(Bodies.make_layers(layer for shell in part for layer in shell) for part in parts)


@cache
def list_bones() -> tuple[Bones, ...]:
    """Spine, sacrum, pelvis, hips and ribs."""
    bones = [Bones.make(_make_sacrum(), 0.8)]
    for number in range(-11, 6):
        bones += [Bones.make(_make_vertebra(number), 0.8), Bones.make(_make_arch(number), 0.9)]
    for side in _SIDES:
        bones += [Bones.make(_make_hip_bone(side), 1.1), Bones.make(_make_femur(side), 1.3)]
        bones += [Bones.make(_make_rib(pair, side), 0.8) for pair in range(1, 13)]
    return tuple(bones)


def find_level(number: int) -> float:
    """Where a vertebra lies: 1 to 5 are the lumbar ones, 0 to -11 the thoracic ones from the lowest."""
    step = LUMBAR_STEP if number > 0 else THORACIC_STEP
    return FIRST_LUMBAR + step * (number - 1) - (0.0 if number > 0 else (LUMBAR_STEP - THORACIC_STEP) / 2.0)


def _find_size(number: int) -> tuple[float, float]:
    """Half the width and half the height of the body of a vertebra."""
    if number > 0:
        return 21.5 + 1.1 * number, 12.6
    return 20.5 + 0.65 * number, 9.4


def _find_depth(number: int) -> float:
    """How far behind the isocenter the body of a vertebra lies: lordosis of the loins, kyphosis of the chest."""
    return 34.0 - 8.0 * sin(pi * (number + 0.5) / 6.0) if number > -1 else 38.0 + 8.0 * sin(-pi * number / 11.0)


def _make_vertebra(number: int) -> Iterator[Body]:
    y, (width, height), z = find_level(number), _find_size(number), _find_depth(number)
    yield Body((0, y, z), (width, height, width * 0.7), is_capped=True, waist=0.24)
    for end in _SIDES:  # the lips of the end plates
        yield Body((0, y + end * (height - 1.2), z), (width + 0.9, 1.5, width * 0.6))


def _make_arch(number: int) -> Iterator[Body]:
    y, (width, height), z = find_level(number), _find_size(number), _find_depth(number)
    scale = width / 24.0
    for side in _SIDES:
        yield Body((side * width * 0.66, y - 3.5 * scale, z + 22), (4.2 * scale, 6.4 * scale, 7.5), side * 12.0)
        yield from make_tube([(side * 3, y + 8, z + 40), (side * width * 0.72, y + 1, z + 30)], [4.2, 4.6], 0.6)
        yield Body((side * width * 0.72, y - height * 0.85, z + 32), (4.4, 7.5, 4.5), side * -8.0)
        yield Body((side * width * 0.66, y + height * 0.9, z + 32), (4.2, 8.0, 4.5), side * 8.0)
        reach = (20.0 + (2.5, 5.0, 9.0, 4.0, 0.0)[number - 1]) if number > 0 else 9.0
        root, tip = (side * width * 0.85, y - 2.0, z + 24), (side * (width + reach), y - 5.0, z + 30)
        yield from make_tube(draw_curve([root, tip], 3), [4.0 * scale, 3.0 * scale, 3.4 * scale], 0.6)
    spine = [(0.0, y + 6.0, z + 42), (0.0, y + height * 1.05, z + 56)]
    yield from make_tube(spine, [3.0, 4.2 if number > 0 else 3.0])


# Half the width of the bodies of the sacrum, and where they lie: y, z.
_SACRUM: Final = ((26, 262, 42), (22, 283, 56), (18, 302, 66), (15, 319, 70), (12, 334, 68))


def _make_sacrum() -> Iterator[Body]:
    for number, (width, y, z) in enumerate(_SACRUM):
        yield Body((0, y, z), (width, 10.4 - 0.8 * number, 13.0 - number), is_capped=True, waist=0.15)
    for side in _SIDES:
        mass = [
            (side * x, y, z) for x, y, z in ((32, 262, 46), (38, 276, 56), (33, 296, 66), (24, 316, 72), (13, 336, 68))
        ]
        yield from make_tube(draw_curve(mass, 14), list(np.linspace(19.0, 6.5, 14)), 0.55)
        yield Body((side * 44, 264, 44), (13.0, 11.0, 10.0), side * 24.0)
    yield from make_tube([(0, 258, 72), (0, 320, 88)], [4.0, 3.0])
    yield from make_tube(draw_curve([(0, 342, 66), (0, 362, 58), (0, 376, 46)], 5), [8.0, 7.0, 5.5, 4.5, 3.0], 0.6)


def _list_foramina() -> Iterator[Body]:
    for number, (width, y, z) in enumerate(_SACRUM[:4]):
        for side in _SIDES:
            yield Body(
                (side * (width + 1.5), y + 11, z + 2), (5.2 - 0.6 * number, 4.6 - 0.5 * number, 9.0), side * 20.0
            )


# The right side has x < 0; corners of the thin wing of the ilium for x > 0.
_WING: Final[tuple[Vector, ...]] = (
    (52, 262, 62), (58, 236, 52), (76, 216, 38), (98, 208, 18), (118, 217, -6), (130, 236, -26), (132, 256, -36),
    (122, 280, -32), (112, 306, -16), (104, 322, 0), (86, 330, 6), (70, 322, 14), (60, 302, 34), (54, 284, 52),
)  # fmt: skip
_CREST: Final[tuple[Vector, ...]] = (
    (50, 258, 70), (58, 232, 58), (76, 213, 40), (98, 205, 18), (119, 214, -8), (132, 236, -30), (131, 260, -40),
)  # fmt: skip
_BRIM: Final[tuple[Vector, ...]] = ((56, 280, 56), (62, 304, 36), (67, 326, 14), (62, 346, -8), (44, 358, -28))
_HIP: Final[Vector] = (91, 346, -2)


def _make_hip_bone(side: float) -> Iterator[Body]:
    def mirror(points: Iterable[Vector]) -> list[Vector]:
        return [_mirror(point, side) for point in points]

    yield from make_tube(draw_curve(mirror(_CREST), 24), 3.6)
    front = draw_curve(mirror([(131, 260, -40), (122, 284, -34), (113, 304, -20), (108, 322, -8)]), 12)
    yield from make_tube(front, list(np.linspace(3.8, 6.0, 12)))
    yield from make_tube(draw_curve(mirror(_BRIM), 10), 4.6)
    yield from make_tube(draw_curve(mirror([(52, 258, 66), (57, 280, 62), (66, 306, 38)]), 12), 5.5)  # at the sacrum
    roof = [(116, 330, -4), (108, 320, 0), (94, 315, 4), (78, 320, 6), (67, 333, 4), (64, 350, 2), (70, 366, 4)]
    yield from make_tube(draw_curve(mirror(roof), 22), 4.6)
    upper = draw_curve(mirror([(66, 345, -6), (44, 357, -26), (22, 362, -36), (9, 368, -40)]), 14)
    yield from make_tube(upper, [7.4 + 3.6 * (1.0 - number / 6.0) ** 2 if number < 6 else 7.4 for number in range(14)])
    yield from make_tube(mirror([(9, 366, -40), (10, 382, -38), (12, 392, -34)]), [8.8, 8.2, 7.0])
    yield from make_tube(draw_curve(mirror([(12, 391, -34), (26, 404, -14), (46, 420, 14)]), 12), 7.2)
    ischium = [(76, 362, 14), (70, 384, 26), (62, 404, 28), (52, 420, 22)]
    yield from make_tube(draw_curve(mirror(ischium), 14), list(np.linspace(12.5, 12.0, 14)))
    yield from make_tube(mirror([(70, 356, 24), (58, 352, 40)]), [6.0, 3.0])  # its spine


def _make_femur(side: float) -> Iterator[Body]:
    yield Body(_mirror(_HIP, side), (23.0, 23.0, 23.0))
    neck = [_HIP, (108, 360, 0), (124, 374, 4)]
    widths = [17.0 - 2.6 * sin(pi * number / 11.0) for number in range(12)]
    yield from make_tube(draw_curve([_mirror(point, side) for point in neck], 12), widths, 0.85)
    yield Body(_mirror((131, 368, 10), side), (14.0, 19.0, 15.0), side * -14.0)
    yield Body(_mirror((110, 404, 16), side), (9.0, 11.0, 9.0))
    shaft = [(124, 378, 4), (123, 410, 2), (120, 470, 0)]
    yield from make_tube(draw_curve([_mirror(point, side) for point in shaft], 8), list(np.linspace(17.0, 14.0, 8)))


def _make_rib(pair: int, side: float) -> list[Body]:
    """A rib as far as it is bone: back, side and front, where it runs down more steeply."""
    y0 = find_level(pair - 12) - 7.0
    width = 62.0 + 76.0 * sin(pi * min(pair + 1.5, 9.5) / 19.0)
    front = 74.0 + 16.0 * sin(pi * min(pair, 9) / 12.0)
    reach = (0.66, 0.68, 0.70, 0.71, 0.72, 0.72, 0.70, 0.65, 0.57, 0.49, 0.40, 0.27)[pair - 1]
    drop = 34.0 + 7.0 * min(pair, 9)
    points: list[Vector] = []
    for angle in (0.03 + (pi * reach - 0.03) * number / 14.0 for number in range(15)):
        x = 15.0 + (width - 15.0) * sin(angle) ** 0.86
        z = 54.0 - (54.0 + front) * (1.0 - cos(angle)) / 2.0 + 22.0 * sin(angle)
        y = y0 + drop * (1.0 - cos(angle)) / 1.6 + (26.0 if pair > 9 else 9.0) * angle
        points.append((side * x, y, z))
    return make_tube(points, [4.6 + 1.2 * sin(pi * number / 14.0) for number in range(15)], 0.62)


def _mirror(point: Vector, side: float) -> Vector:
    return side * point[0], point[1], point[2]
