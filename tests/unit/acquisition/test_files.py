"""Pixels from files and arrays: what fits is taken as it is, what does not is refused in one clear text."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from openmodality.acquisition.files import FileSource
from openmodality.acquisition.readers.pixel_file import read_file
from openmodality.encoding.part10 import read_any
from openmodality.errors import ObjectInvalid
from tests.acquired import list_frames, read_frames

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
    assert (series.modality, series.description, series.sop_class_uid) == ("MR", "T2 AX", MRImageStorage)
    assert series.identities == ({"PatientName": "SECRET"},)


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


def test_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    pages = [Image.fromarray((RAMP // 300).astype(np.uint8) + offset) for offset in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    frames, _ = read_frames(tmp_path / "a.tif")
    assert [int(frame.pixels[0, 0]) for frame in frames] == [0, 1, 2]
    assert frames[0].pixels.dtype == np.uint8


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_colour_picture_is_one_image_of_three_samples(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (4, 3), (51, 102, 204)).convert(mode).save(tmp_path / "a.png")
    (frame,), series = read_frames(tmp_path / "a.png")
    assert frame.pixels.shape == (3, 4, 3)
    assert frame.pixels[0, 0].tolist() == [51, 102, 204]
    assert series.number_of_frames == 1


def test_a_picture_of_inks_is_refused(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 3)).save(tmp_path / "a.tif")
    with pytest.raises(ObjectInvalid, match="mode CMYK") as caught:
        read_frames(tmp_path / "a.tif")
    assert "greyscale" in caught.value.advice


def test_a_numpy_volume_becomes_its_frames(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.stack([RAMP, RAMP]))
    frames, _ = read_frames(tmp_path / "a.npy")
    assert [frame.pixels.tolist() for frame in frames] == [RAMP.tolist()] * 2


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
    (frame,) = list_frames(series)
    assert float(frame.attributes.SliceThickness) == 5.0


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


def write_tiff(path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], order: str) -> Path:
    """TIFF 6.0 with PhotometricInterpretation 0, by bytes: one strip."""
    bits, data = array.itemsize * 8, array.astype(array.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]
    rows, columns = array.shape
    entries = [(256, columns), (257, rows), (258, bits), (259, 1), (262, 0), (273, 8), (277, 1), (278, rows)]
    directory = b"".join(struct.pack(f"{order}HHLHxx", tag, 3, 1, value) for tag, value in entries)
    directory += struct.pack(f"{order}HHLL", 279, 4, 1, len(data))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8 + len(data)) + data
    path.write_bytes(head + struct.pack(f"{order}H", 9) + directory + bytes(4))
    return path


@pytest.mark.parametrize(
    ("order", "dtype", "highest"),
    [("<", np.uint8, 255), (">", np.uint8, 255), ("<", np.uint16, 65535)],  # Pillow knows no other with 16 bits
)
def test_where_white_is_zero_a_tiff_shows_white(tmp_path: Path, order: str, dtype: Any, highest: int) -> None:
    ramp = np.array([[0, 1], [7, highest]], dtype=dtype)
    ((frame,), _) = read_frames(write_tiff(tmp_path / "a.tif", ramp, order))
    assert frame.pixels.tolist() == [[highest, highest - 1], [highest - 7, 0]]


def slices(folder: Path, **said: list[object]) -> list[int]:
    """What comes first to last of four files, whose names say 1, 2, 10 and 11."""
    for number, name in enumerate((1, 2, 10, 11)):
        values = {keyword: value for keyword, given in said.items() if (value := given[number]) is not None}
        dicom(folder / f"img{name}.dcm", np.full((2, 2), number, np.uint16), **values)
    (series,) = FileSource([folder]).series()
    return [int(frame.pixels[0, 0]) for frame in list_frames(series)]


AXIAL = [1, 0, 0, 0, 1, 0]
CORONAL = [1, 0, 0, 0, 0, -1]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"InstanceNumber": [4, 2, 3, 1]}, [3, 1, 2, 0]),
        ({"InstanceNumber": [4, 2, None, 1]}, [0, 1, 2, 3]),
        ({"InstanceNumber": [4, 2, 2, 1]}, [0, 1, 2, 3]),
        (
            {
                "ImagePositionPatient": [[0, 0, z] for z in (5, -5, 10, 0)],
                "ImageOrientationPatient": [AXIAL] * 4,
                "InstanceNumber": [1, 2, 3, 4],
            },
            [1, 3, 0, 2],
        ),
        (
            {
                "ImagePositionPatient": [[0, y, 0] for y in (5, -5, 10, 0)],
                "ImageOrientationPatient": [CORONAL] * 4,
            },
            [1, 3, 0, 2],
        ),
        (  # two echoes of two slices: positions do not tell
            {
                "ImagePositionPatient": [[0, 0, z] for z in (5, 5, 0, 0)],
                "ImageOrientationPatient": [AXIAL] * 4,
                "InstanceNumber": [4, 3, 2, 1],
            },
            [3, 2, 1, 0],
        ),
    ],
)
def test_slices_come_by_position_else_by_number_else_by_name(
    tmp_path: Path, said: dict[str, list[object]], expected: list[int]
) -> None:
    assert slices(tmp_path, **said) == expected


def test_an_object_that_the_device_does_not_make_is_not_turned_into_another(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a.dcm", RAMP, SOPClassUID=CTImageStorage)
    with pytest.raises(
        ObjectInvalid, match=r"a\.dcm: holds CT Image Storage .*, which this device does not make"
    ) as caught:
        list(FileSource([path], objects={"MR Image": MRImageStorage}).series())
    assert "it makes MR Image Storage" in caught.value.advice
    assert len(list(FileSource([path], objects={"MR": MRImageStorage, "CT": CTImageStorage}).series())) == 1


@pytest.mark.parametrize("end", [-2, -20, 300])
def test_a_file_that_is_cut_off_makes_no_image(tmp_path: Path, end: int) -> None:
    path = dicom(tmp_path / "a.dcm", RAMP)
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(ObjectInvalid, match="cut off"):
        read_frames(path)


def test_a_data_set_without_preamble_makes_an_image(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a.dcm", RAMP)
    raw = path.read_bytes()
    path.write_bytes(raw[read_any(raw).data_set_offset :])
    ((frame,), _) = read_frames(path)
    assert np.array_equal(frame.pixels, RAMP)


def test_what_is_no_file_hangs_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "folder.dcm").mkdir()
    for name in ("pipe.dcm", "folder.dcm"):
        with pytest.raises(ObjectInvalid, match="is not a file"):
            read_file(tmp_path / name)
    dicom(tmp_path / "a.dcm", RAMP)
    (series,) = FileSource([tmp_path]).series()
    assert series.number_of_frames == 1


def test_what_a_companion_states_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RAMP)
    (tmp_path / "a.json").write_text('{"PixelSpacing": [1, 2], "SeriesDescription": "x"}', encoding="utf-8")
    _, series = read_frames(tmp_path / "a.npy")
    assert series.volume is not None
    assert (series.description, series.volume.keywords) == ("x", {"PixelSpacing": [1, 2], "SeriesDescription": "x"})
    dicom(tmp_path / "b.dcm", RAMP)
    (tmp_path / "b.json").write_text('{"PixelSpacing": [1, 2], "SeriesDescription": "x"}', encoding="utf-8")
    ((frame,), _) = read_frames(tmp_path / "b.dcm")
    assert (frame.stated.PixelSpacing, frame.stated.SeriesDescription, len(frame.stated)) == ([1, 2], "x", 2)


@pytest.mark.parametrize(
    ("told_apart", "is_refused"),
    [
        ({}, True),
        ({"SliceLocation": [0, 1, 2, 3], "InstanceNumber": [1, 2, 3, 4], "ContentTime": list("1234")}, True),
        ({"TemporalPositionIdentifier": [1, 2, 3, 4]}, False),
        ({"EchoTime": [10, 20, 30, 40]}, False),
        ({"AcquisitionNumber": [1, 2, 3, 4]}, False),
        ({"ImagePositionPatient": [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 3]]}, False),
        ({"ImageType": [["ORIGINAL", "PRIMARY", part] for part in "MRIP"]}, False),
    ],
)
def test_slices_at_one_position_are_refused_unless_something_tells_them_apart(
    tmp_path: Path, told_apart: dict[str, list[object]], is_refused: bool
) -> None:
    place = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", RAMP + number)
        own = {keyword: values[number] for keyword, values in told_apart.items()}
        own = {keyword: "0" + str(value) if keyword == "ContentTime" else value for keyword, value in own.items()}
        (tmp_path / f"{number}.json").write_text(json.dumps({**place, **own}), encoding="utf-8")
    source = FileSource([tmp_path])
    if not is_refused:
        assert next(source.series()).number_of_frames == 4
        return
    with pytest.raises(ObjectInvalid) as caught:
        next(source.series())
    assert caught.value.message == f"{tmp_path}: 4 slices at one position: 0.npy, 1.npy, 2.npy, …"


def test_a_folder_is_a_series_in_the_order_of_names(tmp_path: Path) -> None:
    for name, value in (("2.npy", 2), ("1.npy", 1), (".hidden.npy", 9)):
        with (tmp_path / name).open("wb") as stream:
            np.save(stream, np.full((2, 2), value, dtype=np.uint8))
    (series,) = FileSource([tmp_path], modality="MR").series()
    assert [int(frame.pixels[0, 0]) for frame in list_frames(series)] == [1, 2]
    assert (series.modality, series.number_of_frames) == ("MR", 2)


def test_a_volume_beside_an_image_in_a_file_is_no_slice_of_the_folder(tmp_path: Path) -> None:
    image = np.ones((4, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", img=image, vol=np.ones((3, 4, 4), dtype=np.uint8))
    np.save(tmp_path / "b.npy", image)
    assert sorted(each.number_of_frames for each in FileSource([tmp_path]).series()) == [2, 3]


def test_a_folder_of_folders_is_what_each_of_them_is(tmp_path: Path) -> None:
    for name in ("scan10", "scan2", ".hidden"):
        (tmp_path / "study" / name).mkdir(parents=True)
        np.save(tmp_path / "study" / name / "a.npy", np.ones((2, 2), np.uint16))
    (tmp_path / "study" / "back").symlink_to(tmp_path / "study")
    series = list(FileSource([tmp_path / "study"]).series())
    assert [each.description for each in series] == ["scan2", "scan10"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match="no image"):
        list(FileSource([tmp_path]).series())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match="gone"):
        read_frames(tmp_path / "gone.png")


def test_a_file_with_a_long_name_describes_its_series_by_the_beginning_of_it(tmp_path: Path) -> None:
    name = "sub-01_ses-02_task-rest_acq-highres_run-01_space-MNI152NLin2009cAsym_desc-preproc\n_bold"
    np.save(tmp_path / f"{name}.npy", RAMP)
    dicom(tmp_path / f"{name}.dcm", RAMP, SeriesDescription="kept")
    sources = FileSource([tmp_path / f"{name}.npy", tmp_path / f"{name}.dcm"])
    assert [each.description for each in sources.series()] == [name[:64], "kept"]
