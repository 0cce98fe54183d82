"""The attributes of an acquired frame as an Enhanced MR Image has them (PS3.3 A.36.2, C.8.13).

A scanner says of a frame what a classic MR Image says of an image: Echo Time, Trigger Time, Scanning Sequence. Here
these get the names and the value representations of the functional groups. What an original image must say and nobody
knows is said as cautiously as the terms of the standard allow; Content Qualification is RESEARCH then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.dimse.reading import values_of
from openmodality.objects.image.frame_values import ByTag, describe_each
from openmodality.objects.rules.elements import data_set_of, list_elements, make_data_set
from openmodality.objects.rules.terms import Terms, drop_other_terms, has_other_term
from openmodality.standard.body_part_codes import find_region

NUMBERS_OF_FRAMES: Final[Mapping[str, str]] = {
    "EchoTime": "EffectiveEchoTime",
    "InversionTime": "InversionTimes",
    "TriggerTime": "NominalCardiacTriggerDelayTime",
    "ImagingFrequency": "TransmitterFrequency",
}
"""Classic attributes of one number, and those of the functional groups that say the same in the same unit."""

TEXTS_OF_FRAMES: Final[Mapping[str, str]] = {"SequenceName": "PulseSequenceName"}

_COMPONENTS: Final[Mapping[str, str]] = {"M": "MAGNITUDE", "P": "PHASE", "R": "REAL", "I": "IMAGINARY"}
"""Complex Image Component (C.8.13.3.1) for the beginning of the classic Image Type's third value (C.8.3.1.1.1)."""

_PARTIAL_FOURIER: Final[Mapping[str, str]] = {"PFP": "PHASE", "PFF": "FREQUENCY"}
"""Partial Fourier Direction for the terms of Scan Options."""

DESCRIBED: Final = frozenset(
    int(Tag(keyword))
    for keyword in (
        *NUMBERS_OF_FRAMES, *TEXTS_OF_FRAMES, "ImageType", "ScanOptions", "PartialFourier",
        "InPlanePhaseEncodingDirection", "DiffusionBValue", "DiffusionDirectionality", "DiffusionGradientOrientation",
    )
)  # fmt: skip
"""The attributes of a classic image that a frame says otherwise, or beside others that follow from them."""

SAID_OTHERWISE: Final = DESCRIBED | frozenset(
    int(Tag(keyword))
    for keyword in (
        "ScanningSequence", "SequenceVariant", "EchoTrainLength", "SAR", "BodyPartExamined", "Laterality",
        "ImageLaterality", "TemporalPositionIdentifier", "NumberOfTemporalPositions", "AcquisitionDate",
        "AcquisitionTime", "SliceLocation", "ImagedNucleus", "EchoNumbers", "BitsStored", "AcquisitionMatrix",
        "NumberOfPhaseEncodingSteps", "VOILUTFunction",
    )
)  # fmt: skip
"""The attributes of a classic image that an enhanced one says in other words, or has no need of."""

_UNKNOWN: Final[Mapping[str, object]] = {
    "PixelPresentation": "MONOCHROME",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
    "ComplexImageComponent": "MAGNITUDE",
    "AcquisitionContrast": "UNKNOWN",
    "FlowCompensation": "NONE",
    "Spoiling": "NONE",
    "T2Preparation": "NO",
    "SpectrallySelectedExcitation": "NONE",
    "SpatialPresaturation": "NONE",
    "PartialFourier": "NO",
    "ParallelAcquisition": "NO",
    "InversionRecovery": "NO",
    "MagnetizationTransfer": "NONE",
    "BloodSignalNulling": "NO",
    "Tagging": "NONE",
    "InPlanePhaseEncodingDirection": "OTHER",
    "ReceiveCoilName": "UNKNOWN",
    "ReceiveCoilType": "VOLUME",
    "QuadratureReceiveCoil": "NO",
    "TransmitCoilName": "UNKNOWN",
    "TransmitCoilType": "VOLUME",
    "GradientOutputType": "DB_DT",
    "GradientOutput": 0.0,
    "RepetitionTime": "0",
    "FlipAngle": "0",
    "EchoTrainLength": 1,
    "RFEchoTrainLength": 1,
    "GradientEchoTrainLength": 0,
    "EffectiveEchoTime": 0.0,
    "PixelBandwidth": "0",
    "TransmitterFrequency": 0.0,
    "NumberOfAverages": "1",
    "PercentSampling": "100",
    "PercentPhaseFieldOfView": "100",
    "FrameLaterality": "U",
    "FrameAcquisitionDuration": 0.0,
}
"""What a frame says where nothing is known, by keyword."""

