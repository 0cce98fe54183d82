"""An R/F system without a tube: projections of a digital trunk, fluoroscopy runs and single exposures, with their dose.

One protocol is one irradiation event. Pixels are seeded and repeatable; UIDs and times come from the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from math import floor

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage

from openmodality.acquisition import xray_phantom, xray_physics
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, LocalClock, Pixels
from openmodality.acquisition.xray_phantom import Beam, Lengths
from openmodality.acquisition.xray_physics import Material
from openmodality.errors import UsageError
from openmodality.objects.identity import Uids
from openmodality.objects.report.irradiation import IrradiationEvent, IrradiationEventType, XRayGeometry, XRayTechnique

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
    event_type: IrradiationEventType = IrradiationEventType.STATIONARY_ACQUISITION
    geometry: XRayGeometry = field(default_factory=XRayGeometry)
    filter_thickness_mm_al: float = 1.2
    focal_spot_mm: float = 0.6
    matrix: int = 512
    centre: tuple[float, float] = (0.0, 0.0)
    swallow: tuple[float, float] | None = None
    body_part: str = "ABDOMEN"

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


FLUOROSCOPY = IrradiationEventType.FLUOROSCOPY
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
    """Makes the runs and exposures of ``protocols``. ``clock`` gives the times and ``new_uid`` the Irradiation Event
    UIDs.
    """

    protocols: Sequence[XRayProtocol] = UPPER_GI
    seed: int = 1
    clock: LocalClock = field(default=datetime.now)
    new_uid: Callable[[], str] = field(default_factory=Uids)

    def series(self) -> Iterator[AcquiredSeries]:
        """One series and one irradiation event for each protocol."""
        for index, protocol in enumerate(self.protocols):
            yield self._expose(index, protocol)

    def _expose(self, index: int, protocol: XRayProtocol) -> AcquiredSeries:
        event = irradiation_event(protocol, uid=self.new_uid(), started=self.clock())
        sop_class_uid, modality = protocol.kind.value
        common = Dataset()
        common.BodyPartExamined = protocol.body_part
        common.ProtocolName = protocol.name
        return AcquiredSeries(
            description=protocol.name,
            modality=modality,
            sop_class_uid=sop_class_uid,
            frames=self._frames(index, protocol, event),
            number_of_frames=protocol.number_of_frames,
            attributes=common,
            events=(event,),
        )

    def _frames(self, index: int, protocol: XRayProtocol, event: IrradiationEvent) -> Iterator[AcquiredFrame]:
        still = xray_phantom.anatomy(protocol.beam)
        common = frame_attributes(protocol, event)
        for number in range(protocol.number_of_frames):
            random = np.random.default_rng((self.seed, index, number))
            detected = detect(protocol, _move_still(protocol, still, number), random)
            pixels = window_pixels(detected, protocol, fluoroscopy=event.is_fluoroscopy)
            attributes = Dataset()
            attributes.update(common)
            attributes.update(_window(pixels, protocol))
            attributes.update(
                _format_moment(event.started + timedelta(seconds=number * protocol.run_s / protocol.number_of_frames))
            )
            yield AcquiredFrame(pixels, attributes)


def irradiation_event(protocol: XRayProtocol, *, uid: str, started: datetime) -> IrradiationEvent:
    """What a run or exposure does to the patient: dose from technique, distances and collimated field."""
    technique, geometry = protocol.technique, protocol.geometry
    return IrradiationEvent(
        uid=uid,
        event_type=protocol.event_type,
        started=started,
        duration_s=protocol.run_s,
        protocol=protocol.name,
        technique=technique,
        geometry=geometry,
        dose_area_product_gy_m2=xray_physics.dose_area_product_gy_m2(technique, geometry),
        dose_rp_gy=xray_physics.air_kerma_gy(technique, geometry.source_to_reference_point_mm),
        entrance_dose_gy=xray_physics.air_kerma_gy(technique, geometry.source_to_entrance_mm),
        number_of_frames=protocol.number_of_frames,
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


def frame_attributes(protocol: XRayProtocol, event: IrradiationEvent) -> Dataset:
    """X-Ray Image, Acquisition, Collimator and Positioner attributes (PS3.3 C.8.7) of each image of a run."""
    technique, geometry = protocol.frame_technique, protocol.geometry
    frames = protocol.number_of_frames
    data_set = Dataset()
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    data_set.BitsStored = _BITS_STORED
    data_set.PixelIntensityRelationship = "DISP"
    data_set.PixelIntensityRelationshipSign = 1
    data_set.KVP = f"{protocol.kvp:g}"
    data_set.XRayTubeCurrent = round(protocol.tube_current_ma)
    data_set.ExposureTime = max(round(technique.exposure_time_ms), 1)
    data_set.Exposure = max(round(technique.exposure_mas), 1)
    data_set.RadiationSetting = "SC" if event.is_fluoroscopy else "GR"
    data_set.RadiationMode = "PULSED" if protocol.pulse_rate else "CONTINUOUS"
    data_set.AveragePulseWidth = f"{protocol.pulse_width_ms:g}"
    data_set.ImageAndFluoroscopyAreaDoseProduct = f"{event.dose_area_product_gy_m2 / frames * 1e5:.6g}"
    data_set.EntranceDose = round(event.entrance_dose_gy / frames * 10)
    data_set.EntranceDoseInmGy = f"{event.entrance_dose_gy / frames * 1e3:.6g}"
    data_set.IrradiationEventUID = event.uid
    data_set.DistanceSourceToDetector = f"{geometry.source_to_detector_mm:g}"
    data_set.DistanceSourceToPatient = f"{geometry.source_to_isocenter_mm:g}"
    magnification = geometry.source_to_detector_mm / geometry.source_to_isocenter_mm
    data_set.EstimatedRadiographicMagnificationFactor = f"{magnification:.4g}"
    spacing = DETECTOR_MM / protocol.matrix
    data_set.ImagerPixelSpacing = [f"{spacing:.6g}", f"{spacing:.6g}"]
    data_set.FieldOfViewShape = "RECTANGLE"
    data_set.PositionerMotion = "STATIC"
    data_set.PositionerPrimaryAngle = data_set.PositionerSecondaryAngle = "0"
    data_set.FocalSpots = f"{protocol.focal_spot_mm:g}"
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


def _format_moment(now: datetime) -> Dataset:
    data_set = Dataset()
    data_set.AcquisitionDate = data_set.ContentDate = now.strftime("%Y%m%d")
    data_set.AcquisitionTime = data_set.ContentTime = now.strftime("%H%M%S.%f")
    return data_set
