"""SOP Class UIDs that the program names, PS3.4 and PS3.6 Annex A."""

from __future__ import annotations

from typing import Final

VERIFICATION: Final = "1.2.840.10008.1.1"
STORAGE_COMMITMENT_PUSH_MODEL: Final = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
MODALITY_PERFORMED_PROCEDURE_STEP: Final = "1.2.840.10008.3.1.2.3.3"
MODALITY_WORKLIST_FIND: Final = "1.2.840.10008.5.1.4.31"
MEDIA_STORAGE_DIRECTORY_STORAGE: Final = "1.2.840.10008.1.3.10"
DETACHED_STUDY_MANAGEMENT: Final = "1.2.840.10008.3.1.2.3.1"
"""Retired; a worklist item still names it for the study in Referenced Study Sequence (0008,1110)."""

BASIC_FILM_SESSION: Final = "1.2.840.10008.5.1.1.1"
BASIC_FILM_BOX: Final = "1.2.840.10008.5.1.1.2"
BASIC_GRAYSCALE_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4"
BASIC_COLOR_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4.1"
BASIC_GRAYSCALE_PRINT_MANAGEMENT_META: Final = "1.2.840.10008.5.1.1.9"
PRINTER_SOP_CLASS: Final = "1.2.840.10008.5.1.1.16"
PRINTER_SOP_INSTANCE: Final = "1.2.840.10008.5.1.1.17"
BASIC_COLOR_PRINT_MANAGEMENT_META: Final = "1.2.840.10008.5.1.1.18"
PRESENTATION_LUT: Final = "1.2.840.10008.5.1.1.23"

PATIENT_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"

COMPUTED_RADIOGRAPHY_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.1"
MR_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.4.1"
SECONDARY_CAPTURE_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.7"
GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.11.1"
X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.12.1"
X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.12.2"
KEY_OBJECT_SELECTION_DOCUMENT_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.88.59"
X_RAY_RADIATION_DOSE_SR_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.88.67"

STORAGE_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
"""The prefix under which PS3.6 registers storage SOP Classes."""

_DOCUMENT_ROOT: Final = f"{STORAGE_ROOT}88."
_PRESENTATION_STATE_ROOT: Final = f"{STORAGE_ROOT}11."

_NAMES: Final = {
    "1": "Computed Radiography Image Storage",
    "1.1": "Digital X-Ray Image Storage - For Presentation",
    "1.2": "Digital Mammography X-Ray Image Storage - For Presentation",
    "2": "CT Image Storage",
    "2.1": "Enhanced CT Image Storage",
    "3.1": "Ultrasound Multi-frame Image Storage",
    "4": "MR Image Storage",
    "4.1": "Enhanced MR Image Storage",
    "4.2": "MR Spectroscopy Storage",
    "6.1": "Ultrasound Image Storage",
    "7": "Secondary Capture Image Storage",
    "7.2": "Multi-frame Grayscale Byte Secondary Capture Image Storage",
    "7.3": "Multi-frame Grayscale Word Secondary Capture Image Storage",
    "7.4": "Multi-frame True Color Secondary Capture Image Storage",
    "11.1": "Grayscale Softcopy Presentation State Storage",
    "12.1": "X-Ray Angiographic Image Storage",
    "12.2": "X-Ray Radiofluoroscopic Image Storage",
    "20": "Nuclear Medicine Image Storage",
    "66": "Raw Data Storage",
    "66.4": "Segmentation Storage",
    "88.11": "Basic Text SR Storage",
    "88.22": "Enhanced SR Storage",
    "88.33": "Comprehensive SR Storage",
    "88.59": "Key Object Selection Document Storage",
    "88.67": "X-Ray Radiation Dose SR Storage",
    "104.1": "Encapsulated PDF Storage",
    "128": "Positron Emission Tomography Image Storage",
    "481.1": "RT Image Storage",
    "481.2": "RT Dose Storage",
    "481.3": "RT Structure Set Storage",
    "481.5": "RT Plan Storage",
}
"""Names of the storage SOP Classes that are met most, by what follows the prefix (PS3.6 Table A-1)."""

USUAL_STORAGE: Final = tuple(f"{STORAGE_ROOT}{number}" for number in _NAMES)
"""The storage SOP Classes that are met most."""

STORAGE_ELSEWHERE: Final = frozenset(
    f"1.2.840.10008.5.1.4.{number}" for number in ("34.1", "34.7", "34.10", "38.1", "39.1", "43.1", "44.1", "45.1")
)
"""Those that PS3.6 Table A-1 registers beside their FIND, MOVE and GET: RT Beams (Trial, retired) and RT Brachy
Application Setup Delivery Instruction, Hanging Protocol, Color Palette, Generic Implant Template, Implant Assembly
Template, Implant Template Group.
"""

NOT_STORAGE: Final = frozenset(
    (
        *(f"1.2.840.10008.5.1.4.1.1.200.{number}" for number in (4, 5, 6)),
        *(f"1.2.840.10008.5.1.4.1.1.201.{number}" for number in (2, 3, 4, 5, 6)),
    )
)
"""SOP Classes under this prefix that store nothing: Protocol Approval and Inventory FIND, MOVE and GET, Inventory
Creation, Repository Query (PS3.6 Table A-1).
"""


def is_document(sop_class_uid: str) -> bool:
    """Whether instances are structured reports or key object documents, which PS3.6 registers under one prefix."""
    return sop_class_uid.startswith(_DOCUMENT_ROOT)


def is_presentation_state(sop_class_uid: str) -> bool:
    """Whether instances say how images are to be shown."""
    return sop_class_uid.startswith(_PRESENTATION_STATE_ROOT)


def is_image(sop_class_uid: str) -> bool:
    """Whether instances of a storage SOP Class count as images: all but documents and presentation states."""
    return not is_document(sop_class_uid) and not is_presentation_state(sop_class_uid)


def describe_storage(sop_class_uid: str) -> str:
    """A storage SOP Class for people: its name, where it is one of those that are met most, and its UID."""
    name = _NAMES.get(sop_class_uid.removeprefix(STORAGE_ROOT))
    return f"{name} ({sop_class_uid})" if name else sop_class_uid
