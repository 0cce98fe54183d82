"""Protocols of the simulated R/F system: runs and exposures with their technique, geometry and contrast agent."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from math import floor
from typing import Final

from pydicom.uid import ComputedRadiographyImageStorage, XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage

from openmodality.acquisition.xray_physics import BARIUM_SUSPENSION, IODINE_BLOOD, Material
from openmodality.acquisition.xray_shapes import Beam
from openmodality.acquisition.xray_technique import XRayGeometry, XRayTechnique
from openmodality.errors import UsageError
from openmodality.objects.irradiation.quantities import FLUOROSCOPY, STATIONARY_ACQUISITION, STEPPING_ACQUISITION
from openmodality.value_class import dataclass

DETECTOR_BITS: Final = 12
WHITE: Final = (1 << DETECTOR_BITS) - 1
DETECTOR_MM: Final = 400.0
_MAXIMUM_MATRIX: Final = 2048
_LARGEST_ANGLE_DEG: Final = 60.0


class ImageKind(Enum):
    """What the images become; the values are SOP class and Modality (0008,0060)."""

    RADIOFLUOROSCOPIC = (XRayRadiofluoroscopicImageStorage, "RF")
    ANGIOGRAPHIC = (XRayAngiographicImageStorage, "XA")
    COMPUTED_RADIOGRAPHY = (ComputedRadiographyImageStorage, "CR")


@dataclass(frozen=True, slots=True)
class Position:
    """How the patient lies, where the table stands, and how the C-arm is turned.

    ``table_longitudinal_mm`` counts to the head, ``table_lateral_mm`` to the left, as PS3.16 has it: where the table
    goes the patient goes too. ``travel_mm`` is how far the table runs to the head during a run.
    """

    patient: str = "HFS"
    primary_angle_deg: float = 0.0
    secondary_angle_deg: float = 0.0
    table_longitudinal_mm: float = 0.0
    table_lateral_mm: float = 0.0
    table_height_mm: float = 850.0
    table_tilt_deg: float = 0.0
    travel_mm: float = 0.0

    def describe(self) -> dict[str, object]:
        """What an irradiation event says of it."""
        return {
            "PatientPosition": self.patient,
            "PositionerPrimaryAngle": self.primary_angle_deg,
            "PositionerSecondaryAngle": self.secondary_angle_deg,
            "TableLongitudinalPosition": self.table_longitudinal_mm,
            "TableLongitudinalEndPosition": self.table_longitudinal_mm + self.travel_mm,
            "TableLateralPosition": self.table_lateral_mm,
            "TableHeightPosition": self.table_height_mm,
            "TableHeadTiltAngle": self.table_tilt_deg,
            "TableHorizontalRotationAngle": 0.0,
            "TableCradleTiltAngle": 0.0,
        }


@dataclass(frozen=True, slots=True)
class Contrast:
    """A contrast agent, and how far it got at the start and at the end of a run (0 to 1).

    The first ``mask_frames`` images are made before it comes.
    """

    agent: Material = BARIUM_SUSPENSION
    first: float = 0.0
    last: float = 1.0
    mask_frames: int = 0


@dataclass(frozen=True, slots=True)
class XRayProtocol:
    """One run or exposure.

    ``frame_rate`` of 0 is a single exposure of ``pulse_width_ms``; otherwise ``duration_s`` of images, each by a pulse,
    or of continuous radiation where ``is_continuous``. ``centre`` is where the central ray meets the plane of the
    isocenter (x to the left, y to the feet) when the table stands at 0. With ``is_automatic`` the brightness is kept,
    by kV and mA of fluoroscopy, by the time of an exposure.
    """

    name: str
    kvp: float
    tube_current_ma: float
    pulse_width_ms: float
    frame_rate: float = 0.0
    duration_s: float = 0.0
    kind: ImageKind = ImageKind.RADIOFLUOROSCOPIC
    event_type: str = STATIONARY_ACQUISITION
    geometry: XRayGeometry = field(default_factory=XRayGeometry)
    filter_thickness_mm_al: float = 1.2
    focal_spot_mm: float = 0.6
    matrix: int = 512
    centre: tuple[float, float] = (0.0, 0.0)
    contrast: Contrast | None = None
    body_part: str = "ABDOMEN"
    position: Position = field(default_factory=Position)
    has_grid: bool = True
    is_continuous: bool = False
    is_automatic: bool = False

    def __post_init__(self) -> None:
        if not 16 <= self.matrix <= _MAXIMUM_MATRIX:
            raise UsageError(f"a detector has 16 to {_MAXIMUM_MATRIX} rows")
        if min(self.tube_current_ma, self.pulse_width_ms) <= 0 or self.frame_rate < 0 or self.duration_s < 0:
            raise UsageError("tube current and pulse width are greater than zero, frame rate and duration not below it")
        if self.frame_rate * self.pulse_width_ms > 1000.0 and not self.is_continuous:
            raise UsageError("pulses are shorter than the time from one to the next")
        if not all(0 < side <= DETECTOR_MM for side in (self.geometry.field_width_mm, self.geometry.field_height_mm)):
            raise UsageError(f"the collimated field lies within the detector of {DETECTOR_MM:g} mm")
        angles = (self.position.primary_angle_deg, self.position.secondary_angle_deg)
        if any(abs(angle) > _LARGEST_ANGLE_DEG for angle in angles):
            raise UsageError(f"the C-arm turns by up to {_LARGEST_ANGLE_DEG:g} degrees")

    @property
    def is_fluoroscopy(self) -> bool:
        """Whether it is fluoroscopy, and no acquisition."""
        return self.event_type == FLUOROSCOPY

    @property
    def number_of_frames(self) -> int:
        """Images of the run."""
        return max(floor(self.duration_s * self.frame_rate + 1e-9), 1) if self.frame_rate else 1

    @property
    def run_s(self) -> float:
        """From the first to the end of the last pulse or its pause."""
        return self.number_of_frames / self.frame_rate if self.frame_rate else self.pulse_width_ms / 1000.0

    @property
    def technique(self) -> XRayTechnique:
        """Technique of the whole run."""
        return self._make_technique(self.number_of_frames)

    @property
    def frame_technique(self) -> XRayTechnique:
        """Technique of one image."""
        return self._make_technique(1)

    @property
    def beam(self) -> Beam:
        """The rays to all pixels of the detector, at the start."""
        return self.find_beam(0.0)

    def find_beam(self, part: float) -> Beam:
        """The rays when ``part`` of the run is over: the table moves the patient."""
        position, geometry = self.position, self.geometry
        along = position.table_longitudinal_mm + position.travel_mm * part
        return Beam(
            geometry.source_to_detector_mm,
            geometry.source_to_isocenter_mm,
            DETECTOR_MM / self.matrix,
            self.matrix,
            (self.centre[0] - position.table_lateral_mm, self.centre[1] + along),
            position.primary_angle_deg,
            position.secondary_angle_deg,
        )

    def _make_technique(self, images: int) -> XRayTechnique:
        width_ms = 1000.0 / self.frame_rate if self.is_continuous and self.frame_rate else self.pulse_width_ms
        return XRayTechnique(
            kvp=self.kvp, tube_current_ma=self.tube_current_ma, exposure_time_ms=images * width_ms,
            pulse_width_ms=width_ms, number_of_pulses=images, pulse_rate=0.0 if self.is_continuous else self.frame_rate,
            filter_thickness_mm_al=self.filter_thickness_mm_al, focal_spot_mm=self.focal_spot_mm,
        )  # fmt: skip


UPPER_GI: tuple[XRayProtocol, ...] = (
    XRayProtocol(
        "FLUORO SWALLOW", 85.0, 40.0, 8.0, frame_rate=7.5, duration_s=1.6, event_type=FLUOROSCOPY, is_automatic=True,
        centre=(0.0, -105.0), contrast=Contrast(first=0.06, last=0.33), body_part="CHEST",
    ),
    XRayProtocol(
        "FLUORO STOMACH", 85.0, 40.0, 8.0, frame_rate=7.5, duration_s=1.6, event_type=FLUOROSCOPY, is_automatic=True,
        centre=(20.0, 90.0), contrast=Contrast(first=0.42, last=0.82),
    ),
    XRayProtocol(
        "STOMACH AP", 90.0, 320.0, 45.0, matrix=1024, centre=(10.0, 95.0), contrast=Contrast(first=0.97, last=0.97),
        geometry=XRayGeometry(field_width_mm=360.0, field_height_mm=360.0), is_automatic=True,
    ),
    XRayProtocol(
        "ABDOMEN AP", 80.0, 250.0, 80.0, kind=ImageKind.COMPUTED_RADIOGRAPHY, matrix=1024, centre=(0.0, 216.0),
        geometry=XRayGeometry(1150.0, 985.0, 880.0, field_width_mm=390.0, field_height_mm=390.0), is_automatic=True,
    ),
)  # fmt: skip
"""An examination of gullet and stomach with barium, after a plain image of the abdomen."""

OTHERS: tuple[XRayProtocol, ...] = (
    XRayProtocol(
        "FLUORO CONTINUOUS", 80.0, 3.0, 8.0, frame_rate=15.0, duration_s=0.8, event_type=FLUOROSCOPY, is_automatic=True,
        is_continuous=True, centre=(20.0, 90.0), contrast=Contrast(first=0.6, last=0.7),
    ),
    XRayProtocol(
        "STOMACH RAO", 90.0, 320.0, 45.0, matrix=1024, centre=(10.0, 95.0), contrast=Contrast(first=0.97, last=0.97),
        geometry=XRayGeometry(field_width_mm=330.0, field_height_mm=360.0), is_automatic=True,
        position=Position(primary_angle_deg=-30.0),
    ),
    XRayProtocol(
        "STOMACH SERIAL", 90.0, 320.0, 20.0, frame_rate=2.0, duration_s=3.0, matrix=512, centre=(15.0, 90.0),
        contrast=Contrast(first=0.6, last=0.95), is_automatic=True,
    ),
    XRayProtocol(
        "AORTA DSA", 75.0, 400.0, 40.0, frame_rate=3.0, duration_s=4.0, kind=ImageKind.ANGIOGRAPHIC, is_automatic=True,
        centre=(0.0, 150.0), contrast=Contrast(IODINE_BLOOD, 0.05, 1.0, mask_frames=2),
        geometry=XRayGeometry(field_width_mm=330.0, field_height_mm=360.0),
    ),
    XRayProtocol(
        "AORTA STEPPING", 75.0, 400.0, 40.0, frame_rate=2.0, duration_s=4.0, kind=ImageKind.ANGIOGRAPHIC,
        event_type=STEPPING_ACQUISITION, centre=(0.0, 60.0), contrast=Contrast(IODINE_BLOOD, 0.5, 1.0),
        position=Position(travel_mm=210.0), is_automatic=True,
    ),
)  # fmt: skip
"""What is made where it is asked for by name: other kinds of runs, directions, table and mask."""
