"""Coded anatomic regions for the terms of Body Part Examined (PS3.16 Annex L, SNOMED CT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Region(NamedTuple):
    """Code Value of the scheme SCT, and its Code Meaning."""

    value: str
    meaning: str


_REGIONS: Final[Mapping[str, Region]] = {
    "ABDOMEN": Region("818983003", "Abdomen"),
    "ANKLE": Region("70258002", "Ankle joint"),
    "ARM": Region("40983000", "Upper arm"),
    "BLADDER": Region("89837001", "Urinary bladder"),
    "BRAIN": Region("12738006", "Brain"),
    "BREAST": Region("76752008", "Breast"),
    "CHEST": Region("816094009", "Chest"),
    "CSPINE": Region("122494005", "Cervical spine"),
    "ELBOW": Region("16953009", "Elbow joint"),
    "EXTREMITY": Region("66019005", "Limb"),
    "EYE": Region("81745001", "Eye"),
    "FOOT": Region("56459004", "Foot"),
    "HAND": Region("85562004", "Hand"),
    "HEAD": Region("69536005", "Head"),
    "HEART": Region("80891009", "Heart"),
    "HIP": Region("24136001", "Hip joint"),
    "JAW": Region("661005", "Jaw region"),
    "KIDNEY": Region("64033007", "Kidney"),
    "KNEE": Region("72696002", "Knee"),
    "LEG": Region("30021000", "Lower leg"),
    "LIVER": Region("10200004", "Liver"),
    "LSPINE": Region("122496007", "Lumbar spine"),
    "NECK": Region("45048000", "Neck"),
    "PELVIS": Region("816092008", "Pelvis"),
    "PROSTATE": Region("41216001", "Prostate"),
    "SHOULDER": Region("16982005", "Shoulder"),
    "SKULL": Region("89546000", "Skull"),
    "SPINE": Region("421060004", "Spine"),
    "SSPINE": Region("54735007", "Sacrum"),
    "THIGH": Region("68367000", "Thigh"),
    "TSPINE": Region("122495006", "Thoracic spine"),
    "UTERUS": Region("35039007", "Uterus"),
    "WHOLEBODY": Region("38266002", "Entire body"),
    "WRIST": Region("74670003", "Wrist joint"),
}
_ANY: Final = _REGIONS["WHOLEBODY"]


def find_region(body_part: str) -> Region:
    """The region of a defined term of Body Part Examined; that of the whole body where the term has none."""
    return _REGIONS.get(body_part, _ANY)
