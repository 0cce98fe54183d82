"""Sums over irradiation events, and the share of each image."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.totals import accumulate, share
from tests.made_objects import irradiation_events


@pytest.fixture(scope="module")
def fluoroscopy() -> IrradiationEvent:
    return irradiation_events()[0]


@pytest.fixture(scope="module")
def exposure() -> IrradiationEvent:
    return irradiation_events()[2]


def test_fluoroscopy_counts_its_duration_and_an_exposure_its_exposure_time(
    fluoroscopy: IrradiationEvent, exposure: IrradiationEvent
) -> None:
    assert fluoroscopy.time_s == fluoroscopy.duration_s == 1.6
    assert exposure.time_s == exposure["ExposureTime"] / 1000 == 0.045


def test_fluoroscopy_and_acquisition_are_summed_apart(
    fluoroscopy: IrradiationEvent, exposure: IrradiationEvent
) -> None:
    dose = accumulate([fluoroscopy, exposure, exposure])
    assert (dose.fluoroscopy.events, dose.acquisition.events, dose.total.events) == (1, 2, 3)
    assert dose.acquisition.dose_rp_gy == pytest.approx(2 * exposure["DoseRP"], rel=1e-9)
    assert dose.total.dose_area_product_gy_m2 == pytest.approx(
        fluoroscopy["DoseAreaProduct"] + 2 * exposure["DoseAreaProduct"], rel=1e-9
    )


def test_nothing_adds_up_to_nothing() -> None:
    assert accumulate([]).total.dose_rp_gy == 0


def test_a_sum_with_what_nobody_knows_is_not_known(exposure: IrradiationEvent) -> None:
    total = accumulate([exposure, IrradiationEvent(KVP=80)]).total
    assert (total.dose_rp_gy, total.time_s) == (None, None)
    assert total.events == 2


@pytest.mark.parametrize("total", [1.2345678e-06, 0.0123456789012, 1.0, 3e-9, 0.0])
@pytest.mark.parametrize("count", [1, 3, 7, 500])
def test_shares_add_up_to_the_last_digit(total: float, count: int) -> None:
    shares = [Decimal(repr(share("DoseAreaProduct", total, index, count))) for index in range(count)]
    assert sum(shares) == Decimal(repr(total))
    assert min(shares) >= 0
