"""Body parts as codes of SNOMED CT: Defined Terms of (0018,0015) Body Part Examined, by PS3.16 Annex L."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Region(NamedTuple):
    """Code Value of the scheme SCT, and its Code Meaning."""

    value: str
    meaning: str


ENTIRE_BODY: Final = Region("38266002", "Entire body")
"""What stands for a region that is not known."""

REGIONS: Final[Mapping[str, Region]] = MappingProxyType(
    {
        "ABDOMEN": Region("818981001", "Abdomen"),
        "ABDOMENPELVIS": Region("818982008", "Abdomen and Pelvis"),
        "ANKLE": Region("70258002", "Ankle joint"),
        "ANUS": Region("53505006", "Anus"),
        "ARM": Region("40983000", "Upper arm"),
        "BLADDER": Region("89837001", "Bladder"),
        "BREAST": Region("76752008", "Breast"),
        "CALCANEUS": Region("80144004", "Calcaneus"),
        "CHEST": Region("816094009", "Chest"),
        "CLAVICLE": Region("51299004", "Clavicle"),
        "COCCYX": Region("64688005", "Coccyx"),
        "COLON": Region("71854001", "Colon"),
        "CSPINE": Region("122494005", "Cervical spine"),
        "DUODENUM": Region("38848004", "Duodenum"),
        "ELBOW": Region("16953009", "Elbow joint"),
        "ESOPHAGUS": Region("32849002", "Esophagus"),
        "EXTREMITY": Region("66019005", "Extremity"),
        "EYE": Region("81745001", "Eye"),
        "FINGER": Region("7569003", "Finger"),
        "FOOT": Region("56459004", "Foot"),
        "FOREARM": Region("14975008", "Forearm"),
        "GALLBLADDER": Region("28231008", "Gallbladder"),
        "HAND": Region("85562004", "Hand"),
        "HEAD": Region("69536005", "Head"),
        "HEART": Region("80891009", "Heart"),
        "HIP": Region("24136001", "Hip joint"),
        "JAW": Region("661005", "Jaw region"),
        "KNEE": Region("72696002", "Knee"),
        "LARYNX": Region("4596009", "Larynx"),
        "LEG": Region("30021000", "Lower leg"),
        "LSPINE": Region("122496007", "Lumbar spine"),
        "NECK": Region("45048000", "Neck"),
        "PELVIS": Region("816092008", "Pelvis"),
        "RIB": Region("113197003", "Rib"),
        "SCAPULA": Region("79601000", "Scapula"),
        "SHOULDER": Region("16982005", "Shoulder"),
        "SKULL": Region("89546000", "Skull"),
        "SPINE": Region("421060004", "Spine"),
        "SSPINE": Region("54735007", "Sacrum"),
        "STERNUM": Region("56873002", "Sternum"),
        "STOMACH": Region("69695003", "Stomach"),
        "THIGH": Region("68367000", "Thigh"),
        "THUMB": Region("76505004", "Thumb"),
        "TOE": Region("29707007", "Toe"),
        "TSPINE": Region("122495006", "Thoracic spine"),
        "WHOLEBODY": ENTIRE_BODY,
        "WRIST": Region("74670003", "Wrist joint"),
    }
)
"""Those of CID 4031, by Defined Term."""
ORGAN_REGIONS: Final[Mapping[str, Region]] = MappingProxyType(
    {
        "BRAIN": Region("12738006", "Brain"),
        "KIDNEY": Region("64033007", "Kidney"),
        "LIVER": Region("10200004", "Liver"),
        "PROSTATE": Region("41216001", "Prostate"),
        "UTERUS": Region("35039007", "Uterus"),
    }
)
"""Terms of Annex L whose codes CID 4031 does not have."""


def find_region(term: str) -> Region:
    """The region of a body part; the entire body where the term has no code of its own, as OTHER has none."""
    return ORGAN_REGIONS.get(_fold(term)) or find_target_region(term)


def find_target_region(term: str) -> Region:
    """The region of a body part by CID 4031, as dose reports take it; the entire body where that has none."""
    return REGIONS.get(_fold(term), ENTIRE_BODY)


def _fold(term: str) -> str:
    return term.strip().upper()
