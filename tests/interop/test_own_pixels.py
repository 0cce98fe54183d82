"""Volumes of others in Orthanc: a brain, diffusion, MRD and a stack of TIFF, as the archive has and shows them."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ismrmrd
import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from openmodality import Modality
from tests.acceptance.documents import ROOT
from tests.interop.sites import PeerTable, write_site
from tests.peers import orthanc
from tests.peers.orthanc import Orthanc
from tests.peers.process import Address

pytestmark = [pytest.mark.needs("Orthanc"), pytest.mark.timeout(180)]
PATIENT = {"PatientID": "T1", "PatientName": "DOE^JANE"}


@dataclass(frozen=True)
class Archive:
    """An Orthanc and the site file of an MR device that sends to it."""

    pacs: Orthanc
    site: Path

    def series(self, description: str) -> list[tuple[str, Dataset]]:
        """The instances of a series as the archive has them, with its numbers for them, by Instance Number."""
        names = {"Level": "Instance", "Query": {"SeriesDescription": description}}
        ids = self.pacs.rest.post("/tools/find", json=names).raise_for_status().json()
        files = [(each, dcmread(io.BytesIO(self.pacs.rest.get(f"/instances/{each}/file").content))) for each in ids]
        return sorted(files, key=lambda each: int(each[1].InstanceNumber))

    def render(self, instance: str) -> Any:
        """What the archive shows."""
        picture = self.pacs.rest.get(f"/instances/{instance}/rendered", headers={"Accept": "image/png"})
        return np.asarray(Image.open(io.BytesIO(picture.raise_for_status().content)).convert("L"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("archive")
    with orthanc.orthanc(folder / "orthanc") as pacs:
        peers = [PeerTable("pacs", Address(pacs.aet, pacs.port), ["storage"])]
        yield Archive(pacs, write_site(folder, "mr", peers).path)


def send(archive: Archive, path: Path, **options: Any) -> None:
    with Modality(archive.site) as modality:
        with modality.exam(patient=PATIENT) as exam:
            exam.acquire(path, **options)
        assert modality.wait_until_idle(60)


def write_brain(folder: Path) -> tuple[Path, Any]:
    """The MNI template that comes with nilearn, each second voxel of it."""
    place = importlib.util.find_spec("nilearn")
    assert place is not None
    assert place.submodule_search_locations is not None
    template = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    image = nibabel.load(Path(place.submodule_search_locations[0]) / template)
    voxels = np.asarray(image.dataobj)[::2, ::2, ::2]
    nibabel.save(nibabel.Nifti1Image(voxels, image.affine @ np.diag([2, 2, 2, 1])), folder / "brain.nii.gz")
    (folder / "brain.json").write_text(json.dumps({"SeriesDescription": "BRAIN", "RepetitionTime": 2.3}))
    return folder / "brain.nii.gz", nibabel.load(folder / "brain.nii.gz")


def test_a_brain_goes_to_the_archive_and_is_shown_the_right_way_round(archive: Archive, tmp_path: Path) -> None:
    path, image = write_brain(tmp_path)
    script = [sys.executable, ROOT / "examples" / "nifti_to_pacs.py", archive.site, path, "T1", "DOE^JANE"]
    ended = subprocess.run([*map(str, script)], capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout.startswith("series 1 BRAIN: MR Image\n"), ended.stderr
    kept = archive.series("BRAIN")
    voxels, affine = np.asarray(image.dataobj), image.affine
    assert len(kept) == voxels.shape[2]
    _, first = kept[0]
    _, middle = kept[len(kept) // 2]
    assert float(first.ImagePositionPatient[2]) < float(middle.ImagePositionPatient[2]), "from the feet to the head"
    for row, column in ((30, 40), (70, 50), (90, 20)):  # each pixel is where the file says, RAS to LPS
        cosines = np.asarray(middle.ImageOrientationPatient, dtype=float)
        place = np.asarray(middle.ImagePositionPatient, dtype=float)
        place = place + column * float(middle.PixelSpacing[1]) * cosines[:3]
        place = place + row * float(middle.PixelSpacing[0]) * cosines[3:]
        index = np.linalg.inv(affine) @ [-place[0], -place[1], place[2], 1]
        assert np.allclose(index, np.rint(index), atol=1e-3)
        assert middle.pixel_array[row, column] == voxels[tuple(np.rint(index[:3]).astype(int))]
    shown = archive.render(kept[len(kept) // 2][0])
    if os.environ.get("KEEP_PICTURE"):
        Image.fromarray(shown).save(os.environ["KEEP_PICTURE"])
    assert shown.shape == middle.pixel_array.shape
    assert shown[:4].mean() < 5, "air above"
    inside = shown[40:80, 30:70]
    assert (inside.mean() > 60, inside.std() > 10) == (True, True)
    # The front of the head is narrower than its back, and the image shows it above.
    heads = (shown > 30).sum(axis=1)
    rows = np.flatnonzero(heads)
    assert heads[rows[0] + 10] < heads[rows[-1] - 10] + 10


def test_diffusion_keeps_values_and_directions(archive: Archive, tmp_path: Path) -> None:
    voxels = np.arange(6 * 5 * 4 * 3, dtype=np.int16).reshape(6, 5, 4, 3)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-2.0, 2, 3, 1])), tmp_path / "DWI.nii.gz")
    (tmp_path / "DWI.bval").write_text("0 1000 1000\n")
    (tmp_path / "DWI.bvec").write_text("0 1 0\n0 0 1\n0 0 0\n")
    send(archive, tmp_path / "DWI.nii.gz")
    kept = [image for _, image in archive.series("DWI")]
    assert [float(image.DiffusionBValue) for image in kept] == [0] * 4 + [1000] * 8
    assert [list(kept[n].DiffusionGradientOrientation) for n in (4, 8)] == [[1, 0, 0], [0, -1, 0]]


def test_an_mrd_file_lies_where_its_header_says(archive: Archive, tmp_path: Path) -> None:
    file = ismrmrd.Dataset(str(tmp_path / "a.h5"), "dataset", create_if_needed=True)
    said = "<measurementInformation><seriesDescription>MRD</seriesDescription></measurementInformation>"
    times = "<sequenceParameters><TE>12</TE></sequenceParameters>"
    file.write_xml_header(f"<ismrmrdHeader>{said}{times}</ismrmrdHeader>".encode())
    for number in range(3):
        image = ismrmrd.Image.from_array(np.full((1, 1, 6, 8), number + 1.5, np.float32), transpose=False)
        image.field_of_view, image.position = (80, 60, 5), (0, 0, 5 * number)
        image.read_dir, image.phase_dir, image.slice_dir = (1, 0, 0), (0, 1, 0), (0, 0, 1)
        image.image_series_index, image.image_type = 1, ismrmrd.IMTYPE_MAGNITUDE
        file.append_image("image_0", image)
    file.close()
    send(archive, tmp_path / "a.h5")
    kept = [image for _, image in archive.series("MRD")]
    assert [list(map(float, image.ImagePositionPatient)) for image in kept] == [[-35, -25, 5 * n] for n in range(3)]
    assert {float(image.EchoTime) for image in kept} == {12}
    values = [image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept) for image in kept]
    assert np.allclose([each.mean() for each in values], [1.5, 2.5, 3.5], atol=1e-4)


def test_a_stack_of_tiff_has_the_geometry_of_its_companion(archive: Archive, tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((4, 5), 1000 * n, np.uint16)) for n in (1, 2, 3)]
    pages[0].save(tmp_path / "STACK.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "STACK.toml").write_text(
        'object = "MR Image"\nspace = "LPS"\naffine = [[1,0,0,0],[0,1,0,0],[0,0,4,9],[0,0,0,1]]\n'
    )
    send(archive, tmp_path / "STACK.tif")
    kept = [image for _, image in archive.series("STACK")]
    assert [(float(image.ImagePositionPatient[2]), int(image.pixel_array[0, 0])) for image in kept] == [
        (9, 1000), (13, 2000), (17, 3000),
    ]  # fmt: skip