_OF_IMAGE: Final[Mapping[str, object]] = {
    "PixelPresentation": "MONOCHROME",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
    "ComplexImageComponent": "MAGNITUDE",
    "AcquisitionContrast": "UNKNOWN",
    "AcquisitionDuration": 0.0,
    "ContentQualification": "RESEARCH",
    "ResonantNucleus": "1H",
    "KSpaceFiltering": "NONE",
    "MagneticFieldStrength": "0",
    "ApplicableSafetyStandardAgency": "IEC",
    "BurnedInAnnotation": "NO",
    "LossyImageCompression": "00",
    "PresentationLUTShape": "IDENTITY",
    "PulseSequenceName": "UNKNOWN",
    "MRAcquisitionType": "2D",
    "EchoPulseSequence": "GRADIENT",
    "MultiPlanarExcitation": "NO",
    "PhaseContrast": "NO",
    "TimeOfFlightContrast": "NO",
    "SteadyStatePulseSequence": "NONE",
    "EchoPlanarPulseSequence": "NO",
    "SaturationRecovery": "NO",
    "SpectrallySelectedSuppression": "NONE",
    "OversamplingPhase": "NONE",
    "GeometryOfKSpaceTraversal": "RECTILINEAR",
    "RectilinearPhaseEncodeReordering": "LINEAR",
    "SegmentedKSpaceTraversal": "SINGLE",
    "NumberOfKSpaceTrajectories": 1,
}
"""What the image as a whole says where nothing is known, by keyword."""


def describe_shared(attributes: Dataset, rows: int, columns: int, terms: Terms) -> Dataset:
    """What all frames of an enhanced image say: what they share, under both names, then what is known of none.

    ``attributes`` are those that they share, as an image of one frame has them; ``terms`` are the enumerated values of
    frames. What has another value counts as not known.
    """
    values = data_set_of(**_UNKNOWN)
    values.update(
        data_set_of(
            MRAcquisitionFrequencyEncodingSteps=columns,
            MRAcquisitionPhaseEncodingStepsInPlane=rows,
            SpecificAbsorptionRateSequence=[_describe_absorption(attributes)],
            OperatingModeSequence=[data_set_of(OperatingModeType="STATIC FIELD", OperatingMode="IEC_NORMAL")],
        )
    )
    values.update(_describe_anatomy(attributes))
    values.update(data_set_of(FrameType=list(make_image_type(attributes))))
    values.update(describe_frame(attributes, terms))
    if attributes.get("RedPaletteColorLookupTableDescriptor"):
        values.update(data_set_of(PixelPresentation=attributes.get("PixelPresentation") or "COLOR"))
    if "RescaleSlope" not in values:
        values.update(data_set_of(RescaleSlope="1", RescaleIntercept="0"))
    values.RescaleType = values.get("RescaleType") or "US"
    return values


OF_ORIGINALS: Final = frozenset(
    int(Tag(keyword))
    for keyword in (
        "MRTimingAndRelatedParametersSequence", "MRFOVGeometrySequence", "MREchoSequence", "MRModifierSequence",
        "MRImagingModifierSequence", "MRReceiveCoilSequence", "MRTransmitCoilSequence", "MRAveragesSequence",
    )
)  # fmt: skip
"""The groups that tell how a frame was acquired, which a derived one need not have (PS3.3 A.36.2.4)."""

_MEGAHERTZ_A_TESLA: Final = 42.577478518
"""Of the proton, which is imaged where nobody says otherwise."""


def forget_acquisition(values: Dataset, stated: Dataset) -> None:
    """Leave out what a derived image need not say of its acquisition, and nobody has said."""
    for keyword in ("FrameAcquisitionDuration", "AcquisitionDuration", "MagneticFieldStrength"):
        if keyword in values and not stated.get(keyword):
            del values[keyword]


def describe_frame(attributes: Dataset, terms: Terms) -> Dataset:
    """What a frame says of its own, under both names; only :data:`DESCRIBED` decides what is said otherwise."""
    values = _rename(attributes)
    values.update(attributes)
    if values.get("InPlanePhaseEncodingDirection") == "COL":
        values.update(data_set_of(InPlanePhaseEncodingDirection="COLUMN"))
    _fill_diffusion(values)
    if attributes.get("ImageType") or attributes.get("DiffusionBValue") is not None:
        values.update(data_set_of(FrameType=list(make_image_type(attributes))))
    return drop_other_terms(values, terms)


