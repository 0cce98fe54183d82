"""The device's worklist against DCMTK's and Orthanc's: keys, several items, Japanese names, no character set."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset

from openmodality import Modality
from openmodality.errors import TransportError
from openmodality.store.rows.worklist import WorklistItem
from tests.devices import MODALITY, STATION, add_image
from tests.interop.sites import PeerTable, for_both, write_site
from tests.peers import dcmtk, objects, orthanc
from tests.peers.process import Address, free_port

NAMES = {
    "SPS1": ("ISO_IR 100", "Müller^Jörg"),
    "SPS2": (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    "SPS3": (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
    "SPS4": ("ISO_IR 192", "Wang^XiaoDong=王^小东"),
    "SPS5": (None, "Plain^Ascii"),
}
"""Scheduled Procedure Step ID, character set and Patient's Name of the items that are scheduled for the device."""
PROFILES = pytest.mark.parametrize("profile", ["mr", "rf"])


def own_values(profile: str) -> dict[str, object]:
    """What makes an item one for this device, today."""
    return {
        "ScheduledStationAETitle": STATION[profile],
        "Modality": MODALITY[profile],
        "ScheduledProcedureStepStartDate": datetime.now().strftime("%Y%m%d"),
    }


def items(profile: str) -> list[FileDataset]:
    """One item for each name, all for today and this device, and two that are for others."""
    own = own_values(profile)
    made = [item(step_id, own) for step_id in NAMES]
    return [*made, item("SPS1", {**own, "ScheduledStationAETitle": "OTHER"}), item("SPS1", {**own, "Modality": "US"})]


def item(step_id: str, values: dict[str, object]) -> FileDataset:
    character_set, name = NAMES[step_id]
    own = {"PatientID": f"P-{step_id}", "AccessionNumber": f"A-{step_id}", "StudyInstanceUID": f"1.2.3.{step_id[-1]}"}
    made = objects.worklist_item(ScheduledProcedureStepID=step_id, **own, **values)
    made.SpecificCharacterSet = character_set
    made.PatientName = name
    if character_set is None:
        del made.SpecificCharacterSet
    return made


def _site(folder: Path, profile: str, server: Address, **settings: object) -> Path:
    return write_site(folder, profile, [PeerTable("ris", server, ["worklist", "verification"], settings)]).path


def device(folder: Path, profile: str, server: Address, **settings: object) -> Modality:
    return Modality(_site(folder, profile, server, **settings), works=False)


def names(found: list[WorklistItem]) -> dict[str, str]:
    return {each["ScheduledProcedureStepID"]: each["PatientName"] for each in found}


def defects(found: list[WorklistItem]) -> list[str]:
    return [defect for each in found for defect in each.defects]


@pytest.mark.needs("wlmscpfs")
@for_both(
    mr=["MR-12-01", "MR-2.3-01", "MR-2.3.2-01", "MR-2.3.2-05", "MR-2.3.2-07", "MR-2.3.2-11", "MR-5-01"],
    rf=["RF-4.1.2.3-01", "RF-4.1.2.3-02"],
)
def test_items_of_wlmscpfs_in_their_character_sets(tmp_path: Path, profile: str) -> None:
    with dcmtk.wlmscpfs(tmp_path / "wl", items(profile), "--keep-char-set") as server:
        site = _site(tmp_path, profile, server)
        with Modality(site, works=False) as modality:
            assert modality.echo("ris") == 0
            found = modality.worklist()
            assert names(found) == {step_id: name for step_id, (_, name) in NAMES.items()}
            assert defects(found) == []
            stored = modality.worklist_items()
            assert names(stored) == names(found)
            exam = modality.start_exam(next(each for each in found if each["ScheduledProcedureStepID"] == "SPS3"))
            image = dcmread(modality.instance_path(add_image(exam.series("T1", ProtocolName="T1"))))
            assert str(image.PatientName) == NAMES["SPS3"][1]
            assert image.PatientID == "P-SPS3"


