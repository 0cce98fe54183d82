"""MR 13.3: Enhanced MR images of the running device as an archive gets them, judged by dciodvfy and read by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from highdicom import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from openmodality.errors import ObjectInvalid
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, recorded_device
from tests.devices import device_in_hospital
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.module_tables import list_faults

PATIENT = {"PatientID": "1", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101"}
AFFINE = np.array([[2.0, 0, 0, -30], [0, 2.0, 0, -40], [0, 0, 4.0, 10], [0, 0, 0, 1]])
VALUES = np.arange(5 * 16 * 12, dtype=np.uint16).reshape(5, 16, 12)
"""Slices, rows, columns."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an archive got: an image of a volume in the fullest and in the least form, and the N-SET of the step."""

    images: list[Dataset]
    told: set[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with recorded_device(tmp_path_factory.mktemp("mr"), "mr") as recorded:
        with recorded.modality() as modality:
            exam = modality.register(PATIENT)
            plain = exam.series("plain", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE)
            [uid] = plain.add_volume(VALUES, AFFINE, space="LPS", axes="kji")
            full = exam.series(
                "full", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE, RepetitionTime=500, EchoTime=20, FlipAngle=90,
                SequenceName="se2d", ScanningSequence=["SE"], SequenceVariant=["SK"], MRAcquisitionType="2D",
                MagneticFieldStrength=1.5, BodyPartExamined="BRAIN", PatientPosition="HFS", PixelBandwidth=100,
                ImagingFrequency=63.8, NumberOfAverages=1, SAR=0.2, InversionTime=150, TriggerTime=5,
            )  # fmt: skip
            [other] = full.add_volume(VALUES.astype(np.float32) / 7, AFFINE, space="LPS", axes="kji")
            exam.complete()
            assert modality.wait_until_idle(20)
            recorder = recorded.recorder
            recorder.closed()
            [n_set] = [each.data for each in recorder.requests("N-SET-RQ")]
            images = {each.data.SOPInstanceUID: each.data for each in recorder.requests("C-STORE-RQ")}
        told = {
            item.ReferencedSOPInstanceUID
            for series in n_set.PerformedSeriesSequence
            for item in series.ReferencedImageSequence
        }
        yield Made([images[uid], images[other]], told)


def save(data_set: Dataset, path: Path) -> Path:
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.requirement("MR-3-21", "MR-13-01")
@pytest.mark.needs("dciodvfy")
def test_an_archive_gets_images_without_fault(made: Made, tmp_path: Path) -> None:
    for number, image in enumerate(made.images):
        assert image.SOPClassUID == ENHANCED_MR_IMAGE_STORAGE
        assert dciodvfy_errors(save(image, tmp_path / f"{number}.dcm")) == []
        assert list_faults(image) == []
    assert made.told == {image.SOPInstanceUID for image in made.images}


def test_a_reader_of_others_finds_each_voxel_at_its_place(made: Made, tmp_path: Path) -> None:
    for number, (image, values, tolerance) in enumerate(
        zip(made.images, (VALUES, VALUES / 7), (0.0, VALUES.max() / 7 / 65535), strict=True)
    ):
        save(image, tmp_path / f"{number}.dcm")
        volume = Image.from_dataset(image).get_volume()
        affine = volume.affine
        read = {}
        for index in np.ndindex(volume.array.shape):
            place = affine @ [*index, 1]
            read[tuple(np.round(place[:3], 3))] = float(volume.array[index])
        for (k, j, i), value in np.ndenumerate(values):
            place = tuple(np.round((AFFINE @ [i, j, k, 1])[:3], 3))
            assert abs(read[place] - value) <= tolerance


def test_frames_without_a_place_are_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)
        series = exam.series("nowhere", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE)
        with pytest.raises(ObjectInvalid, match="frame 1 has no PixelSpacing"):
            series.add(VALUES)
        assert exam.instances() == []
        [uid] = series.add(
            VALUES[:1], PixelSpacing=[1, 1], SliceThickness=1, ImagePositionPatient=[0, 0, 0],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )  # fmt: skip
        assert [each.SOPInstanceUID for each in exam.instances()] == [uid]
