"""MR 2.3, 5.2 and Annex B: what the device asks a RIS, when, and what it does with the answer."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.activities.worklist import ItemCheck
from openmodality.device.paths import TagPath, parse_path
from openmodality.errors import UsageError
from tests.acceptance.requirements.recording import Recorded, recorded
from tests.acceptance.requirements.story import Story
from tests.acceptance.requirements.tables import paths_of, value_at
from tests.hospital_scu import create_step, end_step, images, step_attributes

STEP = "ScheduledProcedureStepSequence"
TABLE = Path(__file__).parents[2] / "data" / "spec" / "mr" / "worklist_keys.csv"

SEARCH = {
    f"{STEP}>ScheduledStationAETitle": "STATION",
    f"{STEP}>ScheduledProcedureStepStartDate": "20260101-20261231",
    f"{STEP}>Modality": "CT",
    "PatientID": "P-1",
    "AccessionNumber": "A-1",
}


def rows(kind: str) -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["kind"] == kind]


def asked(at: Recorded, number: int = -1) -> Dataset:
    """The identifier of a query."""
    at.settle()
    (message,) = at.tap.with_command("C-FIND")[number].asked("C-FIND")
    assert message.data is not None
    return message.data


def matched(identifier: Dataset) -> dict[TagPath, str]:
    """The keys that have a value."""
    values = {path: value_at(identifier, path) for path in paths_of(identifier)}
    return {path: str(value) for path, value in values.items() if value not in (None, "") and path != (0x00080005,)}


@pytest.mark.requirement("MR-14-01")
def test_return_keys_are_those_of_annex_b(mr_story: Story) -> None:
    wanted = {parse_path(row["path"]) for row in rows("return")}
    character_set = parse_path("SpecificCharacterSet")
    for talk in mr_story.at.tap.with_command("C-FIND"):
        (message,) = talk.asked()
        assert message.data is not None
        assert set(paths_of(message.data)) - {character_set} == wanted - {character_set}
        assert character_set in wanted  # type 1C: returned by the SCP, sent where a key's text needs it


@pytest.mark.requirement("MR-5.2.1.3-01", "MR-5.2.1.3-02", "MR-2.3.2-04")
@pytest.mark.parametrize("path", SEARCH)
def test_each_configurable_search_key_goes_out_with_the_users_value(tmp_path: Path, path: str) -> None:
    (row,) = (row for row in rows("search") if parse_path(row["path"]) == parse_path(path))
    assert row["user_configurable"] == "Yes"
    with recorded(tmp_path, "mr", change=[('# modality = "MR"', 'modality = ""')]) as at:
        at.modality.worklist(**{path.split(">")[-1]: SEARCH[path]})
        assert matched(asked(at)) == {parse_path(path): SEARCH[path]}


@pytest.mark.requirement("MR-5.2.1.3-01", "MR-5.2.1.3-02")
def test_all_search_keys_together_and_each_can_be_switched_off(tmp_path: Path) -> None:
    switches = "".join(f'"{path}" = "return"\n' for path in SEARCH)
    station = ('# scheduled_station_ae_title = ""', 'scheduled_station_ae_title = "CONFIGURED"')
    with recorded(tmp_path / "on", "mr", change=[station]) as at:
        at.modality.worklist()
        today = date.today().strftime("%Y%m%d")
        expected = {"ScheduledStationAETitle": "CONFIGURED", "ScheduledProcedureStepStartDate": today, "Modality": "MR"}
        assert matched(asked(at)) == {parse_path(f"{STEP}>{key}"): value for key, value in expected.items()}
        at.modality.worklist(**{path.split(">")[-1]: value for path, value in SEARCH.items()})
        assert matched(asked(at)) == {parse_path(path): value for path, value in SEARCH.items()}
    with recorded(tmp_path / "off", "mr", change=[station], add=f"[peers.ris.worklist_keys]\n{switches}") as at:
        at.modality.worklist(**{path.split(">")[-1]: value for path, value in SEARCH.items()})
        assert matched(asked(at)) == {}


@pytest.mark.requirement("MR-2.3.1-03", "MR-5.2.1.1-02")
def test_starting_a_scheduled_exam_asks_for_that_item(mr_story: Story) -> None:
    find, create = mr_story.activities["start exam"]
    (query,) = find.asked("C-FIND")
    (step,) = create.asked("N-CREATE")
    assert query.data is not None
    assert step.data is not None
    study = step.data.ScheduledStepAttributesSequence[0].StudyInstanceUID
    assert matched(query.data) == {parse_path("StudyInstanceUID"): study}
    assert [talk for talk in mr_story.activities["first image"] if talk.asked("C-FIND")] == []


@pytest.mark.requirement("MR-2.3.1-04")
@pytest.mark.parametrize("happened", ["nothing", "changed", "gone"])
def test_the_answer_validates_the_scheduled_procedure(tmp_path: Path, happened: str) -> None:
    seen: list[ItemCheck] = []

    def refuse(check: ItemCheck) -> bool:
        seen.append(check)
        return False

    with recorded(tmp_path, "mr") as at:
        item = at.modality.worklist()[0]
        _happen(at, happened, item["PatientID"])
        if happened == "nothing":
            exam = at.modality.start_exam(item, confirm=refuse)
            assert (seen, exam.record.notices) == ([], ())
            return
        with pytest.raises(UsageError, match="not started"):
            at.modality.start_exam(item, confirm=refuse)
        assert [check.state for check in seen] == [happened]
        assert at.modality.exams() == []
        at.settle()
        assert at.tap.with_command("N-CREATE") == []


def _happen(at: Recorded, what: str, patient_id: str) -> None:
    """Something happens at the RIS after the worklist was shown."""
    ris = at.hospital.ris
    if what == "changed":
        assert ris.change_patient(patient_id, PatientName="Other^Name")
    if what == "gone":
        item = next(each for each in ris.items if each.patient_id == patient_id)
        uid = "2.25.1234"
        assert create_step(at.hospital, step_attributes(item), uid).status == 0
        assert end_step(at.hospital, uid, images(item, uid, 1)).status == 0


@pytest.mark.requirement("MR-2.3.1-01")
def test_the_users_request_opens_an_association_and_shows_what_came(tmp_path: Path) -> None:
    with recorded(tmp_path, "mr") as at:
        shown = at.command("worklist", "--json").json["items"]
        at.settle()
        (talk,) = at.tap.conversations
        came = [each.data for each in talk.messages if not each.by_requestor and each.data is not None]
        assert (talk.to, talk.calling) == ("ris", "OM_MR")
        assert [each["attributes"]["PatientID"] for each in shown] == [each.PatientID for each in came]
        assert shown