def describe_own(shared: Dataset, own: Sequence[ByTag], terms: Terms) -> list[dict[int, DataElement]]:
    """What each frame says of its own, under both names, without other values than those enumerated."""
    described = describe_each(shared, own, DESCRIBED, lambda attributes: describe_frame(attributes, terms))
    for values in described:
        for tag in values.keys() & terms.keys():
            if has_other_term(values[tag], terms):
                del values[tag]
    return described


def _describe_absorption(attributes: Dataset) -> Dataset:
    """W/kg for the whole body; 0 where nothing is known, since an original image must say it."""
    rate = float(str(attributes.get("SAR") or 0))
    return data_set_of(SpecificAbsorptionRateDefinition="IEC_WHOLE_BODY", SpecificAbsorptionRateValue=rate)


def describe_whole(attributes: Dataset, terms: Terms) -> Dataset:
    """What an enhanced image says of itself, from what all its frames share; ``terms`` are its enumerated values."""
    values = data_set_of(**_OF_IMAGE)
    values.update(_rename(attributes))
    values.update(_describe_sequence(attributes))
    values.update(drop_other_terms(make_data_set(list_elements(attributes)), terms))
    if values.EchoPulseSequence in ("SPIN", "BOTH"):
        values.MultipleSpinEcho = values.get("MultipleSpinEcho") or "NO"
    if values.MRAcquisitionType == "3D":
        values.CoverageOfKSpace = values.get("CoverageOfKSpace") or "FULL"
    if values.GeometryOfKSpaceTraversal != "RECTILINEAR" and not attributes.get("RectilinearPhaseEncodeReordering"):
        del values.RectilinearPhaseEncodeReordering
    return values


OF_ALL_FRAMES: Final = (
    "PixelPresentation", "VolumetricProperties", "VolumeBasedCalculationTechnique", "ComplexImageComponent",
    "AcquisitionContrast",
)  # fmt: skip
"""What the image says as its frames do, and MIXED where they differ (PS3.3 C.8.16.2, C.8.13.3.1)."""


def combine_terms(terms: Iterable[str]) -> str:
    """The term of the image for those of its frames."""
    each = set(terms)
    return each.pop() if len(each) == 1 else "MIXED"


def make_image_type(attributes: Dataset) -> tuple[str, str, str, str]:
    """Image Type of four values (PS3.3 C.8.16.1); the third from the data where the classic one is no term."""
    given = [str(each) for each in values_of(attributes["ImageType"])] if attributes.get("ImageType") else []
    first, _, flavor, derived = (*given, *("", "", "", "")[len(given) :])[:4]
    if flavor not in _FLAVORS:
        flavor = "DIFFUSION" if attributes.get("DiffusionBValue") is not None else "VOLUME"
    if first not in ("ORIGINAL", "DERIVED"):
        first = "DERIVED" if first else "ORIGINAL"  # who says another thing does not say that it is as it was acquired
    # Only a derived image has a Derived Pixel Contrast; makers say other things there in classic ones. All are PRIMARY.
    return first, "PRIMARY", flavor, "NONE" if first == "ORIGINAL" else derived or "NONE"


_FLAVORS: Final = frozenset(
    ("ANGIO", "ANGIO_TIME", "ASL", "CARDIAC", "DIFFUSION", "DIXON", "DYNAMIC", "FLOW_ENCODED", "FLUID_ATTENUATED",
     "FMRI", "LOCALIZER", "MAX_IP", "MIN_IP", "MOTION", "MULTIECHO", "PERFUSION", "POST_CONTRAST", "PRE_CONTRAST",
     "PROTON_DENSITY", "REALTIME", "REFERENCE", "REST", "STATIC", "STIR", "STRESS", "T1", "T2", "T2_STAR", "TAGGING",
     "VELOCITY", "VOLUME", "WHOLE_BODY")
)  # fmt: skip


def _rename(attributes: Dataset) -> Dataset:
    renamed: dict[str, Any] = {}
    for names, convert in ((NUMBERS_OF_FRAMES, float), (TEXTS_OF_FRAMES, str)):
        act: Callable[[Any], Any] = convert
        for classic, enhanced in names.items():
            value = attributes.get(classic)
            if value is not None and value != "":
                renamed[enhanced] = act(value)
    renamed.update(_find_field(attributes))
    if "InversionTimes" in renamed:
        renamed["InversionRecovery"] = "YES"
    renamed.update(_describe_component(attributes))
    renamed.update(_describe_partial_fourier(attributes))
    return data_set_of(**renamed)


