"""Image objects: pixels, acquisition attributes and what the exam knows, brought together by the profile's rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.device import charsets
from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import ExamFacts, InstanceFacts, SeriesFacts, values_of
from openmodality.objects.rules import conditions
from openmodality.objects.rules.builder import Values, build
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.standard.character_sets import UTF_8

Pixels = NDArray[np.uint16]

BITS_OF_A_PIXEL = 16
# Without these nobody can read an instance; they are there even if the table of a new device forgot them.
IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality")
PIXEL_DESCRIPTION = (
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip
# What an image says of itself where its source says nothing, by module: values that claim nothing about the patient.
DEFAULTS: dict[str, dict[str, str | list[str]]] = {
    # RM is research mode, the defined term for a sequence without a name (PS3.3 C.8.3.1.1.2).
    "MR Image": {"ScanningSequence": "RM", "SequenceVariant": "NONE", "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"]},
    "SC Image": {"ImageType": ["DERIVED", "SECONDARY"], "ConversionType": "WSD"},
    "X-Ray Image": {"ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"], "PixelIntensityRelationship": "DISP"},
    "X-Ray Acquisition": {"RadiationSetting": "GR"},
    "CR Image": {"ImageType": ["ORIGINAL", "PRIMARY"]},
}


def build_image(
    definition: ObjectDefinition,
    exam: ExamFacts,
    series: SeriesFacts,
    instance: InstanceFacts,
    frame: tuple[Pixels, Dataset],
) -> Dataset:
    """A single frame image. ``frame`` is its pixels, shape (rows, columns), and its acquisition attributes.

    Raises:
        ObjectInvalid: a mandatory attribute has no value, or the pixels do not fit the object.
    """
    pixels, attributes = frame
    pixels, acquisition = fitted(definition, pixels, attributes)
    values = values_of(exam, series, instance, acquisition)
    data_set = finished(definition, values)
    conditions.complete(data_set)
    _ensure(data_set, PIXEL_DESCRIPTION, values.acquisition)
    data_set.add_new(Tag("PixelData"), "OW", np.ascontiguousarray(pixels, dtype="<u2").tobytes())
    return data_set


def finished(definition: ObjectDefinition, values: Values, content: Dataset | None = None) -> Dataset:
    """The data set of an instance, with its SOP class, its character set and a file meta information.

    ``content`` is added as it is: the content tree of a report, which no attribute rule describes.
    """
    automatic = Dataset()
    for module in {rule.module: None for rule in definition.rules}:
        for keyword, value in DEFAULTS.get(module, {}).items():
            setattr(automatic, keyword, value)
    automatic.update(values.automatic)
    automatic.SOPClassUID = definition.sop_class_uid
    automatic.Modality = automatic.get("Modality") or definition.information_object.modality
    # Replaced below, when all texts are known.
    automatic.SpecificCharacterSet = UTF_8
    data_set = build(definition, replace(values, automatic=automatic))
    _ensure(data_set, IDENTITY, automatic)
    if content is not None:
        data_set.update(content)
    charsets.declare(data_set, definition.character_sets)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return data_set


def _ensure(data_set: Dataset, keywords: Iterable[str], values: Dataset) -> None:
    for keyword in keywords:
        if keyword not in data_set:
            data_set.add(values[keyword])


def fitted(definition: ObjectDefinition, pixels: Pixels, attributes: Dataset) -> tuple[Pixels, Dataset]:
    """Pixels as the object wants them, and the attributes of Image Pixel and VOI LUT modules that belong to them."""
    if pixels.ndim != 2 or pixels.dtype != np.uint16 or 0 in pixels.shape:
        raise ObjectInvalid(
            f"{definition.name}: pixels are not a two-dimensional array of unsigned 16 bit numbers",
            advice="hand over an array of shape (rows, columns) and type uint16",
        )
    acquisition = Dataset()
    acquisition.update(attributes)
    acquisition.BitsStored = _bits_stored(definition, pixels, int(attributes.get("BitsStored") or 1))
    _set_window(acquisition, pixels)
    pixels = _upright(definition, pixels, acquisition)
    acquisition.SamplesPerPixel = 1
    acquisition.PhotometricInterpretation = acquisition.get("PhotometricInterpretation") or "MONOCHROME2"
    acquisition.Rows, acquisition.Columns = pixels.shape
    acquisition.BitsAllocated = BITS_OF_A_PIXEL
    acquisition.HighBit = acquisition.BitsStored - 1
    acquisition.PixelRepresentation = 0
    # The builder only looks whether there is a value; the pixels themselves are not copied through it.
    acquisition.add_new(Tag("PixelData"), "OW", b"\0\0")
    return pixels, acquisition


def _bits_stored(definition: ObjectDefinition, pixels: Pixels, stated: int) -> int:
    needed = max(int(pixels.max()).bit_length(), stated)
    rule = definition.rule_at(Tag("BitsStored"))
    allowed = [int(value) for value in rule.values] if rule is not None and rule.values else range(8, 17)
    fitting = [bits for bits in allowed if bits >= needed]
    if not fitting:
        raise ObjectInvalid(f"{definition.name}: (0028,0101) BitsStored of {needed} is more than the object allows")
    return min(fitting)


def _upright(definition: ObjectDefinition, pixels: Pixels, acquisition: Dataset) -> Pixels:
    """Turn MONOCHROME1 into MONOCHROME2 where the object has only that; the window moves with the values."""
    rule = definition.rule_at(Tag("PhotometricInterpretation"))
    only_two = rule is not None and rule.value_rule == "fixed" and rule.values == ("MONOCHROME2",)
    if acquisition.get("PhotometricInterpretation") != "MONOCHROME1" or not only_two:
        return pixels
    highest = (1 << int(acquisition.BitsStored)) - 1
    acquisition.PhotometricInterpretation = "MONOCHROME2"
    if "RescaleIntercept" not in acquisition:
        centers = acquisition["WindowCenter"].value
        many = isinstance(centers, list) or acquisition["WindowCenter"].VM > 1
        turned = [f"{highest - float(value):g}" for value in (centers if many else [centers])]
        acquisition.WindowCenter = turned
    return (highest - pixels).astype(np.uint16)


def _set_window(acquisition: Dataset, pixels: Pixels) -> None:
    if not acquisition.get("WindowCenter") or not acquisition.get("WindowWidth"):
        low, high = int(pixels.min()), int(pixels.max())
        acquisition.WindowCenter = str((low + high + 1) // 2)
        acquisition.WindowWidth = str(max(high - low + 1, 1))
