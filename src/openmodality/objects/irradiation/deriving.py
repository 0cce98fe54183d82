"""Derives further quantities of an irradiation event from those that were stated: pulses, times, exposure, field."""

from __future__ import annotations

from typing import Final

from openmodality.objects.irradiation.quantities import FLUOROSCOPY, STATIONARY_ACQUISITION

_DIGITS: Final = 11


def round_number(value: float) -> float:
    """A number with as many digits as a Decimal String always holds."""
    return float(f"{value:.{_DIGITS}g}")


def derive_rest(numbers: dict[str, float], terms: dict[str, str]) -> None:
    """Add what follows from what was stated of one event, by the names of ``quantities``."""
    kind = terms.setdefault("IrradiationEventType", STATIONARY_ACQUISITION)
    if kind == FLUOROSCOPY:
        terms.setdefault("FluoroMode", "Pulsed" if "PulseRate" in numbers else "Continuous")
    else:
        terms.pop("FluoroMode", None)
    _derive_pulses(numbers, has_pulses=kind != FLUOROSCOPY or terms["FluoroMode"] == "Pulsed")
    _derive_exposure(numbers)
    _derive_field(numbers)


def _derive_pulses(numbers: dict[str, float], *, has_pulses: bool) -> None:
    rate = numbers.get("PulseRate")
    if has_pulses and rate and "IrradiationDuration" in numbers:
        numbers.setdefault("NumberOfPulses", float(max(round(rate * numbers["IrradiationDuration"]), 1)))
    if has_pulses and (not rate or numbers.get("NumberOfFrames")):
        numbers.setdefault("NumberOfPulses", float(max(numbers.get("NumberOfFrames", 1.0), 1.0)))
    pulses = numbers.get("NumberOfPulses")
    if pulses and "PulseWidth" in numbers:
        numbers.setdefault("ExposureTime", round_number(pulses * numbers["PulseWidth"]))
    if pulses and "ExposureTime" in numbers:
        numbers.setdefault("PulseWidth", round_number(numbers["ExposureTime"] / pulses))
    if pulses and rate:
        numbers.setdefault("IrradiationDuration", round_number(pulses / rate))


def _derive_exposure(numbers: dict[str, float]) -> None:
    current, time, exposure = (numbers.get(name) for name in ("XRayTubeCurrent", "ExposureTime", "Exposure"))
    if current and time:
        numbers.setdefault("Exposure", round_number(current * time / 1000.0))
    elif current and exposure:
        numbers["ExposureTime"] = round_number(exposure * 1000.0 / current)
    elif time and exposure:
        numbers["XRayTubeCurrent"] = round_number(exposure * 1000.0 / time)
    if "ExposureTime" in numbers:
        numbers.setdefault("IrradiationDuration", round_number(numbers["ExposureTime"] / 1000.0))


def _derive_field(numbers: dict[str, float]) -> None:
    height, width = numbers.get("CollimatedFieldHeight"), numbers.get("CollimatedFieldWidth")
    if height and width:
        numbers.setdefault("CollimatedFieldArea", round_number(height * width * 1e-6))
