"""X-rays from tube to detector: spectrum, attenuation by Beer and Lambert, air kerma and dose area product.

The spectrum is a few energy bins: Kramers' law, hardened by the filter. Attenuation coefficients are mass attenuation
coefficients without coherent correction in cm2/g, rounded from the tables of the National Institute of Standards and
Technology.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.xray_technique import XRayGeometry, XRayTechnique
from openmodality.errors import UsageError
from openmodality.value_class import dataclass

ENERGIES_KEV = (30.0, 40.0, 50.0, 60.0, 80.0, 100.0)
ALUMINIUM_DENSITY = 2.699
MASS_ATTENUATION: dict[str, tuple[float, ...]] = {
    "water": (0.3756, 0.2683, 0.2269, 0.2059, 0.1837, 0.1707),
    "bone": (1.331, 0.6655, 0.4242, 0.3148, 0.2229, 0.1855),
    "aluminium": (1.128, 0.5685, 0.3681, 0.2778, 0.2018, 0.1704),
    "barium": (9.904, 24.57, 13.79, 8.511, 3.963, 2.196),
    "iodine": (8.561, 22.10, 12.32, 7.579, 3.510, 1.942),
}
MINIMUM_KVP, MAXIMUM_KVP = 40.0, 150.0

# Output of the tube with its filter: air kerma in uGy for 1 mAs at 80 kVp and 1 m; it grows with the square of kVp.
OUTPUT_UGY_PER_MAS = 55.0
OUTPUT_KVP = 80.0
OUTPUT_DISTANCE_MM = 1000.0
# Photons that reach and are seen by a detector for each uGy of air kerma and mm2 (fluence times quantum efficiency).
PHOTONS_PER_UGY_MM2 = 20000.0


@dataclass(frozen=True, slots=True)
class Material:
    """Components with their grams in 1 cm3 of the material."""

    name: str
    components: tuple[tuple[str, float], ...]

    def attenuation_per_mm(self) -> NDArray[np.float64]:
        """Linear attenuation coefficient for each energy bin."""
        total = np.zeros(len(ENERGIES_KEV))
        for component, grams_per_cm3 in self.components:
            total += grams_per_cm3 * np.asarray(MASS_ATTENUATION[component])
        return total / 10.0


SOFT_TISSUE = Material("soft tissue", (("water", 1.04),))
LUNG = Material("lung", (("water", 0.28),))
SPONGIOUS_BONE = Material("spongious bone", (("water", 0.55), ("bone", 0.75)))
CORTICAL_BONE = Material("cortical bone", (("bone", 1.85),))
FAT = Material("fat", (("water", 0.89),))
BARIUM_SUSPENSION = Material("barium suspension", (("water", 1.0), ("barium", 0.05)))
IODINE_BLOOD = Material("blood with iodine", (("water", 1.05), ("iodine", 0.04)))


def spectrum(kvp: float, filter_thickness_mm_al: float = 0.0) -> NDArray[np.float64]:
    """Share of the photons in each energy bin behind the filter; the shares add up to 1."""
    if not MINIMUM_KVP <= kvp <= MAXIMUM_KVP:
        raise UsageError(f"kVp: {MINIMUM_KVP:g} to {MAXIMUM_KVP:g} are possible")
    energies = np.asarray(ENERGIES_KEV)
    kramers = np.maximum(kvp - energies, 0.0) / energies
    aluminium = np.asarray(MASS_ATTENUATION["aluminium"]) * ALUMINIUM_DENSITY / 10.0
    filtered = kramers * np.exp(-aluminium * (filter_thickness_mm_al + 2.5))
    return np.asarray(filtered / filtered.sum())


def transmission(
    thickness_mm: Mapping[Material, NDArray[np.float32]], shares: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Part of the photons that passes (Beer and Lambert): for each pixel the sum over energies of share x exp(-sum(mu
    d)).
    """
    passed: NDArray[np.float32] | None = None
    coefficients = {material: material.attenuation_per_mm().astype(np.float32) for material in thickness_mm}
    for index, share in enumerate(shares):
        if share <= 0.0:
            continue
        exponent = -sum((layer * coefficients[material][index] for material, layer in thickness_mm.items()))
        part = np.exp(exponent, dtype=np.float32) * np.float32(share)
        passed = part if passed is None else passed + part
    if passed is None:
        raise UsageError("a spectrum without photons")
    return np.asarray(passed, dtype=np.float32)


def air_kerma_gy(technique: XRayTechnique, distance_mm: float) -> float:
    """Air kerma without back scatter at ``distance_mm`` from the tube: output x mAs, by the inverse square law."""
    output = OUTPUT_UGY_PER_MAS * (technique.kvp / OUTPUT_KVP) ** 2
    extra_filter = exp(-0.09 * technique.filter_thickness_mm_al)
    return output * extra_filter * technique.exposure_mas * (OUTPUT_DISTANCE_MM / distance_mm) ** 2 * 1e-6


def dose_area_product_gy_m2(technique: XRayTechnique, geometry: XRayGeometry) -> float:
    """Air kerma times field area, the same at every distance from the focal spot."""
    return air_kerma_gy(technique, geometry.source_to_detector_mm) * geometry.field_area_m2


def photons_per_pixel(technique: XRayTechnique, distance_mm: float, pixel_mm: float) -> float:
    """Photons that one pixel would see with nothing in the beam."""
    return air_kerma_gy(technique, distance_mm) * 1e6 * PHOTONS_PER_UGY_MM2 * pixel_mm**2
