"""An R/F system without a tube: projections of a digital trunk, fluoroscopy runs and single exposures, with their dose.

One protocol is one irradiation event. Pixels are seeded and repeatable; UIDs and times come from the arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import floor

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage

from openmodality.acquisition import xray_phantom, xray_physics
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, Pixels
from openmodality.acquisition.xray_phantom import Beam, Lengths
from openmodality.acquisition.xray_physics import Material
from openmodality.acquisition.xray_technique import XRayGeometry, XRayTechnique
from openmodality.errors import UsageError
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.quantities import FLUOROSCOPY, STATIONARY_ACQUISITION
from openmodality.objects.irradiation.totals import MGY_PER_GY

_BITS_STORED = 12
WHITE = (1 << _BITS_STORED) - 1
DETECTOR_MM = 400.0
_MAXIMUM_MATRIX = 2048
# Logarithm of the attenuation that is shown as the end of the grey scale.
DISPLAY_RANGE = 8.0


class ImageKind(Enum):
    """What the images become; the values are SOP class and Modality (0008,0060)."""

    RADIOFLUOROSCOPIC = (XRayRadiofluoroscopicImageStorage, "RF")
    ANGIOGRAPHIC = (XRayAngiographicImageStorage, "XA")
    COMPUTED_RADIOGRAPHY = (ComputedRadiographyImageStorage, "CR")


@dataclass(frozen=True, slots=True)
class Position:
    """How the patient lies, where the table stands, and how the C-arm is turned."""

    patient: str = "HFS"
    primary_angle_deg: float = 0.0
    secondary_angle_deg: float = 0.0
    table_longitudinal_mm: float = 0.0
    table_lateral_mm: float = 0.0
    table_height_mm: float = 850.0
    table_tilt_deg: float = 0.0

    def describe(self) -> dict[str, object]:
        """What an irradiation event says of it."""
        return {
            "PatientPosition": self.patient,
            "PositionerPrimaryAngle": self.primary_angle_deg,
            "PositionerSecondaryAngle": self.secondary_angle_deg,
            "TableLongitudinalPosition": self.table_longitudinal_mm,
            "TableLateralPosition": self.table_lateral_mm,
            "TableHeightPosition": self.table_height_mm,
            "TableHeadTiltAngle": self.table_tilt_deg,
            "TableHorizontalRotationAngle": 0.0,
            "TableCradleTiltAngle": 0.0,
        }


@dataclass(frozen=True, slots=True)
class XRayProtocol:
    """One run or exposure.

    ``pulse_rate`` of 0 is a single exposure of ``pulse_width_ms``; otherwise ``duration_s`` of pulses, one image each.
    ``centre`` is where the central ray meets the isocenter plane (x to the left, y to the feet). ``swallow`` is how
    far the barium got at the start and at the end; None: no contrast agent.
    """

    name: str
    kvp: float
    tube_current_ma: float
    pulse_width_ms: float
    pulse_rate: float = 0.0
    duration_s: float = 0.0
    kind: ImageKind = ImageKind.RADIOFLUOROSCOPIC
    event_type: str = STATIONARY_ACQUISITION
    geometry: XRayGeometry = field(default_factory=XRayGeometry)
    filter_thickness_mm_al: float = 1.2
    focal_spot_mm: float = 0.6
    matrix: int = 512
    centre: tuple[float, float] = (0.0, 0.0)
    swallow: tuple[float, float] | None = None
    body_part: str = "ABDOMEN"
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        if not 16 <= self.matrix <= _MAXIMUM_MATRIX:
            raise UsageError(f"a detector has 16 to {_MAXIMUM_MATRIX} rows")
        if min(self.tube_current_ma, self.pulse_width_ms) <= 0 or self.pulse_rate < 0 or self.duration_s < 0:
            raise UsageError("tube current and pulse width are greater than zero, pulse rate and duration not below it")
        if not all(0 < side <= DETECTOR_MM for side in (self.geometry.field_width_mm, self.geometry.field_height_mm)):
            raise UsageError(f"the collimated field lies within the detector of {DETECTOR_MM:g} mm")

    @property
    def number_of_frames(self) -> int:
        """One image for each pulse."""
        return max(floor(self.duration_s * self.pulse_rate + 1e-9), 1) if self.pulse_rate else 1

    @property
    def run_s(self) -> float:
        """From the first to the end of the last pulse or its pause."""
        return self.number_of_frames / self.pulse_rate if self.pulse_rate else self.pulse_width_ms / 1000.0

    @property
    def technique(self) -> XRayTechnique:
        """Technique of the whole run."""
        return self._technique(self.number_of_frames)

    @property
    def frame_technique(self) -> XRayTechnique:
        """Technique of one image."""
        return self._technique(1)

    @property
    def beam(self) -> Beam:
        """The rays to all pixels of the detector."""
        geometry = self.geometry
        return Beam(
            geometry.source_to_detector_mm,
            geometry.source_to_isocenter_mm,
            DETECTOR_MM / self.matrix,
            self.matrix,
            self.centre,
        )

    def _technique(self, pulses: int) -> XRayTechnique:
        return XRayTechnique(
            kvp=self.kvp, tube_current_ma=self.tube_current_ma, exposure_time_ms=pulses * self.pulse_width_ms,
            pulse_width_ms=self.pulse_width_ms, number_of_pulses=pulses, pulse_rate=self.pulse_rate,
            filter_thickness_mm_al=self.filter_thickness_mm_al, focal_spot_mm=self.focal_spot_mm,
        )  # fmt: skip


UPPER_GI: tuple[XRayProtocol, ...] = (
    XRayProtocol(
        "FLUORO SWALLOW", 85.0, 40.0, 8.0, pulse_rate=7.5, duration_s=1.6, event_type=FLUOROSCOPY,
        centre=(0.0, -150.0), swallow=(0.06, 0.36),
    ),
    XRayProtocol(
        "FLUORO STOMACH", 85.0, 40.0, 8.0, pulse_rate=7.5, duration_s=1.6, event_type=FLUOROSCOPY,
        centre=(10.0, 50.0), swallow=(0.40, 0.82),
    ),
    XRayProtocol(
        "STOMACH AP", 90.0, 320.0, 45.0, matrix=1024, centre=(5.0, 60.0), swallow=(0.94, 0.94),
        geometry=XRayGeometry(field_width_mm=360.0, field_height_mm=360.0),
    ),
    XRayProtocol(
        "ABDOMEN AP", 80.0, 250.0, 80.0, kind=ImageKind.COMPUTED_RADIOGRAPHY, matrix=1024, centre=(0.0, 170.0),
        geometry=XRayGeometry(field_width_mm=390.0, field_height_mm=390.0),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RfSimulator:
    """Makes the runs and exposures of ``protocols``. UIDs and times are those of the record of irradiation events."""

    protocols: Sequence[XRayProtocol] = UPPER_GI
    seed: int = 1

    def series(self) -> Iterator[AcquiredSeries]:
        """One series and one irradiation event for each protocol."""
        for index, protocol in enumerate(self.protocols):
            yield self._expose(index, protocol)

    def _expose(self, index: int, protocol: XRayProtocol) -> AcquiredSeries:
        sop_class_uid, modality = protocol.kind.value
        common = Dataset()
        common.BodyPartExamined = protocol.body_part
        common.ProtocolName = protocol.name
        return AcquiredSeries(
            description=protocol.name,
            modality=modality,
            sop_class_uid=sop_class_uid,
            frames=self._frames(index, protocol),
            number_of_frames=protocol.number_of_frames,
            attributes=common,
            irradiation=state_event(protocol),
        )

    def _frames(self, index: int, protocol: XRayProtocol) -> Iterator[AcquiredFrame]:
        still = xray_phantom.anatomy(protocol.beam)
        common = frame_attributes(protocol)
        for number in range(protocol.number_of_frames):
            random = np.random.default_rng((self.seed, index, number))
            detected = detect(protocol, _move_still(protocol, still, number), random)
            pixels = window_pixels(detected, protocol, fluoroscopy=protocol.event_type == FLUOROSCOPY)
            attributes = Dataset()
            attributes.update(common)
            attributes.update(_window(pixels, protocol))
            yield AcquiredFrame(pixels, attributes)


def state_event(protocol: XRayProtocol) -> IrradiationEvent:
    """What a run or exposure does to the patient: dose from technique, distances and collimated field."""
    technique, geometry = protocol.technique, protocol.geometry
    pulses = {"PulseRate": protocol.pulse_rate} if protocol.pulse_rate else {}
    return IrradiationEvent(
        IrradiationEventType=protocol.event_type,
        ProtocolName=protocol.name,
        BodyPartExamined=protocol.body_part,
        KVP=protocol.kvp,
        XRayTubeCurrent=protocol.tube_current_ma,
        ExposureTime=technique.exposure_time_ms,
        PulseWidth=protocol.pulse_width_ms,
        NumberOfPulses=technique.number_of_pulses,
        IrradiationDuration=protocol.run_s,
        NumberOfFrames=protocol.number_of_frames,
        FilterType="STRIP",
        FilterMaterial="ALUMINUM",
        FilterThicknessMaximum=protocol.filter_thickness_mm_al,
        FocalSpots=protocol.focal_spot_mm,
        DoseAreaProduct=xray_physics.dose_area_product_gy_m2(technique, geometry),
        DoseRP=xray_physics.air_kerma_gy(technique, geometry.source_to_reference_point_mm),
        EntranceDoseInmGy=xray_physics.air_kerma_gy(technique, geometry.source_to_entrance_mm) * MGY_PER_GY,
        CollimatedFieldWidth=geometry.field_width_mm,
        CollimatedFieldHeight=geometry.field_height_mm,
        DistanceSourceToDetector=geometry.source_to_detector_mm,
        DistanceSourceToIsocenter=geometry.source_to_isocenter_mm,
        DistanceSourceToPatient=geometry.source_to_isocenter_mm,
        DistanceSourceToEntrance=geometry.source_to_entrance_mm,
        DistanceSourceToReferencePoint=geometry.source_to_reference_point_mm,
        **pulses,
        **protocol.position.describe(),
    )


def detect(
    protocol: XRayProtocol, thickness_mm: dict[Material, Lengths], random: np.random.Generator
) -> NDArray[np.float32]:
    """Photons counted in each pixel: Beer and Lambert, then Poisson."""
    shares = xray_physics.spectrum(protocol.kvp, protocol.filter_thickness_mm_al)
    beam = protocol.beam
    full = xray_physics.photons_per_pixel(protocol.frame_technique, beam.source_to_detector_mm, beam.pixel_mm)
    return random.poisson(xray_physics.transmission(thickness_mm, shares) * np.float32(full)).astype(np.float32)


def window_pixels(detected: NDArray[np.float32], protocol: XRayProtocol, *, fluoroscopy: bool) -> Pixels:
    """Grey values: the logarithm of the counts, 0 outside the collimated field.

    Fluoroscopy shows what absorbs dark, as on the monitor in the room; an exposure shows it bright, as on film.
    """
    beam = protocol.beam
    full = xray_physics.photons_per_pixel(protocol.frame_technique, beam.source_to_detector_mm, beam.pixel_mm)
    absorbed = np.log(np.float32(full) / np.maximum(detected, np.float32(0.5))) * np.float32(WHITE / DISPLAY_RANGE)
    grey = np.clip(np.float32(WHITE) - absorbed if fluoroscopy else absorbed, 1, WHITE).astype(np.uint16)
    rows, columns = field_window(protocol)
    pixels = np.zeros_like(grey)
    pixels[rows, columns] = grey[rows, columns]
    return pixels


def field_window(protocol: XRayProtocol) -> tuple[slice, slice]:
    """Rows and columns that the collimator leaves open."""
    spans = []
    for size_mm in (protocol.geometry.field_height_mm, protocol.geometry.field_width_mm):
        pixels = min(round(size_mm / DETECTOR_MM * protocol.matrix), protocol.matrix)
        first = (protocol.matrix - pixels) // 2
        spans.append(slice(first, first + pixels))
    return spans[0], spans[1]


def frame_attributes(protocol: XRayProtocol) -> Dataset:
    """What the source says of each image of a run; dose and technique come from the record (PS3.3 C.8.7)."""
    data_set = Dataset()
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    data_set.BitsStored = _BITS_STORED
    data_set.PixelIntensityRelationship = "DISP"
    data_set.PixelIntensityRelationshipSign = 1
    spacing = DETECTOR_MM / protocol.matrix
    data_set.ImagerPixelSpacing = [f"{spacing:.6g}", f"{spacing:.6g}"]
    data_set.FieldOfViewShape = "RECTANGLE"
    data_set.PositionerMotion = "STATIC"
    data_set.update(_shutter(protocol))
    return data_set


def _shutter(protocol: XRayProtocol) -> Dataset:
    """Display Shutter Module (PS3.3 C.7.6.11): edges are the first columns and rows outside the field, counted from
    1.
    """
    rows, columns = field_window(protocol)
    data_set = Dataset()
    data_set.ShutterShape = "RECTANGULAR"
    data_set.ShutterLeftVerticalEdge = columns.start
    data_set.ShutterRightVerticalEdge = columns.stop + 1
    data_set.ShutterUpperHorizontalEdge = rows.start
    data_set.ShutterLowerHorizontalEdge = rows.stop + 1
    data_set.ShutterPresentationValue = 0
    return data_set


def _move_still(protocol: XRayProtocol, still: dict[Material, Lengths], number: int) -> dict[Material, Lengths]:
    if protocol.swallow is None:
        return still
    first, last = protocol.swallow
    part = number / max(protocol.number_of_frames - 1, 1)
    seconds = number / protocol.pulse_rate if protocol.pulse_rate else 0.0
    layer = xray_phantom.contrast(protocol.beam, first + (last - first) * part, phase=2.0 * seconds)
    return xray_phantom.with_contrast(still, layer)


def _window(pixels: Pixels, protocol: XRayProtocol) -> Dataset:
    """A window that shows all but the darkest and brightest hundredth of the field."""
    low, high = np.percentile(pixels[field_window(protocol)][::4, ::4], (1.0, 99.0))
    data_set = Dataset()
    data_set.WindowCenter = str(round((low + high) / 2.0))
    data_set.WindowWidth = str(max(round(high - low), 1))
    return data_set
