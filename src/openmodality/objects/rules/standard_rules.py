"""Rules of PS3.3 for every instance and every image, which are added where the table of a device lacks them."""

from __future__ import annotations

from typing import Final

from pydicom.datadict import dictionary_VR, keyword_for_tag

from openmodality.device.profile.profile import AttributeRule, Requirement, ValueSource
from openmodality.standard import tags
from openmodality.standard.type_1 import MODULE_OF_IDENTITY, PIXEL_DESCRIPTION

# Body parts that come once. For all others a laterality is asked for.
UNPAIRED: Final = (
    "ABDOMEN", "ABDOMENPELVIS", "ADVASCULAR", "BLADDER", "BRAIN", "CHEST", "CHVASCULAR", "COCCYX", "COLON", "CSPINE",
    "DUODENUM", "ESOPHAGUS", "FEMALEPELVIS", "GALLBLADDER", "GENERALABDOME", "GENERALABDOMEN", "GENERALPELVIS", "HEAD",
    "HEART", "HNVASCULAR", "JAW", "LARYNX", "LIVER", "LSPINE", "MALEPELVIS", "NECK", "PELVIS", "PITUITARY", "PROSTATE",
    "PVVASCULAR", "SINUS", "SKULL", "SPINE", "SPVASCULAR", "SSPINE", "STERNUM", "STOMACH", "THYROID", "TSPINE",
    "UTERUS", "WHOLEBODY",
)  # fmt: skip


def _require(
    module: str, tag: int, requirement: Requirement, source: ValueSource | None = None, condition: str = ""
) -> AttributeRule:
    vr = dictionary_VR(tag).rpartition(" ")[2]
    return AttributeRule(
        module=module,
        path=(tag,),
        keyword=keyword_for_tag(tag),
        vr=vr,
        requirement=requirement,
        sources=(source,) if source else (),
        condition=condition,
    )


IDENTITY: Final = tuple(_require(module, tag, "1", "AUTO") for tag, module in MODULE_OF_IDENTITY.items())
"""Without these nobody can read an instance."""

PIXELS: Final = tuple(_require("Image Pixel", tag, "1", "ACQ") for tag in (*PIXEL_DESCRIPTION, tags.PIXEL_DATA))
"""Without these nobody can read pixels."""

UNKNOWN_SIDES: Final = (
    _require(
        "General Series",
        tags.LATERALITY,
        "2C",
        condition=f"when ImageLaterality is absent and BodyPartExamined is not {'|'.join(UNPAIRED)}",
    ),
    _require("General Image", tags.PATIENT_ORIENTATION, "2C", condition="when ImageOrientationPatient is absent"),
)
"""Sent with zero length under the conditions of PS3.3 C.7.3.1 and C.7.6.1."""


SCALED_VALUES: Final = (
    _require("VOI LUT", tags.VOI_LUT_FUNCTION, "3", "ACQ"),
    _require("Real World Value Mapping", tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE, "3", "ACQ"),
)
"""What says how to show numbers with fractions, and what they mean, beside the rescale (PS3.3 C.11.2, C.7.6.16.2.11).

Of objects whose table has a rescale of its own: where a statement has none, nothing may be scaled.
"""


def add_standard_rules(rows: tuple[AttributeRule, ...], *, is_image: bool) -> tuple[AttributeRule, ...]:
    """The rows of a device's table, with those that it lacks."""
    known = {row.path for row in rows}
    required = IDENTITY + PIXELS if is_image else IDENTITY
    if is_image and (tags.RESCALE_SLOPE,) in known:
        required += SCALED_VALUES
    forgotten = tuple(row for row in required if row.path not in known)
    modules = {row.module for row in rows}
    has_frames = "Multi-frame Functional Groups" in modules  # whose anatomy and orientation are said frame by frame
    sides = tuple(row for row in UNKNOWN_SIDES if not has_frames and (is_image or row.module in modules))
    return rows + forgotten + sides
