"""The technique of a simulated tube, and the distances of a simulated positioner."""

from __future__ import annotations

from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class XRayTechnique:
    """How the radiation is made. ``exposure_time_ms`` is the time with radiation on, summed over
    ``number_of_pulses``.
    """

    kvp: float
    tube_current_ma: float
    exposure_time_ms: float
    pulse_width_ms: float
    number_of_pulses: int
    pulse_rate: float = 0.0
    filter_thickness_mm_al: float = 0.0
    focal_spot_mm: float = 0.6

    @property
    def exposure_mas(self) -> float:
        """Tube current times exposure time."""
        return self.tube_current_ma * self.exposure_time_ms / 1000.0


@dataclass(frozen=True, slots=True)
class XRayGeometry:
    """Distances from the focal spot, and the collimated field in the detector plane."""

    source_to_detector_mm: float = 1100.0
    source_to_isocenter_mm: float = 800.0
    source_to_entrance_mm: float = 700.0
    source_to_reference_point_mm: float = 480.0
    field_width_mm: float = 300.0
    field_height_mm: float = 300.0

    @property
    def field_area_m2(self) -> float:
        """Collimated field area in the detector plane."""
        return self.field_width_mm * self.field_height_mm * 1e-6
