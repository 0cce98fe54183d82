"""Enhanced MR images in memory: in the least form that the API allows, and with all that the tables have."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.image.enhanced_mr import EnhancedFrame, EnhancedUids, encode_enhanced_mr
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.rules.template import EncodedInstance
from tests.made_objects import NAMES, NOW, UIDS, code, definition_of, exam, worklist

ENHANCED = "Enhanced MR Image"
PLANE = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 0.5], "SliceThickness": 3}


def frame(position: float = 0.0, value: int = 1, **attributes: Any) -> EnhancedFrame:
    known = {**PLANE, "ImagePositionPatient": [0, 0, position], **attributes}
    return EnhancedFrame(np.full((4, 6), value, np.uint16), data_set_of(**known))


def make_images(frames: Sequence[EnhancedFrame], parts: int = 0, **of_series: Any) -> list[Dataset]:
    """An image, or the instances of a concatenation of so many parts."""
    series = SeriesFacts(UIDS(), 1, NOW, "MR", frame_of_reference_uid=UIDS(), attributes=data_set_of(**of_series))
    uids = EnhancedUids(UIDS(), UIDS(), [UIDS() for _ in range(parts)])
    encoded = encode_enhanced_mr(
        definition_of("mr", ENHANCED),
        exam(worklist(NAMES["ascii"])),
        series,
        InstanceFacts(UIDS(), 1, NOW),
        frames,
        uids,
    )
    return [read(each) for each in encoded]


def make_image(*frames: EnhancedFrame, **of_series: Any) -> Dataset:
    [image] = make_images(frames, **of_series)
    return image


def read(image: EncodedInstance) -> Dataset:
    return dcmread(BytesIO(b"".join(image.parts)), force=True)


def refer(purpose: str = "121311") -> Dataset:
    item = data_set_of(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.4", ReferencedSOPInstanceUID="1.2.3")
    coded = data_set_of(CodeValue=purpose, CodingSchemeDesignator="DCM", CodeMeaning="Localizer")
    item.PurposeOfReferenceCodeSequence = [coded]
    return item


def list_evidence() -> list[Dataset]:
    instance = data_set_of(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.4", ReferencedSOPInstanceUID="1.2.3")
    series = data_set_of(SeriesInstanceUID="1.2.4", ReferencedSOPSequence=[instance])
    return [data_set_of(StudyInstanceUID="1.2.5", ReferencedSeriesSequence=[series])]


SYNCHRONIZED: dict[str, Any] = {
    "CardiacSynchronizationTechnique": "PROSPECTIVE", "CardiacSignalSource": "ECG", "CardiacRRIntervalSpecified": 900.0,
    "CardiacBeatRejectionTechnique": "RR_INTERVAL", "LowRRValue": "700", "HighRRValue": "1100",
    "IntervalsAcquired": "60", "IntervalsRejected": "2", "SkipBeats": "1", "RRIntervalTimeNominal": 900.0,
    "RespiratoryMotionCompensationTechnique": "GATING", "RespiratoryTriggerDelayThreshold": 40.0,
    "RespiratorySignalSource": "BELT",
    "NominalRespiratoryTriggerDelayTime": 300.0, "RespiratoryIntervalTime": 4000.0,
    "BulkMotionCompensationTechnique": "REALTIME", "BulkMotionSignalSource": "NAVIGATOR",
}  # fmt: skip
"""Triggered by the heart and the breath, with bulk motion followed by a navigator."""

MODIFIED: dict[str, Any] = {
    "InversionTime": "150", "FlowCompensation": "ACCELERATION", "FlowCompensationDirection": "PHASE",
    "PartialFourier": "YES", "PartialFourierDirection": "PHASE", "ParallelAcquisition": "YES",
    "ParallelAcquisitionTechnique": "SENSE", "ParallelReductionFactorInPlane": 2.0,
    "ParallelReductionFactorOutOfPlane": 1.0, "ParallelReductionFactorSecondInPlane": 1.0, "Tagging": "GRID",
    "SpatialPresaturation": "SLAB", "TagSpacingFirstDimension": 8.0, "TagSpacingSecondDimension": 8.0,
    "TagAngleFirstAxis": 45.0, "TagAngleSecondAxis": 90, "TagThickness": 2.0, "TaggingDelay": 10.0,
    "ReceiveCoilManufacturerName": "Coils", "ReceiveCoilType": "MULTICOIL", "ReceiveCoilName": "HEAD8",
    "MultiCoilDefinitionSequence": [data_set_of(MultiCoilElementName="E1", MultiCoilElementUsed="YES")],
    "MultiCoilConfiguration": "E1", "TransmitCoilManufacturerName": "Coils", "TransmitCoilName": "BODY",
    "MRSpatialSaturationSequence": [
        data_set_of(SlabThickness=40.0, SlabOrientation=[0.0, 0.0, 1.0], MidSlabPosition=[0.0, 0.0, -60.0])
    ],
    "MRAcquisitionPhaseEncodingStepsOutOfPlane": 16, "MRAcquisitionType": "3D",
}  # fmt: skip
"""Prepared, accelerated and tagged."""

DESCRIBED: dict[str, Any] = {
    "RepetitionTime": "500", "EchoTime": "20", "FlipAngle": "90", "SequenceName": "se3d", "BodyPartExamined": "BRAIN",
    "ScanningSequence": ["SE"], "SequenceVariant": ["SK"], "MagneticFieldStrength": "1.5", "PatientPosition": "HFS",
    "EchoTrainLength": "8", "NumberOfAverages": "2", "PixelBandwidth": "200", "ImagingFrequency": "63.8", "SAR": "0.2",
    "ApplicableSafetyStandardDescription": "IEC 60601-2-33", "ImageComments": "none", "SpacingBetweenSlices": "3",
    "AcquisitionContextDescription": "supine at rest", "ContentQualification": "PRODUCT",
    "ReferencedImageEvidenceSequence": list_evidence(), "ReferencedImageSequence": [refer()],
    "FrameAcquisitionDuration": 500.0,
}  # fmt: skip

PALETTE: dict[str, Any] = {
    **{f"{colour}PaletteColorLookupTableDescriptor": [4, 4000, 16] for colour in ("Red", "Green", "Blue")},
    **{f"{colour}PaletteColorLookupTableData": b"\0\0\xff\x3f\xff\x7f\xff\xff" for colour in ("Red", "Green", "Blue")},
    "PixelPresentation": "COLOR",
}
"""Colours for the stored values from 4000 on."""


def context(value: float = 37.0) -> list[Dataset]:
    """An item of Acquisition Context: a measured temperature."""
    item = data_set_of(ValueType="NUMERIC", NumericValue=value)
    item.ConceptNameCodeSequence = [code("T1", "Body temperature")]
    item.MeasurementUnitsCodeSequence = [
        data_set_of(CodeValue="Cel", CodingSchemeDesignator="UCUM", CodeMeaning="degrees Celsius")
    ]
    return [item]


def diffuse(number: int) -> dict[str, Any]:
    """Frames of a diffusion scan: one without weighting, then one for each of three directions."""
    if number == 0:
        return {"DiffusionBValue": 0.0, "DiffusionAnisotropyType": "FRACTIONAL"}
    direction = [float(number == axis) for axis in (1, 2, 3)]
    return {"DiffusionBValue": 800.0, "DiffusionGradientOrientation": direction}


VARIANTS: dict[str, tuple[list[EnhancedFrame], dict[str, Any]]] = {
    "least": ([frame()], {}),
    "synchronized": (
        [frame(0, TriggerTime=each, **SYNCHRONIZED) for each in ("5", "50")],
        {**DESCRIBED, "ImageType": ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"]},
    ),
    "modified": ([frame(each) for each in (0, 3)], {**DESCRIBED, **MODIFIED}),
    "diffusion": ([frame(0, **diffuse(each)) for each in range(4)], DESCRIBED),
    "components": ([frame(0, ImageType=["ORIGINAL", "PRIMARY", each]) for each in "MP"], DESCRIBED),
    "echoes": ([frame(0, EchoTime=each) for each in ("10", "20", "30")], DESCRIBED),
    "dynamic": ([frame(0, TemporalPositionIdentifier=each) for each in (1, 2, 3)], DESCRIBED),
    "palette": ([frame(0, 4001)], {**DESCRIBED, **PALETTE}),
    "context": ([frame()], {**DESCRIBED, "AcquisitionContextSequence": context()}),
    "velocity": (
        [
            frame(0, VelocityEncodingDirection=[float(each == axis) for axis in range(3)],
                  VelocityEncodingMinimumValue=-150.0, VelocityEncodingMaximumValue=150.0)
            for each in range(3)
        ],
        DESCRIBED,
    ),
    "derived": (
        [frame(each, TriggerTime="5") for each in (0, 3)],
        {**DESCRIBED, **MODIFIED, **SYNCHRONIZED, "ImageType": ["DERIVED", "SECONDARY", "DIFFUSION", "ADC"]},
    ),
    "mixed": ([frame(0, ImageType=[each, "PRIMARY", "T1", "NONE"]) for each in ("ORIGINAL", "DERIVED")], DESCRIBED),
    "metabolites": ([frame(0, MetaboliteMapDescription=each) for each in ("NAA", "CHOLINE")], DESCRIBED),
}  # fmt: skip
"""Frames and attributes of the series, by what is special."""
