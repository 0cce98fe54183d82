"""MR 13: enumerated values and defined terms of the enhanced modules, held for people and named for files of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.tag import Tag
from pydicom.uid import UID

from openmodality import Modality
from openmodality.acquisition.drop_folder import DropFolder, DroppedFile, FolderState
from openmodality.device.profile.loader import load_profile
from openmodality.errors import ObjectInvalid
from openmodality.exam.session import Exam
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from tests.acceptance.requirements.test_mr_enhanced import save
from tests.devices import device_in_hospital
from tests.peers.dicom3tools import dciodvfy_errors

PATIENT = {"PatientID": "1", "PatientName": "Doe^Jane"}
PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)
LEAST = {
    "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1],
    "SliceThickness": 1, "ScanningSequence": "SE", "SequenceVariant": "SK",
}  # fmt: skip
OTHER = {
    "MRAcquisitionType": "4D", "EchoPulseSequence": "TRIPLE", "Spoiling": "SPOILT", "SpatialPresaturation": "ALL",
    "InPlanePhaseEncodingDirection": "DIAGONAL", "InversionRecovery": "MAYBE", "AcquisitionContrast": "FINE",
    "ComplexImageComponent": "BOTH", "CardiacSynchronizationTechnique": "WILD", "OversamplingPhase": "4D",
    "ParallelAcquisitionTechnique": "GUESS", "SpectrallySelectedExcitation": "ALL", "VolumetricProperties": "ROUND",
}  # fmt: skip
"""Enumerated attributes with values that PS3.3 does not have. Those of group 0008 are not taken from a file."""


def test_each_attribute_with_terms_is_held_to_them(tmp_path: Path) -> None:
    rules = load_profile("mr").rules_of("Enhanced MR Image")
    held = {rule.keyword for rule in rules if rule.value_rule in ("enumerated", "defined")}
    held -= {
        "BodyPartExamined",
        "PatientSex",
        "LossyImageCompression",
        "PhotometricInterpretation",
        "PixelPresentation",
    }
    assert len(held) > 55
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)
        series = exam.series("x", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE)
        for keyword in sorted(held):
            with pytest.raises(ObjectInvalid, match=rf" {keyword}: not .* module, type ") as caught:
                series.add(PIXELS, **{**LEAST, keyword: "NOSUCH"})
            assert "it may come from " in (caught.value.advice or "")
        assert exam.instances() == []
        series.add(PIXELS, **LEAST, InPlanePhaseEncodingDirection="OTHER")
        assert len(exam.instances()) == 1


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("wanted", ["Enhanced MR Image", "MR Image"])
def test_other_terms_of_a_file_are_left_out_and_named(wanted: str, tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)
        folder = write_files(modality, exam, tmp_path)
        [series] = exam.acquire(folder, derive=wanted)
        lost = {*series.left_out, *series.overridden}
        named = [each for each in OTHER if int(Tag(each)) >> 16 != 0x0008]
        if wanted == "MR Image":  # whose private attributes repeat the others
            named = ["MRAcquisitionType", "InPlanePhaseEncodingDirection", "Spoiling"]
        assert set(named) <= lost
        assert "(0018,0081) EchoTime: a number below zero: left out" in series.notices
        assert "(0018,9115) MRModifierSequence: 2 items: left out" in series.notices
        made = [each for each in exam.instances() if each.SeriesInstanceUID == series.series_instance_uid]
        assert len(made) == (1 if wanted == "Enhanced MR Image" else 3)
        for each in made:
            image = dcmread(modality.instance_path(each.SOPInstanceUID))
            assert dciodvfy_errors(save(image, tmp_path / "made.dcm")) == []


def write_files(modality: Modality, exam: Exam, folder: Path) -> Path:
    """Files of another maker: three slices with values that no device has; the last has some right ones."""
    own = exam.series("own", sop_class_uid=MR_IMAGE_STORAGE)
    foreign = folder / "foreign"
    foreign.mkdir()
    for number in range(3):
        [uid] = own.add(PIXELS, **{**LEAST, "ImagePositionPatient": [0, 0, number]})
        data_set = dcmread(modality.instance_path(uid))
        spoil(data_set, {} if number < 2 else {"MRAcquisitionType": "2D", "Spoiling": "RF"})
        data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number}")
        data_set.SeriesInstanceUID = UID("1.2.4")
        data_set.save_as(foreign / f"{number}.dcm")
    return foreign


def spoil(data_set: Dataset, right: dict[str, Any]) -> None:
    for keyword, value in {**OTHER, **right}.items():
        setattr(data_set, keyword, value)
    data_set.EchoTime = "-3"
    data_set.MRModifierSequence = [Dataset(), Dataset()]


def test_a_file_that_cannot_be_taken_stops_none_behind_it(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)
        good = sorted(write_files(modality, exam, tmp_path).iterdir())
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        (inbox / "0.dcm").write_bytes(good[0].read_bytes()[:700])
        for path in good:
            (inbox / f"1{path.name}").write_bytes(path.read_bytes())
        before = len(exam.instances())

        def deliver(arrival: DroppedFile) -> None:
            exam.take(arrival, derive="Enhanced MR Image")

        watched, state = DropFolder(inbox, deliver, settle_s=0, patience_s=0), FolderState()
        for moment in range(3):
            state = watched.step(state, float(moment))
        assert len(exam.instances()) == before + 3
        assert [path.name for path in inbox.iterdir() if path.is_file()] == []
        assert sorted(path.name for path in inbox.rglob("*.dcm")) == ["0.dcm", "10.dcm", "11.dcm", "12.dcm"]
