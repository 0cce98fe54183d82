"""Discs of ours read by others, and theirs by ours: DCMTK, pydicom, dicom3tools, readers of ISO 9660, Chromium."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from pydicom.uid import ImplicitVRLittleEndian, generate_uid

from openmodality.activities.disc_pages import make_page_studies
from openmodality.imaging.frames import read_frame
from openmodality.imaging.presentation import read_image_presentation
from openmodality.imaging.render import render
from openmodality.media.application_profile import USB
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_ids import find_file
from openmodality.media.file_set import FileSetOptions, create_file_set, update_file_set
from openmodality.media.iso_image import write_iso_image
from openmodality.media.pdi.pages import DiscWords, write_pages
from tests.made_objects import OBJECTS, instances, report, worklist
from tests.peers import objects
from tests.peers.chromium import dump_dom
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.orthanc import orthanc
from tests.peers.process import run

OPTIONS = FileSetOptions(USB, ("1.2.826.0.1.3680043.10.999", "TEST"), durable=False)
LATIN = "Müller^Jürgen"


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Every object of both devices and a series of another study."""
    folder = tmp_path / "source"
    folder.mkdir()
    made = [data_set for profile, name in OBJECTS for _, data_set in instances(profile, name, worklist(LATIN))]
    for number, data_set in enumerate([*made, report(worklist(LATIN))]):
        data_set.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    objects.mr_series(folder, 3, rows=8, columns=8, transfer_syntax=ImplicitVRLittleEndian)
    return sorted(folder.iterdir())


@pytest.fixture
def disc(tmp_path: Path, sources: list[Path]) -> Path:
    assert create_file_set(tmp_path / "disc", sources, OPTIONS).left_out == []
    return tmp_path / "disc"


def uids(paths: list[Path]) -> set[str]:
    return {str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID) for path in paths}


def open_with_pydicom(disc: Path) -> set[str]:
    found = FileSet(disc / "DICOMDIR")
    try:
        return {str(instance.load().SOPInstanceUID) for instance in found}
    finally:
        found._stage["t"].cleanup()  # else the collector does it, with a warning


def test_pydicom_opens_every_instance(disc: Path, sources: list[Path]) -> None:
    assert open_with_pydicom(disc) == uids(sources)


@pytest.mark.needs("dciodvfy", "dcdirdmp")
def test_dicom3tools_finds_no_error_and_the_whole_tree(disc: Path, sources: list[Path]) -> None:
    assert dciodvfy_errors(disc / "DICOMDIR") == []
    output = run("dcdirdmp", disc / "DICOMDIR").output
    assert output.count("-> DICOM\\PA") == len(sources)


@pytest.mark.needs("dcmdump")
def test_dcmtk_finds_every_offset_right(disc: Path, sources: list[Path]) -> None:
    finished = run("dcmdump", "-v", disc / "DICOMDIR")
    assert finished.status == 0
    assert "W:" not in finished.output
    assert "E:" not in finished.output
    assert finished.output.count("refFileID=") == len(sources)


