"""What an X-ray exposure did: irradiation events and their totals.

An irradiation event is one continuous release of radiation, such as one press of the fluoroscopy pedal (PS3.3
C.7.6.23, PS3.16 TID 10003). The dose report, the image attributes and the performed procedure step all take their
numbers from here, so they agree. Units are those of the dose report templates: Gy, Gy.m2, mm, ms, s, kV, mA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

DGY_CM2_PER_GY_M2 = 1e5
MGY_PER_GY = 1e3


class IrradiationEventType(Enum):
    """PS3.16 CID 10002, the types that this device makes."""

    FLUOROSCOPY = "Fluoroscopy"
    STATIONARY_ACQUISITION = "Stationary Acquisition"
    STEPPING_ACQUISITION = "Stepping Acquisition"
    ROTATIONAL_ACQUISITION = "Rotational Acquisition"


@dataclass(frozen=True, slots=True)
class TablePosition:
    """Where the patient table stood, relative to its reference position (TID 10003C)."""

    longitudinal_mm: float = 0.0
    lateral_mm: float = 0.0
    height_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class XRayTechnique:
    """How the radiation was made. ``exposure_time_ms`` is the time with radiation on, summed over
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


@dataclass(frozen=True, slots=True)
class IrradiationEvent:
    """One irradiation event with its dose."""

    uid: str
    event_type: IrradiationEventType
    started: datetime
    duration_s: float
    protocol: str
    technique: XRayTechnique
    geometry: XRayGeometry
    dose_area_product_gy_m2: float
    dose_rp_gy: float
    entrance_dose_gy: float
    number_of_frames: int
    table: TablePosition = TablePosition()

    @property
    def is_fluoroscopy(self) -> bool:
        """Whether the event counts as fluoroscopy and not as acquisition (TID 10004)."""
        return self.event_type is IrradiationEventType.FLUOROSCOPY


@dataclass(frozen=True, slots=True)
class DoseTotals:
    """Sums over some irradiation events."""

    dose_area_product_gy_m2: float = 0.0
    dose_rp_gy: float = 0.0
    entrance_dose_gy: float = 0.0
    time_s: float = 0.0
    events: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class AccumulatedDose:
    """Dose of a whole procedure step (TID 10002, 10004; Radiation Dose Module PS3.3 C.4.16)."""

    fluoroscopy: DoseTotals
    acquisition: DoseTotals

    @property
    def total(self) -> DoseTotals:
        """Fluoroscopy and acquisition together."""
        a, b = self.fluoroscopy, self.acquisition
        return DoseTotals(
            dose_area_product_gy_m2=a.dose_area_product_gy_m2 + b.dose_area_product_gy_m2,
            dose_rp_gy=a.dose_rp_gy + b.dose_rp_gy,
            entrance_dose_gy=a.entrance_dose_gy + b.entrance_dose_gy,
            time_s=a.time_s + b.time_s,
            events=a.events + b.events,
            frames=a.frames + b.frames,
        )


def accumulate(events: Sequence[IrradiationEvent]) -> AccumulatedDose:
    """The totals of ``events``. Time is Total Fluoro Time or Total Acquisition Time: the time with radiation on."""
    return AccumulatedDose(
        fluoroscopy=_totals([event for event in events if event.is_fluoroscopy]),
        acquisition=_totals([event for event in events if not event.is_fluoroscopy]),
    )


def _totals(events: Sequence[IrradiationEvent]) -> DoseTotals:
    return DoseTotals(
        dose_area_product_gy_m2=sum(event.dose_area_product_gy_m2 for event in events),
        dose_rp_gy=sum(event.dose_rp_gy for event in events),
        entrance_dose_gy=sum(event.entrance_dose_gy for event in events),
        time_s=sum(irradiation_time_s(event) for event in events),
        events=len(events),
        frames=sum(event.number_of_frames for event in events),
    )


def irradiation_time_s(event: IrradiationEvent) -> float:
    """Time that counts: the duration of a fluoroscopy run (pulse pauses included), the exposure time of an
    acquisition.
    """
    return event.duration_s if event.is_fluoroscopy else event.technique.exposure_time_ms / 1000.0
