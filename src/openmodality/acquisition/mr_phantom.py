"""A digital head: ellipsoids of tissue with their relaxation times at 1.5 T.

Parts are painted in the order of the table, so a later part lies inside or on top of an earlier one. Cortex and white
matter are folded by a sum of waves: the white matter reaches out where the cortex does, and fluid fills the sulci
between.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.geometry import Ellipsoid, Grid, Plane, Vector
from openmodality.acquisition.mr_signal import Relaxation
from openmodality.value_class import dataclass

FIELD_STRENGTH_T = 1.5
LARMOR_MHZ_PER_T = 42.577

# Tissue: proton density relative to water, T1, T2, T2* in ms; rounded literature values at 1.5 T.
TISSUES: dict[str, tuple[float, float, float, float]] = {
    "air": (0.0, 1000.0, 10.0, 1.0),
    "fat": (0.90, 260.0, 80.0, 40.0),
    "skin": (0.70, 400.0, 40.0, 20.0),
    "bone": (0.08, 500.0, 2.0, 1.0),
    "marrow": (0.55, 450.0, 55.0, 20.0),
    "muscle": (0.75, 900.0, 45.0, 28.0),
    "fluid": (1.00, 4200.0, 1800.0, 900.0),
    "grey matter": (0.82, 950.0, 100.0, 60.0),
    "white matter": (0.70, 620.0, 80.0, 52.0),
    "deep grey matter": (0.79, 830.0, 86.0, 46.0),
    "vitreous": (1.00, 3800.0, 1500.0, 700.0),
    "disc": (0.70, 900.0, 75.0, 35.0),
    "lesion": (0.95, 1600.0, 190.0, 120.0),
}
NAMES = tuple(TISSUES)

DIFFUSIVITIES: dict[str, tuple[float, float]] = {
    "air": (0.0, 0.0), "fat": (0.1e-3, 0.1e-3), "skin": (0.6e-3, 0.6e-3), "bone": (0.1e-3, 0.1e-3),
    "marrow": (0.3e-3, 0.3e-3), "muscle": (1.3e-3, 1.7e-3), "fluid": (3.0e-3, 3.0e-3),
    "grey matter": (0.85e-3, 0.85e-3), "white matter": (0.45e-3, 1.25e-3), "deep grey matter": (0.75e-3, 0.75e-3),
    "vitreous": (2.9e-3, 2.9e-3), "disc": (1.4e-3, 1.4e-3), "lesion": (1.35e-3, 1.35e-3),
}  # fmt: skip
"""Diffusivity in mm2/s across and along the fibres of a tissue; the same where it has none."""

RELAXIVITY_1, RELAXIVITY_2 = 4.5e-3, 5.3e-3
"""Of the contrast agent, in 1/ms for each mmol/l."""

UPTAKES: dict[str, tuple[float, float, float]] = {
    "lesion": (0.9, 25.0, 600.0), "muscle": (0.12, 60.0, 900.0), "skin": (0.3, 30.0, 600.0),
    "marrow": (0.25, 20.0, 500.0),
}  # fmt: skip
"""Most concentration of contrast agent in mmol/l, and in how many seconds it comes and goes; others have a barrier."""


@dataclass(frozen=True, slots=True)
class Part:
    """An ellipsoid of one tissue. ``fold`` is how deep its surface is folded, relative to its size."""

    tissue: str
    shape: Ellipsoid
    fold: float = 0.0


def _part(
    tissue: str,
    centre: tuple[float, float, float],
    half_axes: tuple[float, float, float],
    tilt_deg: float = 0.0,
    fold: float = 0.0,
) -> Part:
    return Part(tissue, Ellipsoid(centre, half_axes, tilt_deg), fold)


def _pair(
    tissue: str, centre: tuple[float, float, float], half_axes: tuple[float, float, float], tilt_deg: float = 0.0
) -> tuple[Part, Part]:
    x, y, z = centre
    return _part(tissue, centre, half_axes, tilt_deg), _part(tissue, (-x, y, z), half_axes, tilt_deg)


def _vertebrae() -> tuple[Part, ...]:
    parts: list[Part] = []
    for level in range(5):
        z = -93.0 - 17.0 * level
        y = 18.0 - 1.5 * level
        parts += [
            _part("bone", (0.0, y, z), (12.5, 9.5, 7.6)),
            _part("marrow", (0.0, y, z), (11.5, 8.3, 6.6)),
            _part("disc", (0.0, y - 0.7, z - 8.5), (11.5, 8.5, 2.2)),
            _part("bone", (0.0, y + 36.0, z - 6.0), (3.5, 13.0, 4.4), -18.0),
            _part("marrow", (0.0, y + 36.0, z - 6.0), (2.4, 11.0, 3.1), -18.0),
        ]
    return tuple(parts)


HEAD: tuple[Part, ...] = (
    # Neck and face first: the skull is painted over them.
    _part("skin", (0, 22, -140), (61, 64, 130)), _part("fat", (0, 22, -140), (59, 62, 128)),
    _part("muscle", (0, 22, -140), (54, 57, 126)),
    _part("skin", (0, -46, -66), (56, 58, 68)), _part("fat", (0, -46, -66), (54, 56, 66)),
    _part("muscle", (0, -42, -68), (46, 48, 58)),
    _part("skin", (0, -104, -52), (14, 14, 16), 40.0), _part("muscle", (0, -102, -52), (11, 12, 13), 40.0),
    # Scalp, outer table, marrow, inner table, fluid.
    _part("skin", (0, 0, 0), (80, 99, 90)), _part("fat", (0, 0, 0), (78, 97, 88)),
    _part("bone", (0, 0, 0), (73.5, 92, 83)), _part("marrow", (0, 0, 0), (71.8, 90, 81.2)),
    _part("bone", (0, 0, 0), (69, 87.5, 78.6)), _part("fluid", (0, 0, 0), (67, 85.2, 76.4)),
    # Hemispheres with a fissure between them.
    _part("grey matter", (0, 0, 3), (66, 84.2, 73), fold=0.34),
    _part("white matter", (0, 0, 3), (61.5, 79.5, 68), fold=0.56),
    _part("grey matter", (0, 0, 26), (6.0, 83, 50), fold=0.42),
    _part("fluid", (0, 0, 26), (1.2, 84, 50)),
    # Base of the skull, sinuses, mouth and throat.
    _part("bone", (0, -40, -62), (44, 46, 25), -8.0), _part("fat", (0, -40, -66), (42, 45, 24), -8.0),
    _part("muscle", (0, -38, -84), (43, 44, 38)), _part("bone", (0, -14, -60), (15, 16, 12), 30.0),
    _part("marrow", (0, -14, -60), (13, 14, 10), 30.0), *_pair("fat", (34, -52, -88), (9, 24, 22)),
    _part("bone", (0, -74, -46), (34, 17, 26)), _part("air", (0, -70, -50), (12, 22, 20)),
    *_pair("air", (25, -66, -56), (12, 13, 15)), *_pair("bone", (2, -66, -55), (0.8, 18, 16)),
    _part("air", (0, -84, 4), (13, 4.5, 9)), _part("air", (0, -26, -44), (9, 8, 7)),
    _part("bone", (0, -62, -82), (27, 26, 4)), _part("muscle", (0, -48, -96), (23, 30, 13)),
    _part("bone", (0, -80, -112), (24, 12, 9)), _part("marrow", (0, -80, -112), (21, 9, 6.5)),
    _part("air", (0, -10, -96), (8, 6, 36)), _part("air", (0, -6, -150), (9, 8, 50)),
    # Orbits.
    *_pair("fat", (31, -60, -28), (16, 25, 15)), *_pair("muscle", (27, -52, -28), (2.2, 22, 3.4)),
    *_pair("vitreous", (31, -75, -28), (12.0, 12.2, 12.0)), *_pair("muscle", (31, -83.5, -28), (4.6, 2.2, 4.6)),
    # Below the tentorium.
    _part("fluid", (0, 46, -44), (52, 36, 26)),
    _part("grey matter", (0, 47, -45), (51, 35, 25), fold=0.30),
    *_pair("white matter", (19, 44, -44), (21, 17, 9)), _part("white matter", (0, 40, -44), (7, 14, 5)),
    _part("muscle", (0, 74, -84), (48, 15, 26)), _part("bone", (0, 80, -62), (46, 12, 4), 20.0),
    # Spine, then the cord and stem in front of the cerebellum.
    *_vertebrae(),
    _part("fluid", (0, 33, -130), (9.5, 7.5, 76), 2.0), _part("white matter", (0, 33, -132), (5.8, 4.4, 72), 2.0),
    _part("fluid", (0, 9, -38), (24, 17, 20)), _part("fluid", (0, 22, -42), (8, 9, 12), 20.0),
    _part("white matter", (0, 18, -56), (8.5, 8, 28), 12.0), _part("white matter", (0, 10, -36), (15, 12, 13)),
    _part("white matter", (0, 10, -18), (15, 9, 11)), _part("white matter", (0, 18, -16), (10, 4, 7)),
    # Corpus callosum, ventricles, deep grey matter.
    _part("white matter", (0, -2, 13), (14, 38, 17), 6.0), _part("fluid", (0, 0, 9), (5, 31, 11.5), 6.0),
    *_pair("fluid", (10, -10, 14), (7, 27, 7.0), -8.0), *_pair("fluid", (20, 34, 6), (6, 22, 7), 10.0),
    *_pair("white matter", (1.6, -8, 10), (1.0, 22, 9)),
    *_pair("deep grey matter", (14.5, -18, 11), (5.5, 14, 9)), *_pair("deep grey matter", (25, -4, 3), (6.5, 19, 12)),
    *_pair("deep grey matter", (10, 10, 2), (8.8, 15, 10)), _part("fluid", (0, 8, 0), (1.8, 13, 9)),
    _part("fluid", (0, 23, -14), (1.4, 3, 12), 20.0), _part("deep grey matter", (0, -9, -20), (5, 6, 5)),
    # What the radiologist is to find.
    _part("lesion", (33, 30, 30), (10, 9, 9)), _part("fluid", (34, 30, 30), (4.5, 4.0, 4.0)),
)  # fmt: skip


def relaxation(seconds: float = -1.0) -> Relaxation:
    """Relaxation times of all tissues, in the order of ``NAMES``; ``seconds`` after the contrast agent has come."""
    columns = np.asarray([TISSUES[name] for name in NAMES], dtype=np.float64).T
    density, t1, t2, t2_star = columns
    concentration = np.asarray([find_concentration(name, seconds) for name in NAMES])
    rates = (1.0 / t1 + RELAXIVITY_1 * concentration, 1.0 / t2 + RELAXIVITY_2 * concentration)
    return Relaxation(density, 1.0 / rates[0], 1.0 / rates[1], 1.0 / (1.0 / t2_star + RELAXIVITY_2 * concentration))


def find_concentration(tissue: str, seconds: float) -> float:
    """Concentration of contrast agent in mmol/l: it comes quickly where vessels leak, and goes slowly."""
    most, comes_s, goes_s = UPTAKES.get(tissue, (0.0, 1.0, 1.0))
    if seconds <= 0 or not most:
        return 0.0
    return float(most * (1.0 - np.exp(-seconds / comes_s)) * np.exp(-seconds / goes_s))


def weigh_diffusion(labels: NDArray[np.uint8], plane: Plane, gradient: tuple[float, Vector]) -> Grid:
    """What is left of the signal of each point of ``plane`` under a gradient of this b-value and direction.

    White matter lets water move along its fibres: exp(-b g D g) with a tensor D that is round about the fibre.
    """
    b_value, direction = gradient
    across = np.asarray([DIFFUSIVITIES[name][0] for name in NAMES], dtype=np.float32)[labels]
    along = np.asarray([DIFFUSIVITIES[name][1] for name in NAMES], dtype=np.float32)[labels]
    x, _, z = plane.coordinates((slice(0, plane.rows), slice(0, plane.columns)))
    fibre_x, fibre_z = find_fibres(x, z)
    aligned = fibre_x * np.float32(direction[0]) + fibre_z * np.float32(direction[2])
    moved = across + (along - across) * aligned * aligned
    return np.asarray(np.exp(-np.float32(b_value) * moved), dtype=np.float32)


def find_fibres(x: Grid, z: Grid) -> tuple[Grid, Grid]:
    """The direction of fibres, a unit vector of x and z: from side to side in the middle, fanning out upwards."""
    angle = np.arctan2(np.abs(x) - np.float32(14), np.float32(18)) + np.float32(np.pi / 4)
    angle = np.clip(angle, 0, np.pi / 2) * np.sign(x + np.float32(1e-3)) + z * np.float32(0)
    return np.asarray(np.cos(angle), np.float32), np.asarray(np.sin(angle), np.float32)


def tissue_map(plane: Plane, parts: tuple[Part, ...] = HEAD) -> NDArray[np.uint8]:
    """Which tissue lies at each point of ``plane``, shape (rows, columns): an index into ``NAMES``."""
    labels = np.zeros((plane.rows, plane.columns), dtype=np.uint8)
    for part in parts:
        cutout = plane.cutout_around(part.shape.centre, part.shape.reach)
        if cutout is None:
            continue
        x, y, z = plane.coordinates(cutout)
        surface = 1.0 - np.float32(part.fold) * _find_folding(x, y, z) if part.fold else np.float32(1.0)
        labels[cutout][part.shape.level(x, y, z) < surface] = NAMES.index(part.tissue)
    return labels


def _find_folding(x: Grid, y: Grid, z: Grid) -> Grid:
    """Sulci: 0 on a gyrus, up to 1 at the bottom of a sulcus. Mirror images left and right would look drawn, so x is
    shifted.
    """
    a = np.sin((x + np.float32(7)) * np.float32(0.21) + np.sin(z * np.float32(0.11)) * np.float32(1.6))
    b = np.sin(y * np.float32(0.19) + np.sin(x * np.float32(0.13)) * np.float32(1.8))
    c = np.sin((z - np.float32(4)) * np.float32(0.23) + np.sin(y * np.float32(0.09)) * np.float32(1.5))
    wave = (a * b + b * c + c * a) * np.float32(0.9)
    valley = np.float32(1.0) - np.abs(wave)
    np.maximum(valley, np.float32(0.0), out=valley)
    return np.asarray(valley * valley * valley * valley, dtype=np.float32)
