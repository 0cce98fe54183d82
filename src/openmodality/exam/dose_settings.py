"""The settings of a site for its dose reports: units, reference point, calibration of the dosimeter."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Final, cast

from openmodality.device.profile.parameters import Parameters
from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError
from openmodality.objects.report.dose_content import DoseCalibration, DoseUnitsName, ReferencePoint
from openmodality.value_class import dataclass

_MOMENT: Final = "dose.calibration_datetime"
_PARTY: Final = "dose.calibration_responsible_party"


@dataclass(frozen=True, slots=True)
class DoseSettings:
    """The settings of a site for its dose reports; defaults where the profile has no such parameters."""

    units: DoseUnitsName = "standard"
    makes_partial: bool = True
    partial_interval_s: float = 300.0
    reference_point: ReferencePoint = field(default_factory=ReferencePoint)
    calibration: DoseCalibration | None = None


def read_dose_settings(site: Site) -> DoseSettings:
    """The settings of a site.

    Raises :class:`ConfigurationError` where the moment of the calibration is none, or nobody is responsible for it.
    """
    parameters = site.parameters
    if "dose.reference_point_definition" not in parameters:
        return DoseSettings()
    return DoseSettings(
        units=cast(DoseUnitsName, parameters.text("behaviour.rdsr_units")),
        makes_partial=parameters.boolean("behaviour.rdsr_partial"),
        partial_interval_s=parameters.number("behaviour.rdsr_partial_interval_s"),
        reference_point=ReferencePoint(
            parameters.text("dose.reference_point_definition"), parameters.number("dose.reference_point_distance_mm")
        ),
        calibration=_read_calibration(parameters),
    )


def _read_calibration(parameters: Parameters) -> DoseCalibration | None:
    stated, party = parameters.text(_MOMENT).strip(), parameters.text(_PARTY).strip()
    if not stated:
        return None
    try:
        moment = datetime.strptime(stated, "%Y%m%d%H%M%S")
    except ValueError:
        raise ConfigurationError(
            f"parameters.{_MOMENT}: {stated!r} is no moment", advice="give YYYYMMDDHHMMSS, such as 20260115000000"
        ) from None
    if not party:
        raise ConfigurationError(
            f"parameters.{_PARTY} is empty", advice=f"say who did the calibration, or leave parameters.{_MOMENT} empty"
        )
    return DoseCalibration(
        moment=moment,
        responsible_party=party,
        factor=parameters.number("dose.calibration_factor"),
        uncertainty_percent=parameters.number("dose.calibration_uncertainty_percent"),
        protocol=parameters.text("dose.calibration_protocol").strip(),
    )
