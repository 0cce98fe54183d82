"""A volume from a file, made into images and read back by highdicom: the same values, each at its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from openmodality.exam.series import Series
from openmodality.exam.session import Exam
from tests.devices import device_in_hospital
from tests.property.test_slice_geometry import AXES, OBLIQUE, RAS_TO_LPS, SHAPE, make_affine

PATIENT = {"PatientID": "T1", "PatientName": "DOE^JANE"}
COUNT = int(np.prod(SHAPE))
WHOLE = np.arange(COUNT, dtype=np.int16).reshape(SHAPE)
FRACTIONS = np.random.default_rng(7).normal(scale=3.0, size=SHAPE).astype(np.float32)


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exam]:
    folder = tmp_path_factory.mktemp("device")
    with device_in_hospital(folder, "mr") as device, device.modality(works=False) as modality:
        yield modality.start_exam(patient=PATIENT)


def acquire(exam: Exam, path: Path, name: str) -> highdicom.Volume:
    """What highdicom reads of the images that become of a file."""
    (series,) = exam.acquire(path, object=name)
    assert series.object_name == name
    return read_volume(list_files(exam, series))


def list_files(exam: Exam, series: Series) -> list[Path]:
    uids = [each.SOPInstanceUID for each in exam.instances() if each.SeriesInstanceUID == series.series_instance_uid]
    return [exam._workflow.store.files.path(uid) for uid in uids]


def read_volume(paths: list[Path]) -> highdicom.Volume:
    if len(paths) == 1:
        return highdicom.imread(paths[0]).get_volume()
    return highdicom.get_volume_from_series([pydicom.dcmread(path) for path in paths])


def put_back(volume: highdicom.Volume, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values by the indices of the file; NaN where none came to an index, within 1e-3 mm."""
    indices = np.indices(volume.array.shape).reshape(3, -1)
    places = volume.affine[:3, :3] @ indices + volume.affine[:3, 3:]
    of_file = np.linalg.inv(affine) @ np.vstack([RAS_TO_LPS @ places, np.ones(COUNT)])
    nearest = np.rint(of_file[:3]).astype(int)
    meant = RAS_TO_LPS @ (affine[:3, :3] @ nearest + affine[:3, 3:])
    assert np.abs(meant - places).max() < 1e-3
    back = np.full(SHAPE, np.nan)
    back[tuple(nearest)] = volume.array.ravel()
    return back


@pytest.mark.parametrize("name", ["MR Image", "Enhanced MR Image"])
@pytest.mark.parametrize("values", [WHOLE, FRACTIONS], ids=["whole", "fractions"])
def test_a_file_of_any_axes_is_read_back_as_it_was(
    exam: Exam, tmp_path: Path, name: str, values: NDArray[Any], soak: bool
) -> None:
    """All axes in a soak; in the suite each order of them with some of its signs: a test of properties has all."""
    step = float(np.ptp(values)) / 0xFFFF if values.dtype.kind == "f" else 0.0
    for number, (order, signs) in list(enumerate(AXES))[:: 1 if soak else 7 if step else 5]:
        affine = make_affine(order, signs, OBLIQUE[(number + number // 4) % 4])
        path = tmp_path / f"v{number}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(values, affine), path)
        stored = nibabel.load(path).affine  # in 32 bits
        back = put_back(acquire(exam, path, name), stored)
        assert np.abs(back - values).max() <= step / 2 * 1.001 + 1e-9, (order, signs)


def test_the_frames_of_an_enhanced_file_lie_where_they_lay(exam: Exam, tmp_path: Path) -> None:
    """As an enhanced image again, and as images of one frame that are derived of it."""
    affine = make_affine((2, 0, 1), (1, -1, 1), OBLIQUE[1])
    nibabel.save(nibabel.Nifti1Image(WHOLE, affine), tmp_path / "volume.nii")
    (series,) = exam.acquire(tmp_path / "volume.nii", object="Enhanced MR Image", keywords={"EchoTime": 12})
    (path,) = list_files(exam, series)
    (again,) = exam.acquire(path)
    (derived,) = exam.acquire(path, derive="MR Image")
    assert [each.object_name for each in (again, derived)] == ["Enhanced MR Image", "MR Image"]
    for made in (again, derived):
        assert np.array_equal(put_back(read_volume(list_files(exam, made)), affine), WHOLE)
    assert {pydicom.dcmread(file).EchoTime for file in list_files(exam, derived)} == {12}
