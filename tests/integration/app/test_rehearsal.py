"""A device makes an image of each kind for a validator."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from pydicom import dcmread

from openmodality.app.rehearsal import make_images, validate
from openmodality.device.profile.loader import load_profile
from tests.peers.dicom3tools import dciodvfy_errors

CT: Final = Path(__file__).parents[3] / "docs" / "examples" / "ct"


@pytest.mark.needs("dciodvfy")
def test_the_ct_of_the_documents_makes_valid_images(tmp_path: Path) -> None:
    (image,) = make_images(load_profile(CT), CT, tmp_path)
    assert (image.object_name, image.problem) == ("CT Image", "")
    assert image.path is not None
    assert (dciodvfy_errors(image.path), validate(image.path)) == ([], [])
    instance = dcmread(image.path)
    assert (instance.KVP, instance.ImageType, instance.RescaleIntercept) == (
        120,
        ["ORIGINAL", "PRIMARY", "AXIAL"],
        -1024,
    )


@pytest.mark.needs("dciodvfy")
def test_what_the_tables_forget_is_found_by_the_validator(tmp_path: Path) -> None:
    profile = tmp_path / "ct"
    shutil.copytree(CT, profile)
    table = profile / "attributes.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(line for line in lines if ",KVP," not in line), encoding="utf-8")
    (image,) = make_images(load_profile(profile), profile, tmp_path / "device")
    assert image.path is not None
    (error,) = validate(image.path)
    assert "KVP" in error


def test_what_the_device_itself_refuses_is_said(tmp_path: Path) -> None:
    profile = tmp_path / "ct"
    shutil.copytree(CT, profile)
    table = profile / "attributes.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("RescaleSlope,DS,1,ACQ,,,1,", "RescaleSlope,DS,1,ACQ,,,,"), encoding="utf-8")
    (image,) = make_images(load_profile(profile), profile, tmp_path / "device")
    assert image.path is None
    assert "RescaleSlope" in image.problem
