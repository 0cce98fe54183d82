"""The virtual hospital as a table that lives on a terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from openmodality.cli.display.hospital_lines import SERVERS, format_event_line
from openmodality.cli.terminal.output import clean
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ItemState
from openmodality.hospital.journal import COMPLAINT

LAST_ROWS: Final = 6
FEWEST_ITEMS: Final = 4
TITLE_LINES: Final = 3

_COLOURS: Final = {
    ItemState.SCHEDULED: "default",
    ItemState.IN_PROGRESS: "yellow",
    ItemState.COMPLETED: "green",
    ItemState.DISCONTINUED: "red",
}


def hospital_table(hospital: Hospital, height: int = 50) -> RenderableType:
    """All that is going on, on a terminal of ``height`` lines: tables without rows are left out, long ones are cut."""
    where = "   ".join(str(hospital.peer(server)) for server in SERVERS)
    parts: list[RenderableType] = [Text(where, style="bold")]
    if hospital.misbehaviour:
        parts.append(Text("misbehaving: " + " ".join(hospital.misbehaviour), style="red"))
    rest = [part for part in (_steps(hospital), _studies(hospital), _commitments(hospital), _events(hospital)) if part]
    used = len(parts) + sum(table.row_count + TITLE_LINES for table in rest) + TITLE_LINES
    return Group(*parts, _worklist(hospital, max(height - used - 2, FEWEST_ITEMS)), *rest)


def _worklist(hospital: Hospital, limit: int) -> Table:
    items = hospital.ris.items
    table = _table("Worklist", "State", "Patient", "ID", "Accession", "Step", "Modality", "Station")
    for item in items[:limit]:
        state = Text(item.state.value, style=_COLOURS[item.state])
        who = item.patient_name, item.patient_id, item.accession_number
        table.add_row(state, *_texts(*who, item.step_id, item.modality, item.station_ae_title))
    if len(items) > limit:
        table.add_row(f"... and {len(items) - limit} more")
    return table


def _steps(hospital: Hospital) -> Table | None:
    table = _table("Performed steps", "Status", "Station", "Scheduled step", "Instances listed")
    for step in hospital.ris.steps[-LAST_ROWS:]:
        scheduled = ", ".join(key.step_id or "unscheduled" for key in step.scheduled)
        table.add_row(*_texts(step.status, step.station_ae_title, scheduled, len(step.instances)))
    return table if table.row_count else None


def _studies(hospital: Hospital) -> Table | None:
    table = _table("Studies", "Patient", "ID", "Modality", "Series", "Instances")
    for study in hospital.pacs.studies[-LAST_ROWS:]:
        counts = len(study.series), len(study.instances)
        table.add_row(*_texts(study.patient_name, study.patient_id, "/".join(study.modalities), *counts))
    return table if table.row_count else None


def _commitments(hospital: Hospital) -> Table | None:
    table = _table("Storage commitment", "Requestor", "Instances", "State", "Attempts", "Last error")
    for each in hospital.pacs.commitments[-LAST_ROWS:]:
        count = len(each.references)
        table.add_row(*_texts(each.requestor, count, each.state.value, each.attempts, each.last_error))
    return table if table.row_count else None


def _events(hospital: Hospital) -> Table | None:
    table = _table("Last events", "")
    for event in hospital.events[-LAST_ROWS:]:
        table.add_row(Text(format_event_line(event), style="red" if event.kind == COMPLAINT else "default"))
    return table if table.row_count else None


def _texts(*values: object) -> tuple[Text, ...]:
    """Values for a terminal: a name with brackets in it is no markup."""
    return tuple(Text(clean(str(value))) for value in values)


def _table(title: str, *columns: str) -> Table:
    named = any(columns)
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False, show_header=named)
    for column in columns:
        table.add_column(column, no_wrap=True, header_style="dim")
    return table
