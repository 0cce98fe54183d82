"""Which exams serve a worklist item: one that is open stops another start, one that has ended asks for a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, or_, select

from openmodality.errors import WrongState
from openmodality.store.rows.exams import IN_PROGRESS, REGISTERED, from_json
from openmodality.store.rows.worklist_items import WorklistItem, value_of
from openmodality.store.schema import exam_steps, exams

OPEN = (REGISTERED, IN_PROGRESS)


def exams_serving(connection: Connection, item: WorklistItem) -> list[tuple[int, str]]:
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
        (row.id, row.state)
        for row in connection.execute(statement)
        if row.worklist_item_id == item.id
        or (study_uid and value_of(from_json(row.item), "StudyInstanceUID") == study_uid)
    ]


def check_unserved(connection: Connection, items: Sequence[WorklistItem]) -> None:
    """Raise :class:`WrongState` where an open exam serves one of the items."""
    for item in items:
        for exam_id, state in exams_serving(connection, item):
            if state in OPEN:
                raise WrongState(
                    f"worklist item {item.id} is served by exam {exam_id}, which is {state}",
                    advice=f"openmodality exam acquire {exam_id} goes on with it",
                )


def defect_notices(items: Sequence[WorklistItem]) -> list[str]:
    """What the operator is to know of items that are not as the standard wants them."""
    return [f"worklist item {item.id}: {defect}" for item in items for defect in item.defects]
