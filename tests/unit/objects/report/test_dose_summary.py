"""The dose of the performed step: what the irradiation events add up to."""

from __future__ import annotations

import pytest

from openmodality import IrradiationEvent
from openmodality.objects.irradiation.image_attributes import describe_exposure
from openmodality.objects.irradiation.totals import accumulate
from openmodality.objects.report.dose_summary import sum_radiation_dose
from tests.made_objects import NOW, irradiation_events


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


def test_an_exposure_of_less_than_a_millisecond_is_as_long_as_its_image_says() -> None:
    event = IrradiationEvent(KVP=80, XRayTubeCurrent=200, ExposureTime=0.4).begin("1.2.3", NOW, 1)
    (item,) = sum_radiation_dose([event]).ExposureDoseSequence
    assert item.ExposureTime == describe_exposure(event, 0).ExposureTime == 1


def test_dose_of_the_step_without_radiation() -> None:
    nothing = sum_radiation_dose([])
    assert (nothing.TotalTimeOfFluoroscopy, nothing.TotalNumberOfExposures) == (0, 0)
    assert len(nothing.ExposureDoseSequence) == 0
