"""SOP Class UIDs that the program names, PS3.4 and PS3.6 Annex A."""

from __future__ import annotations

from typing import Final

VERIFICATION: Final = "1.2.840.10008.1.1"
STORAGE_COMMITMENT_PUSH_MODEL: Final = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
MODALITY_PERFORMED_PROCEDURE_STEP: Final = "1.2.840.10008.3.1.2.3.3"
MODALITY_WORKLIST_FIND: Final = "1.2.840.10008.5.1.4.31"

PATIENT_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.1.2"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"

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
