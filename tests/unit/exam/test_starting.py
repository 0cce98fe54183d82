"""What is looked at before an exam starts, and what stops it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from pydicom import Dataset

from openmodality.activities.worklist import ItemCheck, ItemStanding, Worklist
from openmodality.errors import WrongState
from openmodality.exam.session import Exam
from openmodality.exam.starting import check_items
from openmodality.exam.workflow import Workflow
from openmodality.store.local import LocalStore
from openmodality.store.rows.worklist import WorklistItem, keep_items, read_worklist
from tests.stand_in import scheduled


@dataclass
class Ris:
    """Says of each item what it is told to say."""

    is_checked_at_start: bool = True
    answers: Mapping[int, ItemCheck] = field(default_factory=dict)

    def check(self, item: WorklistItem) -> ItemCheck:
        return self.answers.get(item.id, ItemCheck(ItemStanding.SAME, item))

    def as_worklist(self) -> Worklist:
        return cast("Worklist", self)


@pytest.fixture
def items(store: LocalStore) -> list[WorklistItem]:
    with store.write() as transaction:
        keep_items(transaction, "ris", [(scheduled(number), []) for number in (1, 2)], whole=True)
    with store.read() as snapshot:
        return read_worklist(snapshot)


def test_items_that_are_as_they_were(store: LocalStore, items: list[WorklistItem]) -> None:
    assert check_items(store, Ris().as_worklist(), items, None) == (items, [])


def test_the_newest_state_counts(store: LocalStore, items: list[WorklistItem]) -> None:
    fresh = replace(items[0], attributes=Dataset())
    ris = Ris(answers={items[0].id: ItemCheck(ItemStanding.CHANGED, fresh, ("PatientName",))})
    found, notices = check_items(store, ris.as_worklist(), items, lambda check: True)
    assert found == [fresh, items[1]]
    assert notices == [f"worklist item {items[0].id} has changed: PatientName"]


@pytest.mark.parametrize("standing", [ItemStanding.GONE, ItemStanding.CHANGED])
def test_a_person_may_stop_the_start(store: LocalStore, items: list[WorklistItem], standing: ItemStanding) -> None:
    ris = Ris(answers={items[1].id: ItemCheck(standing, items[1])})
    with pytest.raises(WrongState, match="was not started"):
        check_items(store, ris.as_worklist(), items, lambda check: False)
    assert len(check_items(store, ris.as_worklist(), items, None)[1]) == 1


def test_a_ris_that_does_not_answer_stops_nothing(store: LocalStore, items: list[WorklistItem]) -> None:
    ris = Ris(answers={items[0].id: ItemCheck(ItemStanding.UNKNOWN, items[0], reason="it is down")})
    _, notices = check_items(store, ris.as_worklist(), items, lambda check: False)
    assert notices == [f"worklist item {items[0].id} could not be checked: it is down"]


def test_a_device_that_does_not_ask_again(store: LocalStore, items: list[WorklistItem]) -> None:
    ris = Ris(is_checked_at_start=False, answers={items[0].id: ItemCheck(ItemStanding.GONE, items[0])})
    assert check_items(store, ris.as_worklist(), items, lambda check: False) == (items, [])


def test_an_item_that_had_an_exam(
    store: LocalStore, items: list[WorklistItem], make_workflow: Callable[[], Workflow]
) -> None:
    workflow = make_workflow()
    exam = Exam(workflow, workflow.register(items[:1], Dataset()).id).begin()
    assert check_items(store, Ris().as_worklist(), items, lambda check: False) == (items, [])
    exam.discontinue()
    asked: list[ItemCheck] = []

    def go_on(check: ItemCheck) -> bool:
        asked.append(check)
        return True

    _, (notice,) = check_items(store, Ris().as_worklist(), items, go_on)
    assert [check.state for check in asked] == [ItemStanding.SERVED]
    assert f"exam {exam.id} is DISCONTINUED" in notice
