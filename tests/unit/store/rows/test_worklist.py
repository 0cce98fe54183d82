from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.errors import NotFound
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import find
from openmodality.store.local import LocalStore
from openmodality.store.rows.worklist import WorklistItem, WorklistLine, keep_items, read_lines, read_worklist
from tests.peers.objects import mr_image, save, worklist_item

Received = tuple[Dataset, list[str]]


def keep(store: LocalStore, *received: Received, source: str = "RIS", whole: bool = True) -> list[int]:
    with store.write() as transaction:
        return [item.id for item in keep_items(transaction, source, received, whole=whole)]


def listed(store: LocalStore) -> list[WorklistItem]:
    with store.read() as snapshot:
        return read_worklist(snapshot)


def item(step: str = "SPS1", **values: str) -> Received:
    return worklist_item(**{"StudyInstanceUID": "1.2", "ScheduledProcedureStepID": step, **values}), []


def test_an_item_is_kept_whole_with_the_keys_to_choose_it_by(store: LocalStore) -> None:
    data_set, _ = item(PatientName="Yamada^Tarou=山田^太郎", SpecificCharacterSet="ISO_IR 192")
    data_set.private_block(0x0071, "SOMEBODY", create=True).add_new(1, "LO", "kept")
    [number] = keep(store, (data_set, []))
    [found] = listed(store)
    assert found.id == number
    assert found["PatientName"] == "Yamada^Tarou=山田^太郎"
    assert (found["ScheduledProcedureStepID"], found["Modality"]) == ("SPS1", "MR")
    assert found.attributes == Dataset(data_set)
    assert (found.current, found.received_at, found.source) == (True, 1000.0, "RIS")


def test_items_come_in_the_order_of_their_start(store: LocalStore) -> None:
    starts = {"SPS1": "120000", "SPS2": "080000", "SPS3": "100000"}
    keep(store, *(item(step, ScheduledProcedureStepStartTime=start) for step, start in starts.items()))
    assert [found["ScheduledProcedureStepID"] for found in listed(store)] == ["SPS2", "SPS3", "SPS1"]


def test_a_whole_answer_replaces_those_before_and_keeps_the_ids(store: LocalStore) -> None:
    first = keep(store, item("SPS1"), item("SPS2"))
    other = keep(store, item("SPS1"), source="OTHER")
    changed = item("SPS2")
    changed[0].ReferringPhysicianName = "Changed"
    second = keep(store, changed, item("SPS3"))
    assert second[0] == first[1]
    assert {found.id for found in listed(store)} == {*second, *other}
    with store.read() as snapshot:
        [gone, kept] = read_worklist(snapshot, first)
        assert (gone.current, kept.current, kept["ReferringPhysicianName"]) == (False, True, "Changed")
        with pytest.raises(NotFound, match="no worklist item 99") as caught:
            read_worklist(snapshot, [first[0], 99])
    assert caught.value.advice == "openmodality worklist shows them"


def test_an_item_that_comes_twice_is_kept_once_as_it_came_last(store: LocalStore) -> None:
    numbers = keep(store, item(), item("SPS2"), (item(PatientID="0000001")[0], ["odd"]))
    assert keep(store, item(), item(PatientName="Last^One")) == numbers[:1]
    assert {found["ScheduledProcedureStepID"]: found["PatientName"] for found in listed(store)} == {"SPS1": "Last^One"}


def test_a_part_of_the_worklist_leaves_the_other_items_current(store: LocalStore) -> None:
    first = keep(store, item("SPS1"), item("SPS2"))
    second = keep(store, item("SPS2"), item("SPS3"), whole=False)
    assert {found.id for found in listed(store)} == {*first, *second}


def test_a_defective_item_is_kept_with_what_is_wrong(store: LocalStore) -> None:
    without_step = Dataset()
    without_step.PatientID = "7"
    without_step.ScheduledProcedureStepSequence = []
    defect = "(0040,0100) Scheduled Procedure Step Sequence is missing"
    received = [(Dataset(), [defect]), (without_step, [defect])]
    numbers = keep(store, *received)
    assert keep(store, *received) == numbers
    assert [found.defects for found in listed(store)] == [(defect,), (defect,)]


def test_demographics_are_added_or_updated_by_the_worklist(store: LocalStore, tmp_path: Path) -> None:
    store.add_file(save(mr_image(rows=4, columns=4, PatientID="1", PatientName="Doe^Jane", PatientSex="F"), tmp_path))
    keep(
        store,
        item("SPS1", PatientID="1", PatientName="Roe^Jane", PatientSex=""),
        item("SPS2", PatientID="2", PatientName="New^One"),
        item("SPS3", PatientID=""),
    )
    with store.read() as snapshot:
        found = find(snapshot, Level.PATIENT)
    assert [(patient["PatientName"], patient["PatientSex"]) for patient in found] == [
        ("Roe^Jane", "F"),
        ("New^One", "F"),
    ]


def test_a_line_says_what_its_item_says(store: LocalStore) -> None:
    stepless = Dataset()
    stepless.PatientID, stepless.PatientName, stepless.ScheduledProcedureStepSequence = "7", "Bücher^Jörg", []
    below = item("SPS2", PatientBirthDate="", RequestedProcedureDescription="Knee")
    below[0].ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription = 'T1 "sagittal", 東京'
    keep(store, (stepless, []), below, item("SPS1", PatientBirthDate="19700102"))
    words = ["PatientName", "PatientID", "AccessionNumber", "PatientBirthDate"]
    words += ["RequestedProcedureDescription", "ScheduledProcedureStepDescription"]
    with store.read() as snapshot:
        items, lines = read_worklist(snapshot), read_lines(snapshot)
        same = read_lines(snapshot, [each.id for each in items])
    said = [(each.id, *(each[word] for word in words)) for each in items]
    assert [(each.id, *(each[word] for word in words)) for each in lines] == said
    assert [(each.id, *(each[word] for word in words)) for each in same] == said


def test_a_line_that_is_known_is_read_again_only_where_its_item_came_again(store: LocalStore) -> None:
    numbers = keep(store, item("SPS1", PatientName="One^A"), item("SPS2", PatientName="Two^B"))
    known = {
        numbers[0]: WorklistLine(numbers[0], 1000.0, {"PatientName": "as it is known"}),
        numbers[1]: WorklistLine(numbers[1], 999.0, {"PatientName": "of before"}),
        99: WorklistLine(99, 1000.0, {"PatientName": "gone"}),
    }
    with store.read() as snapshot:
        lines = read_lines(snapshot, [*numbers, 99], known)
    assert [line["PatientName"] for line in lines] == ["as it is known", "Two^B"]
