"""A small instance of each storage class of the MR device, with the type 1 attributes that the class has."""

from __future__ import annotations

from typing import Any, Final

from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.uid import UID, generate_uid

from tests.peers.objects import mr_image

MR_IMAGE: Final = UID("1.2.840.10008.5.1.4.1.1.4")
ENHANCED_MR: Final = UID("1.2.840.10008.5.1.4.1.1.4.1")
SECONDARY_CAPTURE: Final = UID("1.2.840.10008.5.1.4.1.1.7")
PRESENTATION_STATE: Final = UID("1.2.840.10008.5.1.4.1.1.11.1")
KEY_OBJECTS: Final = UID("1.2.840.10008.5.1.4.1.1.88.59")
EXPLICIT: Final = "1.2.840.10008.1.2.1"


def instance(sop_class: UID = MR_IMAGE, transfer_syntax: str = EXPLICIT, **values: Any) -> FileDataset:
    """An instance of a class; ``values`` are set by keyword."""
    made = mr_image(rows=4, columns=4, transfer_syntax=transfer_syntax, **values)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = sop_class
    for keyword, value in _TYPE_1.get(sop_class, {}).items():
        setattr(made, keyword, value)
    return made


def _item(**values: Any) -> list[Dataset]:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return [item]


_TYPE_1: Final[dict[UID, dict[str, Any]]] = {
    ENHANCED_MR: {
        "ManufacturerModelName": "Simulator", "DeviceSerialNumber": "1", "SoftwareVersions": "1", "NumberOfFrames": 1,
        "PixelPresentation": "MONOCHROME", "VolumetricProperties": "VOLUME", "VolumeBasedCalculationTechnique": "NONE",
        "DimensionOrganizationSequence": _item(DimensionOrganizationUID=generate_uid()),
        "SharedFunctionalGroupsSequence": _item(FrameAnatomySequence=_item(FrameLaterality="U")),
    },
    SECONDARY_CAPTURE: {"ConversionType": "WSD"},
    PRESENTATION_STATE: {
        "ContentLabel": "STATE", "PresentationCreationDate": "20261122", "PresentationCreationTime": "101500",
        "ReferencedSeriesSequence": _item(SeriesInstanceUID=generate_uid()),
        "DisplayedAreaSelectionSequence": _item(PresentationSizeMode="SCALE TO FIT"),
    },
    KEY_OBJECTS: {"Modality": "KO"},
}  # fmt: skip
