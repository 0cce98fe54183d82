"""MR 13.4: Secondary Capture in grey, in colour and of a palette, with a place in the patient where one is known."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from openmodality.device.profile.loader import load_profile
from openmodality.errors import ObjectInvalid
from openmodality.imaging.preview import draw_preview
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import ObjectDefinition
from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.acceptance.requirements.test_mr_enhanced import save
from tests.acceptance.requirements.test_mr_image_rows import check_shown_by_orthanc
from tests.devices import device_in_hospital
from tests.mr_image_values import WITH_EXAM, WITH_IMAGE
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.module_tables import list_faults
from tests.peers.process import run

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
GREY = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
COLOUR = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
PLACE = {"ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 0.5]}
PALETTE = {name: value for name, value in WITH_IMAGE.items() if "Palette" in name}
COMMON = {
    name: WITH_IMAGE[name]
    for name in (
        "PatientPosition", "BodyPartExamined", "Laterality", "ProtocolName", "OperatorsName", "StudyDescription",
        "ReferencedImageSequence", "ImageComments", "PatientSize", "PatientWeight", "SpatialResolution",
        "DateOfLastCalibration", "TimeOfLastCalibration", "LossyImageCompression", "SmallestPixelValueInSeries",
    )
}  # fmt: skip
FORMS: dict[str, tuple[np.ndarray[Any, Any], dict[str, Any]]] = {
    "least": (GREY, {}),
    "grey": (GREY, {**COMMON, "ConversionType": "DI", "PixelAspectRatio": [2, 1], "PatientOrientation": ["L", "P"],
                    "WindowCenter": 100, "WindowWidth": 200, "VOILUTSequence": WITH_IMAGE["VOILUTSequence"],
                    "SecondaryCaptureDeviceID": "GRABBER1", "SecondaryCaptureDeviceManufacturer": "Acme",
                    "BurnedInAnnotation": "YES"}),
    "placed": (GREY, {**COMMON, **PLACE, "SliceThickness": 4}),
    "spaced": (GREY, {"PixelSpacing": [0.5, 0.5], "PixelSpacingCalibrationType": "GEOMETRY",
                      "PixelSpacingCalibrationDescription": "ruler"}),
    "colour": (COLOUR, {**COMMON, "ConversionType": "SYN"}),
    "palette": (GREY % 4, {**COMMON, **PALETTE, "PhotometricInterpretation": "PALETTE COLOR"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """What an archive got, by form."""
    with recorded_device(tmp_path_factory.mktemp("sc"), "mr") as recorded, recorded.modality() as modality:
        exam = modality.register(WITH_EXAM)
        uids = {}
        for name, (pixels, said) in FORMS.items():
            series = exam.series(name, sop_class_uid=SECONDARY)
            [uids[name]] = series.add(pixels, **said)
            assert (series.left_out, series.overridden) == ((), ())
        exam.complete()
        assert modality.wait_until_idle(30)
        recorded.recorder.closed()
        stored = {str(each.data.SOPInstanceUID): each.data for each in recorded.recorder.requests("C-STORE-RQ")}
    return {name: stored[uid] for name, uid in uids.items()}


@pytest.mark.needs("dciodvfy")
@pytest.mark.requirement("MR-3-22")
@pytest.mark.parametrize("name", list(FORMS))
def test_judges_of_others_find_no_fault(made: dict[str, Dataset], name: str, tmp_path: Path) -> None:
    path = save(made[name], tmp_path / "image.dcm")
    assert dciodvfy_errors(path) == []
    assert list_faults(made[name], besides=("image-plane", "frame-of-reference") if name == "placed" else ()) == []
    definition = ObjectDefinition.of(load_profile("mr"), "SC Image")
    assert [str(finding) for finding in check(made[name], definition)] == []
    read = dcmread(path)
    assert np.array_equal(read.pixel_array, FORMS[name][0])


@pytest.mark.needs("Orthanc")
def test_an_archive_of_others_stores_and_shows_each_form(made: dict[str, Dataset], tmp_path: Path) -> None:
    check_shown_by_orthanc(made, tmp_path)


@pytest.mark.needs("dcm2pnm")
def test_colours_of_a_palette_are_shown_by_others_and_by_us(made: dict[str, Dataset], tmp_path: Path) -> None:
    path = save(made["palette"], tmp_path / "palette.dcm")
    assert run("dcm2pnm", "+op", path, tmp_path / "palette.ppm").status == 0
    theirs = np.asarray(Image.open(tmp_path / "palette.ppm").convert("RGB"))
    ours = np.asarray(Image.open(io.BytesIO(draw_preview(dcmread(path)))).convert("RGB"))
    assert np.abs(theirs.astype(int) - ours.astype(int)).max() <= 1
    table = [WITH_IMAGE[f"{colour}PaletteColorLookupTableData"] for colour in ("Red", "Green", "Blue")]
    value = int(FORMS["palette"][0][3, 5])
    assert [int(each) for each in ours[3, 5]] == [each[value] >> 8 for each in table]


def test_each_form_says_what_it_is(made: dict[str, Dataset]) -> None:
    assert {name: image.ConversionType for name, image in made.items()} == {
        "least": "WSD", "grey": "DI", "placed": "WSD", "spaced": "WSD", "colour": "SYN", "palette": "WSD",
    }  # fmt: skip
    assert {name: image.PhotometricInterpretation for name, image in made.items()} == {
        "least": "MONOCHROME2", "grey": "MONOCHROME2", "placed": "MONOCHROME2", "spaced": "MONOCHROME2",
        "colour": "RGB", "palette": "PALETTE COLOR",
    }  # fmt: skip
    assert made["colour"].PlanarConfiguration == 0
    assert list(made["grey"].PixelAspectRatio) == [2, 1]
    assert "WindowCenter" not in made["palette"]


def test_a_place_is_there_where_it_is_known(made: dict[str, Dataset]) -> None:
    placed = made["placed"]
    assert list(placed.ImagePositionPatient) == [1, 2, 3]
    assert placed.FrameOfReferenceUID
    for name in ("least", "grey", "spaced", "colour", "palette"):
        assert not {"ImagePositionPatient", "SliceThickness", "FrameOfReferenceUID"} & {e.keyword for e in made[name]}
    assert list(made["spaced"].PixelSpacing) == [0.5, 0.5]


def test_a_place_that_is_not_whole_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        series = exam.series("x", sop_class_uid=SECONDARY)
        with pytest.raises(ObjectInvalid, match="ImageOrientationPatient of the Image Plane module has no value"):
            series.add(GREY, ImagePositionPatient=[0, 0, 0], PixelSpacing=[1, 1])
        with pytest.raises(ObjectInvalid, match="there is no palette"):
            series.add(GREY, PhotometricInterpretation="PALETTE COLOR")
        with pytest.raises(ObjectInvalid, match="not MONOCHROME1 or MONOCHROME2 or PALETTE COLOR or RGB"):
            series.add(GREY, PhotometricInterpretation="YBR")
        grey = exam.series("y", sop_class_uid="1.2.840.10008.5.1.4.1.1.4")
        with pytest.raises(ObjectInvalid, match="the object holds grey values"):
            grey.add(GREY, **PLACE, **PALETTE, PhotometricInterpretation="PALETTE COLOR")
        assert exam.instances() == []


def test_a_companion_makes_one(tmp_path: Path) -> None:
    np.save(tmp_path / "shot.npy", GREY)
    (tmp_path / "shot.json").write_text(json.dumps({"object": "SC Image", "ConversionType": "DF", **PLACE}))
    with device_in_hospital(tmp_path / "device", "mr") as device, device.modality(works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        [series] = exam.acquire(tmp_path / "shot.npy")
        assert series.left_out == ()
        [instance] = exam.instances()
        read = dcmread(modality.instance_path(instance.SOPInstanceUID))
        assert (read.ConversionType, list(read.ImagePositionPatient)) == ("DF", [1, 2, 3])
