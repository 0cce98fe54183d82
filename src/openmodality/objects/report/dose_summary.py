"""Radiation Dose Module of a Modality Performed Procedure Step (PS3.3 C.4.16, R/F Table 4.2-39)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from openmodality.objects.report.irradiation import DGY_CM2_PER_GY_M2, MGY_PER_GY, IrradiationEvent, accumulate

LARGEST_US = 65535
MICROAMPERES_PER_MA = 1000.0
ENTRANCE_DOSE_PER_GY = 10.0  # Entrance Dose (0040,0302) counts in dGy


def sum_radiation_dose(events: Sequence[IrradiationEvent]) -> Dataset:
    """The dose of all ``events`` of a step. Where no DAP meter is installed, the table of the profile makes it zero.

    Total Number of Exposures (0040,0301) counts the acquisitions; the Exposure Dose Sequence (0040,030E) has an item
    for each of them and for each fluoroscopy run.
    """
    dose = accumulate(events)
    total = dose.total
    data_set = Dataset()
    data_set.TotalTimeOfFluoroscopy = _fit_us(dose.fluoroscopy.time_s)
    data_set.TotalNumberOfExposures = _fit_us(dose.acquisition.events)
    data_set.EntranceDose = _fit_us(total.entrance_dose_gy * ENTRANCE_DOSE_PER_GY)
    data_set.EntranceDoseInmGy = f"{total.entrance_dose_gy * MGY_PER_GY:.6g}"
    area_product = total.dose_area_product_gy_m2 * DGY_CM2_PER_GY_M2
    data_set.ImageAndFluoroscopyAreaDoseProduct = f"{area_product:.6g}"
    if events:
        last = events[-1].geometry
        data_set.DistanceSourceToDetector = f"{last.source_to_detector_mm:g}"
        data_set.DistanceSourceToEntrance = f"{last.source_to_entrance_mm:g}"
    data_set.ExposureDoseSequence = [_exposure(event) for event in events]
    return data_set


def _exposure(event: IrradiationEvent) -> Dataset:
    item = Dataset()
    item.KVP = f"{event.technique.kvp:g}"
    item.ExposureTime = round(event.technique.exposure_time_ms)
    item.XRayTubeCurrentInuA = f"{event.technique.tube_current_ma * MICROAMPERES_PER_MA:g}"
    return item


def _fit_us(value: float) -> int:
    return min(round(value), LARGEST_US)
