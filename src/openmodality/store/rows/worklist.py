"""Worklist items that the last queries brought, as the database keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

from pydicom import Dataset
from pydicom.dataelem import DataElement
from sqlalchemy import ColumnElement, Row, RowMapping, func, select, update

from openmodality.device.paths import parse_path
from openmodality.dimse.reading import is_filled, read_elements
from openmodality.errors import NotFound
from openmodality.store.columns import list_keywords
from openmodality.store.data_set_json import from_json, to_json_text
from openmodality.store.listing.reader import Json
from openmodality.store.rows.patients import DEMOGRAPHICS, keep_patients
from openmodality.store.schema import worklist_items
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass

_STEPS = parse_path("ScheduledProcedureStepSequence")[0]
_STEP_KEYWORDS = (
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "ScheduledStationAETitle",
    "Modality",
)
_KEYWORDS = list_keywords(worklist_items)
_KEPT: Final = tuple(dict.fromkeys((*_KEYWORDS, *DEMOGRAPHICS)))
_LINE_COLUMNS: Final = ("PatientName", "PatientID", "AccessionNumber")
_LINE_TEXTS: Final = ("PatientBirthDate", "RequestedProcedureDescription", "ScheduledProcedureStepDescription")
_LINE_KEYWORDS: Final = (*_LINE_COLUMNS, *_LINE_TEXTS)
_AT_ONCE: Final = 500
_NUMBERS_AT_ONCE: Final = 5000
_UNIQUE: Final = ("device_id", "source", "key")
_WRITTEN: Final = (*_UNIQUE, *_KEYWORDS, "item", "defects", "current", "received_at")
_read_columns: Final = itemgetter(*_KEYWORDS)
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


@dataclass(frozen=True, slots=True)
class WorklistLine:
    """What a list of thousands is searched by, without the data set of each item: patient, accession, procedure."""

    id: int
    received_at: float
    texts: Mapping[str, str]

    def __getitem__(self, keyword: str) -> str:
        return self.texts[keyword]

    def __repr__(self) -> str:
        """Without what is known of the patient."""
        return f"<WorklistLine {self.id}>"


Lines = Mapping[int, WorklistLine]
"""Lines by the numbers of their items."""
NO_LINES: Final[Lines] = MappingProxyType({})


def value_of(attributes: Dataset, keyword: str) -> str:
    """An attribute of an item, or of its first scheduled step, as text; empty where it is absent or unreadable."""
    return read_item_texts(attributes, (keyword,))[keyword]


def read_item_texts(attributes: Dataset, keywords: Iterable[str]) -> dict[str, str]:
    """Several attributes of an item, as :func:`value_of` reads one."""
    above = read_elements(attributes)
    steps = above.get(_STEPS)
    inside = read_elements(steps.value[0]) if steps is not None and steps.VR == "SQ" and steps.value else {}
    found = {}
    for keyword, tag, is_inside in _find_places(tuple(keywords)):
        first, second = (inside, above) if is_inside else (above, inside)
        element = first.get(tag)
        text = _read_text_of(element) if element is not None else ""
        if not text and tag in second:
            text = _read_text_of(second[tag])
        found[keyword] = text
    return found


@lru_cache(maxsize=64)
def _find_places(keywords: tuple[str, ...]) -> tuple[tuple[str, int, bool], ...]:
    """The tags of these attributes, and whether each is one of the step."""
    return tuple((keyword, _find_tag(keyword), keyword in _STEP_KEYWORDS) for keyword in keywords)


def _read_text_of(element: DataElement | None) -> str:
    """What an element says; empty where it is absent, unreadable, no more than padding, or a sequence."""
    if element is None or element.VR == "SQ" or not is_filled(element):
        return ""
    return str(element.value)


@cache
def _find_tag(keyword: str) -> int:
    return parse_path(keyword)[0]


def keep_items(
    transaction: Transaction,
    source: str,
    found: Sequence[tuple[Dataset, Sequence[str]]],
    *,
    whole: bool,
) -> list[WorklistItem]:
    """Add or update items of a source, and the demographics of their patients; each item once, as it is kept.

    ``whole``: the answer holds everything that is scheduled, so other items of this source are no longer current.
    """
    if whole:
        own = (worklist_items.c.device_id == transaction.device_id, worklist_items.c.source == source)
        transaction.execute(update(worklist_items).where(*own).values(current=False))
    texts = [read_item_texts(attributes, _KEPT) for attributes, _ in found]
    keys = list(map(make_key, texts))
    now, of_source = transaction.now, (transaction.device_id, source)
    rows = {
        key: (*of_source, key, *_read_columns(said), to_json_text(attributes), json.dumps(list(defects)), True, now)
        for key, said, (attributes, defects) in zip(keys, texts, found, strict=True)
    }
    transaction.put_rows(worklist_items.name, _WRITTEN, _UNIQUE, list(rows.values()))
    _keep_demographics(transaction, texts)
    numbers = _read_numbers(transaction, source, keys)
    kept: dict[int, WorklistItem] = {}
    for key, (attributes, defects) in zip(keys, found, strict=True):
        kept[numbers[key]] = WorklistItem(numbers[key], source, attributes, tuple(defects), True, now)
    return list(kept.values())


def _read_numbers(snapshot: Snapshot, source: str, keys: Sequence[str]) -> dict[str, int]:
    """The numbers of items of a source by their keys."""
    columns = worklist_items.c
    own = select(columns.key, columns.id).where(columns.device_id == snapshot.device_id, columns.source == source)
    found: dict[str, int] = {}
    for start in range(0, len(keys), _AT_ONCE):
        rows = snapshot.execute(own.where(columns.key.in_(keys[start : start + _AT_ONCE])))
        found |= {row.key: row.id for row in rows}
    return found


def make_key(columns: Mapping[str, str]) -> str:
    """What makes an item of a source the same as one that came before."""
    return "|".join(columns[keyword] for keyword in _IDENTITY)


def is_same_item(one: Dataset, other: Dataset) -> bool:
    """Whether two items, of whatever source and device, are the same as far as their identifiers tell."""
    keys = [make_key(read_item_texts(each, _IDENTITY)) for each in (one, other)]
    return keys[0] == keys[1]


def _keep_demographics(transaction: Transaction, texts: Iterable[Mapping[str, str]]) -> None:
    """Add patients or update what is known of them, where the items say something (R/F 4.2.3.3.1.3)."""
    known = [{keyword: each[keyword] for keyword in DEMOGRAPHICS} for each in texts if each["PatientID"]]
    keep_patients(transaction, known)


def read_worklist(snapshot: Snapshot, numbers: Sequence[int] | None = None) -> list[WorklistItem]:
    """The items with these numbers in their order, or all current ones by their scheduled time."""
    columns = worklist_items.c
    statement = select(worklist_items).where(columns.device_id == snapshot.device_id)
    if numbers is None:
        by_time = (columns.ScheduledProcedureStepStartDate, columns.ScheduledProcedureStepStartTime, columns.id)
        rows = snapshot.execute(statement.where(columns.current).order_by(*by_time)).mappings()
        return [_make_item(row) for row in rows]
    found: dict[int, WorklistItem] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        some = statement.where(columns.id.in_(numbers[start : start + _AT_ONCE]))
        found |= {row["id"]: _make_item(row) for row in snapshot.execute(some).mappings()}
    missing = [number for number in numbers if number not in found]
    if missing:
        raise NotFound(f"there is no worklist item {missing[0]}", advice="openmodality worklist shows them")
    return [found[number] for number in numbers]


def read_lines(snapshot: Snapshot, numbers: Sequence[int] | None = None, known: Lines = NO_LINES) -> list[WorklistLine]:
    """As :func:`read_worklist`, in a tenth of its time; items that are not there any more are left out.

    Of ``known`` lines, by their numbers, those are taken as they are whose items have not come again since.
    """
    columns = worklist_items.c
    kept = [columns[keyword] for keyword in _LINE_COLUMNS]
    within = [_select_text(keyword) for keyword in _LINE_TEXTS]
    statement = select(columns.id, columns.received_at, *kept, *within).where(columns.device_id == snapshot.device_id)
    if numbers is None:
        by_time = (columns.ScheduledProcedureStepStartDate, columns.ScheduledProcedureStepStartTime, columns.id)
        return [_make_line(row) for row in snapshot.execute(statement.where(columns.current).order_by(*by_time))]
    received = _read_received(snapshot, numbers) if known else dict.fromkeys(numbers, 0.0)
    found = {number: known[number] for number, at in received.items() if _is_same_line(known.get(number), at)}
    missing = [number for number in received if number not in found]
    for start in range(0, len(missing), _AT_ONCE):
        some = statement.where(columns.id.in_(missing[start : start + _AT_ONCE]))
        found |= {row.id: _make_line(row) for row in snapshot.execute(some)}
    return [found[number] for number in numbers if number in found]


def _read_received(snapshot: Snapshot, numbers: Sequence[int]) -> dict[int, float]:
    """When the items came last, by their numbers."""
    found: dict[int, float] = {}
    for start in range(0, len(numbers), _NUMBERS_AT_ONCE):
        among = ", ".join(str(int(number)) for number in numbers[start : start + _NUMBERS_AT_ONCE])
        sql = f"SELECT id, received_at FROM worklist_items WHERE device_id = ? AND id IN ({among})"
        found |= {row["id"]: row["received_at"] for row in snapshot.rows(sql, (snapshot.device_id,))}
    return found


def _is_same_line(line: WorklistLine | None, received_at: float) -> bool:
    return line is not None and line.received_at == received_at


def _select_text(keyword: str) -> ColumnElement[str]:
    """The first value of an attribute of an item, else of its first step: the database reads JSON soonest."""
    value = (f"{_find_tag(keyword):08X}", "Value", 0)
    places = (value, (f"{_STEPS:08X}", "Value", 0, *value))
    return func.coalesce(*(worklist_items.c.item[place].as_string() for place in places), "")


def _make_line(row: Row[Any]) -> WorklistLine:
    number, received_at, *texts = tuple(row)
    return WorklistLine(number, received_at, dict(zip(_LINE_KEYWORDS, texts, strict=True)))


def _make_item(row: RowMapping) -> WorklistItem:
    item: Json = row["item"]
    defects: list[Any] = row["defects"]
    return WorklistItem(
        row["id"], row["source"], from_json(item), tuple(map(str, defects)), row["current"], row["received_at"]
    )