@pytest.mark.needs("dcmmkdir")
def test_dcmmkdir_makes_the_same_records_of_our_files(disc: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(disc / "DICOM", copy / "DICOM")
    made = run("dcmmkdir", "-Nrc", "--recurse", "DICOM", cwd=copy)
    assert made.status == 0, made.output
    ours, theirs = read_directory(disc / "DICOMDIR"), read_directory(copy / "DICOMDIR")
    for directory in (ours, theirs):
        assert directory.problems == []
    mine = {record.file_id: record for patient in ours.patients for record in patient.walk() if record.file_id}
    other = {record.file_id: record for patient in theirs.patients for record in patient.walk() if record.file_id}
    assert set(mine) == set(other)
    for file_id, record in mine.items():
        assert record.record_type == other[file_id].record_type
        assert record.sop_instance_uid == other[file_id].sop_instance_uid
        known = ours.keys_of(record)
        for element in theirs.keys_of(other[file_id]):
            if element.tag in known and element.VR != "SQ":
                assert known[element.tag].value == element.value


@pytest.mark.needs("dcmmkdir", "dcmdump")
def test_a_disc_of_dcmmkdir_is_read_and_adopted(tmp_path: Path) -> None:
    disc = tmp_path / "theirs"
    (disc / "IMAGES").mkdir(parents=True)
    study = generate_uid()
    for number in (1, 2):
        path = objects.save(objects.mr_image(rows=8, columns=8, StudyInstanceUID=study), tmp_path / "source")
        shutil.copy(path, disc / "IMAGES" / f"IM{number}")
    assert run("dcmmkdir", "-Nrc", "--recurse", "IMAGES", cwd=disc).status == 0
    directory = read_directory(disc / "DICOMDIR")
    leaves = [record for patient in directory.patients for record in patient.walk() if record.file_id]
    assert {find_file(disc, record.file_id) for record in leaves} == set((disc / "IMAGES").iterdir())
    more = objects.save(objects.mr_image(rows=8, columns=8, StudyInstanceUID=study), tmp_path / "source")
    assert len(update_file_set(disc, [more], OPTIONS, adopt=True).written) == 1
    assert len(open_with_pydicom(disc)) == 3
    assert len(read_directory(disc / "DICOMDIR").patients[0].children) == 1
    assert run("dcmdump", disc / "DICOMDIR").status == 0


def test_a_disc_of_pydicom_is_read_and_adopted(tmp_path: Path) -> None:
    made = FileSet()
    for path in objects.mr_series(tmp_path / "source", 2, rows=8, columns=8):
        made.add(path)
    made.write(tmp_path / "theirs")
    made._stage["t"].cleanup()
    assert read_directory(tmp_path / "theirs" / "DICOMDIR").problems == []
    more = objects.save(objects.mr_image(rows=8, columns=8), tmp_path / "source")
    assert len(update_file_set(tmp_path / "theirs", [more], OPTIONS, adopt=True).written) == 1
    assert len(open_with_pydicom(tmp_path / "theirs")) == 3


@pytest.mark.needs("isoinfo", "7z")
def test_an_image_holds_the_files_byte_for_byte(disc: Path, tmp_path: Path) -> None:
    write_iso_image(disc, tmp_path / "disc.iso", "om disc-1")
    listing = run("isoinfo", "-d", "-i", tmp_path / "disc.iso").output
    assert "Volume id: OM_DISC_1" in listing
    assert "Joliet" not in listing or "NO Joliet present" in listing
    assert "/DICOMDIR.;1" in run("isoinfo", "-f", "-i", tmp_path / "disc.iso").output
    assert run("7z", "x", f"-o{tmp_path / 'read'}", tmp_path / "disc.iso").status == 0
    for path in disc.rglob("*"):
        if path.is_file():
            assert (tmp_path / "read" / path.relative_to(disc)).read_bytes() == path.read_bytes()
    assert len(open_with_pydicom(tmp_path / "read")) == len(open_with_pydicom(disc))


@pytest.mark.needs("xorriso")
def test_xorriso_lists_an_image_with_every_file(disc: Path, tmp_path: Path) -> None:
    write_iso_image(disc, tmp_path / "disc.iso", "DISC")
    listed = run("xorriso", "-indev", f"stdio:{tmp_path / 'disc.iso'}", "-find", "/", "-type", "f").output
    files = {f"/{path.relative_to(disc).as_posix()}" for path in disc.rglob("*") if path.is_file()}
    assert set(re.findall(r"^'(/[^']*)'$", listed, re.MULTILINE)) == files


@pytest.mark.needs("7z")
def test_an_image_of_an_updated_set_holds_what_was_added(disc: Path, tmp_path: Path) -> None:
    write_iso_image(disc, tmp_path / "first.iso", "DISC")
    more = objects.save(objects.mr_image(rows=8, columns=8), tmp_path / "more")
    before = open_with_pydicom(disc)
    assert len(update_file_set(disc, [more], OPTIONS).written) == 1
    write_iso_image(disc, tmp_path / "second.iso", "DISC")
    for name, expected in (("first", before), ("second", before | uids([more]))):
        assert run("7z", "x", f"-o{tmp_path / name}", tmp_path / f"{name}.iso").status == 0
        assert open_with_pydicom(tmp_path / name) == expected


@pytest.mark.needs("Orthanc", "7z")
def test_orthanc_imports_a_disc(disc: Path, sources: list[Path], tmp_path: Path) -> None:
    write_iso_image(disc, tmp_path / "disc.iso", "DISC")
    assert run("7z", "x", f"-o{tmp_path / 'mounted'}", tmp_path / "disc.iso").status == 0
    with orthanc(tmp_path / "pacs") as pacs:
        for path in sorted((tmp_path / "mounted" / "DICOM").rglob("IM*")):
            pacs.rest.post("/instances", content=path.read_bytes()).raise_for_status()
        assert set(pacs.instances()) == uids(sources)
        studies = pacs.rest.get("/studies").json()
    assert len(studies) == len({str(dcmread(path).StudyInstanceUID) for path in sources})


@pytest.mark.needs("chromium")
def test_the_page_shows_what_our_renderer_shows(disc: Path, tmp_path: Path) -> None:
    write_pages(disc, make_page_studies(disc, read_directory(disc / "DICOMDIR")), DiscWords("H", "D", "today", "P"))
    page = (disc / "INDEX.HTM").read_text(encoding="utf-8")
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (disc / "TEST.HTM").write_text(page.replace("</body>", _PROBE + "</body>"), encoding="utf-8")
    dom = dump_dom(disc / "TEST.HTM", tmp_path / "browser")
    assert "Müller Jürgen" in unescape(dom)
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom)
    assert found is not None, dom[-2000:]
    seen = json.loads(unescape(found[1]))
    directory = read_directory(disc / "DICOMDIR")
    first = next(record for record in directory.patients[0].walk() if record.file_id)
    data_set = dcmread(disc / Path(*first.file_id))
    ours = render(read_frame(data_set), read_image_presentation(data_set))
    assert (seen["rows"], seen["columns"]) == ours.shape
    assert np.abs(np.array(seen["grey"]).reshape(ours.shape) - ours.astype(int)).max() <= 1


@pytest.mark.needs("chromium")
def test_the_page_works_under_its_own_policy(disc: Path, tmp_path: Path) -> None:
    write_pages(disc, make_page_studies(disc, read_directory(disc / "DICOMDIR")), DiscWords("H", "D", "today", "P"))
    dom = dump_dom(disc / "INDEX.HTM", tmp_path / "browser")
    assert 'data-shown="0/0"' in dom
    assert "1 of " in dom


_PROBE = """
<script>
(function wait() {
  if (!document.body.dataset.shown) { setTimeout(wait, 20); return; }
  const shown = window.omPainted();
  const data = shown.getContext("2d").getImageData(0, 0, shown.width, shown.height).data;
  const pre = document.createElement("pre");
  pre.id = "probe";
  const grey = [];
  for (let place = 0; place < data.length; place += 4) grey.push(data[place]);
  pre.textContent = JSON.stringify({ rows: shown.height, columns: shown.width, grey: grey });
  document.body.appendChild(pre);
})();
</script>
"""
