"""Attributes of Type 2C that PS3.3 wants although a statement may not list them: sent with zero length when unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydicom.dataset import Dataset

# Body parts that come once. For all others a laterality is asked for (PS3.3 C.7.3.1, Laterality (0020,0060)).
UNPAIRED = frozenset({
    "ABDOMEN", "ADVASCULAR", "BRAIN", "CHEST", "CHVASCULAR", "COCCYX", "CSPINE", "FEMALEPELVIS", "GENERALABDOME",
    "GENERALABDOMEN", "GENERALPELVIS", "HEAD", "HEART", "HNVASCULAR", "JAW", "LIVER", "LSPINE", "MALEPELVIS", "NECK",
    "PELVIS", "PITUITARY", "PVVASCULAR", "SINUS", "SKULL", "SPVASCULAR", "SSPINE", "THYROID", "TSPINE", "WHOLEBODY",
})  # fmt: skip


def _laterality(data_set: Dataset) -> bool:
    return "ImageLaterality" not in data_set and str(data_set.get("BodyPartExamined") or "") not in UNPAIRED


def _patient_orientation(data_set: Dataset) -> bool:
    return "ImageOrientationPatient" not in data_set


CONDITIONS: Mapping[str, Callable[[Dataset], bool]] = {
    "Laterality": _laterality,
    "PatientOrientation": _patient_orientation,
}


def complete(data_set: Dataset) -> None:
    """Add the conditional attributes of an image that are wanted and not there, without a value."""
    for keyword, is_wanted in CONDITIONS.items():
        if keyword not in data_set and is_wanted(data_set):
            setattr(data_set, keyword, None)
