from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset
from sqlalchemy import insert, select

from openmodality.errors import StoreError, UsageError
from openmodality.store.local import LocalStore
from openmodality.store.rows.index_queries import Level, find
from openmodality.store.rows.patients import register_patient
from openmodality.store.rows.worklist import (
    ReceivedItem,
    WorklistItem,
    get_worklist_item,
    list_worklist,
    replace_worklist,
)
from openmodality.store.schema import exam_steps, exams
from tests.peers.objects import mr_image, save, worklist_item


def replace(store: LocalStore, *received: ReceivedItem, source: str = "RIS") -> list[int]:
    with store.write() as connection:
        return replace_worklist(store.database, connection, source, received)


def listed(store: LocalStore) -> list[WorklistItem]:
    with store.read() as connection:
        return list_worklist(connection)


def item(step: str = "SPS1", **values: str) -> ReceivedItem:
    return ReceivedItem(worklist_item(**{"StudyInstanceUID": "1.2", "ScheduledProcedureStepID": step, **values}))


def test_an_item_is_kept_whole_with_the_keys_to_choose_it_by(store: LocalStore) -> None:
    received = item(PatientName="Yamada^Tarou=山田^太郎", SpecificCharacterSet="ISO_IR 192")
    received.item.private_block(0x0071, "SOMEBODY", create=True).add_new(1, "LO", "kept")
    [number] = replace(store, received)
    [found] = listed(store)
    assert found.id == number
    assert found["PatientName"] == "Yamada^Tarou=山田^太郎"
    assert (found["ScheduledProcedureStepID"], found["Modality"]) == ("SPS1", "MR")
    assert found.item == Dataset(received.item)
    assert (found.current, found.received_at, found.source) == (True, 1000.0, "RIS")


@pytest.mark.requirement("MR-2.3.2-07", "MR-2.3.2-11")
def test_items_come_in_the_order_of_their_start(store: LocalStore) -> None:
    starts = {"SPS1": "120000", "SPS2": "080000", "SPS3": "100000"}
    replace(store, *(item(step, ScheduledProcedureStepStartTime=start) for step, start in starts.items()))
    assert [found["ScheduledProcedureStepID"] for found in listed(store)] == ["SPS2", "SPS3", "SPS1"]


def test_the_last_query_replaces_those_before_and_keeps_the_ids(store: LocalStore) -> None:
    first = replace(store, item("SPS1"), item("SPS2"))
    other = replace(store, item("SPS1"), source="OTHER")
    second = replace(store, item("SPS2", AccessionNumber="CHANGED"), item("SPS3"))
    assert second[0] == first[1]
    assert {found.id for found in listed(store)} == {*second, *other}
    with store.read() as connection:
        assert get_worklist_item(connection, first[1])["AccessionNumber"] == "CHANGED"
        with pytest.raises(StoreError, match="no worklist item") as caught:
            get_worklist_item(connection, first[0])
    assert caught.value.advice == "query the worklist again"


def test_an_item_that_an_exam_refers_to_is_kept_when_it_is_gone(store: LocalStore) -> None:
    [number] = replace(store, item())
    with store.write() as connection:
        row = {"state": "REGISTERED", "StudyInstanceUID": "1.2", "scheduled": True, "data": {}, "created_at": 0.0}
        exam = connection.execute(insert(exams).values(row).returning(exams.c.id)).scalar_one()
        connection.execute(insert(exam_steps).values({"exam_id": exam, "worklist_item_id": number, "item": {}}))
    assert replace(store) == []
    assert listed(store) == []
    with store.read() as connection:
        assert get_worklist_item(connection, number).current is False


def test_a_defective_item_is_kept_with_what_is_wrong(store: LocalStore) -> None:
    empty = Dataset()
    without_step = Dataset()
    without_step.PatientID = "7"
    without_step.ScheduledProcedureStepSequence = []
    defect = "(0040,0100) Scheduled Procedure Step Sequence is missing"
    received = [ReceivedItem(empty, [defect]), ReceivedItem(without_step, [defect])]
    numbers = replace(store, *received)
    assert replace(store, *received) == numbers
    assert [found.defects for found in listed(store)] == [(defect,), (defect,)]


@pytest.mark.requirement("RF-4.2.3.3.1.1-03")
def test_demographics_are_added_or_updated_by_the_worklist(store: LocalStore, tmp_path: Path) -> None:
    store.add_file(save(mr_image(rows=4, columns=4, PatientID="1", PatientName="Doe^Jane", PatientSex="F"), tmp_path))
    replace(
        store,
        item("SPS1", PatientID="1", PatientName="Roe^Jane", PatientSex=""),
        item("SPS2", PatientID="2", PatientName="New^One"),
        item("SPS3", PatientID=""),
    )
    with store.read() as connection:
        found = find(connection, Level.PATIENT)
    assert [(patient["PatientName"], patient["PatientSex"]) for patient in found] == [
        ("Roe^Jane", "F"),
        ("New^One", "F"),
    ]


def test_a_patient_is_known_by_id_and_issuer(store: LocalStore) -> None:
    patient = {"PatientID": "1", "PatientName": "Doe^Jane"}
    with store.write() as connection:
        first = register_patient(store.database, connection, patient)
        assert register_patient(store.database, connection, {**patient, "PatientName": "Roe^Jane"}) == first
        assert register_patient(store.database, connection, {**patient, "IssuerOfPatientID": "X"}) != first
        with pytest.raises(UsageError, match="without"):
            register_patient(store.database, connection, {"PatientName": "Doe^Jane"})
        assert connection.execute(select(exams.c.id)).all() == []
