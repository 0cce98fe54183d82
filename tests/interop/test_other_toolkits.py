"""Toolkits that share no code with DCMTK, Orthanc or pynetdicom: Odil, and dcm2niix, which reads scans for research."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine
from pydicom import dcmread

from openmodality import Modality
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from tests.interop.sites import PeerTable, SiteFile, write_site
from tests.peers import dcmtk
from tests.peers.process import Address, run

MAY_RETRIEVE = {"incoming": ["verification", "query_retrieve"]}
TILT = np.deg2rad(10)
AFFINE = np.array(
    [
        [-2.0, 0, 0, 60],
        [0, 1.9 * np.cos(TILT), -4 * np.sin(TILT), -50],
        [0, 1.9 * np.sin(TILT), 4 * np.cos(TILT), -20],
        [0, 0, 0, 1],
    ]
)
"""From (i, j, k) to millimetres: oblique slices with voxels of three different lengths."""
VOXELS = np.arange(6 * 7 * 8, dtype=np.uint16).reshape(8, 7, 6)
"""Slices, rows, columns."""


@dataclass(frozen=True)
class Place:
    """A device that has done an exam with one instance of each kind that it makes."""

    site: SiteFile
    study: str
    made: list[str]
    folder: Path

    def files(self, pattern: str = "") -> list[Path]:
        """The instance files of the device, or those of a series."""
        files = sorted(self.folder.rglob("*.dcm"))
        return [path for path in files if dcmread(path, stop_before_pixels=True).get("SeriesDescription") == pattern]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """ODIL and TESTER may query and retrieve from the device, not store."""
    folder = tmp_path_factory.mktemp("device")
    tables = [PeerTable(name, Address(name.upper(), 1), [], MAY_RETRIEVE) for name in ("odil", "tester")]
    site = write_site(folder, "mr", tables)
    text = site.path.read_text("utf-8")
    site.path.write_text(f'extensions = ["c_get"]\n{text}', "utf-8")
    with Modality(site.path) as modality:
        with modality.exam(patient={"PatientID": "T1", "PatientName": "Müller^Jörg"}) as exam:
            with exam.series("CLASSIC", RepetitionTime=500, EchoTime=12) as series:
                images = series.add_volume(VOXELS, AFFINE)
            enhanced = exam.series(
                "ENHANCED", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE, RepetitionTime=500, FlipAngle=90
            )
            with enhanced as series:
                series.add_volume(VOXELS, AFFINE)
            with exam.series("SCREEN") as series:
                series.add(np.zeros((8, 8, 3), np.uint8))
            exam.key_objects(images[:2], title="Of Interest")
            exam.present(images[:1])
        modality.serve()
        made = sorted(str(each.SOPInstanceUID) for each in exam.instances())
        yield Place(site, exam.study_instance_uid, made, folder / "data")


@pytest.mark.needs("odil")
def test_odil_gets_all_that_an_exam_made(place: Place, tmp_path: Path) -> None:
    keys = ("QueryRetrieveLevel=STUDY", f"StudyInstanceUID={place.study}")
    device = ("127.0.0.1", place.site.device.port, "ODIL", place.site.device.aet, "study", *keys)
    found = run("odil", "find", *device, "PatientName", "ModalitiesInStudy")
    assert "Müller^Jörg" in found.output
    assert "['KO', 'MR', 'PR']" in found.output
    got = run("odil", "get", "--directory", tmp_path, *device)
    assert f"Completed: {len(place.made)}, remaining: 0, failed: 0, warning: 0" in got.output
    assert sorted(str(dcmread(path).SOPInstanceUID) for path in tmp_path.iterdir()) == place.made


@pytest.mark.needs("getscu")
def test_getscu_gets_all_that_an_exam_made_as_it_was_made(place: Place, tmp_path: Path) -> None:
    keys = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={place.study}")
    got = dcmtk.scu("getscu", place.site.device, *keys, "-od", tmp_path)
    assert got.status == 0, got.output
    came = {data_set.SOPInstanceUID: data_set for data_set in map(dcmread, tmp_path.iterdir())}
    assert sorted(came) == place.made
    for path in place.folder.rglob("*.dcm"):
        own = dcmread(path)
        assert came[own.SOPInstanceUID] == own


@pytest.mark.needs("storescu")
def test_who_may_only_retrieve_stores_nothing(place: Place) -> None:
    """C-GET gives this side the role of the SCU of storage; it does not become a Storage SCP by that."""
    (path, *_) = place.files("CLASSIC")
    assert "No Acceptable Presentation Contexts" in dcmtk.scu("storescu", place.site.device, path).output


@pytest.mark.needs("dcm2niix")
@pytest.mark.parametrize("form", ["CLASSIC", "ENHANCED"])
def test_dcm2niix_finds_each_voxel_where_it_was(place: Place, tmp_path: Path, form: str) -> None:
    scan = tmp_path / "scan"
    scan.mkdir()
    for path in place.files(form):
        (scan / path.name).symlink_to(path)
    done = run("dcm2niix", "-f", "volume", "-o", tmp_path, scan)
    assert done.status == 0, done.output
    read = nibabel.load(tmp_path / "volume.nii")
    values = np.asanyarray(read.dataobj)
    assert values.shape == VOXELS.T.shape
    # where its own axes run the other way, dcm2niix says so in its matrix: the place of each voxel counts
    own = apply_affine(AFFINE, np.argwhere(np.ones_like(VOXELS.T)))
    indices = np.rint(apply_affine(np.linalg.inv(read.affine), own))
    assert np.allclose(apply_affine(read.affine, indices), own, atol=1e-3)
    assert (values[tuple(indices.astype(int).T)] == VOXELS.T.ravel()).all()
