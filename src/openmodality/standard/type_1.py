"""Type 1 attributes at the top level of the composite objects that the devices take (PS3.3 A and C).

Only what holds for every instance of the SOP class: no conditions, and no module that may be absent. Pixel Data is
conditional on other ways to carry pixels, none of which the accepted transfer syntaxes have.
"""

from __future__ import annotations

from typing import Final

from openmodality.standard.sop_classes import (
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    ENHANCED_MR_IMAGE_STORAGE,
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    MR_IMAGE_STORAGE,
    SECONDARY_CAPTURE_IMAGE_STORAGE,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)

EVERY_OBJECT: Final = frozenset({0x00080016, 0x00080018, 0x00080060, 0x0020000D, 0x0020000E})
"""SOP Class, SOP Instance, Modality, Study and Series (PS3.3 C.12.1, C.7.2.1, C.7.3.1)."""

_PIXELS: Final = frozenset({
    0x00280002, 0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x7FE00010,
})  # fmt: skip
"""Image Pixel Module, PS3.3 C.7.6.3."""

_X_RAY: Final = _PIXELS | {0x00080008, 0x00181155, 0x00281040}
"""X-Ray Image and X-Ray Acquisition Modules, PS3.3 C.8.7.1 and C.8.7.2."""

BY_SOP_CLASS: Final = {
    # Frame of Reference, Image Plane and MR Image Modules: PS3.3 C.7.4.1, C.7.6.2, C.8.3.1
    MR_IMAGE_STORAGE: _PIXELS | {0x00080008, 0x00180020, 0x00180021, 0x00200032, 0x00200037, 0x00200052, 0x00280030},
    # Enhanced General Equipment, Multi-frame Functional Groups and Dimension, Enhanced MR Image: C.7.5.2, C.7.6.16,
    # C.7.6.17, C.8.13.1
    ENHANCED_MR_IMAGE_STORAGE: _PIXELS
    | {0x00080008, 0x00080023, 0x00080033, 0x00080070, 0x00081090, 0x00181000, 0x00181020, 0x00200013, 0x00200052}
    | {0x00089205, 0x00089206, 0x00089207, 0x00209221, 0x00280008, 0x52009229},
    SECONDARY_CAPTURE_IMAGE_STORAGE: _PIXELS | {0x00080064},  # SC Equipment Module, C.8.6.1
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE: _PIXELS,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE: _X_RAY,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE: _X_RAY,
    # Presentation Series, Identification, Relationship, Displayed Area: C.11.9, C.11.10, C.11.11, C.10.4
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE: frozenset(
        {0x00081115, 0x00200013, 0x0070005A, 0x00700080, 0x00700082, 0x00700083}
    ),
}


def type_1_attributes(sop_class_uid: str) -> frozenset[int]:
    """The top-level tags that need a value; those of every object for a SOP class that is not listed."""
    return EVERY_OBJECT | BY_SOP_CLASS.get(sop_class_uid, frozenset())
