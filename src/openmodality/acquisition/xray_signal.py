"""Computes the signal of a detector and the grey values of an image: primary radiation, scatter, quanta, display.

Signals are parts of what the open beam would give in the middle of the detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, exp, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition import xray_physics
from openmodality.acquisition.source import Pixels
from openmodality.acquisition.xray_phantom import TissueLayers, with_contrast
from openmodality.acquisition.xray_physics import Material
from openmodality.acquisition.xray_protocol import DETECTOR_MM, WHITE, XRayProtocol
from openmodality.acquisition.xray_shapes import Beam, Lengths
from openmodality.acquisition.xray_texture import blur, blur_widely

GRID_PRIMARY: Final = 0.72
GRID_SCATTER: Final = 0.16
"""What a grid lets pass of the primary and of the scattered radiation."""
_ANODE_DEG: Final = 14.0
_ANODE_LOSS: Final = 0.045
"""How strongly the anode absorbs its own radiation, for the length of its way through it."""
_STEEPEST_DEG: Final = 2.0
_SCATTER_MM: Final = 42.0
_SCATTER_PER_MM: Final = 0.016
_HALF_OF_SCATTER_M2: Final = 0.035
_DETECTOR_BLUR_MM: Final = 0.12
_DISPLAY_RANGE: Final = 8.0
"""Logarithm of the attenuation that is shown as the end of the grey scale."""
_BALANCE: Final = 0.65
_BALANCE_MM: Final = 45.0
"""How much of the differences between large areas is taken out, and how large these are."""


def find_open_field(beam: Beam) -> Lengths:
    """The beam without a patient: less at the edges, by the square of the distance, by slanting incidence and by the
    heel effect: what leaves the anode flat, to the head, goes a longer way through it.
    """
    far = np.float32(beam.source_to_detector_mm) / beam.find_ray_lengths()
    angles = np.degrees(np.arctan2(-beam.span(), np.float32(beam.source_to_detector_mm)))
    flat = np.radians(np.maximum(_ANODE_DEG - angles, _STEEPEST_DEG))
    middle = cos(radians(_ANODE_DEG)) / sin(radians(_ANODE_DEG))
    heel = np.exp(-_ANODE_LOSS * (np.cos(flat) / np.sin(flat) - middle))
    return np.asarray(far**3 * heel[:, None].astype(np.float32), dtype=np.float32)


def find_field(protocol: XRayProtocol) -> tuple[slice, slice]:
    """Rows and columns that the collimator leaves open."""
    spans = []
    for size_mm in (protocol.geometry.field_height_mm, protocol.geometry.field_width_mm):
        pixels = min(round(size_mm / DETECTOR_MM * protocol.matrix), protocol.matrix)
        first = (protocol.matrix - pixels) // 2
        spans.append(slice(first, first + pixels))
    return spans[0], spans[1]


def find_passed(protocol: XRayProtocol, thickness_mm: TissueLayers) -> Lengths:
    """The part of the radiation that the patient lets pass, by Beer and Lambert."""
    shares = xray_physics.spectrum(protocol.kvp, protocol.filter_thickness_mm_al)
    return xray_physics.transmission(thickness_mm, shares)


def pass_contrast(
    protocol: XRayProtocol, still: TissueLayers, passed: Lengths, agent: Material, layer: Lengths
) -> Lengths:
    """What passes when there is contrast agent, worked out anew only where some lies in the beam."""
    rows, columns = (np.flatnonzero(layer.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return passed
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    there = {material: path[window] for material, path in still.items()}
    changed = passed.copy()
    changed[window] = find_passed(protocol, with_contrast(there, agent, layer[window]))
    return changed


def find_signal(protocol: XRayProtocol, thickness_mm: TissueLayers, passed: Lengths | None = None) -> Lengths:
    """What reaches the detector behind the patient: primary radiation, blurred by focal spot and detector, and scatter.

    The scatter grows with the thickness of the patient and with the field. ``passed`` is what passes, where that is
    known already.
    """
    beam, field = protocol.beam, find_field(protocol)
    primary = np.zeros((beam.matrix, beam.matrix), dtype=np.float32)
    through_patient = find_passed(protocol, thickness_mm) if passed is None else passed
    primary[field] = (through_patient * find_open_field(beam))[field]
    primary = blur(primary, find_blur_mm(protocol) / beam.pixel_mm)
    through, scattered = (GRID_PRIMARY, GRID_SCATTER) if protocol.has_grid else (1.0, 1.0)
    # Of what went beside the patient little is scattered.
    source = np.minimum(primary, np.float32(0.15)) * np.float32(find_scatter_share(protocol, thickness_mm))
    return primary * np.float32(through) + np.float32(scattered) * blur_widely(source, _SCATTER_MM / beam.pixel_mm)


def find_scatter_share(protocol: XRayProtocol, thickness_mm: Mapping[Material, Lengths]) -> float:
    """Scattered by primary radiation in the middle of the field, in front of a grid."""
    rows, columns = find_field(protocol)
    middle = tuple(slice((s.start + s.stop) // 2 - 2, (s.start + s.stop) // 2 + 2) for s in (rows, columns))
    depth = float(sum(float(layer[middle].mean()) for layer in thickness_mm.values()))
    area = protocol.geometry.field_area_m2
    return _SCATTER_PER_MM * depth * area / (area + _HALF_OF_SCATTER_M2)


def find_blur_mm(protocol: XRayProtocol) -> float:
    """Deviation of the blur: the shadow of the focal spot, and the detector."""
    penumbra = protocol.focal_spot_mm * (protocol.beam.magnification - 1.0) / 2.35
    return float(np.hypot(penumbra, _DETECTOR_BLUR_MM))


def count_photons(protocol: XRayProtocol, signal: Lengths, random: np.random.Generator) -> NDArray[np.float32]:
    """Photons counted in each pixel, by Poisson's law: the fewer there are, the more noise."""
    return random.poisson(signal * np.float32(find_full(protocol))).astype(np.float32)


