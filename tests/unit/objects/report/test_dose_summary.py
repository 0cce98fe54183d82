"""The dose of the performed step: what the irradiation events add up to."""

from __future__ import annotations

import pytest

from openmodality.objects.irradiation.totals import accumulate
from openmodality.objects.report.dose_summary import sum_radiation_dose
from tests.made_objects import irradiation_events


def test_dose_of_the_step() -> None:
    events = irradiation_events()
    total = accumulate(events).total
    dose = sum_radiation_dose(events)
    assert (dose.TotalTimeOfFluoroscopy, dose.TotalNumberOfExposures) == (3, 2)
    assert float(dose.EntranceDoseInmGy) == total.entrance_dose_mgy
    assert total.dose_area_product_gy_m2 is not None
    assert float(dose.ImageAndFluoroscopyAreaDoseProduct) == pytest.approx(
        total.dose_area_product_gy_m2 * 1e5, rel=1e-11
    )
    assert [float(item.KVP) for item in dose.ExposureDoseSequence] == [85.0, 85.0, 90.0, 80.0]
    assert float(dose.ExposureDoseSequence[2].XRayTubeCurrentInuA) == 320000.0
    assert float(dose.DistanceSourceToDetector) == 1150.0


def test_dose_of_the_step_without_radiation() -> None:
    nothing = sum_radiation_dose([])
    assert (nothing.TotalTimeOfFluoroscopy, nothing.TotalNumberOfExposures) == (0, 0)
    assert len(nothing.ExposureDoseSequence) == 0
