"""Files of any form in an exam of a device: what becomes of them, and what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import CTImageStorage

from openmodality.errors import ObjectInvalid, OtherIdentity, UsageError
from openmodality.exam.series import Series
from openmodality.exam.session import Exam
from tests.devices import device_in_hospital
from tests.peers import objects

PATIENT = {"PatientID": "T1", "PatientName": "DOE^JANE"}


@pytest.fixture
def exam(tmp_path: Path) -> Iterator[Exam]:
    with device_in_hospital(tmp_path / "device", "mr") as device, device.modality(works=False) as modality:
        yield modality.start_exam(patient=PATIENT)


def made(exam: Exam, series: Series) -> list[FileDataset]:
    store = exam._workflow.store
    paths = [store.files.path(each.SOPInstanceUID) for each in exam.instances()
             if each.SeriesInstanceUID == series.series_instance_uid]  # fmt: skip
    return sorted(map(dcmread, paths), key=lambda each: int(each.InstanceNumber))


def nifti(path: Path, array: Any = None, **sidecar: Any) -> Path:
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5) if array is None else array
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-2.0, -2, 3, 1])), path)
    if sidecar:
        path.with_name(path.name.partition(".")[0] + ".json").write_text(json.dumps(sidecar))
    return path


def test_a_nifti_file_with_its_sidecar(exam: Exam, tmp_path: Path) -> None:
    path = nifti(tmp_path / "t1.nii.gz", EchoTime=0.003, RepetitionTime=2.3, SeriesDescription="T1w", Odd=1)
    (series,) = exam.acquire(path)
    images = made(exam, series)
    assert len(images) == 5
    assert [float(image.ImagePositionPatient[2]) for image in images] == [0, 3, 6, 9, 12]
    assert {(float(image.EchoTime), float(image.RepetitionTime)) for image in images} == {(3, 2300)}
    assert (series.object_name, series.record.description) == ("MR Image", "T1w")
    assert series.unused == {"Odd": "no DICOM keyword is known for it"}
    assert np.array_equal(images[0].pixel_array, np.arange(60).reshape(3, 4, 5)[:, :, 0].T)


def test_diffusion_comes_with_its_values(exam: Exam, tmp_path: Path) -> None:
    path = nifti(tmp_path / "dwi.nii", np.arange(48, dtype=np.int16).reshape(2, 3, 4, 2))
    (tmp_path / "dwi.bval").write_text("0 1000")
    (tmp_path / "dwi.bvec").write_text("0 1\n0 0\n0 0")
    (series,) = exam.acquire(path)
    images = made(exam, series)
    assert [float(image.DiffusionBValue) for image in images] == [0] * 4 + [1000] * 4
    assert "DiffusionGradientOrientation" not in images[0]
    assert series.left_out == ()
    assert list(images[4].DiffusionGradientOrientation) == [-1, 0, 0]  # i leads left, and x is turned round


def test_another_patient_begins_no_series(exam: Exam, tmp_path: Path) -> None:
    path = nifti(tmp_path / "t1.nii", PatientID="T2")
    with pytest.raises(OtherIdentity, match=r"PatientID is not that of exam"):
        exam.acquire(path)
    assert exam.record.series == ()
    (series,) = exam.acquire(path, accept_identity=True)
    assert {image.PatientID for image in made(exam, series)} == {"T1"}
    assert series.unused == {"PatientID": "the exam has its own"}


def test_an_object_for_pixels_and_raw_pixels(exam: Exam, tmp_path: Path) -> None:
    (tmp_path / "scan.bin").write_bytes(np.arange(12, dtype="<u2").tobytes())
    (series,) = exam.acquire(f"raw:3x4:uint16:le:0:{tmp_path / 'scan.bin'}")
    assert series.object_name == "SC Image"
    assert made(exam, series)[0].pixel_array.tolist() == np.arange(12).reshape(3, 4).tolist()
    with pytest.raises(UsageError, match="this device makes no CT Image") as caught:
        exam.acquire(f"raw:3x4:uint16:le:0:{tmp_path / 'scan.bin'}", object="CT Image")
    assert "MR Image" in caught.value.advice
    with pytest.raises(UsageError, match="no option colour"):
        exam.acquire(tmp_path / "scan.bin", colour=True)
    with pytest.raises(UsageError, match="does not exist"):
        exam.acquire(tmp_path / "gone.bin")


def test_a_foreign_object_is_refused_or_derived(exam: Exam, tmp_path: Path) -> None:
    source = objects.mr_image()
    source.SOPClassUID = source.file_meta.MediaStorageSOPClassUID = CTImageStorage
    source.PatientName, source.PatientID, source.KVP = PATIENT["PatientName"], PATIENT["PatientID"], "120"
    for keyword in ("AccessionNumber", "PatientBirthDate"):
        if keyword in source:
            del source[keyword]
    path = objects.save(source, tmp_path)
    with pytest.raises(ObjectInvalid, match="holds CT Image Storage") as caught:
        exam.acquire(path)
    assert "--derive" in caught.value.advice
    (series,) = exam.acquire(path, derive="SC Image")
    (image,) = made(exam, series)
    assert (image.ImageType[0], image.SOPInstanceUID != source.SOPInstanceUID) == ("DERIVED", True)
    (reference,) = image.SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert "KVP" not in image
    assert "KVP" in {*series.left_out, *series.unused}
