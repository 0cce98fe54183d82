"""Worklist queries of a device: what is asked, what is kept, what changes when an exam starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality import Modality
from openmodality.activities.worklist import ItemCheck, WorklistAnswer
from openmodality.errors import TransportError, UsageError
from tests.devices import add_image, device_in_hospital, today


@pytest.mark.requirement("RF-4.2.3.3.1.1-03", "RF-4.1.2.3-01", "RF-4.1.2.3-02", "RF-4.2.3.3.1.3-01", "MR-2.3.2-07")
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_items_and_demographics_are_kept(tmp_path: Path, profile: str) -> None:
    with device_in_hospital(tmp_path, profile, today(profile, 2)) as device, device.modality(works=False) as modality:
        assert [item["ScheduledProcedureStepID"] for item in modality.worklist()] == ["SPS1", "SPS2"]
        device.hospital.items[0].PatientName = "Married^Jane"
        (item,) = modality.worklist(PatientID="0000001")
        assert item["PatientName"] == "Married^Jane"
        assert len(modality.worklist_items()) == 2
        with device.modality(works=False) as again:
            assert [item["PatientName"] for item in again.worklist_items()] == ["Married^Jane", "Doe^Jane"]


def test_what_is_no_longer_scheduled_is_not_current(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", today("mr", 2)) as device, device.modality(works=False) as modality:
        modality.worklist()
        del device.hospital.items[0]
        modality.worklist()
        assert [item["ScheduledProcedureStepID"] for item in modality.worklist_items()] == ["SPS2"]


@pytest.mark.requirement("RF-4.2.3.3.1.3-03", "RF-4.4.2-23")
def test_no_more_items_than_the_site_wants(tmp_path: Path) -> None:
    more = "[parameters.worklist]\nmax_items = 2"
    with device_in_hospital(tmp_path, "rf", today("rf", 5), more=more) as device, device.modality() as modality:
        answer = modality.query_worklist()
        assert len(answer.items) == 2
        assert "more items" in answer.notices[0]


def test_only_keys_of_the_profile_match(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        assert modality.worklist(AccessionNumber="A0001") == []
        with pytest.raises(UsageError, match="AccessionNumber"):
            modality.worklist(PatientComments="x")


def test_a_ris_that_is_down(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", today()) as device, device.modality(works=False) as modality:
        (item,) = modality.worklist()
        site = device.site.read_text("utf-8")
        device.site.write_text(site.replace(f"port = {device.hospital_port}", "port = 1"), "utf-8")
        with Modality(device.site, works=False) as cut_off:
            with pytest.raises(TransportError):
                cut_off.worklist()
            exam = cut_off.start_exam(item.id)
            assert "could not be checked" in exam.notices[0]
            assert exam.state == "IN PROGRESS"


def rename(items: list[Dataset]) -> None:
    items[0].PatientName = "Changed^Name"


def take_away(items: list[Dataset]) -> None:
    items.clear()


@pytest.mark.requirement("MR-2.3.1-03", "MR-2.3.1-04", "MR-5.2.1.1-02")
@pytest.mark.parametrize(("change", "word"), [(rename, "PatientName"), (take_away, "no longer scheduled")])
def test_mr_asks_again_when_the_exam_starts(tmp_path: Path, change: Callable[[list[Dataset]], None], word: str) -> None:
    with device_in_hospital(tmp_path, "mr", today()) as device, device.modality(works=False) as modality:
        (item,) = modality.worklist()
        assert modality.check(item).state == "same"
        change(device.hospital.items)
        shown: list[ItemCheck] = []

        def refuse(check: ItemCheck) -> bool:
            shown.append(check)
            return False

        with pytest.raises(UsageError, match="was not started"):
            modality.start_exam(item, confirm=refuse)
        assert [check.state for check in shown] == ["changed" if change is rename else "gone"]
        exam = modality.start_exam(item)
        assert word in exam.notices[0]
        assert "Changed^Name" not in exam.notices[0]


@pytest.mark.requirement("RF-4.2.3.3.1.3-08")
def test_study_instance_uid_of_the_item_or_made_here(tmp_path: Path) -> None:
    items = today("rf", 2)
    del items[1].StudyInstanceUID
    with device_in_hospital(tmp_path, "rf", items) as device, device.modality(works=False) as modality:
        first, second = modality.worklist()
        assert "(0020,000D) StudyInstanceUID" in " ".join(second.defects)
        assert modality.start_exam(first).study_instance_uid == items[0].StudyInstanceUID
        exam = modality.start_exam(second)
        assert exam.study_instance_uid.startswith("2.25.")
        add_image(exam.series("T1", ProtocolName="T1"))


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_an_item_is_not_started_twice_unasked(tmp_path: Path, profile: str) -> None:
    with device_in_hospital(tmp_path, profile, today(profile)) as device, device.modality(works=False) as modality:
        (item,) = modality.worklist()
        exam = modality.start_exam(item)
        with pytest.raises(UsageError, match=f"served by exam {exam.id}, which is IN PROGRESS") as refused:
            modality.start_exam(item)
        assert f"exam acquire {exam.id}" in refused.value.advice
        assert len(modality.exams()) == 1
        exam.discontinue()
        with pytest.raises(UsageError, match="served already"):
            modality.start_exam(item, confirm=lambda check: check.state != "served")
        assert "--append" in modality.start_exam(item, confirm=lambda check: True).notices[0]


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_an_item_without_study_instance_uid_is_asked_for_by_its_patient(tmp_path: Path, profile: str) -> None:
    items = today(profile, 2)
    del items[0].StudyInstanceUID
    with device_in_hospital(tmp_path, profile, items) as device, device.modality(works=False) as modality:
        item = modality.worklist()[0]
        asked: list[Mapping[str, str] | None] = []
        query = modality._runtime.worklist.query

        def noted(keys: Mapping[str, str] | None = None, peer_name: str | None = None) -> WorklistAnswer:
            asked.append(keys)
            return query(keys, peer_name)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(modality._runtime.worklist, "query", noted)
            assert modality.check(item).state == "same"
        assert asked[0] is not None
        assert asked[0]["PatientID"] == item["PatientID"]
        assert asked[0]["ScheduledProcedureStepStartDate"] == item["ScheduledProcedureStepStartDate"]
        assert "StudyInstanceUID" not in asked[0]
        assert "(0020,000D) StudyInstanceUID" in " ".join(modality.start_exam(item).notices)


def test_a_defect_is_named_once(tmp_path: Path) -> None:
    items = today("rf")
    del items[0].StudyInstanceUID
    with device_in_hospital(tmp_path, "rf", items) as device, device.modality(works=False) as modality:
        (item,) = modality.worklist()
        assert [defect.split(" ")[0] for defect in item.defects] == ["(0020,000D)"]


def test_items_of_two_patients_are_no_one_exam(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", today("rf", 2)) as device, device.modality(works=False) as modality:
        items = modality.worklist()
        with pytest.raises(UsageError, match="several patients"):
            modality.start_exam(items)


def test_names_in_a_character_set_that_the_ris_does_not_declare(tmp_path: Path) -> None:
    (item,) = today("rf", name="Müller^Jürgen")
    item.SpecificCharacterSet = "ISO_IR 100"
    peer = 'assumed_character_set = "ISO_IR 100"'
    with device_in_hospital(tmp_path, "rf", [item], peer=peer) as device, device.modality(works=False) as modality:
        (found,) = modality.worklist()
        assert found["PatientName"] == "Müller^Jürgen"


@pytest.mark.parametrize("assumed", ["", "ISO_IR 100"])
def test_the_assumed_character_set_is_only_for_what_declares_none(tmp_path: Path, assumed: str) -> None:
    (item,) = today("rf", name="Wang^XiaoDong=王^小东")
    item.SpecificCharacterSet = "GB18030"
    peer = f'assumed_character_set = "{assumed}"' if assumed else ""
    with device_in_hospital(tmp_path, "rf", [item], peer=peer) as device, device.modality(works=False) as modality:
        (found,) = modality.worklist()
        assert found["PatientName"] == "Wang^XiaoDong=王^小东"
