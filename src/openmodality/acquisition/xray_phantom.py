"""A digital trunk for projection: skin, fat and muscle, organs, lungs, bowel with its gas, bones, and what takes
contrast agent: gullet, stomach and duodenum, aorta and its branches.

Coordinates as in ``xray_shapes``. Where a part replaces another its length is taken off the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from math import cos, pi, sin, sqrt
from typing import Final

import numpy as np

from openmodality.acquisition.geometry import Vector
from openmodality.acquisition.xray_bodies import Bodies, keep_longest
from openmodality.acquisition.xray_physics import (
    CORTICAL_BONE,
    FAT,
    LUNG,
    SOFT_TISSUE,
    SPONGIOUS_BONE,
    Material,
)
from openmodality.acquisition.xray_shapes import Beam, Body, Lengths, draw_curve, make_tube
from openmodality.acquisition.xray_skeleton import project_skeleton
from openmodality.acquisition.xray_texture import blur, enlarge, make_texture

TissueLayers = dict[Material, Lengths]

_SMALL_MATRIX: Final = 128
"""Up to so many pixels layers are kept for the next time: exposure control looks through the same patient again."""
_FINE_MATRIX: Final = 512
"""From so many pixels on, what has no sharp edge is worked out on half of them."""

_SKIN: Final = (
    Body((0, 60, 2), (168, 430, 107)), Body((0, 360, 4), (180, 270, 106)), Body((0, -130, 0), (158, 190, 104)),
)  # fmt: skip
_MUSCLE: Final = (
    Body((0, 60, 2), (151, 415, 92)), Body((0, 362, 6), (160, 250, 88)), Body((0, -130, 0), (147, 180, 95)),
)  # fmt: skip
_CAVITY: Final = Body((0, 110, -10), (137, 225, 78))
_CAVITY_WITHIN: Final = Body((0, 110, -10), (132, 222, 74))
"""The belly, and the same without the fat that surrounds it: the stripe along the flank."""
_LUNGS: Final = (
    Body((-80, -80, 2), (60, 128, 84), 5.0), Body((80, -80, 2), (58, 128, 84), -5.0),
    Body((-84, 30, 36), (52, 62, 46), 4.0), Body((84, 34, 36), (50, 62, 46), -4.0),
)  # fmt: skip
_DIAPHRAGM: Final = (Body((-72, 78, -6), (78, 94, 88), 4.0), Body((74, 92, -6), (74, 94, 86), -4.0))
_HEART: Final = (Body((24, -40, -30), (60, 50, 46), 34.0), Body((6, -95, -10), (26, 60, 30)))
# Organs, and how much more than the fat around them they absorb.
_ORGANS: Final[tuple[tuple[Body, float], ...]] = (
    (Body((-66, 66, -8), (84, 74, 70), -12.0), 0.10),  # liver
    (Body((-96, 118, -14), (38, 52, 46), 14.0), 0.07),
    (Body((104, 46, 24), (30, 46, 36), 18.0), 0.09),  # spleen
    (Body((-62, 128, 34), (27, 55, 24), 14.0), 0.13),  # kidneys
    (Body((62, 116, 34), (27, 56, 24), -14.0), 0.13),
    (Body((0, 344, -26), (46, 30, 36)), 0.09),  # bladder
)
_PSOAS: Final = ((22, 82, 36), (34, 130, 34), (48, 190, 28), (62, 250, 14), (74, 310, -6))
_TRACHEA: Final = (
    ((2, -260, 10), (2, -200, 14), (0, -128, 22)), ((0, -128, 22), (-26, -98, 22), (-42, -84, 20)),
    ((0, -128, 22), (26, -94, 22), (48, -78, 20)),
)  # fmt: skip
# Gas in the bowel: a curve, the radius of the bowel, and how much of it is gas and not stool. It lies in front.
_GAS: Final[tuple[tuple[tuple[Vector, ...], float, float], ...]] = (
    (((-100, 262, -30), (-106, 232, -26), (-106, 202, -20)), 21.0, 0.34),  # caecum
    (((-105, 192, -18), (-106, 158, -10), (-98, 132, -12)), 17.0, 0.40),
    (((-94, 118, -28), (-74, 112, -46), (-52, 124, -56)), 16.0, 0.62),  # hepatic flexure
    (((-26, 136, -62), (8, 142, -64), (34, 134, -62)), 14.0, 0.46),  # transverse
    (((70, 96, -36), (92, 72, -14), (108, 66, 2), (112, 92, 10)), 15.5, 0.72),  # splenic flexure
    (((112, 158, 8), (110, 186, 4)), 10.0, 0.38),  # descending
    (((86, 268, -6), (62, 290, -10), (38, 286, -16)), 12.0, 0.46),  # sigmoid
    (((4, 330, 52), (2, 352, 58)), 16.0, 0.62),  # rectum
    (((-34, 214, -40), (-12, 222, -44), (2, 212, -42)), 8.5, 0.52),  # small bowel
    (((28, 240, -36), (44, 228, -38), (42, 212, -40)), 7.5, 0.46),
)
_AIR_OF_STOMACH: Final = ((66, 22, -22), (52, 34, -34), (34, 56, -44))
# Gullet, stomach and duodenum as a line that the barium follows: x, y, z, radius.
_SWALLOW: Final = (
    (3, -255, 26, 7), (4, -215, 28, 7), (7, -160, 30, 7), (10, -90, 28, 7), (14, -30, 22, 7), (18, 14, 16, 8),
    (42, 26, 14, 22), (62, 48, 6, 31), (64, 82, -4, 31), (56, 116, -14, 28), (36, 142, -18, 24), (6, 150, -18, 18),
    (-20, 140, -12, 10), (-34, 128, -8, 14), (-52, 138, 2, 11), (-58, 170, 8, 11), (-44, 198, 10, 10),
    (-10, 196, 10, 10), (20, 182, 6, 10),
)  # fmt: skip
_IN_STOMACH: Final = 12.5
STEPS_PER_SEGMENT: Final = 10
_GULLET: Final = 5.4
_BOLUS: Final = 2.5
"""How many segments of the line the gullet is, and how many a bolus fills."""
# Aorta and its branches: x, y, z and the radius at the start; each follows when the blood has come that far.
_VESSELS: Final[tuple[tuple[float, tuple[Vector, ...], float], ...]] = (
    (0.0, ((6, -60, 34), (4, 60, 20), (2, 205, 10)), 9.5),
    (0.45, ((4, 92, 18), (-16, 88, 4), (-44, 82, -12), (-78, 66, -18)), 3.4),
    (0.45, ((4, 92, 18), (24, 78, 6), (58, 72, 20), (92, 56, 24)), 3.2),
    (0.5, ((3, 112, 14), (2, 140, -8), (-10, 190, -26), (-40, 226, -30)), 3.0),
    (0.55, ((3, 120, 16), (-30, 124, 24), (-50, 126, 32)), 3.2),
    (0.55, ((4, 118, 16), (34, 114, 24), (52, 114, 32)), 3.2),
    (0.65, ((-50, 126, 32), (-60, 104, 34), (-66, 90, 34)), 1.7),
    (0.65, ((-50, 126, 32), (-64, 138, 34), (-68, 154, 34)), 1.7),
    (0.65, ((52, 114, 32), (62, 96, 34), (68, 80, 34)), 1.7),
    (0.65, ((52, 114, 32), (66, 126, 34), (70, 142, 34)), 1.7),
    (0.7, ((2, 204, 10), (-22, 236, 14), (-46, 286, 10), (-78, 336, -24), (-92, 400, -34)), 6.0),
    (0.7, ((2, 204, 10), (26, 236, 14), (48, 286, 10), (78, 336, -24), (92, 400, -34)), 6.0),
    (0.85, ((-40, 272, 12), (-42, 306, 34), (-54, 336, 36)), 3.2),
    (0.85, ((42, 272, 12), (44, 306, 34), (56, 336, 36)), 3.2),
)


def anatomy(beam: Beam) -> TissueLayers:
    """Path lengths through all that does not move; nobody changes the layers."""
    return _remember_anatomy(beam) if beam.matrix <= _SMALL_MATRIX else _project_anatomy(beam)


@lru_cache(maxsize=32)
def _remember_anatomy(beam: Beam) -> TissueLayers:
    return _project_anatomy(beam)


def _project_anatomy(beam: Beam) -> TissueLayers:
    coarse = beam.make_coarser(2) if beam.matrix >= _FINE_MATRIX else beam
    skeleton = project_skeleton(beam)
    grain = 1.0 + 0.10 * make_texture(beam, 3.2, 11) + 0.06 * make_texture(beam, 8.0, 12)
    spongy = skeleton.spongy * grain
    soft, fat, lung = (enlarge(layer, beam.matrix) for layer in _project_tissues(coarse))
    soft = np.maximum(soft - spongy - skeleton.compact, 0.0)
    return {
        SOFT_TISSUE: soft, FAT: fat, LUNG: lung, SPONGIOUS_BONE: spongy, CORTICAL_BONE: skeleton.compact,
    }  # fmt: skip


def _project_tissues(beam: Beam) -> tuple[Lengths, Lengths, Lengths]:
    """Soft tissue where there are no bones, the fat around it, and lung."""
    skin, muscle, lung, beside = (_find_longest(beam, bodies) for bodies in _list_large())
    lung = np.maximum(lung - beside, 0.0)
    lung -= np.minimum(lung, _find_longest(beam, _list_vessels_of_lung())) * 0.8
    belly = _sum_up(beam, [_CAVITY])
    stripe = np.maximum(belly - _sum_up(beam, [_CAVITY_WITHIN]), 0.0)
    soft = np.minimum(muscle, skin) + _project_organs(beam) - np.float32(0.14) * stripe
    soft += (belly > 0.0) * (1.7 * make_texture(beam, 22.0, 13) + 1.1 * make_texture(beam, 9.0, 14))
    soft -= np.minimum(soft, lung + _project_gas(beam))
    return soft, np.maximum(skin - muscle, 0.0), lung


@cache
def _list_large() -> tuple[Bodies, ...]:
    """Skin, muscle, lungs, and what takes the place of lung."""
    return tuple(map(Bodies.make, (_SKIN, _MUSCLE, _LUNGS, (*_DIAPHRAGM, *_HEART))))


def barium(beam: Beam, progress: float, phase: float = 0.0) -> Lengths:
    """Path lengths through the barium when it went ``progress`` (0 to 1) of its way; ``phase`` moves the waves of the
    stomach wall.
    """
    layer = _find_longest(beam, Bodies.make(list_barium(progress, phase)))
    return np.asarray(blur(layer, 0.5 * beam.matrix / 512.0) * _make_folds(beam), dtype=np.float32)


@lru_cache(maxsize=2)
def _make_folds(beam: Beam) -> Lengths:
    return 1.0 + 0.10 * make_texture(beam, 5.0, 15)


def list_barium(progress: float, phase: float = 0.0) -> list[Body]:
    """Where the barium is. Pieces overlap: a ray counts the longest one."""
    pieces: list[Body] = []
    segments = len(_SWALLOW) - 1
    curve = draw_curve([(x, y, z) for x, y, z, _ in _SWALLOW], segments * STEPS_PER_SEGMENT + 1)
    places = np.arange(len(curve)) / STEPS_PER_SEGMENT
    radii = np.interp(places, np.arange(segments + 1), [each[3] for each in _SWALLOW])
    reached = progress * segments
    for number in range(int(reached * STEPS_PER_SEGMENT) + 1):
        (x, y, z), radius = curve[number], float(radii[number])
        if number < _GULLET * STEPS_PER_SEGMENT and reached - number / STEPS_PER_SEGMENT > _BOLUS:
            continue  # behind the bolus the gullet closes again
        size = radius * _squeeze(radius, number, phase)
        length = size * (1.9 if radius < 8.5 else 1.0)
        pieces.append(Body((x, y, z), (size, length, min(size, _IN_STOMACH))))
    return pieces


def _squeeze(radius: float, number: int, phase: float) -> float:
    """How wide the gut is: waves run along the stomach, the duodenum has folds."""
    if radius > 14.0:
        return 1.0 - 0.20 * max(0.0, sin(number * 0.25 - phase)) ** 2
    return 1.0 + 0.09 * sin(number * 1.7) if radius > 8.5 else 1.0


def iodine(beam: Beam, progress: float) -> Lengths:
    """Path lengths through the blood with contrast agent when it went ``progress`` (0 to 1) of its way."""
    bodies: list[Body] = []
    for start, points, radius in _VESSELS:
        part = min(max((progress - start) / max(1.0 - start, 0.05) * 1.6, 0.0), 1.0)
        if part <= 0.0:
            continue
        curve = draw_curve(points, 26)[: max(round(26 * part), 2)]
        bodies += make_tube(curve, list(np.linspace(radius, radius * 0.72, len(curve))))
    return _find_longest(beam, Bodies.make(bodies))


def with_contrast(still: TissueLayers, material: Material, layer: Lengths) -> TissueLayers:
    """``still`` with soft tissue replaced by contrast agent where there is some."""
    soft = still[SOFT_TISSUE]
    return {**still, SOFT_TISSUE: soft - np.minimum(soft, layer), material: layer}


def _sum_up(beam: Beam, bodies: Sequence[Body]) -> Lengths:
    layer = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    for body in bodies:
        beam.path_length(body, layer)
    return layer


def _find_longest(beam: Beam, bodies: Bodies) -> Lengths:
    """How many mm of each ray lie in that of the bodies in which it is longest."""
    layer = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    keep_longest(beam, bodies, layer)
    return layer


def _project_organs(beam: Beam) -> Lengths:
    layer = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    for body, more in _ORGANS:
        layer += np.float32(more) * _sum_up(beam, [body])
    for muscle in _list_psoas():
        layer += np.float32(0.17) * _find_longest(beam, muscle)
    return np.asarray(blur(layer, 1.2 * beam.matrix / 512.0))


@cache
def _list_psoas() -> tuple[Bodies, ...]:
    """The muscle beside the spine, right and left."""
    widths = [9.0, 16.0, 20.0, 22.0, 20.0]
    return tuple(Bodies.make(make_tube([(side * x, y, z) for x, y, z in _PSOAS], widths)) for side in (-1.0, 1.0))


def _project_gas(beam: Beam) -> Lengths:
    """Gas with stool in it: lobes along the bowel, mottled, without a sharp edge."""
    total = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    mottle = np.clip(0.75 + 0.9 * make_texture(beam, 5.5, 16) + 0.5 * make_texture(beam, 11.0, 17), 0.0, 1.3)
    layers = np.zeros((len(_GAS) + 2, beam.matrix, beam.matrix), dtype=np.float32)
    keep_longest(beam, _list_airy(), layers)
    *lobes, air, trachea = layers
    for lobe, (_, _, part) in zip(lobes, _GAS, strict=True):
        total = np.maximum(total, lobe * np.float32(1.35 * part) * mottle)
    total = np.maximum(total, np.float32(0.55) * air)
    total += trachea
    return np.asarray(blur(total, 1.6 * beam.matrix / 512.0))


def _list_lobes(points: Sequence[Vector], radius: float, seed: int) -> Iterator[Body]:
    random = np.random.default_rng(100 + seed)
    count = 7 * len(points)
    for number, (x, y, z) in enumerate(draw_curve(points, count)):
        taper = sqrt(sin(pi * (number + 0.9) / (count + 0.8)))
        size = radius * taper * float(random.uniform(0.72, 1.06))
        dx, dy = (float(each) for each in random.normal(0.0, 0.17 * radius, 2))
        yield Body(
            (x + dx, y + dy, z), (size, size * float(random.uniform(0.75, 1.0)), size * 0.62), 40.0 * cos(number)
        )


@cache
def _list_airy() -> Bodies:
    """The lobes of gas of each piece of bowel, the air of the stomach, and the windpipe, each in a layer."""
    air = make_tube(draw_curve(_AIR_OF_STOMACH, 6), [15.0, 19.0, 17.0, 14.0, 11.0, 8.0], 0.5)
    trachea = [body for way in _TRACHEA for body in make_tube(way, [8.5, 8.5, 6.0])]
    lobes = (_list_lobes(points, radius, number) for number, (points, radius, _) in enumerate(_GAS))
    return Bodies.make_layers((*lobes, air, trachea))


@cache
def _list_vessels_of_lung() -> Bodies:
    """Vessels of the lung: they branch out from the hilum and get thinner."""
    bodies: list[Body] = []
    for side in (-1.0, 1.0):
        for branch in range(13):
            angle = -1.35 + 0.23 * branch
            points = []
            for step in range(8):
                distance = 6.0 + 13.0 * step
                bend = angle + 0.16 * sin(branch * 1.7 + step * 0.7)
                x = side * (34.0 + distance * cos(bend) * 0.84)
                points.append((x, -84.0 + distance * sin(bend) * 1.2, 26.0 * sin(branch * 2.4) * step / 7.0))
            bodies += make_tube(points, [max(4.2 - 0.5 * step, 0.8) for step in range(8)])
    return Bodies.make(bodies)
