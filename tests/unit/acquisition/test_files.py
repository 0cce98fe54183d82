"""Pixels from files and arrays: what fits is taken as it is, what does not is refused in one clear text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from openmodality.acquisition.files import FileSource, read_frames
from openmodality.errors import ObjectInvalid

RAMP = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300


def dicom(path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]], **values: object) -> Path:
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID, data_set.SOPInstanceUID = MRImageStorage, "1.2.3"
    data_set.PatientName, data_set.Modality, data_set.SeriesDescription = "SECRET", "MR", "T2 AX"
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data_set.NumberOfFrames = pixels.shape[0]
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = int(pixels.dtype.kind == "i")
    data_set.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    data_set.EchoTime, data_set.PixelSpacing, data_set.DeviceSerialNumber = "30", ["0.5", "0.5"], "4711"
    data_set.WindowCenter, data_set.WindowWidth = "100", "200"
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    data_set.save_as(path, enforce_file_format=True)
    return path


def test_dicom_keeps_acquisition_and_drops_identity(tmp_path: Path) -> None:
    frames, series = read_frames(dicom(tmp_path / "a.dcm", RAMP))
    (frame,) = frames
    assert np.array_equal(frame.pixels, RAMP)
    assert (float(frame.attributes.EchoTime), frame.attributes.BitsStored) == (30.0, 12)
    assert not {"PatientName", "DeviceSerialNumber", "SOPInstanceUID"} & {item.keyword for item in frame.attributes}
    assert (series.Modality, series.SeriesDescription, series.SOPClassUID) == ("MR", "T2 AX", MRImageStorage)


def test_each_frame_of_a_multi_frame_file_is_one(tmp_path: Path) -> None:
    frames, _ = read_frames(dicom(tmp_path / "a.dcm", np.stack([RAMP, RAMP + 1])))
    assert [int(frame.pixels[0, 0]) for frame in frames] == [0, 1]


def test_signed_pixels_keep_their_meaning(tmp_path: Path) -> None:
    signed = np.array([[-100, 0], [50, 2000]], dtype=np.int16)
    ((frame,), _) = read_frames(dicom(tmp_path / "a.dcm", signed, RescaleSlope="2", RescaleIntercept="5"))
    slope, intercept = float(frame.attributes.RescaleSlope), float(frame.attributes.RescaleIntercept)
    assert np.array_equal(frame.pixels * slope + intercept, signed * 2.0 + 5.0)


@pytest.mark.parametrize("changed", [{"SamplesPerPixel": 3}, {"PhotometricInterpretation": "PALETTE COLOR"}])
def test_colour_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(ObjectInvalid, match="colour"):
        read_frames(dicom(tmp_path / "a.dcm", RAMP, **changed))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_pictures(tmp_path: Path, name: str) -> None:
    Image.fromarray(RAMP).save(tmp_path / name)
    ((frame,), _) = read_frames(tmp_path / name)
    assert np.array_equal(frame.pixels, RAMP)
    assert frame.pixels.dtype == np.uint16
    assert frame.attributes.BitsStored == 12
    assert (frame.attributes.WindowCenter, frame.attributes.WindowWidth) == (1650, 3301)


def test_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    pages = [Image.fromarray((RAMP // 300).astype(np.uint8) + offset) for offset in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    frames, _ = read_frames(tmp_path / "a.tif")
    assert [int(frame.pixels[0, 0]) for frame in frames] == [0, 1, 2]
    assert frames[0].attributes.BitsStored == 8


def test_a_colour_picture_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    with pytest.raises(ObjectInvalid, match="mode RGB") as caught:
        read_frames(tmp_path / "a.png")
    assert "greyscale" in caught.value.advice


def test_numpy_volume(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.stack([RAMP, RAMP]))
    frames, _ = read_frames(tmp_path / "a.npy")
    assert len(frames) == 2
    frames[0].pixels[0, 0] = 7  # a copy, not a view of the file


def test_a_numpy_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RAMP)
    content = (tmp_path / "a.npy").read_bytes().replace(b"(3, 4)", b"(3000000, 4000)")
    (tmp_path / "a.npy").write_bytes(content[:128] + content[128:])
    with pytest.raises(ObjectInvalid, match=r"a\.npy"):
        read_frames(tmp_path / "a.npy")


def test_a_companion_adds_and_overrides(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RAMP)
    said = {"SeriesDescription": "FROM FILE", "Modality": "MR", "SliceThickness": 5, "PixelSpacing": [0.5, 0.5]}
    (tmp_path / "a.json").write_text(json.dumps(said), encoding="utf-8")
    (series,) = FileSource([tmp_path / "a.npy"]).series()
    assert (series.description, series.modality) == ("FROM FILE", "MR")
    (frame,) = series.frames
    assert float(frame.attributes.SliceThickness) == 5.0
    assert "Modality" not in frame.attributes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1]", "object"),
        ("{", "JSON"),
        ('{"NoSuchKeyword": 1}', "NoSuchKeyword"),
        ('{"SliceThickness": {"a": 1}}', "SliceThickness"),
        ('{"SliceThickness": "thick"}', "SliceThickness"),
        ('{"Rows": -1.5}', "Rows"),
        ('{"PatientName": null}', "PatientName"),
    ],
)
def test_a_wrong_companion_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    np.save(tmp_path / "a.npy", RAMP)
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(ObjectInvalid, match=reason):
        read_frames(tmp_path / "a.npy")


def test_a_folder_is_a_series_in_the_order_of_names(tmp_path: Path) -> None:
    for name, value in (("2.npy", 2), ("1.npy", 1), (".hidden.npy", 9)):
        with (tmp_path / name).open("wb") as stream:
            np.save(stream, np.full((2, 2), value, dtype=np.uint8))
    (series,) = FileSource([tmp_path], modality="MR").series()
    assert [int(frame.pixels[0, 0]) for frame in series.frames] == [1, 2]
    assert (series.modality, series.number_of_frames) == ("MR", 2)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match="no image"):
        list(FileSource([tmp_path]).series())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match="gone"):
        read_frames(tmp_path / "gone.png")
