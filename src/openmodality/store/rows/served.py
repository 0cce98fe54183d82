"""Which exams serve a worklist item: one that is open stops another start, one that has ended asks for a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, or_, select

from openmodality.errors import WrongState
from openmodality.store.data_set_json import from_json
from openmodality.store.rows.worklist import WorklistItem, value_of
from openmodality.store.schema import exam_steps, exams
from openmodality.store.states import ExamState
from openmodality.store.transaction import Snapshot


def find_exams_serving(snapshot: Snapshot, item: WorklistItem) -> list[tuple[int, ExamState]]:
    """Number and state of the exams that were started for an item, newest first.

    An item is known again by its row, or by its (0020,000D) Study Instance UID and (0040,0009) Scheduled Procedure
    Step ID, which a second source may have too.
    """
    study_uid, step_id = item["StudyInstanceUID"], item["ScheduledProcedureStepID"]
    columns = exam_steps.c
    same_step = and_(columns.ScheduledProcedureStepID == step_id, columns.ScheduledProcedureStepID != "")
    statement = (
        select(exams.c.id, exams.c.state, columns.worklist_item_id, columns.item)
        .join(exams, exams.c.id == columns.exam_id)
        .where(or_(columns.worklist_item_id == item.id, same_step))
        .order_by(exams.c.id.desc())
    )
    return [
        (row.id, ExamState(row.state))
        for row in snapshot.execute(statement)
        if row.worklist_item_id == item.id
        or (study_uid and value_of(from_json(row.item), "StudyInstanceUID") == study_uid)
    ]


def check_unserved(snapshot: Snapshot, items: Sequence[WorklistItem]) -> None:
    """Check the items. Raises :class:`WrongState` where an open exam serves one of them."""
    for item in items:
        for exam_id, state in find_exams_serving(snapshot, item):
            if state.is_open:
                raise WrongState(
                    f"worklist item {item.id} is served by exam {exam_id}, which is {state}",
                    advice=f"openmodality exam acquire {exam_id} goes on with it",
                )


def describe_defects(items: Sequence[WorklistItem]) -> list[str]:
    """What the operator is to know of items that are not as the standard requires."""
    return [f"worklist item {item.id}: {defect}" for item in items for defect in item.defects]
