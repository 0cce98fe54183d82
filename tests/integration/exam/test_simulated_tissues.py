"""T1, T2, T2* and diffusion, measured from the stored images of the simulator alone, are those of the digital head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality import Modality
from openmodality.acquisition import mr_phantom
from openmodality.acquisition.geometry import Plane
from openmodality.acquisition.mr_protocol import QUANTITATIVE
from openmodality.acquisition.mr_simulator import MrSimulator
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from tests.devices import MR_SITE
from tests.peers.process import free_port

PROTOCOLS = {protocol.name: replace(protocol, noise=0.0, slices=1) for protocol in QUANTITATIVE}
FINER = 4
"""Into so many parts each pixel is cut, along rows and columns, to see whether it is of one tissue."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored image or frame: what its values are worth, where it lies, and how it was weighted."""

    signal: NDArray[np.float64]
    header: dict[str, Any]


def scan(folder: Path, name: str, sop_class: str = MR_IMAGE_STORAGE) -> list[Seen]:
    """Scan and store a protocol, and read the files."""
    (folder / "site.toml").write_text(MR_SITE.format(port=free_port()), encoding="utf-8")
    with Modality(folder / "site.toml", works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        exam.acquire(MrSimulator([PROTOCOLS[name]], sop_class_uid=sop_class))
    read = [dcmread(file) for file in (folder / "data").rglob("*.dcm")]
    assert {each.SOPClassUID for each in read} == {sop_class}
    if sop_class == MR_IMAGE_STORAGE:
        ordered = sorted(read, key=lambda each: int(each.InstanceNumber))
        return [see(each.pixel_array, [each]) for each in ordered]
    [image] = read
    shared = image.SharedFunctionalGroupsSequence[0]
    pairs = zip(image.pixel_array, image.PerFrameFunctionalGroupsSequence, strict=True)
    return [see(pixels, [*list_items(shared), *list_items(own)]) for pixels, own in pairs]


def list_items(item: Dataset) -> list[Dataset]:
    """The items of all functional groups, and the group of real world values as a whole."""
    return [item, *(inner for element in item for inner in element.value)]


def see(pixels: NDArray[np.uint16], parts: list[Dataset]) -> Seen:
    header = {element.keyword: element.value for part in parts for element in part}
    [mapping] = header["RealWorldValueMappingSequence"]
    worth = np.asarray(pixels, np.float64) * float(mapping.RealWorldValueSlope) + float(mapping.RealWorldValueIntercept)
    return Seen(worth, header)


def find_tissues(seen: Seen) -> dict[str, NDArray[np.bool_]]:
    """The pixels that are of one tissue alone, each tissue; by the position that the image says."""
    row, column = np.split(np.asarray(seen.header["ImageOrientationPatient"], float), 2)
    spacing = float(seen.header["PixelSpacing"][0])
    origin = tuple(map(float, seen.header["ImagePositionPatient"]))
    plane = Plane(origin, tuple(row), tuple(column), spacing, *seen.signal.shape)  # type: ignore[arg-type]
    rows, columns = seen.signal.shape
    parts = mr_phantom.tissue_map(plane.finer(FINER)).reshape(rows, FINER, columns, FINER)
    labels, inside = parts[:, 0, :, 0], parts.min(axis=(1, 3)) == parts.max(axis=(1, 3))
    found = {name: inside & (labels == number) for number, name in enumerate(mr_phantom.NAMES)}
    return {name: mask for name, mask in found.items() if mask.sum() >= 5 and name not in ("air", "bone")}


def measure(images: list[Seen], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray([each.signal[mask].mean() for each in images])


def fit(times: NDArray[np.float64], signal: NDArray[np.float64], shape: Callable[[float], Any]) -> float:
    """The time constant whose curve, at the best height, comes nearest to the signal."""
    best = np.geomspace(5.0, 8000.0, 200)
    for _ in range(4):
        curves = [np.asarray(shape(each), float) for each in best]
        errors = [signal - curve * (curve @ signal) / (curve @ curve) for curve in curves]
        at = int(np.argmin([error @ error for error in errors]))
        best = np.geomspace(best[max(at - 1, 0)], best[min(at + 1, len(best) - 1)], 50)
    return float(best[len(best) // 2])


@pytest.mark.parametrize(
    ("name", "sop_class"),
    [
        ("T1 MAP IR", MR_IMAGE_STORAGE), ("T2 MAP SE", MR_IMAGE_STORAGE), ("T2 STAR MAP GRE", MR_IMAGE_STORAGE),
        ("T2 MAP SE", ENHANCED_MR_IMAGE_STORAGE),
    ],
)  # fmt: skip
def test_relaxation_times_are_those_of_the_tissues(tmp_path: Path, name: str, sop_class: str) -> None:
    images = scan(tmp_path, name, sop_class)
    column = {"T1": 1, "T2 ": 2, "T2 STAR": 3}[next(each for each in ("T2 STAR", "T2 ", "T1") if name.startswith(each))]
    echo = "EffectiveEchoTime" if sop_class == ENHANCED_MR_IMAGE_STORAGE else "EchoTime"
    times = np.asarray([float(each.header["InversionTime" if column == 1 else echo]) for each in images])
    repetition = float(images[0].header["RepetitionTime"])

    def curve(constant: float) -> NDArray[np.float64]:
        if column == 1:
            return np.asarray(np.abs(1.0 - 2.0 * np.exp(-times / constant) + np.exp(-repetition / constant)))
        return np.asarray(np.exp(-times / constant))

    tissues = find_tissues(images[0])
    assert {"grey matter", "white matter", "fluid", "fat", "deep grey matter"} <= tissues.keys()
    for tissue, mask in tissues.items():
        expected = mr_phantom.TISSUES[tissue][column]
        assert fit(times, measure(images, mask), curve) == pytest.approx(expected, rel=0.02), tissue


def test_density_and_gain_are_in_the_header(tmp_path: Path) -> None:
    """Each value is worth what the signal equation gives, relative to water, whatever the series."""
    images = scan(tmp_path, "T2 MAP SE")
    first = images[0]
    for tissue, mask in find_tissues(first).items():
        density, t1, t2, _ = mr_phantom.TISSUES[tissue]
        te, tr = float(first.header["EchoTime"]), float(first.header["RepetitionTime"])
        expected = density * (1.0 - np.exp(-tr / t1)) * np.exp(-te / t2)
        assert measure([first], mask)[0] == pytest.approx(expected, rel=0.02)


def test_diffusion_is_a_tensor(tmp_path: Path) -> None:
    images = scan(tmp_path, "DWI TENSOR AX")
    without, *weighted = images
    assert without.header["DiffusionBValue"] == 0
    b_values = np.asarray([each.header["DiffusionBValue"] for each in weighted])
    directions = np.asarray([each.header["DiffusionGradientOrientation"] for each in weighted], float)
    for tissue, mask in find_tissues(without).items():
        attenuation = np.asarray([-np.log(each.signal[mask] / without.signal[mask]) for each in weighted])
        apparent = attenuation.mean(axis=1) / b_values
        across, along = mr_phantom.DIFFUSIVITIES[tissue]
        assert apparent.mean() == pytest.approx((2 * across + along) / 3, rel=0.02), tissue
        if tissue != "white matter":
            continue
        x, y, z = directions.T
        terms = np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1)
        one = np.linalg.lstsq(terms, attenuation[:, 0] / b_values, rcond=None)[0]
        tensor = one[[0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(3, 3)
        assert np.linalg.eigvalsh(tensor) == pytest.approx([across, across, along], rel=0.03)


def test_contrast_agent_comes_when_the_header_says(tmp_path: Path) -> None:
    images = scan(tmp_path, "T1 FFE DYN AX")
    [injected] = {str(each.header["ContrastBolusStartTime"]) for each in images}
    lesion = find_tissues(images[0])["lesion"]
    signal = measure(images, lesion)
    before = np.asarray([str(each.header["AcquisitionTime"]) <= injected for each in images])
    assert 0 < before.sum() < len(images)
    assert np.ptp(signal[before]) == 0
    assert signal[~before].min() > signal[before].max() * 1.1
    positions = [int(each.header["TemporalPositionIdentifier"]) for each in images]
    assert positions == list(range(1, len(images) + 1))
