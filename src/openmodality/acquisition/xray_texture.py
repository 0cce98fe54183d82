"""Grain of tissues, and the blur of shadows: small operations on whole images."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from openmodality.acquisition.xray_shapes import Beam, Lengths

_WORLD_MM = 600.0
"""The grain covers the patient this far from the isocenter on each side."""


def make_texture(beam: Beam, grain_mm: float, seed: int) -> Lengths:
    """Smooth noise with a deviation of about 0.6, whose grains are ``grain_mm`` wide; it moves with the patient."""
    side = ceil(2 * _WORLD_MM / grain_mm)
    noise = np.random.default_rng(seed).standard_normal((side, side), dtype=np.float32)
    half_mm = beam.pixel_mm * beam.matrix / beam.magnification / 2.0
    edges = [(beam.centre[axis] + sign * half_mm + _WORLD_MM) / grain_mm for sign in (-1, 1) for axis in (0, 1)]
    left, top, right, bottom = (min(max(edge, 0.0), float(side)) for edge in edges)
    image = Image.fromarray(noise)
    size = (beam.matrix, beam.matrix)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, (left, top, right, bottom)), dtype=np.float32)


def blur(layer: Lengths, deviation_px: float) -> Lengths:
    """A layer after a Gaussian blur; beyond its edges it goes on as at them."""
    reach = min(ceil(3 * deviation_px), min(layer.shape) - 1)
    if deviation_px <= 0.0 or reach < 1:
        return layer
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation_px) ** 2).astype(np.float32)
    weights /= weights.sum()
    return _smear(_smear(layer, weights, reach).T, weights, reach).T


def _smear(layer: Lengths, weights: NDArray[np.float32], reach: int) -> Lengths:
    padded = np.pad(layer, ((reach, reach), (0, 0)), mode="edge")
    rows = layer.shape[0]
    smeared = np.zeros_like(layer)
    for number, weight in enumerate(weights):
        smeared += weight * padded[number : number + rows]
    return smeared


def enlarge(layer: Lengths, matrix: int) -> Lengths:
    """A layer on more pixels."""
    if layer.shape[0] == matrix:
        return layer
    return np.asarray(Image.fromarray(layer).resize((matrix, matrix), Image.Resampling.BILINEAR), dtype=np.float32)


def reduce_layer(layer: Lengths, factor: int) -> Lengths:
    """A layer on pixels that are larger by ``factor``, each the mean of those that it covers."""
    return np.asarray(Image.fromarray(layer).reduce(factor), dtype=np.float32)


def blur_widely(layer: Lengths, deviation_px: float) -> Lengths:
    """As :func:`blur` for a wide blur: worked out on a coarse grid, and enlarged again."""
    side, factor = layer.shape[0], max(int(deviation_px / 3.0), 1)
    coarse = blur(reduce_layer(layer, factor), deviation_px / factor)
    box = (0.0, 0.0, side / factor, side / factor)
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BILINEAR, box)
    return np.asarray(image, dtype=np.float32)
