"""Attenuation and dose against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openmodality.acquisition import xray_physics as physics
from openmodality.acquisition.xray_technique import XRayGeometry, XRayTechnique
from openmodality.errors import UsageError

TECHNIQUE = XRayTechnique(
    kvp=80.0, tube_current_ma=100.0, exposure_time_ms=100.0, pulse_width_ms=100.0, number_of_pulses=1
)
WATER = physics.Material("water", (("water", 1.0),))
ONE_ENERGY = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])  # 60 keV


def layer(thickness_mm: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((1, 1), thickness_mm, dtype=np.float32)


def test_beer_lambert_for_one_energy() -> None:
    # 200 mm of water at 60 keV: exp(-0.2059 x 20) = exp(-4.118)
    assert physics.transmission({WATER: layer(200)}, ONE_ENERGY)[0, 0] == pytest.approx(0.016277, rel=1e-4)


def test_beer_lambert_for_layers_and_energies() -> None:
    shares = np.array([0.0, 0.0, 0.25, 0.75, 0.0, 0.0])
    # 100 mm water and 10 mm bone of 1.85 g/cm3. At 50 keV: 2.269 + 0.78477; at 60 keV: 2.059 + 0.58238
    expected = 0.25 * np.exp(-3.05377) + 0.75 * np.exp(-2.64138)
    passed = physics.transmission({WATER: layer(100), physics.CORTICAL_BONE: layer(10)}, shares)
    assert passed[0, 0] == pytest.approx(expected, rel=1e-4)


def test_a_mixture_adds_its_components() -> None:
    # Barium suspension at 60 keV: (1.0 x 0.2059 + 0.05 x 8.511) / 10 per mm
    assert physics.BARIUM_SUSPENSION.attenuation_per_mm()[3] == pytest.approx(0.063145)


def test_spectrum_ends_at_kvp_and_is_hardened_by_the_filter() -> None:
    soft, hard = physics.spectrum(70.0), physics.spectrum(70.0, 10.0)
    assert soft.sum() == pytest.approx(1.0)
    assert soft[4] == soft[5] == 0.0
    assert (hard * physics.ENERGIES_KEV).sum() > (soft * physics.ENERGIES_KEV).sum()


@pytest.mark.parametrize("kvp", [0.0, 39.9, 151.0])
def test_impossible_kvp_is_refused(kvp: float) -> None:
    with pytest.raises(UsageError):
        physics.spectrum(kvp)


def test_air_kerma_follows_charge_distance_and_voltage() -> None:
    # 55 uGy/mAs x 10 mAs at 1 m; a quarter at twice the distance; four times as much at twice the kVp
    assert physics.air_kerma_gy(TECHNIQUE, 1000.0) == pytest.approx(550e-6)
    assert physics.air_kerma_gy(TECHNIQUE, 2000.0) == pytest.approx(137.5e-6)
    assert physics.air_kerma_gy(replace(TECHNIQUE, kvp=160.0), 1000.0) == pytest.approx(2200e-6)


def test_dose_area_product_does_not_depend_on_the_plane() -> None:
    geometry = XRayGeometry(source_to_detector_mm=1000.0, field_width_mm=200.0, field_height_mm=300.0)
    # 550 uGy x 0.06 m2
    assert physics.dose_area_product_gy_m2(TECHNIQUE, geometry) == pytest.approx(3.3e-5)
    half = replace(geometry, source_to_detector_mm=500.0, field_width_mm=100.0, field_height_mm=150.0)
    assert physics.dose_area_product_gy_m2(TECHNIQUE, half) == pytest.approx(3.3e-5)
