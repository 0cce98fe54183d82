"""Enhanced MR images before judges of others: dciodvfy, highdicom's module tables and its reader of volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import Image, Volume, get_volume_from_series
from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality import Modality
from openmodality.device.profile.loader import load_profile
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import data_set_of
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from tests.devices import MR_SITE
from tests.enhanced_images import DESCRIBED, VARIANTS, frame, make_image, make_images
from tests.peers.process import free_port, run

KNOWN = ("99TEST", "SpacingBetweenSlices(0018,0088)")
"""Of a warning: the invented codes of the tests, and a row that only the statement has."""


def save(data_set: Dataset, path: Path) -> Path:
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.save_as(path, enforce_file_format=True)
    return path


def list_remarks(path: Path) -> list[str]:
    """Errors and warnings of dciodvfy, without those that are expected."""
    lines = run("dciodvfy", "-new", path).output.splitlines()
    found = [line for line in lines if line.startswith(("Error", "Warning"))]
    return [line for line in found if not any(each in line for each in KNOWN)]


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("name", VARIANTS)
def test_dciodvfy_finds_nothing_in_any_variant(name: str, tmp_path: Path) -> None:
    frames, of_series = VARIANTS[name]
    [image] = make_images(frames, **of_series)
    remarks = list_remarks(save(image, tmp_path / "image.dcm"))
    if name == "least":  # an original image must say what nobody knows
        remarks = [line for line in remarks if not line.endswith("Value is zero")]
    assert remarks == []


@pytest.mark.needs("dciodvfy")
def test_a_derived_image_says_nothing_of_an_acquisition_that_nobody_knows(tmp_path: Path) -> None:
    image = make_image(frame(), ImageType=["DERIVED", "PRIMARY"])
    assert list_remarks(save(image, tmp_path / "image.dcm")) == []
    [shared], [own] = image.SharedFunctionalGroupsSequence, image.PerFrameFunctionalGroupsSequence
    assert not {"MRTimingAndRelatedParametersSequence", "MRAveragesSequence"} & {each.keyword for each in shared}
    assert "FrameAcquisitionDuration" not in own.FrameContentSequence[0]
    definition = ObjectDefinition.of(load_profile("mr"), "Enhanced MR Image")
    assert [str(finding) for finding in check(image, definition)] == []
    timed = make_image(frame(), ImageType=["DERIVED", "PRIMARY"], RepetitionTime="500", FlipAngle="90")
    [timing] = timed.SharedFunctionalGroupsSequence[0].MRTimingAndRelatedParametersSequence
    assert (timing.RepetitionTime, timing.FlipAngle) == (500, 90)
    assert list_remarks(save(timed, tmp_path / "timed.dcm")) == []


@pytest.mark.needs("dciodvfy")
def test_field_and_frequency_follow_from_each_other(tmp_path: Path) -> None:
    described = {name: DESCRIBED[name] for name in DESCRIBED if name != "FrameAcquisitionDuration"}
    described["AcquisitionDuration"] = 12.0
    for left, place, expected in (
        ("ImagingFrequency", "TransmitterFrequency", 63.866),
        ("MagneticFieldStrength", "", 1.498),
    ):
        image = make_image(frame(), **{name: value for name, value in described.items() if name != left})
        modifier = image.SharedFunctionalGroupsSequence[0].MRImagingModifierSequence[0]
        assert float(modifier[place].value if place else image[left].value) == pytest.approx(expected, abs=0.001)
        assert image.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].FrameAcquisitionDuration == 12000
        assert list_remarks(save(image, tmp_path / "image.dcm")) == []


@pytest.mark.needs("dciodvfy")
def test_dciodvfy_finds_nothing_in_a_group_that_was_given_in_part(tmp_path: Path) -> None:
    [image] = make_images([frame()], **DESCRIBED, MRModifierSequence=[data_set_of(Spoiling="RF")])
    assert list_remarks(save(image, tmp_path / "image.dcm")) == []


@pytest.mark.needs("dciodvfy")
def test_dciodvfy_finds_nothing_in_a_concatenation(tmp_path: Path) -> None:
    for number, image in enumerate(make_images([frame(place) for place in range(4)], parts=2, **DESCRIBED)):
        assert list_remarks(save(image, tmp_path / f"{number}.dcm")) == []


def list_missing(data_set: Dataset, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """What is required at a place that the data set has, and is not there or has no value."""
    missing = set()
    for row in rows:
        path, keyword = tuple(row["path"]), row["keyword"]
        if row["type"] not in ("1", "2") or (len(path) == 1 and path[0] in GROUPS):
            continue  # which group is shared is the image's choice
        for item in find_items(data_set, path):
            if keyword not in item or (row["type"] == "1" and item[keyword].is_empty):
                missing.add((*path, keyword))
    return missing


def find_items(data_set: Dataset, path: tuple[str, ...]) -> list[Dataset]:
    found = [data_set]
    for keyword in path:
        found = [item for each in found for item in each.get(keyword) or ()]
    return found


GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
SIGNS = {
    "cardiac-synchronization": "CardiacSynchronizationTechnique",
    "respiratory-synchronization": "RespiratoryMotionCompensationTechnique",
    "bulk-motion-synchronization": "BulkMotionCompensationTechnique",
    "supplemental-palette-color-lookup-table": "RedPaletteColorLookupTableDescriptor",
    "mr-pulse-sequence": "EchoPulseSequence",
}
"""The modules that depend on a condition and are made, with an attribute that shows them."""


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_has_what_the_module_tables_of_others_require(name: str) -> None:
    frames, of_series = VARIANTS[name]
    [image] = make_images(frames, **of_series)
    tables = get_module_attribute_map()
    missing = {}
    for use in get_iod_module_map()["enhanced-mr-image"]:
        module = use["key"]
        if use["usage"] == "M" or SIGNS.get(module, "") in image:
            missing[module] = list_missing(image, tables[module])
    assert {module: found for module, found in missing.items() if found} == {}
    assert len(missing) >= 12


VALUES = np.arange(5 * 16 * 12, dtype=np.uint16).reshape(5, 16, 12)
OBLIQUE = np.array([[1.9, 0.3, 0.2, -30], [-0.3, 1.9, 0.5, -40], [-0.1, -0.4, 3.9, 10], [0, 0, 0, 1]])


def make_orthogonal(affine: np.ndarray) -> np.ndarray:
    """An affine matrix with the same spacings, whose axes are at right angles."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axes, _ = np.linalg.qr(affine[:3, :3])
    made = np.eye(4)
    made[:3, :3] = axes * np.sign((axes * affine[:3, :3]).sum(axis=0)) * spacing
    made[:3, 3] = affine[:3, 3]
    return made