def _find_field(attributes: Dataset) -> dict[str, object]:
    """What follows from what is known: field strength and frequency from each other, the time of a frame from all."""
    found: dict[str, object] = {}
    field, frequency = (float(str(attributes.get(each) or 0)) for each in ("MagneticFieldStrength", "ImagingFrequency"))
    frequency = frequency or float(attributes.get("TransmitterFrequency") or 0)
    is_proton = str(attributes.get("ImagedNucleus") or attributes.get("ResonantNucleus") or "1H") == "1H"
    if is_proton and field and not frequency:
        found["TransmitterFrequency"] = field * _MEGAHERTZ_A_TESLA
    if is_proton and frequency and not field:
        found["MagneticFieldStrength"] = f"{frequency / _MEGAHERTZ_A_TESLA:.4g}"
    if (seconds := attributes.get("AcquisitionDuration")) and not attributes.get("FrameAcquisitionDuration"):
        found["FrameAcquisitionDuration"] = float(seconds) * 1000  # no frame is done before its acquisition is
    return found


def _describe_component(attributes: Dataset) -> dict[str, str]:
    """Which part of a complex image it is: ``M``, or ``M_FFE`` as some makers write it."""
    given = [str(each) for each in values_of(attributes["ImageType"])] if attributes.get("ImageType") else []
    component = _COMPONENTS.get(given[2].partition("_")[0]) if len(given) > 2 else None
    return {"ComplexImageComponent": component} if component else {}


def _describe_partial_fourier(attributes: Dataset) -> dict[str, str]:
    options = _list(attributes, "ScanOptions")
    directions = [direction for term, direction in _PARTIAL_FOURIER.items() if term in options]
    if not directions or attributes.get("PartialFourier"):
        return {}
    direction = directions[0] if len(directions) == 1 else "COMBINATION"
    return {"PartialFourier": "YES", "PartialFourierDirection": direction}


def _describe_sequence(attributes: Dataset) -> Dataset:
    """MR Pulse Sequence (C.8.13.4) from Scanning Sequence and Sequence Variant."""
    scanning = _list(attributes, "ScanningSequence")
    variant = _list(attributes, "SequenceVariant")
    values: dict[str, object] = {}
    if scanning == {"IR"}:
        scanning = frozenset(("IR", "SE"))  # by the usual refocusing pulse
    if {"SE", "GR"} & scanning:
        both = {"SE", "GR"} <= scanning
        values["EchoPulseSequence"] = "BOTH" if both else "SPIN" if "SE" in scanning else "GRADIENT"
    if "EP" in scanning:
        values["EchoPlanarPulseSequence"] = "YES"
    if "SK" in variant:
        values["SegmentedKSpaceTraversal"] = "PARTIAL"
    if "SS" in variant:
        values["SteadyStatePulseSequence"] = "FREE_PRECESSION"
    if "OSP" in variant:
        values["OversamplingPhase"] = "2D"
    if int(str(attributes.get("EchoTrainLength") or 1)) > 1 and "SE" in scanning:
        values["MultipleSpinEcho"] = "YES"
    return data_set_of(**values)


def _fill_diffusion(values: Dataset) -> None:
    """Diffusion Directionality follows from the b-value and the direction (PS3.3 C.8.13.5.9)."""
    b_value = values.get("DiffusionBValue")
    if b_value is None:
        return
    orientation = values.get("DiffusionGradientOrientation")
    if not values.get("DiffusionDirectionality"):
        directed = orientation is not None and float(b_value) > 0
        values.DiffusionDirectionality = "NONE" if not float(b_value) else "DIRECTIONAL" if directed else "ISOTROPIC"
    if values.DiffusionDirectionality in ("DIRECTIONAL", "BMATRIX") and orientation is not None:
        values.DiffusionGradientDirectionSequence = [data_set_of(DiffusionGradientOrientation=list(orientation))]


def _describe_anatomy(attributes: Dataset) -> Dataset:
    region = find_region(str(attributes.get("BodyPartExamined") or ""))
    item = data_set_of(CodeValue=region.value, CodingSchemeDesignator="SCT", CodeMeaning=region.meaning)
    side = str(attributes.get("Laterality") or attributes.get("ImageLaterality") or "")
    values = data_set_of(AnatomicRegionSequence=[item])
    if side in ("R", "L", "B"):
        values.FrameLaterality = side
    return values


def _list(attributes: Dataset, keyword: str) -> frozenset[str]:
    return frozenset(str(each) for each in values_of(attributes[keyword])) if attributes.get(keyword) else frozenset()
