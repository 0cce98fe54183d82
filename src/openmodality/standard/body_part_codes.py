"""Body parts as codes: Defined Terms of (0018,0015) Body Part Examined with their code of PS3.16 CID 4031 (Annex L)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ENTIRE_BODY: Final = ("38266002", "Entire body")
"""What stands for a region that is not known."""

REGIONS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ABDOMEN": ("818981001", "Abdomen"),
        "ABDOMENPELVIS": ("818982008", "Abdomen and Pelvis"),
        "ANKLE": ("70258002", "Ankle joint"),
        "ANUS": ("53505006", "Anus"),
        "ARM": ("40983000", "Upper arm"),
        "BLADDER": ("89837001", "Bladder"),
        "BREAST": ("76752008", "Breast"),
        "CALCANEUS": ("80144004", "Calcaneus"),
        "CHEST": ("816094009", "Chest"),
        "CLAVICLE": ("51299004", "Clavicle"),
        "COCCYX": ("64688005", "Coccyx"),
        "COLON": ("71854001", "Colon"),
        "CSPINE": ("122494005", "Cervical spine"),
        "DUODENUM": ("38848004", "Duodenum"),
        "ELBOW": ("16953009", "Elbow joint"),
        "ESOPHAGUS": ("32849002", "Esophagus"),
        "EXTREMITY": ("66019005", "Extremity"),
        "EYE": ("81745001", "Eye"),
        "FINGER": ("7569003", "Finger"),
        "FOOT": ("56459004", "Foot"),
        "FOREARM": ("14975008", "Forearm"),
        "GALLBLADDER": ("28231008", "Gallbladder"),
        "HAND": ("85562004", "Hand"),
        "HEAD": ("69536005", "Head"),
        "HEART": ("80891009", "Heart"),
        "HIP": ("24136001", "Hip joint"),
        "JAW": ("661005", "Jaw region"),
        "KNEE": ("72696002", "Knee"),
        "LARYNX": ("4596009", "Larynx"),
        "LEG": ("30021000", "Lower leg"),
        "LSPINE": ("122496007", "Lumbar spine"),
        "NECK": ("45048000", "Neck"),
        "PELVIS": ("816092008", "Pelvis"),
        "RIB": ("113197003", "Rib"),
        "SCAPULA": ("79601000", "Scapula"),
        "SHOULDER": ("16982005", "Shoulder"),
        "SKULL": ("89546000", "Skull"),
        "SPINE": ("421060004", "Spine"),
        "SSPINE": ("54735007", "Sacrum"),
        "STERNUM": ("56873002", "Sternum"),
        "STOMACH": ("69695003", "Stomach"),
        "THIGH": ("68367000", "Thigh"),
        "THUMB": ("76505004", "Thumb"),
        "TOE": ("29707007", "Toe"),
        "TSPINE": ("122495006", "Thoracic spine"),
        "WHOLEBODY": ENTIRE_BODY,
        "WRIST": ("74670003", "Wrist joint"),
    }
)
"""Code Value of SNOMED CT and Code Meaning, by Defined Term."""


def find_target_region(term: str) -> tuple[str, str]:
    """The region of a body part; the entire body where the term has no code of its own, as OTHER has none."""
    return REGIONS.get(term.strip().upper(), ENTIRE_BODY)
