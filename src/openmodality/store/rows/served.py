"""Which exams serve a worklist item: one that is open stops another start, one that has ended asks for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from pydicom import Dataset
from sqlalchemy import Row, Select, or_, select

from openmodality.errors import WrongState
from openmodality.store.data_set_json import from_json
from openmodality.store.rows.worklist import WorklistItem, is_same_item, value_of
from openmodality.store.schema import devices, exam_steps, exams
from openmodality.store.states import ExamState
from openmodality.store.transaction import Snapshot, Transaction

_STARTING: Final = 0x4F4E
"""The number of PostgreSQL's advisory lock that means "starting an exam of a worklist item"."""
_AT_ONCE: Final = 500


class Serving(NamedTuple):
    """An exam that serves a worklist item; ``device`` names another device, and is empty for this one."""

    exam_id: int
    state: ExamState
    device: str

    @property
    def where(self) -> str:
        """How the exam is named to an operator of this device."""
        return f"exam {self.exam_id} of device {self.device}" if self.device else f"exam {self.exam_id}"


def find_exams_serving(snapshot: Snapshot, item: WorklistItem) -> list[Serving]:
    """As :func:`list_exams_serving` finds them for one item."""
    return list_exams_serving(snapshot, [item])[item.id]


def list_exams_serving(snapshot: Snapshot, items: Sequence[WorklistItem]) -> dict[int, list[Serving]]:
    """The exams that were started for each of the items, newest first, in whatever room of the department.

    An item is known again by its row, or by its (0020,000D) Study Instance UID and (0040,0009) Scheduled Procedure
    Step ID, which a second source or another device may have too; without that UID by all of its identifiers.
    """
    found: dict[int, list[Serving]] = {item.id: [] for item in items}
    for start in range(0, len(items), _AT_ONCE):
        some = items[start : start + _AT_ONCE]
        by_id = {item.id: item for item in some}
        by_step: dict[str, list[WorklistItem]] = {}
        for item in by_id.values():
            by_step.setdefault(item["ScheduledProcedureStepID"], []).append(item)
        by_step.pop("", None)
        for row in snapshot.execute(_select_serving(by_id, by_step)):
            same = [item for item in by_step.get(row.ScheduledProcedureStepID, ()) if item.id != row.worklist_item_id]
            served = from_json(row.item) if same else Dataset()
            numbers = [item.id for item in same if _is_same(item.attributes, served)]
            if row.worklist_item_id in by_id:
                numbers.append(row.worklist_item_id)
            for number in numbers:
                found[number].append(_make_serving(snapshot, row))
    return found


def _select_serving(numbers: Iterable[int], step_ids: Iterable[str]) -> Select[Any]:
    columns = exam_steps.c
    served = or_(columns.worklist_item_id.in_(numbers), columns.ScheduledProcedureStepID.in_(step_ids))
    return (
        select(
            *(exams.c.id, exams.c.state, exams.c.device_id, devices.c.name),
            *(columns.worklist_item_id, columns.ScheduledProcedureStepID, columns.item),
        )
        .join(exams, exams.c.id == columns.exam_id)
        .outerjoin(devices, devices.c.id == exams.c.device_id)
        .where(served)
        .order_by(exams.c.id.desc())
    )


def _make_serving(snapshot: Snapshot, row: Row[Any]) -> Serving:
    device = "" if row.device_id == snapshot.device_id else row.name or "unknown"
    return Serving(row.id, ExamState(row.state), device)


def _is_same(item: Dataset, served: Dataset) -> bool:
    study_uid = value_of(item, "StudyInstanceUID")
    return value_of(served, "StudyInstanceUID") == study_uid if study_uid else is_same_item(item, served)


def check_unserved(transaction: Transaction, items: Sequence[WorklistItem]) -> None:
    """Check the items; nobody else starts one before the transaction ends.

    Raises :class:`WrongState` where an open exam serves one of them.
    """
    if transaction.dialect == "postgresql":  # SQLite has one writer
        transaction.rows("SELECT pg_advisory_xact_lock(?)", (_STARTING,))
    serving_each = list_exams_serving(transaction, items)
    for item in items:
        for serving in serving_each[item.id]:
            if serving.state.is_open:
                raise WrongState(
                    f"worklist item {item.id} is served by {serving.where}, which is {serving.state}",
                    advice=f"end it on {serving.device} first"
                    if serving.device
                    else f"openmodality exam acquire {serving.exam_id} goes on with it",
                )


def describe_defects(items: Sequence[WorklistItem]) -> list[str]:
    """What the operator is to know of items that are not as the standard requires."""
    return [f"worklist item {item.id}: {defect}" for item in items for defect in item.defects]
