"""From tube to grey value: attenuation, scatter, heel effect, quanta, display."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openmodality.acquisition import xray_signal as signal
from openmodality.acquisition.xray_phantom import TissueLayers
from openmodality.acquisition.xray_physics import CORTICAL_BONE, SOFT_TISSUE
from openmodality.acquisition.xray_protocol import UPPER_GI, XRayProtocol
from openmodality.acquisition.xray_technique import XRayGeometry

SHOT = replace(UPPER_GI[2], matrix=64, is_automatic=False)
RUN = replace(UPPER_GI[1], matrix=64, is_automatic=False)


def water(thickness_mm: float, matrix: int = 64) -> TissueLayers:
    return {SOFT_TISSUE: np.full((matrix, matrix), thickness_mm, dtype=np.float32)}


def measure(protocol: XRayProtocol, layers: TissueLayers) -> float:
    return signal.find_measured(protocol, layers)


def test_more_voltage_and_more_filter_pass_better() -> None:
    thick = water(200.0)
    soft, hard = (measure(replace(SHOT, kvp=kvp), thick) for kvp in (60.0, 120.0))
    assert hard > 1.5 * soft
    thin, filtered = (measure(replace(SHOT, filter_thickness_mm_al=mm), thick) for mm in (0.0, 10.0))
    assert filtered > thin


def test_scatter_grows_with_thickness_and_field_and_a_grid_holds_it_back() -> None:
    small = replace(SHOT, geometry=XRayGeometry(field_width_mm=80.0, field_height_mm=80.0))
    shares = [
        signal.find_scatter_share(*each) for each in ((small, water(200)), (SHOT, water(200)), (SHOT, water(100)))
    ]
    assert shares[0] < shares[1]
    assert shares[2] == pytest.approx(shares[1] / 2)

    def contrast(has_grid: bool) -> float:
        layers = water(200.0)
        layers[CORTICAL_BONE] = np.zeros_like(layers[SOFT_TISSUE])
        layers[CORTICAL_BONE][28:36, 28:36] = 10.0
        seen = signal.find_signal(replace(SHOT, has_grid=has_grid), layers)
        return float(seen[32, 20] / seen[32, 32])

    assert contrast(has_grid=True) > 1.2 * contrast(has_grid=False) > 1.2


def test_the_heel_takes_radiation_from_the_side_of_the_anode() -> None:
    field = signal.find_open_field(SHOT.beam)
    head, middle, feet = field[0, 32], field[32, 32], field[-1, 32]
    assert middle == pytest.approx(1.0, abs=0.02)
    assert head < 0.8 * feet
    assert field[32, 0] == pytest.approx(field[32, -1])
    assert field[32, 0] < middle


def test_the_focal_spot_blurs_what_is_enlarged() -> None:
    fine = replace(SHOT, focal_spot_mm=0.3)
    assert signal.find_blur_mm(fine) < signal.find_blur_mm(replace(SHOT, focal_spot_mm=1.2))
    enlarged = replace(SHOT.geometry, source_to_isocenter_mm=500.0)
    assert signal.find_blur_mm(replace(SHOT, geometry=enlarged)) > signal.find_blur_mm(SHOT)


def test_photons_follow_poisson() -> None:
    random = np.random.default_rng(1)
    few = replace(SHOT, tube_current_ma=1.0, pulse_width_ms=1.0)
    even = np.full((64, 64), 0.01, dtype=np.float32)
    counts = signal.count_photons(few, even, random)
    assert counts.mean() == pytest.approx(0.01 * signal.find_full(few), rel=0.02)
    assert counts.var() == pytest.approx(counts.mean(), rel=0.1)


def test_what_absorbs_is_dark_in_fluoroscopy_and_bright_in_an_exposure() -> None:
    for protocol, sign in ((RUN, -1.0), (SHOT, 1.0)):
        counts = np.full((64, 64), 0.01 * signal.find_full(protocol), dtype=np.float32)
        counts[30:34, 30:34] /= 5.0
        grey = signal.make_grey(counts, protocol).astype(float)
        assert sign * (grey[32, 32] - grey[32, 22]) > 200


def test_large_differences_are_made_less_and_small_ones_kept() -> None:
    def differ(size: int) -> float:
        protocol = replace(SHOT, matrix=256)
        counts = np.full((256, 256), 0.01 * signal.find_full(protocol), dtype=np.float32)
        counts[128 - size : 128 + size, 128 - size : 128 + size] /= 3.0
        grey = signal.make_grey(counts, protocol).astype(float)
        return float(grey[128, 128] - grey[128, 40])

    assert differ(4) > 1.4 * differ(60)


def test_only_the_field_is_exposed() -> None:
    narrow = replace(SHOT, geometry=XRayGeometry(field_width_mm=200.0, field_height_mm=100.0))
    # A detector of 400 mm and 64 pixels: 32 columns and 16 rows are open.
    assert signal.find_field(narrow) == (slice(24, 40), slice(16, 48))
    grey = signal.make_grey(np.full((64, 64), 1e5, dtype=np.float32), narrow)
    assert not grey[:24].any()
    assert grey[24:40, 16:48].all()
