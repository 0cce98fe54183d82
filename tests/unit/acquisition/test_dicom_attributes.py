"""What is taken over from a DICOM file: how the image was acquired, not whom it shows."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.acquisition.dicom_attributes import read_stored_pixels, take_acquisition_attributes
from openmodality.errors import ObjectInvalid
from tests.rule_tables import data, keywords


def image(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]], **values: object) -> Dataset:
    usual = {
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": pixels.shape[0],
        "Columns": pixels.shape[1], "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }  # fmt: skip
    data_set = data(**usual | values)
    data_set.add_new(0x7FE00010, "OW", pixels.tobytes())
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return data_set


def test_patient_equipment_and_uids_stay_behind() -> None:
    whole = data(
        PatientName="SECRET", DeviceSerialNumber="1", StudyInstanceUID="1.2", IrradiationEventUID="1.3", EchoTime="30",
        PixelSpacing=["1", "1"], ImageType=["ORIGINAL", "PRIMARY"],
    )  # fmt: skip
    whole.add_new(0x00191001, "LO", "private")
    assert keywords(take_acquisition_attributes(whole, "a.dcm")) == ["ImageType", "EchoTime", "PixelSpacing"]


def test_signed_pixels_start_at_zero_and_mean_what_they_meant() -> None:
    pixels = np.array([[-5, 7]], dtype="<i2")
    (stored,), attributes = read_stored_pixels(image(pixels, RescaleSlope="2", RescaleIntercept="10"), "a file")
    meant = stored * float(attributes.RescaleSlope) + float(attributes.RescaleIntercept)
    assert np.array_equal(meant, pixels * 2.0 + 10)


def test_monochrome1_is_told() -> None:
    inverse = image(np.ones((1, 2), dtype="<u2"), PhotometricInterpretation="MONOCHROME1")
    _, attributes = read_stored_pixels(inverse, "a file")
    assert attributes.PhotometricInterpretation == "MONOCHROME1"


@pytest.mark.parametrize("changed", [{"SamplesPerPixel": 3}, {"PhotometricInterpretation": "PALETTE COLOR"}])
def test_colour_is_refused(changed: dict[str, object]) -> None:
    wrong = image(np.ones((1, 2), dtype="<u2"))
    wrong.update(data(**changed))
    with pytest.raises(ObjectInvalid, match="colour"):
        read_stored_pixels(wrong, "a file")


def test_a_file_without_pixels_is_refused() -> None:
    with pytest.raises(ObjectInvalid, match="Pixel Data"):
        read_stored_pixels(Dataset(), "a file")
