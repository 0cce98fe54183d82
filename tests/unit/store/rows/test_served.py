from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.errors import WrongState
from openmodality.store.data_set_json import to_json
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import ServedItem, insert_exam, save_exam
from openmodality.store.rows.patients import keep_patient
from openmodality.store.rows.served import (
    Serving,
    check_unserved,
    describe_defects,
    find_exams_serving,
    list_exams_serving,
)
from openmodality.store.rows.worklist import WorklistItem, keep_items, read_worklist
from openmodality.store.states import ExamState
from openmodality.store.transaction import Transaction
from tests.peers.objects import worklist_item


def keep(transaction: Transaction, source: str = "RIS", **values: str) -> WorklistItem:
    number = keep_items(transaction, source, [(worklist_item(**values), ["a defect"])], whole=False)[0].id
    [item] = read_worklist(transaction, [number])
    return item


def serve(transaction: Transaction, item: WorklistItem) -> ExamRecord:
    patient = keep_patient(transaction, {"PatientID": "1"})
    served = ServedItem(item.id, item["ScheduledProcedureStepID"], to_json(item.attributes))
    return insert_exam(transaction, patient, item["StudyInstanceUID"], {}, [served])


def test_an_item_is_served_by_the_exam_that_was_started_for_it(store: LocalStore) -> None:
    with store.write() as transaction:
        item = keep(transaction)
        assert find_exams_serving(transaction, item) == []
        exam = serve(transaction, item)
        assert find_exams_serving(transaction, item) == [Serving(exam.id, ExamState.REGISTERED, "")]


def test_an_item_of_another_source_is_known_again_by_its_study_and_step(store: LocalStore) -> None:
    with store.write() as transaction:
        exam = serve(transaction, keep(transaction, StudyInstanceUID="1.2", ScheduledProcedureStepID="S1"))
        same = keep(transaction, "OTHER", StudyInstanceUID="1.2", ScheduledProcedureStepID="S1")
        another = keep(transaction, "OTHER", StudyInstanceUID="1.3", ScheduledProcedureStepID="S1")
        assert [each.exam_id for each in find_exams_serving(transaction, same)] == [exam.id]
        assert find_exams_serving(transaction, another) == []


def test_only_an_open_exam_stands_against_another_start(store: LocalStore) -> None:
    with store.write() as transaction:
        item = keep(transaction)
        exam = serve(transaction, item)
        with pytest.raises(WrongState, match=f"served by exam {exam.id}, which is REGISTERED"):
            check_unserved(transaction, [item])
        save_exam(transaction, replace(exam, state=ExamState.COMPLETED))
        check_unserved(transaction, [item])


def test_defects_are_told_with_the_number_of_the_item(store: LocalStore) -> None:
    with store.write() as transaction:
        item = keep(transaction)
    assert describe_defects([item]) == [f"worklist item {item.id}: a defect"]


def test_many_items_are_asked_for_at_once(store: LocalStore) -> None:
    with store.write() as transaction:
        first = serve(transaction, keep(transaction, StudyInstanceUID="1.2", ScheduledProcedureStepID="S1"))
        same = keep(transaction, "OTHER", StudyInstanceUID="1.2", ScheduledProcedureStepID="S1")
        other = keep(transaction, StudyInstanceUID="1.4", ScheduledProcedureStepID="S1")
        alone = keep(transaction, StudyInstanceUID="1.5", ScheduledProcedureStepID="S2")
        second = serve(transaction, other)
        third = serve(transaction, same)
        found = list_exams_serving(transaction, [same, other, alone])
    assert {number: [each.exam_id for each in serving] for number, serving in found.items()} == {
        same.id: [third.id, first.id],
        other.id: [second.id],
        alone.id: [],
    }
