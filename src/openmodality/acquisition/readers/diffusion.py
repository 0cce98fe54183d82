"""b-values and directions of diffusion as FSL writes them beside a NIfTI file: ``NAME.bval`` and ``NAME.bvec``.

A direction is in the axes of the image, with x turned round where the determinant of the affine is positive. Here it
becomes one of the patient's axes, left, back, head (PS3.3 C.8.13.5.9).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.readers.bounds import read_text_file
from openmodality.acquisition.readers.companion import find_stem
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.errors import ObjectInvalid

VALUES, DIRECTIONS = ".bval", ".bvec"
_TO_LPS: Final = np.array([-1.0, -1.0, 1.0])
_NO_LENGTH: Final = 1e-6
_ROUNDING: Final = 0.02

Directions = NDArray[np.float64]


def list_diffusion_paths(path: Path) -> list[Path]:
    """Where the two files about a volume may stand."""
    stem = find_stem(path)
    return [stem.with_name(stem.name + suffix) for suffix in (VALUES, DIRECTIONS)]


def apply_diffusion(found: FoundSeries, path: Path) -> FoundSeries:
    """A volume with the b-values and directions of the files beside it, as it is where there are none.

    Raises :class:`ObjectInvalid` where their numbers do not belong to the volume.
    """
    values_file, directions_file = list_diffusion_paths(path)
    if not values_file.is_file():
        return found
    count = found.positions
    values = _read_rows(values_file).ravel()
    if len(values) != count:
        raise ObjectInvalid(
            f"{values_file}: has {len(values)} b-values, and the volume {count} images of each slice",
            advice="give one for each",
        )
    directions = _read_directions(directions_file, count) if directions_file.is_file() else np.zeros((count, 3))
    if found.volume.affine is None:
        raise ObjectInvalid(f"{path}: directions of diffusion require an affine")
    turned = turn_to_patient(directions, np.asarray(found.volume.affine, dtype=np.float64), found.volume.space)
    oriented = [_make_unit(direction) if b > 0 else [] for b, direction in zip(values, turned, strict=True)]
    said: dict[str, object] = {"DiffusionBValue": [float(b) for b in values]}
    if any(oriented):
        said["DiffusionGradientOrientation"] = oriented
    return found.arrange(dimension="b-value").say(said)


def turn_to_patient(directions: Directions, affine: Directions, space: str = "RAS") -> Directions:
    """Directions in FSL's convention, shape (n, 3), as unit vectors to the patient's left, back and head."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    in_image = directions.copy()
    if np.linalg.det(axes) > 0:  # the same in RAS and LPS, which differ by two turned axes
        in_image[:, 0] *= -1
    turned = in_image @ axes.T
    return np.asarray(turned * _TO_LPS if space == "RAS" else turned)


def _make_unit(direction: Directions) -> list[float]:
    length = float(np.linalg.norm(direction))
    return [float(part) + 0.0 for part in direction / length] if length > _NO_LENGTH else []


def _read_directions(path: Path, count: int) -> Directions:
    rows = _read_rows(path)
    if rows.shape == (3, count):
        rows = rows.T
    if rows.shape != (count, 3):
        raise ObjectInvalid(
            f"{path}: has {rows.shape[0]} rows of {rows.shape[1]} numbers for {count} images of each slice",
            advice="give three rows (x, y, z) with a number for each image",
        )
    lengths = np.linalg.norm(rows, axis=1)
    wrong = [number for number, length in enumerate(lengths) if length > _NO_LENGTH and abs(length - 1) > _ROUNDING]
    if wrong:
        raise ObjectInvalid(
            f"{path}: direction {wrong[0] + 1} has the length {lengths[wrong[0]]:.3g}", advice="give unit vectors"
        )
    return rows


def _read_rows(path: Path) -> Directions:
    lines = [line.split() for line in read_text_file(path).splitlines() if line.strip()]
    try:
        rows = np.array([[float(word) for word in line] for line in lines])
    except ValueError as error:
        raise ObjectInvalid(f"{path}: not rows of numbers of one length") from error
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ObjectInvalid(f"{path}: not rows of finite numbers of one length")
    return rows
