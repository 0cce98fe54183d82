"""The list of Today as a page shows it: the answer of the last query, and as much of it as somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from openmodality.console.context import ConsoleContext
from openmodality.console.pages.words import describe_attribute, describe_count
from openmodality.console.template_files import format_clock, format_date, format_dicom_time
from openmodality.device.profile.profile import WorklistKey
from openmodality.errors import NotFound
from openmodality.store.rows.served import Serving
from openmodality.store.rows.worklist import WorklistItem, WorklistLine, read_item_texts
from openmodality.value_class import dataclass

SHOWN_AT_ONCE: Final = 50
"""So many items are shown at first, and so many more each time: a page of thousands is slow to draw."""
STATION_KEY: Final = "ScheduledStationAETitle"
_MATCHED: Final = frozenset("SR")
MODALITY_KEY: Final = "Modality"
_DATE: Final = "ScheduledProcedureStepStartDate"
_SHOWN: Final = (
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "AccessionNumber",
    "ScheduledProcedureStepDescription",
    "RequestedProcedureDescription",
)


@dataclass(frozen=True, slots=True)
class ListPart:
    """Which items of the list: those that fit ``find``, up to place ``shown``. The query of an address."""

    find: str = ""
    shown: int = SHOWN_AT_ONCE


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A worklist item in a line. ``state`` is new, in progress, done here or defective."""

    id: int
    start: str
    name: str
    patient_id: str
    birth_date: str
    accession: str
    procedure: str
    state: str
    level: str
    exam_url: str
    defects: Sequence[str]


@dataclass(frozen=True, slots=True)
class WorklistView:
    """A list of items, and what the operator is to know of it.

    ``asked`` says when and whom; ``sent`` are the keys. ``failed`` and ``advice`` say why there are no items. An
    ``is_old`` list has the items of an earlier query. Of the items that fit, those up to place ``shown`` are here;
    ``left`` are behind it, of which ``following`` come next.
    """

    part: ListPart
    asked: str = ""
    peer: str = ""
    sent: Sequence[tuple[str, str]] = ()
    items: Sequence[ItemRow] = ()
    counted: str = ""
    left: int = 0
    notices: Sequence[str] = ()
    failed: str = ""
    advice: str = ""
    is_old: bool = False

    @property
    def following(self) -> int:
        """How many come next."""
        return min(self.left, SHOWN_AT_ONCE)


def list_settable(context: ConsoleContext) -> list[WorklistKey]:
    """The rows of the profile that an operator may set: those that are matched, by one value or by a range.

    A UID is none of them, which nobody types: the device sets it (MR-5.2.1.3-03).
    """
    keys = context.modality.site.profile.worklist_keys
    return [row for row in keys if row.configurable or (row.vr != "UI" and _MATCHED.intersection(row.matching))]


def find_usual_keys(context: ConsoleContext) -> dict[str, str]:
    """What is asked for where nobody sets anything: this device, today."""
    parameters = context.modality.site.parameters
    today = datetime.fromtimestamp(context.modality.clock()).strftime("%Y%m%d")
    usual = {
        STATION_KEY: parameters.text("worklist.scheduled_station_ae_title"),
        MODALITY_KEY: parameters.text("worklist.modality"),
        _DATE: today,
    }
    settable = {row.keyword for row in list_settable(context)}
    return {keyword: value for keyword, value in usual.items() if keyword in settable}


def make_worklist(context: ConsoleContext, part: ListPart, first: int = 0) -> WorklistView:
    """What the last query brought, from place ``first`` on: nothing where it failed, or where nobody has asked."""
    asked = context.memory.asked
    if asked is None:
        return WorklistView(part)
    fitting = _list_fitting(context, asked.items, part.find)
    names = {row.keyword: describe_attribute(row.path[-1]) for row in list_settable(context)}
    keys = asked.keys or find_usual_keys(context)
    return WorklistView(
        part=part,
        asked=format_clock(asked.at),
        peer=asked.peer,
        sent=[(names[keyword], format_date(value)) for keyword, value in keys.items() if value],
        items=_make_rows(context, fitting[first : part.shown]),
        counted=_describe_count(len(fitting), len(asked.items)),
        left=max(len(fitting) - part.shown, 0),
        notices=asked.notices,
        failed=asked.failed,
        advice=asked.advice,
    )


