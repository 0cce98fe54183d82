from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.acceptance.hospital_site import in_hospital
from tests.acceptance.in_process import openmodality
from tests.peers import dcmtk
from tests.peers.objects import worklist_item


def test_device_asks_for_its_own_schedule_and_keeps_it(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        ended = openmodality("worklist", "-c", place.site, "--json")
        assert ended.status == 0
        items = ended.items
        again = openmodality("worklist", "ris", "-c", place.site.parent)
    steps = [item["attributes"]["ScheduledProcedureStepSequence"][0] for item in items]
    assert {step["Modality"] for step in steps} == {"MR"}
    assert {step["ScheduledProcedureStepStartDate"] for step in steps} == {date.today().strftime("%Y%m%d")}
    assert [item["item"] for item in items] == list(range(1, len(items) + 1))
    assert all(item["defects"] == [] for item in items)
    names = {item["attributes"]["PatientName"] for item in items}
    assert any("=" in name for name in names)
    lines = again.out.splitlines()
    assert lines[0].split()[:2] == ["item", "start"]
    assert len(lines) == len(items) + 1


def test_keys_choose_items(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        everything = openmodality("worklist", "-c", place.site, "--json").items
        wanted = everything[0]["attributes"]["PatientID"]
        ended = openmodality("worklist", "-c", place.site, "-k", f"PatientID={wanted}", "--json")
        unknown = openmodality("worklist", "-c", place.site, "-k", "PatientWeight=70")
    assert {item["attributes"]["PatientID"] for item in ended.items} == {wanted}
    assert unknown.status == 2
    assert "PatientWeight is no matching key" in unknown.error_line


def test_peer_by_address_is_asked_for_everything(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        peer = place.hospital.ris_peer
        every = openmodality("worklist", peer, "--json")
        limited = openmodality("worklist", peer, "--limit", 2, "-k", "Modality=RF")
    steps = [item["attributes"]["ScheduledProcedureStepSequence"][0] for item in every.items]
    assert {step["Modality"] for step in steps} == {"MR", "RF"}
    assert len(limited.out.splitlines()) == 3
    assert "there are more items" in limited.error_line


@pytest.mark.needs("wlmscpfs")
def test_defects_of_items_are_shown(tmp_path: Path) -> None:
    broken = worklist_item(PatientID="", AccessionNumber="BROKEN", ScheduledProcedureStepID="")
    with dcmtk.wlmscpfs(tmp_path, [worklist_item(), broken], "--disable-file-reject") as peer:
        ended = openmodality("worklist", peer, "--calling", "MR1")
        chosen = openmodality("worklist", peer, "-k", "AccessionNumber=BROKEN", "--json")
        nothing = openmodality("worklist", peer, "-k", "PatientName=Nobody")
    assert ended.status == 0
    assert "2026-11-22 09:00" in ended.out
    assert "(0010,0020) PatientID: missing" in ended.out
    assert "(0040,0009) ScheduledProcedureStepID: missing" in ended.out
    assert [item["attributes"]["AccessionNumber"] for item in chosen.items] == ["BROKEN"]
    assert chosen.items[0]["defects"]
    assert nothing.status == 0
    assert nothing.error_line == "nothing is scheduled"


def test_wrong_usage(tmp_path: Path) -> None:
    no_site = openmodality("worklist", "-c", tmp_path / "none.toml")
    assert (no_site.status, "openmodality init" in no_site.error_line) == (2, True)
    no_peer = openmodality("worklist", "RIS@127.0.0.1:1")
    assert (no_peer.status, "cannot connect" in no_peer.error_line) == (1, True)
    wrong_key = openmodality("worklist", "RIS@127.0.0.1:1", "-k", "Nonsense=1")
    assert (wrong_key.status, "Nonsense" in wrong_key.error_line) == (2, True)
