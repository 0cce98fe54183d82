"""Takes from a DICOM file how its image was acquired, and leaves out whom it shows.

Taken over: acquisition (group 0018), position and pixel description. Left out: patient, study, UIDs, equipment, private
attributes; those belong to the exam and the device that make the new instance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import numpy as np
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from openmodality.acquisition.arrays import check_pixels
from openmodality.acquisition.attribute_values import find_fault, read_checked
from openmodality.acquisition.source import Pixels
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.mending import mend_copied
from openmodality.dimse.reading import read_element
from openmodality.errors import ObjectInvalid
from openmodality.imaging.decoded_size import check_decoded_size
from openmodality.imaging.frames import count_frames
from openmodality.standard.type_1 import PIXEL_DESCRIPTION

ACQUISITION_GROUP = 0x0018
# Of group 0018: names of equipment and people, and UIDs, stay behind.
LEFT_OUT = frozenset(
    Tag(keyword)
    for keyword in (
        "DeviceSerialNumber", "SoftwareVersions", "DeviceUID", "GantryID", "SecondaryCaptureDeviceID",
        "SecondaryCaptureDeviceManufacturer", "SecondaryCaptureDeviceManufacturerModelName",
        "SecondaryCaptureDeviceSoftwareVersions", "DetectorID", "GridID", "CassetteID", "PlateID", "GeneratorID",
    )
)  # fmt: skip
TAKEN = frozenset(
    Tag(keyword)
    for keyword in (
        "ImageType", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "AnatomicRegionSequence",
        "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "PatientOrientation", "ImageLaterality",
        "TemporalPositionIdentifier", "NumberOfTemporalPositions", "TemporalResolution", "AcquisitionNumber",
        "PixelSpacing", "PixelIntensityRelationship", "PixelIntensityRelationshipSign", "BurnedInAnnotation",
        "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction",
        "RescaleIntercept", "RescaleSlope", "RescaleType", "LossyImageCompression", "LossyImageCompressionRatio",
        "LossyImageCompressionMethod", "PixelAspectRatio", "EntranceDose", "EntranceDoseInmGy",
        "RespiratoryTriggerDelayThreshold",
    )
)  # fmt: skip
SIGNED = 1
_NOT_TOLD: Final = frozenset((0x0002, 0x0008, 0x7FE0))
"""Groups whose attributes an image always has anew, or that are its pixels."""


def take_acquisition_attributes(data_set: Dataset, where: str) -> Dataset:
    """The attributes of ``data_set`` that a new instance of the same pixels keeps.

    Raises :class:`ObjectInvalid` where the value of one cannot be used; ``where`` names the file.
    """
    kept = Dataset()
    for tag in filter(is_taken, list(data_set.keys())):
        element = read_checked(data_set, tag, where)
        if element.VR != "UI" and find_fault(element) is None:
            kept.add(element)
    return kept


def take_named_attributes(data_set: Dataset, keywords: Iterable[str], where: str) -> Dataset:
    """The attributes with these keywords.

    Raises :class:`ObjectInvalid` where the value of one cannot be used; ``where`` names the file.
    """
    kept = Dataset()
    for keyword in keywords:
        if keyword in data_set:
            kept.add(read_checked(data_set, int(Tag(keyword)), where))
    return kept


def read_stored_pixels(data_set: Dataset, where: str) -> tuple[list[Pixels], Dataset]:
    """The frames of ``data_set`` and the attributes that describe them.

    Signed pixels are moved up to start at 0, and Rescale Intercept (0028,1052) takes the move back, so that the values
    after the modality LUT stay what they were.

    Raises :class:`ObjectInvalid` where the image has colour, floating point or no pixels.
    """
    if "PixelData" not in data_set:
        raise ObjectInvalid(f"{where}: no (7FE0,0010) Pixel Data")
    if int(data_set.get("SamplesPerPixel", 1)) != 1 or data_set.get("PhotometricInterpretation") == "PALETTE COLOR":
        raise ObjectInvalid(f"{where}: a colour image", advice="convert it to greyscale first")
    attributes = take_acquisition_attributes(data_set, where)
    if data_set.get("PhotometricInterpretation") == "MONOCHROME1":
        attributes.PhotometricInterpretation = "MONOCHROME1"
    try:
        check_decoded_size(data_set, frames=count_frames(data_set))
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{where}: {error.message}", advice=error.advice) from error
    array = data_set.pixel_array
    if int(data_set.get("PixelRepresentation", 0)) == SIGNED and int(array.min()) < 0:
        shift = 1 << (int(data_set.BitsStored) - 1)
        array = (array.astype(np.int32) + shift).astype(np.int32)
        slope = float(attributes.get("RescaleSlope", 1))
        attributes.RescaleSlope = f"{slope:.12g}"
        attributes.RescaleIntercept = f"{float(attributes.get('RescaleIntercept', 0)) - slope * shift:.12g}"
        attributes.RescaleType = attributes.get("RescaleType", "US")
    attributes.BitsStored = int(data_set.BitsStored)
    return check_pixels(array, where), attributes


def list_repairs(data_set: Dataset, tags: Collection[int]) -> Iterator[str]:
    """Tells which of these attributes had values that were mended, because they can mean one thing only.

    Impossible values were left out, and are told too. Values are not quoted.
    """
    for left, problem in _find_faults(data_set, tags):
        yield f"{name_of(left)}: {problem}: left out"
    for tag in sorted(map(int, tags)):
        element = read_element(data_set, tag)
        if element is not None and (mended := mend_copied(element)).problem and mended.element is not None:
            yield f"{name_of(tag)}: {mended.problem}: mended"


def _find_faults(data_set: Dataset, tags: Collection[int]) -> Iterator[tuple[int, str]]:
    """The attributes that were left out because their values are impossible, with what is wrong."""
    for tag in [int(tag) for tag in data_set.keys() if is_taken(tag) and tag not in tags]:  # noqa: SIM118 - tags alone
        element = read_element(data_set, tag)
        if element is not None and (fault := find_fault(element)):
            yield tag, fault[0]


def list_untaken(data_set: Dataset, tags: Collection[int]) -> list[str]:
    """Keywords of attributes that were not taken over, without those that only say how pixels are stored.

    What :func:`list_repairs` names is not among them.
    """
    known = {*map(int, tags), *PIXEL_DESCRIPTION, *(tag for tag, _ in _find_faults(data_set, tags))}
    left = [tag for tag in data_set.keys() if int(tag) not in known and not tag.is_private]  # noqa: SIM118 - tags alone
    return [keyword for tag in left if tag.group not in _NOT_TOLD and (keyword := keyword_for_tag(tag))]


def is_taken(tag: BaseTag) -> bool:
    """Whether an attribute says how an image was acquired, or where, and is taken over."""
    return tag in TAKEN or (tag.group == ACQUISITION_GROUP and tag not in LEFT_OUT)