def make_old_list(context: ConsoleContext, part: ListPart, first: int = 0) -> WorklistView:
    """What is stored of earlier queries, to be looked at."""
    lines = context.modality.worklist_lines()
    fitting = [line.id for line in lines if _fits(line, part.find)]
    return WorklistView(
        part=part,
        asked=format_clock(max((line.received_at for line in lines), default=None)),
        items=_make_rows(context, fitting[first : part.shown]),
        counted=_describe_count(len(fitting), len(lines)),
        left=max(len(fitting) - part.shown, 0),
        is_old=True,
    )


def read_asked_lines(context: ConsoleContext) -> list[WorklistLine]:
    """The lines of the answer of the last query; of what is stored where there was none."""
    asked = context.memory.asked
    if asked is None:
        return context.modality.worklist_lines()
    lines = context.modality.worklist_lines(asked.items, context.memory.lines)
    context.memory.note_lines(lines)
    return lines


def _describe_count(found: int, total: int) -> str:
    return f"{found:,} of {describe_count(total, 'item')}" if found != total else describe_count(total, "item")


def _list_fitting(context: ConsoleContext, numbers: Sequence[int], find: str) -> Sequence[int]:
    """The numbers of the items that somebody looks for; all where nothing is looked for."""
    if not find.strip():
        return numbers
    return [line.id for line in read_asked_lines(context) if _fits(line, find)]


def _fits(line: WorklistLine, find: str) -> bool:
    words = ("PatientName", "PatientID", "AccessionNumber", "ScheduledProcedureStepDescription")
    return find.casefold().strip() in "\n".join(line[word] for word in words).replace("^", " ").casefold()


def _make_rows(context: ConsoleContext, numbers: Sequence[int]) -> list[ItemRow]:
    try:
        items = context.modality.find_items(numbers)
    except NotFound:
        return []
    serving = context.modality.find_serving(items)
    return [make_item_row(item, serving[item.id]) for item in items]


def is_whole_identifier(row: ItemRow, find: str) -> bool:
    """Whether what was looked for is the Patient ID or the accession number of an item, as a wristband has it."""
    return find.strip().casefold() in {row.patient_id.casefold(), row.accession.casefold()} - {""}


def make_item_row(item: WorklistItem, serving: Sequence[Serving]) -> ItemRow:
    """An item in a line, with the exams that serve it, newest first."""
    state, level, url = ("defective", "bad", "") if item.defects else ("new", "unknown", "")
    if serving:
        newest = serving[0]
        state, level = ("in progress", "busy") if newest.state.is_open else (f"{newest.state.lower()} here", "ok")
        if newest.device:
            state = f"{newest.state.lower()} at {newest.device}"
        url = "" if newest.device else f"/exam/{newest.exam_id}"
    texts = read_item_texts(item.attributes, _SHOWN)  # at once: a page has many items
    start = (
        format_date(texts["ScheduledProcedureStepStartDate"]),
        format_dicom_time(texts["ScheduledProcedureStepStartTime"]),
    )
    return ItemRow(
        id=item.id,
        start=" ".join(start)[:16].strip(),
        name=texts["PatientName"],
        patient_id=texts["PatientID"],
        birth_date=texts["PatientBirthDate"],
        accession=texts["AccessionNumber"],
        procedure=texts["ScheduledProcedureStepDescription"] or texts["RequestedProcedureDescription"],
        state=state,
        level=level,
        exam_url=url,
        defects=item.defects,
    )
