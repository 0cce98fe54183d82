"""The dose report before those who judge and read it: dciodvfy with its IHE REM profile, DCMTK, highdicom, Orthanc."""

from __future__ import annotations

from pathlib import Path

import highdicom as hd
import pytest
from pydicom import Dataset, dcmread

from tests.interop import ours
from tests.made_objects import NAMES, WRITTEN, code, instances, irradiation_events, report, worklist
from tests.peers import orthanc
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.process import run, wait_until


def full_item(name: str) -> Dataset:
    """What a RIS may say that IHE REM asks for."""
    item = worklist(name)
    item.PatientSize, item.PatientWeight = "1.76", "71.5"
    item.AdmittingDiagnosesDescription = "Reflux"
    item.AdmittingDiagnosesCodeSequence = [code("D1", "Reflux")]
    item.PerformedProcedureCodeSequence = [code("P1", "Upper GI")]
    return item


def saved(made: Dataset, folder: Path, name: str = "report.dcm") -> Path:
    made.save_as(folder / name, enforce_file_format=True)
    return folder / name


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("name", WRITTEN["rf"])
def test_dciodvfy_and_its_rem_profile_find_no_error(tmp_path: Path, name: str, complete: bool) -> None:
    path = saved(report(full_item(NAMES[name]), complete=complete), tmp_path)
    assert dciodvfy_errors(path) == []
    said = run("dciodvfy", "-new", "-profile", "IHEREM", path).output
    assert "XRayRadiationDoseSRIHEREM" in said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


@pytest.mark.needs("dsrdump")
@pytest.mark.parametrize("name", WRITTEN["rf"])
def test_dsrdump_reads_all_items(tmp_path: Path, name: str) -> None:
    finished = run("dsrdump", "-Ec", saved(report(worklist(NAMES[name])), tmp_path))
    assert finished.status == 0
    assert [line for line in finished.output.splitlines() if line.startswith(("E:", "F:"))] == []
    assert finished.output.count("Irradiation Event X-Ray Data") == len(irradiation_events())


def test_highdicom_reads_the_tree(tmp_path: Path) -> None:
    read = dcmread(saved(report(None), tmp_path))
    tree = hd.sr.ContentSequence.from_sequence(read.ContentSequence)
    assert len(tree) == len(read.ContentSequence)
    kvp = hd.sr.CodedConcept("113733", "DCM", "KVP")
    found = hd.sr.utils.find_content_items(read, name=kvp, recursive=True)
    values = [float(item.MeasuredValueSequence[0].NumericValue) for item in found]
    assert values == [event["KVP"] for event in irradiation_events()]


@pytest.mark.needs("Orthanc")
def test_orthanc_stores_the_report_and_renders_the_images(tmp_path: Path) -> None:
    images = [data_set for name in ("RF Image", "XA Image", "CR Image") for _, data_set in instances("rf", name, None)]
    paths = [saved(data_set, tmp_path, f"{number}.dcm") for number, data_set in enumerate(images)]
    paths.append(saved(report(None), tmp_path))
    with orthanc.orthanc(tmp_path / "pacs") as pacs:
        assert [one.result.status if one.result else one.error for one in ours.send_files(pacs, paths)] == [0] * len(
            paths
        )
        wait_until(lambda: len(pacs.instances()) == len(paths), what="the instances in Orthanc")
        for known in pacs.rest.get("/instances").json():
            tags = pacs.rest.get(f"/instances/{known}/simplified-tags").json()
            if tags["Modality"] == "SR":
                assert tags["ContentSequence"][-1]["ConceptNameCodeSequence"][0]["CodeValue"] == "113854"
            else:
                picture = pacs.rest.get(f"/instances/{known}/preview")
                assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
