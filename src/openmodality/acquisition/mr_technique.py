"""Describes the scan in the header of a simulated MR image (PS3.3 C.8.3.1), and the meaning of its stored values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pydicom.dataset import Dataset

from openmodality.acquisition import mr_phantom
from openmodality.acquisition.mr_protocol import CONTRAST_ARRIVES_S, MrProtocol, PulseSequence, Weighting
from openmodality.objects.rules.elements import data_set_of
from openmodality.standard.value_rules import format_decimal

STORED_BITS: Final = 12
_SCANNING: Final = {PulseSequence.DIFFUSION: ["SE", "EP"]}
_AGENT: Final = "Gadolinium chelate"
_MS_A_SECOND: Final = 1000.0


def describe_technique(protocol: MrProtocol) -> Dataset:
    """What all images of a protocol say of it."""
    gradient = protocol.sequence is PulseSequence.GRADIENT_ECHO
    trains = protocol.echo_train_length > 1
    values = data_set_of(
        ImageType=["ORIGINAL", "PRIMARY", "M", protocol.sequence.value],
        ScanningSequence=_SCANNING.get(protocol.sequence, [protocol.sequence.value]),
        SequenceVariant="SP" if gradient else "SK" if trains else "NONE",
        ScanOptions="",
        MRAcquisitionType="2D",
        SequenceName=protocol.sequence.value,
        RepetitionTime=format_decimal(protocol.repetition_time_ms),
        FlipAngle=format_decimal(protocol.flip_angle_deg),
        EchoTrainLength=protocol.echo_train_length,
        NumberOfAverages=str(protocol.averages),
        PixelBandwidth=format_decimal(protocol.bandwidth_hz),
        MagneticFieldStrength=format_decimal(mr_phantom.FIELD_STRENGTH_T),
        ImagingFrequency=f"{mr_phantom.FIELD_STRENGTH_T * mr_phantom.LARMOR_MHZ_PER_T:.6g}",
        ImagedNucleus="1H",
        SpacingBetweenSlices=format_decimal(protocol.spacing_mm),
        ReconstructionDiameter=format_decimal(protocol.field_of_view_mm),
        NumberOfPhaseEncodingSteps=protocol.matrix,
        PercentSampling="100",
        PercentPhaseFieldOfView="100",
        InPlanePhaseEncodingDirection="ROW",
        AcquisitionMatrix=[0, protocol.matrix, protocol.matrix, 0],
        BitsStored=STORED_BITS,
        SAR=f"{protocol.absorption_rate_w_kg:.3g}",
        FrameAcquisitionDuration=protocol.duration_s * _MS_A_SECOND,
        AcquisitionDuration=protocol.weightings[-1].time_s + protocol.duration_s,
    )
    if protocol.dynamics > 1:
        values.update(data_set_of(NumberOfTemporalPositions=protocol.dynamics))
    return values


def describe_weighting(protocol: MrProtocol, weighting: Weighting, start: datetime) -> Dataset:
    """What is special about the images of a weighting, and when they were acquired."""
    values = data_set_of(EchoTime=format_decimal(weighting.echo_time_ms), EchoNumbers=weighting.echo)
    if protocol.sequence is PulseSequence.INVERSION_RECOVERY:
        values.update(data_set_of(InversionTime=format_decimal(weighting.inversion_time_ms)))
    if weighting.gradient is not None:
        values.update(data_set_of(DiffusionBValue=weighting.gradient.b_value))
        if weighting.gradient.direction is not None:
            values.update(data_set_of(DiffusionGradientOrientation=list(weighting.gradient.direction)))
    if protocol.dynamics > 1:
        values.update(data_set_of(TemporalPositionIdentifier=weighting.position))
        injected = start + timedelta(seconds=CONTRAST_ARRIVES_S)
        values.update(data_set_of(ContrastBolusAgent=_AGENT, ContrastBolusStartTime=injected.strftime("%H%M%S.%f")))
    values.update(_format_moment(start + timedelta(seconds=weighting.time_s)))
    return values


def describe_gain(slope: float) -> Dataset:
    """What a stored value is worth: signal relative to fully relaxed water (PS3.3 C.7.6.16.2.11)."""
    unit = data_set_of(CodeValue="1", CodingSchemeDesignator="UCUM", CodeMeaning="no units")
    mapping = data_set_of(
        LUTExplanation="signal relative to fully relaxed water",
        MeasurementUnitsCodeSequence=[unit],
        LUTLabel="SIGNAL",
        RealWorldValueIntercept=0.0,
        RealWorldValueSlope=slope,
    )
    mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
    mapping.add_new("RealWorldValueLastValueMapped", "US", (1 << STORED_BITS) - 1)
    return data_set_of(RealWorldValueMappingSequence=[mapping])


def _format_moment(now: datetime) -> Dataset:
    day, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S.%f")
    return data_set_of(AcquisitionDate=day, ContentDate=day, AcquisitionTime=time, ContentTime=time)
