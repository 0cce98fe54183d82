"""Files that ismrmrd writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import ismrmrd
import numpy as np
import pytest

from openmodality.acquisition.readers.mrd_file import read_mrd
from openmodality.errors import ObjectInvalid

XML = b"<ismrmrdHeader><subjectInformation><patientID>7</patientID></subjectInformation></ismrmrdHeader>"


def write(path: Path, arrays: list[Any], **fields: Any) -> Path:
    data_set = ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
    data_set.write_xml_header(XML)
    for number, array in enumerate(arrays):
        image = ismrmrd.Image.from_array(array, transpose=False)
        image.field_of_view = (40, 30, 5)
        image.position = (0, 0, 5 * number)
        image.read_dir, image.phase_dir, image.slice_dir = (1, 0, 0), (0, 1, 0), (0, 0, 1)
        image.image_series_index, image.image_type = 1, ismrmrd.IMTYPE_MAGNITUDE
        for name, value in fields.items():
            setattr(image, name, value)
        data_set.append_image("image_0", image)
    data_set.close()
    return path


@pytest.mark.parametrize("dtype", ["u2", "i2", "u4", "f4", "f8", "c8", "c16"])
def test_images_of_any_type(tmp_path: Path, dtype: str) -> None:
    arrays = [np.full((1, 1, 3, 4), number, dtype=dtype) for number in range(3)]
    (found,) = read_mrd(write(tmp_path / "a.h5", arrays))
    assert np.array_equal(np.asarray(found.volume.array), np.concatenate([array[0] for array in arrays]))
    assert found.identity == {"PatientID": "7"}
    assert [place[2] for place in found.volume.keywords["ImagePositionPatient"]] == [0, 5, 10]  # type: ignore[attr-defined]
    assert bool(found.notices) == (dtype in ("c8", "c16"))


def test_meta_attributes_win(tmp_path: Path) -> None:
    meta = ismrmrd.Meta({"ImageRowDir": ["0", "1", "0"], "ImageColumnDir": ["0", "0", "-1"]})
    path = write(tmp_path / "a.h5", [np.zeros((1, 1, 3, 4), np.uint16)], attribute_string=meta.serialize())
    assert read_mrd(path)[0].volume.keywords["ImageOrientationPatient"] == [0, 1, 0, 0, 0, -1]


def test_raw_data_alone_is_refused(tmp_path: Path) -> None:
    data_set = ismrmrd.Dataset(str(tmp_path / "a.h5"), "dataset", create_if_needed=True)
    data_set.append_acquisition(ismrmrd.Acquisition.from_array(np.zeros((1, 8), np.complex64)))
    data_set.close()
    with pytest.raises(ObjectInvalid, match="holds no image: 1 acquisitions of raw data"):
        read_mrd(tmp_path / "a.h5")


def test_another_hdf5_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(ObjectInvalid, match="holds no image"):
        read_mrd(tmp_path / "a.h5")
