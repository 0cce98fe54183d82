"""Which exams serve a worklist item: one that is open stops another start, one that has ended asks for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from pydicom import Dataset
from sqlalchemy import and_, or_, select

from openmodality.errors import WrongState
from openmodality.store.data_set_json import from_json
from openmodality.store.rows.worklist import WorklistItem, is_same_item, value_of
from openmodality.store.schema import devices, exam_steps, exams
from openmodality.store.states import ExamState
from openmodality.store.transaction import Snapshot, Transaction

_STARTING: Final = 0x4F4E
"""The number of PostgreSQL's advisory lock that means "starting an exam of a worklist item"."""


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
    """The exams that were started for an item, newest first, in whatever room of the department.

    An item is known again by its row, or by its (0020,000D) Study Instance UID and (0040,0009) Scheduled Procedure
    Step ID, which a second source or another device may have too; without that UID by all of its identifiers.
    """
    step_id = item["ScheduledProcedureStepID"]
    columns = exam_steps.c
    same_step = and_(columns.ScheduledProcedureStepID == step_id, columns.ScheduledProcedureStepID != "")
    statement = (
        select(exams.c.id, exams.c.state, exams.c.device_id, devices.c.name, columns.worklist_item_id, columns.item)
        .join(exams, exams.c.id == columns.exam_id)
        .outerjoin(devices, devices.c.id == exams.c.device_id)
        .where(or_(columns.worklist_item_id == item.id, same_step))
        .order_by(exams.c.id.desc())
    )
    return [
        Serving(row.id, ExamState(row.state), "" if row.device_id == snapshot.device_id else row.name or "unknown")
        for row in snapshot.execute(statement)
        if row.worklist_item_id == item.id or _is_same(item.attributes, from_json(row.item))
    ]


def _is_same(item: Dataset, served: Dataset) -> bool:
    study_uid = value_of(item, "StudyInstanceUID")
    return value_of(served, "StudyInstanceUID") == study_uid if study_uid else is_same_item(item, served)


def check_unserved(transaction: Transaction, items: Sequence[WorklistItem]) -> None:
    """Check the items; nobody else starts one before the transaction ends.

    Raises :class:`WrongState` where an open exam serves one of them.
    """
    if transaction.dialect == "postgresql":  # SQLite has one writer
        transaction.rows("SELECT pg_advisory_xact_lock(?)", (_STARTING,))
    for item in items:
        for serving in find_exams_serving(transaction, item):
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
