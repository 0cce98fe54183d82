"""Worklist items that the last queries brought, as the database keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from pydicom import Dataset
from sqlalchemy import RowMapping, select, update

from openmodality.device.item_values import find_element_with_value
from openmodality.device.paths import parse_path
from openmodality.dimse.reading import read_items
from openmodality.errors import NotFound
from openmodality.store.columns import list_keywords
from openmodality.store.data_set_json import from_json, to_json
from openmodality.store.listing.reader import Json
from openmodality.store.rows.patients import DEMOGRAPHICS, keep_patient
from openmodality.store.schema import worklist_items
from openmodality.store.transaction import Snapshot, Transaction

_STEPS = parse_path("ScheduledProcedureStepSequence")[0]
_STEP_KEYWORDS = (
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "ScheduledStationAETitle",
    "Modality",
)
_KEYWORDS = list_keywords(worklist_items)
_UNIQUE: Final = ("device_id", "source", "key")
_IDENTITY = ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID", "ScheduledProcedureStepID", "PatientID")


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """A scheduled procedure step. ``attributes`` is what the RIS said, ``defects`` what is wrong with it, in words.

    ``item["PatientName"]`` reads an attribute of the item or of its scheduled step, empty where there is none.
    """

    id: int
    source: str
    attributes: Dataset
    defects: tuple[str, ...]
    current: bool
    received_at: float

    def __getitem__(self, keyword: str) -> str:
        return value_of(self.attributes, keyword)

    def __repr__(self) -> str:
        """Without what is known of the patient: it may get into a log."""
        step, start = self["ScheduledProcedureStepID"], self["ScheduledProcedureStepStartDate"]
        return f"<WorklistItem {self.id} of {self.source}, step {step!r} on {start}, defects: {len(self.defects)}>"


def value_of(attributes: Dataset, keyword: str) -> str:
    """An attribute of an item, or of its first scheduled step, as text; empty where it is absent or unreadable."""
    steps = read_items(attributes, _STEPS)
    places = (*steps[:1], attributes) if keyword in _STEP_KEYWORDS else (attributes, *steps[:1])
    tag = parse_path(keyword)[0]
    for place in places:
        element = find_element_with_value(place, tag)
        if element is not None and element.VR != "SQ":
            return str(element.value)
    return ""


def keep_items(
    transaction: Transaction,
    source: str,
    found: Sequence[tuple[Dataset, Sequence[str]]],
    *,
    whole: bool,
) -> list[int]:
    """Add or update items of a source, and the demographics of their patients; their numbers.

    ``whole``: the answer holds everything that is scheduled, so other items of this source are no longer current.
    """
    if whole:
        own = (worklist_items.c.device_id == transaction.device_id, worklist_items.c.source == source)
        statement = update(worklist_items).where(*own)
        transaction.execute(statement.values(current=False))
    numbers = [_keep_item(transaction, source, attributes, defects) for attributes, defects in found]
    update_patients(transaction, [attributes for attributes, _ in found])
    return list(dict.fromkeys(numbers))


def _keep_item(transaction: Transaction, source: str, attributes: Dataset, defects: Sequence[str]) -> int:
    columns = {keyword: value_of(attributes, keyword) for keyword in _KEYWORDS}
    row = {
        **columns,
        "device_id": transaction.device_id,
        "source": source,
        "key": make_key(columns),
        "item": to_json(attributes),
        "defects": list(defects),
        "current": True,
        "received_at": transaction.now,
    }
    statement = transaction.insert(worklist_items).values(row)
    changed = {name: statement.excluded[name] for name in row if name not in _UNIQUE}
    statement = statement.on_conflict_do_update(index_elements=_UNIQUE, set_=changed)
    return int(transaction.execute(statement.returning(worklist_items.c.id)).scalar_one())


def make_key(columns: Mapping[str, str]) -> str:
    """What makes an item of a source the same as one that came before."""
    return "|".join(columns[keyword] for keyword in _IDENTITY)


def is_same_item(one: Dataset, other: Dataset) -> bool:
    """Whether two items, of whatever source and device, are the same as far as their identifiers tell."""
    keys = [make_key({keyword: value_of(each, keyword) for keyword in _IDENTITY}) for each in (one, other)]
    return keys[0] == keys[1]


def update_patients(transaction: Transaction, items: Iterable[Dataset]) -> None:
    """Add patients or update what is known of them, where the items say something (R/F 4.2.3.3.1.3)."""
    found = [{keyword: value_of(attributes, keyword) for keyword in DEMOGRAPHICS} for attributes in items]
    for known in sorted(found, key=itemgetter("IssuerOfPatientID", "PatientID")):  # as any other device does
        if known["PatientID"]:
            keep_patient(transaction, known)


def read_worklist(snapshot: Snapshot, numbers: Sequence[int] | None = None) -> list[WorklistItem]:
    """The items with these numbers in their order, or all current ones by their scheduled time."""
    columns = worklist_items.c
    statement = select(worklist_items).where(columns.device_id == snapshot.device_id)
    if numbers is None:
        by_time = (columns.ScheduledProcedureStepStartDate, columns.ScheduledProcedureStepStartTime, columns.id)
        rows = snapshot.execute(statement.where(columns.current).order_by(*by_time)).mappings()
        return [_make_item(row) for row in rows]
    found = {
        row["id"]: _make_item(row) for row in snapshot.execute(statement.where(columns.id.in_(numbers))).mappings()
    }
    missing = [number for number in numbers if number not in found]
    if missing:
        raise NotFound(f"there is no worklist item {missing[0]}", advice="openmodality worklist shows them")
    return [found[number] for number in numbers]


def _make_item(row: RowMapping) -> WorklistItem:
    item: Json = row["item"]
    defects: list[Any] = row["defects"]
    return WorklistItem(
        row["id"], row["source"], from_json(item), tuple(map(str, defects)), row["current"], row["received_at"]
    )