@pytest.mark.parametrize("scale", [1, 1 / 7], ids=["whole", "fractions"])
def test_a_classic_and_an_enhanced_volume_give_the_same_array_and_affine(tmp_path: Path, scale: float) -> None:
    (tmp_path / "site.toml").write_text(MR_SITE.format(port=free_port()), encoding="utf-8")
    volumes: list[Volume] = []
    values = VALUES if scale == 1 else VALUES * np.float32(scale)
    with Modality(tmp_path / "site.toml", works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        for sop_class in (MR_IMAGE_STORAGE, ENHANCED_MR_IMAGE_STORAGE):
            series = exam.series("volume", sop_class_uid=sop_class)
            uids = series.add_volume(values, make_orthogonal(OBLIQUE), space="LPS", axes="kji")
            files = [dcmread(file) for file in (tmp_path / "data").rglob("*.dcm")]
            read = [each for uid in uids for each in files if each.SOPInstanceUID == uid]
            if sop_class == MR_IMAGE_STORAGE:
                volumes.append(get_volume_from_series(read, apply_real_world_transform=False))
            else:
                volumes.append(Image.from_dataset(read[0]).get_volume(apply_real_world_transform=False))
    classic, enhanced = volumes
    assert classic.array.shape == enhanced.array.shape
    assert np.allclose(classic.affine, enhanced.affine, atol=1e-6)
    assert np.array_equal(classic.array, enhanced.array)
    assert np.allclose(np.sort(classic.array, axis=None), np.sort(values, axis=None), atol=VALUES.max() / 65535)
