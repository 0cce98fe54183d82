"""What ``docs/your-own-pixels.md`` says is refused is refused, with those words."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import ismrmrd
import nibabel
import numpy as np
import pytest
from pydicom.uid import CTImageStorage

from openmodality.errors import OpenModalityError
from openmodality.exam.session import Exam
from tests.acceptance.documents import ROOT
from tests.devices import device_in_hospital
from tests.peers import objects

PATIENT: dict[str, Any] = {"PatientID": "TEST-2", "PatientName": "DOE^JOHN"}
SHEARED = np.array([[1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
VOXELS = np.arange(2 * 3 * 4 * 3, dtype=np.int16).reshape(2, 3, 4, 3)


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exam]:
    with (
        device_in_hospital(tmp_path_factory.mktemp("device"), "mr") as device,
        device.modality(works=False) as modality,
    ):
        yield modality.start_exam(patient=PATIENT)


def save_nifti(folder: Path, voxels: Any = VOXELS[..., 0], affine: Any = SHEARED, **beside: str) -> Path:
    nibabel.save(nibabel.Nifti1Image(voxels, affine), folder / "a.nii")
    for suffix, text in beside.items():
        (folder / f"a.{suffix}").write_text(text)
    return folder / "a.nii"


def save_mrd(folder: Path, header: str = "<ismrmrdHeader/>", channels: int = 1, acquisitions: int = 0) -> Path:
    file = ismrmrd.Dataset(str(folder / "a.h5"), "dataset", create_if_needed=True)
    file.write_xml_header(header.encode())
    for _ in range(acquisitions):
        file.append_acquisition(ismrmrd.Acquisition())
    if not acquisitions:
        image = ismrmrd.Image.from_array(np.ones((channels, 1, 4, 5), np.float32), transpose=False)
        file.append_image("image_0", image)
    file.close()
    return folder / "a.h5"


def save_array(folder: Path, companion: str) -> Path:
    np.save(folder / "a.npy", VOXELS[..., 0])
    (folder / "a.json").write_text(companion)
    return folder / "a.npy"


def save_objects(folder: Path) -> Path:
    np.save(folder / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    return folder / "a.npy"


def save_elsewhere(folder: Path) -> Path:
    (folder / "values.bin").write_bytes(bytes(24))
    with h5py.File(folder / "a.mat", "w") as file:
        file.create_dataset("a", (3, 4), "u2", external=[(str(folder / "values.bin"), 0, 24)])
    return folder / "a.mat"


def save_raw(folder: Path) -> str:
    (folder / "a.bin").write_bytes(bytes(25))
    return f"raw:3x4:uint16:le:0:{folder / 'a.bin'}"


def save_dicom(folder: Path, count: int = 1, **changed: Any) -> Path:
    for number in range(count):
        image = objects.mr_image(InstanceNumber=number, ImagePositionPatient=[0, 0, 0], **PATIENT, **changed)
        if "SOPClassUID" in changed:
            image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
        objects.save(image, folder / "in")
    return folder / "in"


REFUSED: dict[str, Callable[[Path], Path | str]] = {
    "NIfTI without sform and qform": lambda folder: save_nifti(folder, affine=None),
    "NIfTI of five dimensions": lambda folder: save_nifti(folder, np.ones((2, 2, 2, 2, 2), np.int16)),
    "`.bval` of another length than the volume": lambda folder: save_nifti(
        folder, VOXELS, np.eye(4), bval="0 1000\n", bvec="0 1\n0 0\n0 0\n"
    ),
    "a companion with axes that its array has not": lambda folder: save_array(folder, '{"slice_axis": "x"}'),
    "an affine with shear": save_nifti,
    "Python objects in NumPy's files": save_objects,
    "HDF5 with links, or values in other files": save_elsewhere,
    "MRD with raw data alone": lambda folder: save_mrd(folder, acquisitions=128),
    "MRD of several channels": lambda folder: save_mrd(folder, channels=2),
    "an XML header with entities": lambda folder: save_mrd(folder, '<!DOCTYPE a [<!ENTITY b "c">]><ismrmrdHeader/>'),
    "raw pixels of another length": save_raw,
    "an object that the device does not make": lambda folder: save_dicom(folder, SOPClassUID=CTImageStorage),
    "slices at one position": lambda folder: save_dicom(folder, 12),
    "another patient": lambda folder: save_nifti(folder, affine=np.eye(4), json='{"PatientID": "TEST-1"}'),
    "a library that is not installed": save_nifti,
}
"""The rows of which no other test has the words."""


def read_words(what: str) -> list[str]:
    """The words of a row of the table."""
    [row] = [
        line
        for line in (ROOT / "docs" / "your-own-pixels.md").read_text().splitlines()
        if line.startswith(f"| {what} |")
    ]
    return re.findall("`([^`]+)`", row.rsplit("|", 2)[1])


@pytest.mark.parametrize("what", REFUSED)
def test_the_words_of_the_table_are_those_of_the_error(
    exam: Exam, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = REFUSED[what](tmp_path)
    if "not installed" in what:
        monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(OpenModalityError) as caught:
        exam.acquire(path)
    told = re.sub(r"exam \d+", "exam 4", str(caught.value))
    assert any(words in told for words in read_words(what)), told