def find_full(protocol: XRayProtocol) -> float:
    """Photons that a pixel in the middle would count with nothing in the beam."""
    beam = protocol.beam
    return xray_physics.photons_per_pixel(protocol.frame_technique, beam.source_to_detector_mm, beam.pixel_mm)


def make_grey(detected: NDArray[np.float32], protocol: XRayProtocol) -> Pixels:
    """Grey values: the logarithm of the counts, 0 outside the collimated field.

    Fluoroscopy shows what absorbs dark, as on the monitor in the room; an exposure shows it bright, as on film. The
    differences between large areas are made less.
    """
    full = np.float32(find_full(protocol))
    absorbed = np.log(full / np.maximum(detected, np.float32(0.5)))
    field = find_field(protocol)
    inside = np.full_like(absorbed, absorbed[field].mean())
    inside[field] = absorbed[field]
    large = blur_widely(inside, _BALANCE_MM / protocol.beam.pixel_mm)
    balanced = absorbed - np.float32(_BALANCE) * (large - large[field].mean())
    grey = balanced * np.float32(WHITE / _DISPLAY_RANGE)
    if protocol.is_fluoroscopy:
        grey = np.float32(WHITE) - grey
    pixels = np.zeros(grey.shape, dtype=np.uint16)
    pixels[field] = np.clip(grey[field], 1, WHITE).astype(np.uint16)
    return pixels


def find_measured(protocol: XRayProtocol, thickness_mm: TissueLayers) -> float:
    """The mean signal in the measuring field of the automatic control: the middle third of the collimated field."""
    rows, columns = (
        slice((2 * span.start + span.stop) // 3, max((span.start + 2 * span.stop) // 3, span.start + 1))
        for span in find_field(protocol)
    )
    return max(float(find_signal(protocol, thickness_mm)[rows, columns].mean()), exp(-20.0))
