"""Import, and the commands for what is in the local database."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.device.site.new_site import write_site
from tests.acceptance.command_line import Ended
from tests.acceptance.in_process import openmodality
from tests.peers.objects import mr_series


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "device", "mr")


def test_import_list_show_delete(tmp_path: Path, site: Path) -> None:
    def om(*arguments: object) -> Ended:
        return openmodality(*arguments, "-c", site)

    files = mr_series(tmp_path / "images", 3, PatientName="Import^Ida", PatientID="I-1")
    first = dcmread(files[0])
    (tmp_path / "images" / "notes.txt").write_text("not DICOM")
    imported = om("import", tmp_path / "images", "--json")
    assert (imported.status, imported.item["new"], imported.item["passed_over"]) == (0, 3, 1)
    again = om("import", files[0])
    assert (again.status, again.out) == (0, "0 instances imported, 1 already there\n")
    (study,) = om("studies", "list", "-k", "PatientName=IMPORT*", "--json").items
    assert (study["StudyInstanceUID"], study["instances"], study["committed"]) == (first.StudyInstanceUID, 3, 0)
    assert om("studies", "list", "-k", "PatientID=X").error_line == "there are no such studies"
    assert "Import^Ida" in om("studies", "show", first.StudyInstanceUID).out
    assert len(om("series", "show", first.SeriesInstanceUID, "--json").item["instances_below"]) == 3
    instance = om("instances", "show", first.SOPInstanceUID, "--json").item
    assert Path(instance["path"]).is_file()
    assert len(om("instances", "list").out.splitlines()) == 4

    assert om("studies", "delete", first.StudyInstanceUID, "--yes").status == 1
    nobody = om("studies", "delete", first.StudyInstanceUID, "--force")
    assert (nobody.status, "--yes" in nobody.error_line) == (2, True)
    one = om("instances", "delete", first.SOPInstanceUID, "--force", "--yes")
    assert (one.status, one.out) == (0, "deleted: 1 instance\n")
    rest = om("studies", "delete", first.StudyInstanceUID, "--force", "--yes", "--json")
    assert rest.item == {"studies": 1, "series": 1, "instances": 2}
    assert not Path(instance["path"]).exists()
    gone = om("studies", "delete", first.StudyInstanceUID, "--force", "--yes")
    assert (gone.status, "there is no study" in gone.error_line) == (1, True)


def test_import_of_what_is_no_dicom_file(tmp_path: Path, site: Path) -> None:
    wrong = tmp_path / "wrong.dcm"
    wrong.write_text("nothing")
    ended = openmodality("import", wrong, "-c", site)
    assert ended.status == 1
    assert str(wrong) in ended.err
    assert ended.out == "0 instances imported, 0 already there\n"


def test_what_is_queued_is_not_deleted(tmp_path: Path, site: Path) -> None:
    files = mr_series(tmp_path / "images", 1)
    uid = dcmread(files[0]).StudyInstanceUID
    assert openmodality("import", files[0], "-c", site).status == 0
    assert openmodality("commit", "pacs", "--study", uid, "--wait", 0, "-c", site).status == 0
    ended = openmodality("studies", "delete", uid, "--force", "--yes", "-c", site)
    assert ended.status == 1
    assert "unfinished jobs" in ended.error_line
