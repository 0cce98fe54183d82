"""Sums over irradiation events (TID 10002, 10004; Radiation Dose Module PS3.3 C.4.16)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.stating import DOSE_DECIMALS
from openmodality.value_class import dataclass

DGY_CM2_PER_GY_M2: Final = 1e5
MGY_PER_GY: Final = 1e3
_DECIMALS_OF_TIME: Final = 9


@dataclass(frozen=True, slots=True)
class DoseTotals:
    """Sums over some irradiation events; None where one of them does not say what it adds."""

    dose_area_product_gy_m2: float | None = 0.0
    dose_rp_gy: float | None = 0.0
    entrance_dose_mgy: float | None = 0.0
    time_s: float | None = 0.0
    events: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class AccumulatedDose:
    """Dose of a whole procedure step."""

    fluoroscopy: DoseTotals
    acquisition: DoseTotals
    total: DoseTotals


def accumulate(events: Sequence[IrradiationEvent]) -> AccumulatedDose:
    """The totals of ``events``."""
    return AccumulatedDose(
        fluoroscopy=_sum_up([event for event in events if event.is_fluoroscopy]),
        acquisition=_sum_up([event for event in events if not event.is_fluoroscopy]),
        total=_sum_up(events),
    )


def share(name: str, total: float, index: int, count: int) -> float:
    """What one of ``count`` images has of a dose; the shares add up to the dose, to its last digit."""
    if count <= 1:
        return total
    exact, unit = Decimal(repr(total)), Decimal(1).scaleb(-DOSE_DECIMALS[name])
    each = (exact / count // unit) * unit
    return float(exact - each * (count - 1) if index == count - 1 else each)


def _sum_up(events: Sequence[IrradiationEvent]) -> DoseTotals:
    return DoseTotals(
        dose_area_product_gy_m2=_add("DoseAreaProduct", events),
        dose_rp_gy=_add("DoseRP", events),
        entrance_dose_mgy=_add("EntranceDoseInmGy", events),
        time_s=_sum([event.time_s for event in events], _DECIMALS_OF_TIME),
        events=len(events),
        frames=sum(event.number_of_frames for event in events),
    )


def _add(name: str, events: Sequence[IrradiationEvent]) -> float | None:
    return _sum([event.get(name) for event in events], DOSE_DECIMALS[name])


def _sum(values: Sequence[float | None], decimals: int) -> float | None:
    return None if None in values else round(math.fsum(value for value in values if value is not None), decimals)
