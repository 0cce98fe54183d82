"""Irradiation events and their sums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.objects.report.irradiation import accumulate, irradiation_time_s
from tests.made_objects import irradiation_events

FLUOROSCOPY, _, EXPOSURE, _ = irradiation_events()


def test_fluoroscopy_counts_its_duration_and_an_exposure_its_exposure_time() -> None:
    assert irradiation_time_s(replace(FLUOROSCOPY, duration_s=2.5)) == 2.5
    assert irradiation_time_s(EXPOSURE) == EXPOSURE.technique.exposure_time_ms / 1000


def test_fluoroscopy_and_acquisition_are_summed_apart() -> None:
    dose = accumulate([FLUOROSCOPY, EXPOSURE, EXPOSURE])
    assert (dose.fluoroscopy.events, dose.acquisition.events, dose.total.events) == (1, 2, 3)
    assert dose.acquisition.dose_rp_gy == pytest.approx(2 * EXPOSURE.dose_rp_gy)
    assert dose.total.dose_area_product_gy_m2 == pytest.approx(
        FLUOROSCOPY.dose_area_product_gy_m2 + 2 * EXPOSURE.dose_area_product_gy_m2
    )


def test_nothing_adds_up_to_nothing() -> None:
    assert accumulate([]).total.dose_rp_gy == 0


def test_geometry_and_technique_in_other_units() -> None:
    geometry = replace(EXPOSURE.geometry, field_width_mm=200.0, field_height_mm=100.0)
    assert geometry.field_area_m2 == pytest.approx(0.02)
    assert replace(EXPOSURE.technique, tube_current_ma=300.0, exposure_time_ms=50.0).exposure_mas == pytest.approx(15.0)
