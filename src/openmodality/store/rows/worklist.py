"""The worklist items that the last queries brought."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue
from sqlalchemy import Connection, RowMapping, delete, exists, select, update

from openmodality.errors import StoreError
from openmodality.store.database import Database
from openmodality.store.files.attributes import keywords_of
from openmodality.store.rows.patients import register_patient
from openmodality.store.schema import exam_steps, patients, worklist_items

_KEYWORDS = keywords_of(worklist_items)


@dataclass(frozen=True, slots=True)
class ReceivedItem:
    """An item as the SCP sent it, and in words what is wrong with it, without its values."""

    item: Dataset
    defects: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """A stored item: ``attributes`` are the keys to list and choose it by, ``item`` the whole data set.

    ``current``: the last query of its source brought it; one that is gone is kept as long as an exam refers to it.
    """

    id: int
    source: str
    attributes: Mapping[str, str]
    item: Dataset
    defects: tuple[str, ...]
    current: bool
    received_at: float

    def __getitem__(self, keyword: str) -> str:
        return self.attributes[keyword]


def replace_worklist(
    database: Database, connection: Connection, source: str, received: Sequence[ReceivedItem]
) -> list[int]:
    """Make the items of ``source`` those of its last complete query; returns their ids in the order received.

    Demographics of patients are added or updated. An item that came before keeps its id.
    """
    rows = {row["key"]: row for row in (_row(source, new, database.clock()) for new in received)}
    connection.execute(update(worklist_items).where(worklist_items.c.source == source).values(current=False))
    for row in rows.values():
        statement = database.insert(worklist_items).values(row)
        changed = {column: statement.excluded[column] for column in row if column not in ("source", "key")}
        connection.execute(statement.on_conflict_do_update(index_elements=["source", "key"], set_=changed))
    _forget(connection, source)
    for new in received:
        demographics = {keyword: _text(new.item, keyword) for keyword in keywords_of(patients)}
        if demographics["PatientID"]:
            register_patient(database, connection, demographics)
    ids = select(worklist_items.c.key, worklist_items.c.id).where(worklist_items.c.source == source)
    by_key = {row.key: row.id for row in connection.execute(ids)}
    return [by_key[key] for key in rows]


def list_worklist(connection: Connection, *, source: str | None = None) -> list[WorklistItem]:
    """The current items, in the order of their scheduled start."""
    columns = worklist_items.c
    statement = select(worklist_items).where(columns.current)
    if source is not None:
        statement = statement.where(columns.source == source)
    start = (columns.ScheduledProcedureStepStartDate, columns.ScheduledProcedureStepStartTime, columns.id)
    return [_item_of(row) for row in connection.execute(statement.order_by(*start)).mappings()]


def get_worklist_item(connection: Connection, item_id: int) -> WorklistItem:
    """One item, current or not. Raises ``StoreError`` when there is none with this number."""
    row = connection.execute(select(worklist_items).where(worklist_items.c.id == item_id)).mappings().first()
    if row is None:
        raise StoreError(f"there is no worklist item {item_id}", advice="query the worklist again")
    return _item_of(row)


def _row(source: str, new: ReceivedItem, now: float) -> dict[str, Any]:
    steps = new.item.get("ScheduledProcedureStepSequence") or [Dataset()]
    attributes = {keyword: _text(new.item, keyword) or _text(steps[0], keyword) for keyword in _KEYWORDS}
    item = new.item.to_json_dict()
    return {
        **attributes,
        "source": source,
        "key": _key(attributes, item),
        "item": item,
        "defects": list(new.defects),
        "current": True,
        "received_at": now,
    }


def _key(attributes: Mapping[str, str], item: Mapping[str, Any]) -> str:
    """What makes an item the same as one of an earlier query; one that lacks its keys is the same if all of it is."""
    study, step = attributes["StudyInstanceUID"], attributes["ScheduledProcedureStepID"]
    if study and step:
        return f"{study} {step}"
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()


def _forget(connection: Connection, source: str) -> None:
    unused = ~exists().where(exam_steps.c.worklist_item_id == worklist_items.c.id)
    gone = (worklist_items.c.source == source) & ~worklist_items.c.current
    connection.execute(delete(worklist_items).where(gone, unused))


def _item_of(row: RowMapping) -> WorklistItem:
    return WorklistItem(
        id=row["id"],
        source=row["source"],
        attributes={keyword: row[keyword] for keyword in _KEYWORDS},
        item=Dataset.from_json(row["item"]),
        defects=tuple(row["defects"]),
        current=row["current"],
        received_at=row["received_at"],
    )


def _text(dataset: Dataset, keyword: str) -> str:
    """The value as the data set has it; several values are parted by a backslash."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, OverflowError):
        return ""  # a value that its VR does not allow stays in the item only
    if value is None:
        return ""
    several = isinstance(value, MultiValue | list)
    return ("\\".join(str(part) for part in value) if several else str(value)).replace("\0", "")
