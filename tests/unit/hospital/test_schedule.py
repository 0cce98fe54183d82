"""The day's schedule: repeatable, valid, in every script, editable as a file."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import ConfigurationError
from openmodality.hospital.items import ScheduledItem
from openmodality.hospital.schedule import day, load_schedule
from openmodality.services.worklist import find_defects
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED

TODAY = date(2026, 11, 22)


def loaded(folder: Path, seed: int = 1, today: date = TODAY) -> list[ScheduledItem]:
    return [ScheduledItem(item) for item in load_schedule(folder / "schedule.json", seed, today)]


@pytest.mark.parametrize("seed", range(6))
def test_every_seed_gives_a_valid_day(tmp_path: Path, seed: int) -> None:
    items = loaded(tmp_path, seed)
    assert Counter(item.modality for item in items) == {"MR": 6, "RF": 6}
    assert {item.station_ae_title for item in items} == {"OM_MR", "ADR_MWM_SCU"}
    assert all(find_defects(item.data_set) == () and is_valid_uid(item.study_instance_uid) for item in items)
    assert len({item.key for item in items}) == len(items)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_every_script_survives_its_encoding(tmp_path: Path, transfer_syntax: str) -> None:
    declared = set()
    for item in loaded(tmp_path):
        again = ScheduledItem(decode_data_set(encode_data_set(item.data_set, transfer_syntax), transfer_syntax))
        assert again.patient_name == item.patient_name
        declared.add(str(item.data_set.get("SpecificCharacterSet", "")))
    assert declared == {"", "ISO_IR 100", "GB18030", "['', 'ISO 2022 IR 87']"}


def test_the_day_is_repeatable() -> None:
    assert day(3) == day(3)
    assert day(3) != day(4)


def test_studies_are_those_of_the_day(tmp_path: Path) -> None:
    first, again = loaded(tmp_path), loaded(tmp_path)
    tomorrow = loaded(tmp_path, today=date(2026, 11, 23))
    assert [item.key for item in first] == [item.key for item in again]
    assert not {item.study_instance_uid for item in first} & {item.study_instance_uid for item in tomorrow}
    assert {item.data_set.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate for item in tomorrow} == {
        "20261123"
    }


def test_there_is_a_group_case_a_study_of_two_steps_and_an_emergency(tmp_path: Path) -> None:
    items = loaded(tmp_path)
    by_patient = Counter(item.patient_id for item in items)
    group = [item for item in items if by_patient[item.patient_id] == 2 and item.modality == "MR"]
    assert len({item.study_instance_uid for item in group}) == 2
    two_steps = [item for item in items if by_patient[item.patient_id] == 2 and item.modality == "RF"]
    assert len({item.study_instance_uid for item in two_steps}) == 1
    emergency = next(item for item in items if item.patient_name.startswith("Emergency"))
    assert emergency.data_set.PatientBirthDate == ""
    assert "PatientWeight" not in emergency.data_set


def test_the_file_may_be_edited(tmp_path: Path) -> None:
    loaded(tmp_path)
    file = tmp_path / "schedule.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    said["items"] = said["items"][:1]
    said["items"][0] |= {"PatientName": "Edited^Name", "StudyInstanceUID": "1.2.3"}
    file.write_text(json.dumps(said), encoding="utf-8")
    (item,) = loaded(tmp_path)
    assert (item.patient_name, item.study_instance_uid) == ("Edited^Name", "1.2.3")


ITEM = day(1)[0]
STEP = ITEM["ScheduledProcedureStepSequence"][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1 column 2"),
        ("[]", '"items" must be a list'),
        ('{"items": [3]}', "item 1: must be an object"),
        (json.dumps({"items": [ITEM, ITEM | {"PatientNane": "x"}]}), "item 2: 'PatientNane' is not a keyword"),
        (json.dumps({"items": [ITEM | {"PatientWeight": "heavy"}]}), "item 1: the value of PatientWeight is no DS"),
        (json.dumps({"items": [ITEM | {"ScheduledProcedureStepSequence": 5}]}), "ScheduledProcedureStepSequence is no"),
        (json.dumps({"items": [ITEM | {"ScheduledProcedureStepSequence": []}]}), "(0040,0100)"),
        (json.dumps({"items": [ITEM | {"PatientID": ""}]}), "(0010,0020) PatientID: missing"),
        (json.dumps({"items": [ITEM | {"StudyInstanceUID": "1.02"}]}), "(0020,000D) StudyInstanceUID: no valid UID"),
        (json.dumps({"items": [ITEM | {"PatientName": "Müller^Jörg"}]}), "(0010,0010)"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "schedule.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)
    assert "Müller" not in str(caught.value)
