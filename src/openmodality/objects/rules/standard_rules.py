"""What PS3.3 requires of every instance and of every image, although the table of a device may not list it."""

from __future__ import annotations

from typing import Final

from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag

from openmodality.device.profile.profile import AttributeRule, Requirement, ValueSource

# Body parts that come once. For all others a laterality is asked for.
UNPAIRED: Final = (
    "ABDOMEN", "ADVASCULAR", "BRAIN", "CHEST", "CHVASCULAR", "COCCYX", "CSPINE", "FEMALEPELVIS", "GENERALABDOME",
    "GENERALABDOMEN", "GENERALPELVIS", "HEAD", "HEART", "HNVASCULAR", "JAW", "LIVER", "LSPINE", "MALEPELVIS", "NECK",
    "PELVIS", "PITUITARY", "PVVASCULAR", "SINUS", "SKULL", "SPVASCULAR", "SSPINE", "THYROID", "TSPINE", "WHOLEBODY",
)  # fmt: skip


def _require(
    module: str, keyword: str, requirement: Requirement, source: ValueSource | None = None, condition: str = ""
) -> AttributeRule:
    tag = int(Tag(keyword))
    vr = dictionary_VR(tag).rpartition(" ")[2]
    return AttributeRule(
        object="", ie="", module=module, usage="M", path=(tag,), keyword=keyword, vr=vr, requirement=requirement,
        sources=(source,) if source else (), value_rule="", values=(), example="",
        condition=condition,
    )  # fmt: skip


IDENTITY: Final = tuple(
    _require(module, keyword, "1", "AUTO")
    for module, keyword in (
        ("SOP Common", "SOPClassUID"),
        ("SOP Common", "SOPInstanceUID"),
        ("General Study", "StudyInstanceUID"),
        ("General Series", "SeriesInstanceUID"),
        ("General Series", "Modality"),
    )
)
"""Without these nobody can read an instance."""

PIXEL_DESCRIPTION: Final = tuple(
    _require("Image Pixel", keyword, "1", "ACQ")
    for keyword in (
        "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
        "PixelRepresentation", "PixelData",
    )
)  # fmt: skip
"""Without these nobody can read pixels."""

UNKNOWN_SIDES: Final = (
    _require(
        "General Series",
        "Laterality",
        "2C",
        condition=f"when ImageLaterality is absent and BodyPartExamined is not {'|'.join(UNPAIRED)}",
    ),
    _require("General Image", "PatientOrientation", "2C", condition="when ImageOrientationPatient is absent"),
)
"""Sent with zero length under the conditions of PS3.3 C.7.3.1 and C.7.6.1."""


def add_standard_rules(rows: tuple[AttributeRule, ...], *, is_image: bool) -> tuple[AttributeRule, ...]:
    """The rows of a device's table, with those that it forgot."""
    known = {row.path for row in rows}
    required = IDENTITY + PIXEL_DESCRIPTION if is_image else IDENTITY
    forgotten = tuple(row for row in required if row.path not in known)
    return rows + forgotten + (UNKNOWN_SIDES if is_image else ())
