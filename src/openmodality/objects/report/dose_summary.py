"""Radiation Dose Module of a Modality Performed Procedure Step (PS3.3 C.4.16, R/F Table 4.2-39)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.stating import convert_dose
from openmodality.objects.irradiation.totals import DGY_CM2_PER_GY_M2, accumulate
from openmodality.standard.value_rules import format_decimal

LARGEST_US: Final = 65535
_MICROAMPERES_PER_MA: Final = 1000.0
_MGY_PER_DGY: Final = 100.0  # Entrance Dose (0040,0302) counts in dGy


def sum_radiation_dose(events: Sequence[IrradiationEvent]) -> Dataset:
    """The dose of all ``events`` of a step. Where no DAP meter is installed, the table of the profile makes it zero.

    Total Number of Exposures (0040,0301) counts the acquisitions; the Exposure Dose Sequence (0040,030E) has an item
    for each of them and for each fluoroscopy run.
    """
    dose = accumulate(events)
    total = dose.total
    data_set = Dataset()
    if dose.fluoroscopy.time_s is not None:
        data_set.TotalTimeOfFluoroscopy = _fit_us(dose.fluoroscopy.time_s)
    data_set.TotalNumberOfExposures = _fit_us(dose.acquisition.events)
    if total.entrance_dose_mgy is not None:
        data_set.EntranceDose = _fit_us(total.entrance_dose_mgy / _MGY_PER_DGY)
        data_set.EntranceDoseInmGy = format_decimal(total.entrance_dose_mgy)
    if total.dose_area_product_gy_m2 is not None:
        area_product = convert_dose(total.dose_area_product_gy_m2, DGY_CM2_PER_GY_M2)
        data_set.ImageAndFluoroscopyAreaDoseProduct = format_decimal(area_product)
    if events:
        last = events[-1]
        for keyword in ("DistanceSourceToDetector", "DistanceSourceToEntrance"):
            if (distance := last.get(keyword)) is not None:
                setattr(data_set, keyword, format_decimal(distance))
    data_set.ExposureDoseSequence = [_describe_exposure(event) for event in events]
    return data_set


def _describe_exposure(event: IrradiationEvent) -> Dataset:
    item = Dataset()
    item.KVP = format_decimal(event["KVP"])
    item.ExposureTime = None if (time := event.get("ExposureTime")) is None else max(round(time), 1)
    current = event.get("XRayTubeCurrent")
    item.XRayTubeCurrentInuA = None if current is None else format_decimal(convert_dose(current, _MICROAMPERES_PER_MA))
    item.RadiationMode = "PULSED" if event.get("PulseRate") else "CONTINUOUS"
    if event.filters:
        item.FilterType = event.filters[0].type.partition(" ")[0].upper() if len(event.filters) == 1 else "MULTIPLE"
        item.FilterMaterial = [each.material.upper() for each in event.filters]
    if event.text("Comment"):
        item.CommentsOnRadiationDose = event.text("Comment")
    return item


def _fit_us(value: float) -> int:
    return min(round(value), LARGEST_US)
