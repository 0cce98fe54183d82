"""Makes one image of each kind that a profile has, by a device in an empty folder, so that a validator can judge it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from openmodality.app.modality import Modality
from openmodality.device.profile.profile import AttributeRule, InformationObject, Profile
from openmodality.device.site.new_site import write_site
from openmodality.errors import OpenModalityError
from openmodality.exam.session import Exam
from openmodality.value_class import dataclass

VALIDATOR: Final = "dciodvfy"
_TIMEOUT_S: Final = 60
_SIDE: Final = 64
_PATIENT: Final = {
    "PatientName": "Check^Profile",
    "PatientID": "CHECK-1",
    "PatientBirthDate": "19700101",
    "PatientSex": "O",
}
_GEOMETRY: Final[dict[str, Any]] = {
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 1,
}


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image that was made, or why there is none."""

    object_name: str
    path: Path | None
    problem: str = ""


def make_images(profile: Profile, profile_folder: Path, folder: Path) -> list[MadeImage]:
    """Make one image of each image object of a profile by a device in an empty folder.

    What the acquisition would hand over is taken from the column ``example`` of ``attributes.csv``.
    """
    site = write_site(folder, str(profile_folder))
    with Modality(site, works=False) as modality:
        exam = modality.start_exam(patient=_PATIENT)
        return [_make_image(modality, exam, item, profile) for item in profile.objects if item.is_image]


def _make_image(modality: Modality, exam: Exam, item: InformationObject, profile: Profile) -> MadeImage:
    attributes = {**_GEOMETRY, **_find_examples(profile.rules_of(item.name))}
    pixels = np.arange(_SIDE * _SIDE, dtype=np.uint16).reshape(_SIDE, _SIDE) % 4096
    try:
        series = exam.series("CHECK", modality=item.modality, sop_class_uid=str(item.sop_class_uid), **attributes)
        (uid,) = series.add(pixels)
    except OpenModalityError as error:
        return MadeImage(item.name, None, str(error))
    return MadeImage(item.name, modality.instance_path(uid))


def _find_examples(rules: Sequence[AttributeRule]) -> dict[str, Any]:
    """Example values of attributes that only the acquisition gives, by keyword; a backslash parts several values."""
    return {
        rule.keyword: rule.example.split("\\") if "\\" in rule.example else rule.example
        for rule in rules
        if rule.example and len(rule.path) == 1 and "ACQ" in rule.sources
    }


def is_validator_installed() -> bool:
    """Whether dciodvfy of dicom3tools is there."""
    return shutil.which(VALIDATOR) is not None


def validate(path: Path) -> list[str]:
    """The errors that dciodvfy finds in an instance. Raises :class:`OpenModalityError` where it does not end."""
    try:
        done = subprocess.run(
            [VALIDATOR, "-new", str(path)], capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OpenModalityError(f"{VALIDATOR} did not end within {_TIMEOUT_S} s") from error
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    return [line.removeprefix("Error - ") for line in lines if line.startswith("Error")]
