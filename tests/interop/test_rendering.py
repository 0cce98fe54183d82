"""Our renderer beside DCMTK's: dcm2pnm for images, dcmp2pgm for presentation states; within one grey level."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread

from openmodality.imaging.frames import read_frame
from openmodality.imaging.lookup import Window
from openmodality.imaging.presentation import read_image_presentation, read_state_presentation
from openmodality.imaging.render import render
from tests.made_objects import NAMES, OBJECTS, instances, worklist
from tests.peers import objects
from tests.peers.process import run

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
REFUSED_BY_DCMTK = {"rtdose_expb.dcm", "rtdose_expb_1frame.dcm"}
"""32 bits in big endian: DCMTK reads other values than from the same image in little endian."""


def native_images() -> list[Path]:
    """The uncompressed images among pydicom's test files."""
    found = []
    for path in sorted(FOLDER.rglob("*.dcm")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data_set = dcmread(path, specific_tags=["Rows"])
            if "Rows" in data_set and not data_set.file_meta.TransferSyntaxUID.is_compressed:
                found.append(path)
        except Exception:  # noqa: BLE001 - some of these files are broken on purpose
            continue
    return [path for path in found if path.name not in REFUSED_BY_DCMTK]


def run_dcmtk(program: str, picture: Path, *arguments: str | Path) -> NDArray[np.int64]:
    """What a renderer of DCMTK writes into the file ``picture``."""
    finished = run(program, "-q", *arguments, picture)
    assert finished.status == 0, finished.output
    return np.asarray(Image.open(picture)).astype(np.int64)


def our_picture(data_set: Dataset) -> tuple[NDArray[np.int64], list[str]]:
    """Our rendering, and the options with which dcm2pnm does the same."""
    frame, presentation = read_frame(data_set), read_image_presentation(data_set)
    shown = render(frame, presentation).astype(np.int64)
    if frame.has_colour:
        return shown, []
    if presentation.voi is None:
        return shown, ["+Wm"]
    return shown, ["+Wi", "1"] if isinstance(presentation.voi, Window) else ["+Wl", "1"]


@pytest.mark.needs("dcm2pnm")
@pytest.mark.parametrize("path", native_images(), ids=lambda path: path.name)
def test_images_of_pydicom(tmp_path: Path, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = dcmread(path)
        try:
            ours, options = our_picture(data_set)
        except Exception:  # noqa: BLE001 - broken on purpose: then DCMTK sees no whole picture either
            assert path.name in ("MR_truncated.dcm", "badVR.dcm", "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm")
            return
    theirs = run_dcmtk("dcm2pnm", tmp_path / "picture", "-O", *options, path)
    assert np.abs(ours - theirs).max() <= 1


def compressed_images(*syntaxes: str) -> list[Path]:
    """The images among pydicom's test files in these transfer syntaxes."""
    found = []
    for path in sorted(FOLDER.rglob("*.dcm")):
        with warnings.catch_warnings(), contextlib.suppress(Exception):  # some of these files are broken on purpose
            warnings.simplefilter("ignore")
            data_set = dcmread(path, stop_before_pixels=True)
            if "Rows" in data_set and data_set.file_meta.TransferSyntaxUID in syntaxes:
                found.append(path)
    return found


RLE, JPEG = ("1.2.840.10008.1.2.5",), ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70")
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")


@pytest.mark.needs("dcm2pnm", "dcmj2pnm", "dcml2pnm")
@pytest.mark.parametrize(
    ("program", "syntaxes", "least"), [("dcm2pnm", RLE, 5), ("dcmj2pnm", JPEG, 10), ("dcml2pnm", JPEG_LS, 5)]
)
def test_compressed_images_of_pydicom(tmp_path: Path, program: str, syntaxes: tuple[str, ...], least: int) -> None:
    compared = []
    for path in compressed_images(*syntaxes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, options = our_picture(dcmread(path))
        finished = run(program, "-q", "-O", *options, path, tmp_path / "picture")
        if finished.status == 0:  # DCMTK refuses some
            theirs = np.asarray(Image.open(tmp_path / "picture")).astype(np.int64)
            assert np.abs(ours - theirs).max() <= 1, path.name
            compared.append(path.name)
    assert len(compared) >= least, compared


@pytest.mark.needs("dcm2pnm")
@pytest.mark.parametrize(("profile", "name"), OBJECTS)
def test_images_of_both_devices(tmp_path: Path, profile: str, name: str) -> None:
    for _, data_set in instances(profile, name, worklist(NAMES["ascii"])):
        path = tmp_path / "image.dcm"
        data_set.save_as(path, enforce_file_format=True)
        ours, options = our_picture(dcmread(path))
        theirs = run_dcmtk("dcm2pnm", tmp_path / "picture", "-O", *options, path)
        assert np.abs(ours - theirs).max() <= 1


@pytest.mark.needs("dcm2pnm")
@pytest.mark.parametrize(
    ("values", "options"),
    [
        ({"VOILUTFunction": "SIGMOID", "WindowCenter": 2000, "WindowWidth": 1500}, ["+Wi", "1"]),
        ({"RescaleSlope": "2", "RescaleIntercept": "-1000", "WindowCenter": 0, "WindowWidth": 3000}, ["+Wi", "1"]),
        ({"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 900, "WindowWidth": 700}, ["+Wi", "1"]),
    ],
)
def test_windows_and_tables_look_as_dcm2pnm_draws_them(
    tmp_path: Path, values: dict[str, Any], options: list[str]
) -> None:
    path = objects.save(objects.ct_image(**values), tmp_path)
    theirs = run_dcmtk("dcm2pnm", tmp_path / "picture", "-O", *options, path)
    assert np.abs(our_picture(dcmread(path))[0] - theirs).max() <= 1


def presentation_state(image: Dataset, **values: Any) -> Dataset:
    """A Grayscale Softcopy Presentation State for an image, with more attributes by keyword."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = highdicom.pr.GrayscaleSoftcopyPresentationState(
            [image], pydicom.uid.generate_uid(), 7, pydicom.uid.generate_uid(), 1,
            "OpenModality", "Test", "1", "1", "TEST",
            voi_lut_transformations=[highdicom.pr.SoftcopyVOILUTTransformation(1500, 2000)],
        )  # fmt: skip
    for keyword, value in values.items():
        setattr(state, keyword, value)
    return state


TABLE = {
    "LUTDescriptor": [4096, 0, 12],
    "LUTData": (np.arange(4096) ** 2 // 4096).astype("<u2").tobytes(),
}


def lut_item() -> Dataset:
    item = Dataset()
    item.LUTDescriptor = TABLE["LUTDescriptor"]
    item.add_new(0x00283006, "OW", TABLE["LUTData"])
    item["LUTDescriptor"].VR = "US"
    return item


@pytest.mark.needs("dcmp2pgm")
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"PresentationLUTShape": "INVERSE"},
        {"ImageRotation": 90, "ImageHorizontalFlip": "N"},
        {"ImageRotation": 270, "ImageHorizontalFlip": "Y"},
    ],
    ids=["window", "inverse", "turned", "turned and flipped"],
)
def test_presentation_states_look_as_dcmp2pgm_draws_them(tmp_path: Path, values: dict[str, Any]) -> None:
    path = objects.save(objects.mr_image(rows=48, columns=64), tmp_path)
    image = dcmread(path)
    state = presentation_state(image, **values)
    state.save_as(tmp_path / "state.dcm", enforce_file_format=True)
    theirs = run_dcmtk("dcmp2pgm", tmp_path / "picture", "-p", tmp_path / "state.dcm", path)
    ours = render(read_frame(image), read_state_presentation(state, image)).astype(np.int64)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.needs("dcmp2pgm")
def test_a_voi_table_of_a_state(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(rows=48, columns=64), tmp_path)
    image = dcmread(path)
    state = presentation_state(image)
    item = state.SoftcopyVOILUTSequence[0]
    del item.WindowCenter, item.WindowWidth
    item.VOILUTSequence = [lut_item()]
    state.save_as(tmp_path / "state.dcm", enforce_file_format=True)
    theirs = run_dcmtk("dcmp2pgm", tmp_path / "picture", "-p", tmp_path / "state.dcm", path)
    ours = render(read_frame(image), read_state_presentation(state, image)).astype(np.int64)
    assert np.abs(ours - theirs).max() <= 1
