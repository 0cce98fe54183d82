"""Quantities that are never below zero, by keyword: times, distances, counts, doses and frequencies (PS3.3 C.7, C.8).

What may be on both sides of zero is not here: positions, angles of a gantry or a tag, delays, window, rescale,
velocities.
"""

from __future__ import annotations

from typing import Final

NEVER_NEGATIVE: Final = frozenset((
    # patient
    "PatientSize", "PatientWeight",
    # contrast agent
    "ContrastBolusIngredientConcentration", "ContrastBolusTotalDose", "ContrastBolusVolume", "ContrastFlowDuration",
    "ContrastFlowRate",
    # planes and pixels
    "ReconstructionDiameter", "SliceThickness", "SpacingBetweenSlices", "SpatialResolution", "PixelAspectRatio",
    "NominalScannedPixelSpacing", "LossyImageCompressionRatio", "EstimatedRadiographicMagnificationFactor",
    # numbers of what there is
    "CardiacNumberOfImages", "EchoNumbers", "EchoTrainLength", "GradientEchoTrainLength", "HeartRate",
    "ImagesInAcquisition", "IntervalsAcquired", "IntervalsRejected", "NumberOfAverages", "NumberOfFrames",
    "NumberOfPhaseEncodingSteps", "NumberOfTemporalPositions", "RFEchoTrainLength", "SkipBeats",
    "TemporalPositionIdentifier",
    # times of a scan, in ms or s
    "AcquisitionDuration", "CardiacRRIntervalSpecified", "EchoTime", "EffectiveEchoTime", "FrameAcquisitionDuration",
    "HighRRValue", "InversionTime", "InversionTimes", "LowRRValue", "NominalInterval", "RRIntervalTimeNominal",
    "RepetitionTime", "RespiratoryIntervalTime", "TemporalResolution", "TriggerWindow",
    # how it was scanned
    "B1rms", "DiffusionBValue", "FlipAngle", "GradientOutput", "ImagingFrequency", "MagneticFieldStrength",
    "ParallelReductionFactorInPlane", "ParallelReductionFactorOutOfPlane", "ParallelReductionFactorSecondInPlane",
    "PercentPhaseFieldOfView", "PercentSampling", "PixelBandwidth", "SAR", "SlabThickness",
    "SpecificAbsorptionRateValue", "TagSpacingFirstDimension", "TagSpacingSecondDimension", "TagThickness",
    "TransmitterFrequency", "dBdt",
    # X-ray
    "DistanceSourceToDetector", "DistanceSourceToPatient", "EntranceDose", "EntranceDoseInmGy", "Exposure",
    "ExposureInuAs", "ExposureTime", "ExposureTimeInuS", "FocalSpots", "FrameTime",
    "ImageAndFluoroscopyAreaDoseProduct", "IntensifierSize", "KVP", "XRayTubeCurrent", "XRayTubeCurrentInuA",
))  # fmt: skip
