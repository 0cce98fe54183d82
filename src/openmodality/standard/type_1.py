"""Type 1 attributes at the top level of the composite objects that the devices take (PS3.3 A and C).

Only what holds for every instance of the SOP class: no conditions, and no module that may be absent. Pixel Data is
conditional on other ways to carry pixels, none of which the accepted transfer syntaxes have.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from openmodality.standard import tags
from openmodality.standard.sop_classes import (
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    ENHANCED_MR_IMAGE_STORAGE,
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    MR_IMAGE_STORAGE,
    SECONDARY_CAPTURE_IMAGE_STORAGE,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)

MODULE_OF_IDENTITY: Final = {
    tags.SOP_CLASS_UID: "SOP Common",
    tags.SOP_INSTANCE_UID: "SOP Common",
    tags.STUDY_INSTANCE_UID: "General Study",
    tags.SERIES_INSTANCE_UID: "General Series",
    tags.MODALITY: "General Series",
}
"""What tells every object from others, with its module (PS3.3 C.12.1, C.7.2.1, C.7.3.1)."""

EVERY_OBJECT: Final = frozenset(MODULE_OF_IDENTITY)

PIXEL_DESCRIPTION: Final = (
    tags.SAMPLES_PER_PIXEL,
    tags.PHOTOMETRIC_INTERPRETATION,
    tags.ROWS,
    tags.COLUMNS,
    tags.BITS_ALLOCATED,
    tags.BITS_STORED,
    tags.HIGH_BIT,
    tags.PIXEL_REPRESENTATION,
)
"""How pixels are to be read: Image Pixel Module, PS3.3 C.7.6.3, which also has the Pixel Data."""

_PIXELS: Final = frozenset({*PIXEL_DESCRIPTION, tags.PIXEL_DATA})

_X_RAY: Final = _PIXELS | {tags.IMAGE_TYPE, tags.RADIATION_SETTING, tags.PIXEL_INTENSITY_RELATIONSHIP}
"""X-Ray Image and X-Ray Acquisition Modules, PS3.3 C.8.7.1 and C.8.7.2."""

BY_SOP_CLASS: Final = {
    # Frame of Reference, Image Plane and MR Image Modules: PS3.3 C.7.4.1, C.7.6.2, C.8.3.1
    MR_IMAGE_STORAGE: _PIXELS
    | {
        tags.IMAGE_TYPE,
        tags.SCANNING_SEQUENCE,
        tags.SEQUENCE_VARIANT,
        tags.IMAGE_POSITION_PATIENT,
        tags.IMAGE_ORIENTATION_PATIENT,
        tags.FRAME_OF_REFERENCE_UID,
        tags.PIXEL_SPACING,
    },
    # Enhanced General Equipment, Multi-frame Functional Groups and Dimension, Enhanced MR Image: C.7.5.2, C.7.6.16,
    # C.7.6.17, C.8.13.1
    ENHANCED_MR_IMAGE_STORAGE: _PIXELS
    | {
        tags.IMAGE_TYPE,
        tags.CONTENT_DATE,
        tags.CONTENT_TIME,
        tags.MANUFACTURER,
        tags.MANUFACTURER_MODEL_NAME,
        tags.DEVICE_SERIAL_NUMBER,
        tags.SOFTWARE_VERSIONS,
        tags.INSTANCE_NUMBER,
        tags.FRAME_OF_REFERENCE_UID,
    }
    | {
        tags.PIXEL_PRESENTATION,
        tags.VOLUMETRIC_PROPERTIES,
        tags.VOLUME_BASED_CALCULATION_TECHNIQUE,
        tags.DIMENSION_ORGANIZATION_SEQUENCE,
        tags.NUMBER_OF_FRAMES,
        tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    },
    SECONDARY_CAPTURE_IMAGE_STORAGE: _PIXELS | {tags.CONVERSION_TYPE},  # SC Equipment Module, C.8.6.1
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE: _PIXELS,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE: _X_RAY,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE: _X_RAY,
    # Presentation Series, Identification, Relationship, Displayed Area: C.11.9, C.11.10, C.11.11, C.10.4
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE: frozenset(
        {
            tags.REFERENCED_SERIES_SEQUENCE,
            tags.INSTANCE_NUMBER,
            tags.DISPLAYED_AREA_SELECTION_SEQUENCE,
            tags.CONTENT_LABEL,
            tags.PRESENTATION_CREATION_DATE,
            tags.PRESENTATION_CREATION_TIME,
        }
    ),
}


@lru_cache(maxsize=64)
def list_type_1_attributes(sop_class_uid: str) -> frozenset[int]:
    """The top-level tags that need a value; those of every object for a SOP class that is not listed."""
    return EVERY_OBJECT | BY_SOP_CLASS.get(sop_class_uid, frozenset())
