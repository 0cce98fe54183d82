"""The virtual hospital as a table that lives on a terminal.

The newest row stands last in each part, and older rows scroll out at the top. On a narrow terminal columns are left out
in a declared order; what a person compares, such as an accession number, is never cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from openmodality.cli.display.hospital_lines import SERVERS, format_event_line
from openmodality.cli.terminal.output import GAP, clean
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ItemState, ScheduledItem
from openmodality.hospital.journal import COMPLAINT

LAST_ROWS: Final = 6
FEWEST_ITEMS: Final = 4
TITLE_LINES: Final = 3
_CUT: Final = {"Patient": 16, "Last error": 20, "Scheduled step": 20}
"""Columns whose texts may be cut, down to about this width."""

_COLOURS: Final = {
    ItemState.SCHEDULED: "default",
    ItemState.IN_PROGRESS: "yellow",
    ItemState.COMPLETED: "green",
    ItemState.DISCONTINUED: "red",
}


def hospital_table(hospital: Hospital, height: int = 50, width: int = 80) -> RenderableType:
    """All that is going on, on a terminal of ``height`` lines: tables without rows are left out, long ones are cut."""
    where = "   ".join(str(hospital.peer(server)) for server in SERVERS)
    if hospital.audit is not None:
        where += f"   audit {hospital.audit.host}:{hospital.audit.port}, {len(hospital.audit.messages)} messages"
    parts: list[RenderableType] = [Text(where, style="bold")]
    if hospital.misbehaviour:
        parts.append(Text("misbehaving: " + " ".join(hospital.misbehaviour), style="red"))
    made = (
        _make_steps(hospital, width),
        _make_studies(hospital, width),
        _make_commitments(hospital, width),
        _make_events(hospital),
    )
    rest = [part for part in made if part.row_count]
    used = len(parts) + sum(table.row_count + TITLE_LINES for table in rest) + TITLE_LINES
    return Group(*parts, _make_worklist(hospital, max(height - used - 2, FEWEST_ITEMS), width), *rest)


def _make_worklist(hospital: Hospital, limit: int, width: int) -> Table:
    items = _sort_by_change(hospital)
    rows = [
        (
            Text(item.state.value, style=_COLOURS[item.state]),
            *_make_texts(item.patient_name, item.patient_id, item.accession_number),
            *_make_texts(item.step_id, item.modality, item.station_ae_title),
        )
        for item in items[-limit:]
    ]
    columns = ("State", "Patient", "ID", "Accession", "Step", "Modality", "Station")
    hidden = len(items) - len(rows)
    title = f"Worklist, {hidden} more above" if hidden else "Worklist"
    return _make_table(title, columns, rows, width, ("Station", "Modality", "Step", "ID"))


def _sort_by_change(hospital: Hospital) -> list[ScheduledItem]:
    """The worklist items in the order of their last performed step; those without one first, as they are scheduled."""
    last = {key: number for number, step in enumerate(hospital.ris.steps) for key in step.scheduled}
    return sorted(hospital.ris.items, key=lambda item: last.get(item.key, -1))


def _make_steps(hospital: Hospital, width: int) -> Table:
    rows = [
        _make_texts(
            step.status,
            step.station_ae_title,
            ", ".join(key.step_id or "unscheduled" for key in step.scheduled),
            len(step.instances),
        )
        for step in hospital.ris.steps[-LAST_ROWS:]
    ]
    return _make_table("Performed steps", ("Status", "Station", "Scheduled step", "Instances listed"), rows, width)


def _make_studies(hospital: Hospital, width: int) -> Table:
    rows = [
        _make_texts(
            study.patient_name,
            study.patient_id,
            "/".join(study.modalities),
            len(study.series),
            len(study.instances),
        )
        for study in hospital.pacs.studies[-LAST_ROWS:]
    ]
    return _make_table("Studies", ("Patient", "ID", "Modality", "Series", "Instances"), rows, width)


def _make_commitments(hospital: Hospital, width: int) -> Table:
    rows = [
        _make_texts(each.requestor, len(each.references), each.state.value, each.attempts, each.last_error)
        for each in hospital.pacs.commitments[-LAST_ROWS:]
    ]
    columns = ("Requestor", "Instances", "State", "Attempts", "Last error")
    return _make_table("Storage commitment", columns, rows, width, ("Attempts",))


def _make_events(hospital: Hospital) -> Table:
    table = Table(title="\nLast events", title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column("", no_wrap=True)
    for event in hospital.events[-LAST_ROWS:]:
        table.add_row(Text(format_event_line(event), style="red" if event.kind == COMPLAINT else "default"))
    return table


def _make_texts(*values: object) -> tuple[Text, ...]:
    """Values for a terminal: a name with brackets in it is no markup."""
    return tuple(Text(clean(str(value))) for value in values)


def _make_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Text]], width: int, dropped: Sequence[str] = ()
) -> Table:
    """A table no wider than the terminal: columns go in the order of ``dropped``, then texts of ``_CUT`` are cut."""
    widths = {name: _measure_column(name, index, rows) for index, name in enumerate(columns)}
    for name in dropped:
        if _sum_widths({each: min(needed, _CUT.get(each, needed)) for each, needed in widths.items()}) > width:
            del widths[name]
    over = _sum_widths(widths) - width
    for name in _CUT.keys() & widths.keys():
        cut = max(min(over, widths[name] - _CUT[name]), 0)
        widths[name], over = widths[name] - cut, over - cut
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for name, needed in widths.items():
        table.add_column(name, no_wrap=True, header_style="dim", width=needed)
    shown = [columns.index(name) for name in widths]
    for row in rows:
        table.add_row(*(row[index] for index in shown))
    return table


def _sum_widths(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)


def _measure_column(name: str, index: int, rows: Sequence[Sequence[Text]]) -> int:
    return max(cell_len(text.plain) for text in (Text(name), *(row[index] for row in rows)))
