"""An R/F system without a tube: projections of a digital trunk, fluoroscopy runs and exposures, with their dose.

One protocol is one irradiation event. Pixels are seeded and repeatable; UIDs and times come from the arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydicom.dataset import Dataset

from openmodality.acquisition import xray_phantom, xray_physics
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, Pixels
from openmodality.acquisition.xray_exposure_control import regulate
from openmodality.acquisition.xray_phantom import TissueLayers
from openmodality.acquisition.xray_protocol import DETECTOR_BITS, DETECTOR_MM, UPPER_GI, Contrast, XRayProtocol
from openmodality.acquisition.xray_shapes import Beam, Lengths
from openmodality.acquisition.xray_signal import (
    count_photons,
    find_field,
    find_passed,
    find_signal,
    make_grey,
    pass_contrast,
)
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.totals import MGY_PER_GY
from openmodality.value_class import dataclass

_SHOWN_OF_FLUOROSCOPY = (0.5, 93.0)
_SHOWN_OF_EXPOSURES = (7.0, 99.7)
"""Which part of the grey values a window shows, in percent: the lungs may be too bright, the background black."""


@dataclass(frozen=True, slots=True)
class RfSimulator:
    """Makes the runs and exposures of ``protocols``. UIDs and times are those of the record of irradiation events."""

    protocols: Sequence[XRayProtocol] = UPPER_GI
    seed: int = 1

    def series(self) -> Iterator[AcquiredSeries]:
        """One series and one irradiation event for each protocol."""
        for index, protocol in enumerate(self.protocols):
            still = xray_phantom.anatomy(protocol.beam)
            yield self._expose(index, regulate(protocol, still), still)

    def _expose(self, index: int, protocol: XRayProtocol, still: TissueLayers) -> AcquiredSeries:
        sop_class_uid, modality = protocol.kind.value
        common = Dataset()
        common.BodyPartExamined = protocol.body_part
        common.ProtocolName = protocol.name
        return AcquiredSeries(
            description=protocol.name,
            modality=modality,
            sop_class_uid=sop_class_uid,
            frames=self._make_frames(index, protocol, still),
            number_of_frames=protocol.number_of_frames,
            attributes=common,
            irradiation=state_event(protocol),
        )

    def _make_frames(self, index: int, protocol: XRayProtocol, still: TissueLayers) -> Iterator[AcquiredFrame]:
        common = frame_attributes(protocol)
        beam, passed = protocol.beam, find_passed(protocol, still)
        for number in range(protocol.number_of_frames):
            random = np.random.default_rng((self.seed, index, number))
            now = protocol.find_beam(_find_part(protocol, number))
            if now != beam:
                beam, still = now, xray_phantom.anatomy(now)
                passed = find_passed(protocol, still)
            contrast, seen = protocol.contrast, passed
            if contrast is not None and number >= contrast.mask_frames:
                layer = find_contrast(protocol, contrast, beam, number)
                seen = pass_contrast(protocol, still, passed, contrast.agent, layer)
            signal = find_signal(protocol, still, seen)
            pixels = make_grey(count_photons(protocol, signal, random), protocol)
            attributes = Dataset()
            attributes.update(common)
            attributes.update(_choose_window(pixels, protocol))
            yield AcquiredFrame(pixels, attributes)


def state_event(protocol: XRayProtocol) -> IrradiationEvent:
    """What a run or exposure does to the patient: dose from technique, distances and collimated field."""
    technique, geometry = protocol.technique, protocol.geometry
    pulses = {"PulseRate": technique.pulse_rate} if technique.pulse_rate else {}
    if not (protocol.is_fluoroscopy and protocol.is_continuous):
        pulses |= {"NumberOfPulses": technique.number_of_pulses, "PulseWidth": technique.pulse_width_ms}
    return IrradiationEvent(
        IrradiationEventType=protocol.event_type,
        ProtocolName=protocol.name,
        BodyPartExamined=protocol.body_part,
        KVP=protocol.kvp,
        XRayTubeCurrent=protocol.tube_current_ma,
        ExposureTime=technique.exposure_time_ms,
        IrradiationDuration=protocol.run_s,
        NumberOfFrames=protocol.number_of_frames,
        FilterType="STRIP",
        FilterMaterial="ALUMINUM",
        FilterThicknessMaximum=protocol.filter_thickness_mm_al,
        FocalSpots=protocol.focal_spot_mm,
        AnodeTargetMaterial="Tungsten",
        XRayGrid="Reciprocating grid" if protocol.has_grid else "No grid",
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


def frame_attributes(protocol: XRayProtocol) -> Dataset:
    """What the source says of each image of a run; dose and technique come from the record (PS3.3 C.8.7)."""
    data_set = Dataset()
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    data_set.BitsStored = DETECTOR_BITS
    data_set.PixelIntensityRelationship = "DISP"
    data_set.PixelIntensityRelationshipSign = 1
    spacing = DETECTOR_MM / protocol.matrix
    data_set.ImagerPixelSpacing = [f"{spacing:.6g}", f"{spacing:.6g}"]
    data_set.FieldOfViewShape = "RECTANGLE"
    data_set.update(_describe_shutter(protocol))
    return data_set


def find_contrast(protocol: XRayProtocol, contrast: Contrast, beam: Beam, number: int) -> Lengths:
    """Path lengths through the contrast agent when image ``number`` is made; the mask images come before it."""
    part = (number - contrast.mask_frames) / max(protocol.number_of_frames - contrast.mask_frames - 1, 1)
    progress = contrast.first + (contrast.last - contrast.first) * part
    if contrast.agent is xray_physics.BARIUM_SUSPENSION:
        seconds = number / protocol.frame_rate if protocol.frame_rate else 0.0
        return xray_phantom.barium(beam, progress, phase=2.0 * seconds)
    return xray_phantom.iodine(beam, progress)


def _find_part(protocol: XRayProtocol, number: int) -> float:
    return number / max(protocol.number_of_frames - 1, 1)


def _describe_shutter(protocol: XRayProtocol) -> Dataset:
    """Display Shutter Module (PS3.3 C.7.6.11): edges are the first columns and rows outside the field, counted from
    1.
    """
    rows, columns = find_field(protocol)
    data_set = Dataset()
    data_set.ShutterShape = "RECTANGULAR"
    data_set.ShutterLeftVerticalEdge = columns.start
    data_set.ShutterRightVerticalEdge = columns.stop + 1
    data_set.ShutterUpperHorizontalEdge = rows.start
    data_set.ShutterLowerHorizontalEdge = rows.stop + 1
    data_set.ShutterPresentationValue = 0
    return data_set


def _choose_window(pixels: Pixels, protocol: XRayProtocol) -> Dataset:
    shown = _SHOWN_OF_FLUOROSCOPY if protocol.is_fluoroscopy else _SHOWN_OF_EXPOSURES
    low, high = np.percentile(pixels[find_field(protocol)][::4, ::4], shown)
    data_set = Dataset()
    data_set.WindowCenter = str(round((low + high) / 2.0))
    data_set.WindowWidth = str(max(round(high - low), 1))
    return data_set