@pytest.mark.needs("wlmscpfs")
@PROFILES
def test_wlmscpfs_says_no_character_set(tmp_path: Path, profile: str) -> None:
    utf_8 = [item("SPS4", own_values(profile)), item("SPS5", own_values(profile))]
    with dcmtk.wlmscpfs(tmp_path / "wl", utf_8) as server:
        told = _site(tmp_path / "told", profile, server, assumed_character_set="ISO_IR 192")
        with Modality(told, works=False) as modality:
            found = modality.worklist()
            assert names(found) == {step_id: NAMES[step_id][1] for step_id in ("SPS4", "SPS5")}
            assert defects(found) == []
        untold = _site(tmp_path / "untold", profile, server)
        with Modality(untold, works=False) as modality:
            by_id = {each["ScheduledProcedureStepID"]: each for each in modality.worklist()}
            assert by_id["SPS5"]["PatientName"] == NAMES["SPS5"][1]
            assert by_id["SPS5"].defects == ()
            assert any("PatientName" in defect for defect in by_id["SPS4"].defects)


KEY_IDS = {"mr": ["MR-2.3.2-04", "MR-5.2.1.3-01", "MR-5.2.1.3-02"], "rf": ["RF-4.2.3.3.1.3-11"]}
MATCHING = {
    "mr": {"PatientID": "P-SPS2", "AccessionNumber": "A-SPS2", "StudyInstanceUID": "1.2.3.2"},
    "rf": {"PatientID": "P-SPS2"},
}


@pytest.mark.needs("wlmscpfs")
@pytest.mark.parametrize(
    ("profile", "keyword"),
    [
        pytest.param(profile, keyword, marks=pytest.mark.requirement(*KEY_IDS[profile]))
        for profile, keywords in MATCHING.items()
        for keyword in keywords
    ],
)
def test_each_matching_key_at_wlmscpfs(tmp_path: Path, profile: str, keyword: str) -> None:
    with (
        dcmtk.wlmscpfs(tmp_path / "wl", items(profile), "--keep-char-set") as server,
        device(tmp_path, profile, server) as modality,
    ):
        (found,) = modality.worklist(**{keyword: MATCHING[profile][keyword]})
        assert found["ScheduledProcedureStepID"] == "SPS2"
        assert found[keyword] == MATCHING[profile][keyword]
        assert modality.worklist(**{keyword: "9.9.9"}) == []
        assert [each["ScheduledProcedureStepID"] for each in modality.worklist_items()] == ["SPS2"]


@pytest.mark.needs("wlmscpfs")
@for_both(mr=["MR-5.2.1.3-01"], rf=["RF-4.2.3.3.1.3-12"])
def test_wlmscpfs_is_asked_for_today_and_this_station_only(tmp_path: Path, profile: str) -> None:
    other_day = item("SPS1", own_values(profile) | {"ScheduledProcedureStepStartDate": "20200101"})
    other_day.StudyInstanceUID = "1.2.3.99"
    with (
        dcmtk.wlmscpfs(tmp_path / "wl", [*items(profile), other_day], "--keep-char-set") as server,
        device(tmp_path, profile, server) as modality,
    ):
        assert len(modality.worklist()) == len(NAMES)
        keys = {"ScheduledProcedureStepStartDate": "20200101"}
        assert len(modality.worklist(**keys)) == 1
        assert len(modality.worklist(ScheduledProcedureStepStartDate="20190101-20991231")) == len(NAMES) + 1


@pytest.mark.needs("Orthanc")
@pytest.mark.skipif(not orthanc.has_worklist(), reason="Orthanc's worklist plug-in is not installed")
@PROFILES
def test_items_of_orthanc(tmp_path: Path, profile: str) -> None:
    served = [each for each in items(profile) if each.PatientID != "P-SPS3"]  # Orthanc does not know ISO_IR 13
    with orthanc.orthanc(tmp_path / "orthanc", worklist=served, settings={"DefaultEncoding": "Utf8"}) as server:
        server.know("device", Address(STATION[profile], 1))
        with Modality(_site(tmp_path, profile, server), works=False) as modality:
            found = modality.worklist()
            assert names(found) == {step_id: name for step_id, (_, name) in NAMES.items() if step_id != "SPS3"}
            assert defects(found) == []
            (one,) = modality.worklist(PatientID="P-SPS2")
            assert one["PatientName"] == NAMES["SPS2"][1]


def test_a_worklist_that_nobody_serves_is_named(tmp_path: Path) -> None:
    gone = Address("RIS", free_port())
    with (
        device(tmp_path, "mr", gone) as modality,
        pytest.raises(TransportError, match=str(gone.port)),
    ):
        modality.worklist()
