"""A home-built scanner does a scheduled exam: python home_built_scanner.py SITE.

It takes the first patient of the worklist, measures a phantom (here: computes one), and hands over the volume with the
matrix that says where it lies. The performed procedure step is IN PROGRESS meanwhile, and COMPLETED at the end; images
go to the archive. SITE is a site file, as ``openmodality init DIR --profile mr`` writes it.
"""

from __future__ import annotations

import sys

import numpy as np

from openmodality import Modality

FIELD_OF_VIEW_MM, MATRIX, SLICES, SLICE_MM = 200.0, 64, 16, 8.0


def measure() -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """What the scanner would measure: a sphere, shape (slices, rows, columns)."""
    z, y, x = np.mgrid[:SLICES, :MATRIX, :MATRIX]
    radius = np.hypot(np.hypot((x - MATRIX / 2) / 24, (y - MATRIX / 2) / 24), (z - SLICES / 2) / 6)
    noise = np.random.default_rng(1).normal(0, 20, radius.shape)
    signal: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = 1000 * (radius < 1) + noise
    return np.clip(signal, 0, None).astype(np.uint16)


def place() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Indices (column, row, slice) to mm left, back, head; the middle of the volume is at the isocentre."""
    pixel = FIELD_OF_VIEW_MM / MATRIX
    affine = np.diag([pixel, pixel, SLICE_MM, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array([MATRIX, MATRIX, SLICES]) - 1) / 2)
    return affine


def main(site: str) -> None:
    """Do the first exam of the worklist."""
    with Modality(site) as modality:
        with modality.exam(modality.worklist()[0]) as exam:
            with exam.series("SPHERE", ProtocolName="Sphere") as series:
                series.add_volume(measure(), place(), space="LPS", RepetitionTime=500, EchoTime=12, FlipAngle=90)
        print(exam.state, len(exam.instances()), "images;", modality.wait_until_idle())


if __name__ == "__main__":
    main(*sys.argv[1:])
