"""The virtual hospital as a table that lives on a terminal."""

from __future__ import annotations

from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from openmodality.cli.hospital import SERVERS, line
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ItemState
from openmodality.hospital.journal import COMPLAINT

LAST_EVENTS: Final = 8
LAST_ROWS: Final = 8

_COLOURS: Final = {
    ItemState.SCHEDULED: "default",
    ItemState.IN_PROGRESS: "yellow",
    ItemState.COMPLETED: "green",
    ItemState.DISCONTINUED: "red",
}


def hospital_table(hospital: Hospital) -> RenderableType:
    """All that is going on."""
    where = "   ".join(str(hospital.peer(server)) for server in SERVERS)
    misbehaviour = " ".join(hospital.misbehaviour)
    parts: list[RenderableType] = [Text(where, style="bold")]
    if misbehaviour:
        parts.append(Text(f"misbehaving: {misbehaviour}", style="red"))
    parts += [_worklist(hospital), _steps(hospital), _studies(hospital), _commitments(hospital), _events(hospital)]
    return Group(*parts)


def _worklist(hospital: Hospital) -> Table:
    table = _table("Worklist", "State", "Patient", "ID", "Accession", "Step", "Modality", "Station")
    for item in hospital.ris.items:
        state = Text(item.state.value, style=_COLOURS[item.state])
        table.add_row(
            state,
            item.patient_name,
            item.patient_id,
            item.accession_number,
            item.step_id,
            item.modality,
            item.station_ae_title,
        )
    return table


def _steps(hospital: Hospital) -> Table:
    table = _table("Performed steps", "Status", "Station", "Scheduled step", "Instances listed")
    for step in hospital.ris.steps[-LAST_ROWS:]:
        scheduled = ", ".join(key.step_id or "unscheduled" for key in step.scheduled)
        table.add_row(step.status, step.station_ae_title, scheduled, str(len(step.instances)))
    return table


def _studies(hospital: Hospital) -> Table:
    table = _table("Studies", "Patient", "ID", "Modality", "Series", "Instances")
    for study in hospital.pacs.studies[-LAST_ROWS:]:
        counts = str(len(study.series)), str(len(study.instances))
        table.add_row(study.patient_name, study.patient_id, "/".join(study.modalities), *counts)
    return table


def _commitments(hospital: Hospital) -> Table:
    table = _table("Storage commitment", "Requestor", "Instances", "State", "Attempts", "Last error")
    for each in hospital.pacs.commitments[-LAST_ROWS:]:
        table.add_row(each.requestor, str(len(each.references)), each.state.value, str(each.attempts), each.last_error)
    return table


def _events(hospital: Hospital) -> Table:
    table = _table("Last events", "")
    for event in hospital.events[-LAST_EVENTS:]:
        table.add_row(Text(line(event), style="red" if event.kind == COMPLAINT else "default"))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, expand=True, show_header=any(columns))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table
