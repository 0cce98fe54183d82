"""Hospital, in a demonstration: what is scheduled, what RIS, PACS and printer got, and how they misbehave on purpose.

It is the trainer's screen. It is there where the hospital runs in the process of the device, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.security.access import At, Operator, SentForm, Viewer
from openmodality.console.template_files import format_clock, format_dicom_time
from openmodality.dimse.reading import read_items, read_text
from openmodality.errors import NotFound
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ScheduledItem
from openmodality.hospital.personalities import ALL_SERVERS, PERSONALITIES
from openmodality.standard.tags import (
    ACCESSION_NUMBER,
    PATIENT_ID,
    PATIENT_NAME,
    SCHEDULED_PROCEDURE_STEP_DESCRIPTION,
    SCHEDULED_PROCEDURE_STEP_SEQUENCE,
    SCHEDULED_PROCEDURE_STEP_START_DATE,
    SCHEDULED_PROCEDURE_STEP_START_TIME,
    SCHEDULED_STATION_AE_TITLE,
)
from openmodality.value_class import dataclass

_MOST_ROWS: Final = 50
_MOST_EVENTS: Final = 100
_TITLES: Final = {"ris": "RIS", "pacs": "PACS", "printer": "Printer"}


@dataclass(frozen=True, slots=True)
class ScheduledRow:
    """A scheduled procedure step in a line."""

    station: str
    start: str
    name: str
    patient_id: str
    accession: str
    procedure: str
    state: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """A performed step that the RIS was told of."""

    uid: str
    name: str
    patient_id: str
    state: str


@dataclass(frozen=True, slots=True)
class ArchivedRow:
    """A study that the PACS has."""

    uid: str
    name: str
    modalities: str
    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class PersonalityRow:
    """A way to misbehave; ``active`` are the texts by which it is switched on now."""

    text: str
    summary: str
    active: Sequence[str]


@dataclass(frozen=True, slots=True)
class ServerView:
    """One system of the hospital, and what it can do wrong."""

    name: str
    title: str
    address: str
    personalities: Sequence[PersonalityRow]
    active: int


@dataclass(frozen=True, slots=True)
class HospitalEvent:
    """Something that happened, or that a device did wrong."""

    at: str
    place: str
    text: str
    is_complaint: bool


@dataclass(frozen=True, slots=True)
class HospitalView:
    """The hospital as it is now."""

    schedule: Sequence[ScheduledRow]
    steps: Sequence[StepRow]
    studies: Sequence[ArchivedRow]
    commitments: Sequence[tuple[str, int, str]]
    films: Sequence[tuple[int, str]]
    events: Sequence[HospitalEvent]
    complaints: int
    servers: Sequence[ServerView]
    active: Sequence[str]


def find_hospital(context: At) -> Hospital:
    """The hospital that the device is in. Raises :class:`NotFound` where it is in none of this process."""
    if context.hospital is None:
        raise NotFound("there is no such page", advice="go on with one of the places")
    return context.hospital


HospitalHere = Annotated[Hospital, Depends(find_hospital)]
router = APIRouter()


@router.get("/hospital")
def _show_hospital(request: Request, viewer: Viewer, context: At, hospital: HospitalHere) -> Response:
    page = Page("hospital.html", "Hospital", "hospital")
    return render_page(request, context, viewer, page, hospital=make_hospital(hospital))


@router.get("/hospital/part")
def _show_part(request: Request, viewer: Viewer, context: At, hospital: HospitalHere) -> Response:
    return render_part(request, context, viewer, "part_hospital.html", hospital=make_hospital(hospital))


@router.get("/hospital/film/{number}")
def _send_film(_: Viewer, hospital: HospitalHere, number: int) -> Response:
    films = hospital.printer.films
    if not 1 <= number <= len(films):
        raise NotFound(f"no sheet {number} came out of the printer", advice="Hospital lists those that did")
    return Response(films[number - 1].picture.read_bytes(), media_type="image/png")


@router.post("/hospital/misbehave")
def _misbehave(who: Operator, form: SentForm, context: At, hospital: HospitalHere) -> Response:
    def misbehave() -> str:
        hospital.misbehave(form["text"])
        return f"Switched on: {form['text']}."

    return do_and_return(context, who, "/hospital#switches", misbehave)


@router.post("/hospital/behave")
def _behave(who: Operator, form: SentForm, context: At, hospital: HospitalHere) -> Response:
    def behave() -> str:
        hospital.behave(*filter(None, [form["text"]]))
        return f"Switched off: {form['text'] or 'everything'}."

    return do_and_return(context, who, "/hospital#switches", behave)


def make_hospital(hospital: Hospital) -> HospitalView:
    """What the hospital has and does, the newest of it."""
    active = hospital.misbehaviour
    return HospitalView(
        schedule=[make_scheduled_row(item) for item in hospital.ris.items[:_MOST_ROWS]],
        steps=[
            StepRow(
                each.sop_instance_uid,
                read_text(each.attributes, PATIENT_NAME),
                read_text(each.attributes, PATIENT_ID),
                each.status,
            )
            for each in hospital.ris.steps[-_MOST_ROWS:][::-1]
        ],
        studies=[
            ArchivedRow(
                each.study_instance_uid,
                each.patient_name,
                ", ".join(each.modalities),
                len(each.series),
                len(each.instances),
            )
            for each in hospital.pacs.studies[-_MOST_ROWS:][::-1]
        ],
        commitments=[
            (each.requestor, len(each.references), each.state.value)
            for each in hospital.pacs.commitments[-_MOST_ROWS:][::-1]
        ],
        films=[
            (number, film.film.image_display_format or "")
            for number, film in enumerate(hospital.printer.films[:_MOST_ROWS], start=1)
        ],
        events=list_newest_events(hospital),
        complaints=len(hospital.complaints),
        servers=[make_server(hospital, name, active) for name in ALL_SERVERS],
        active=active,
    )


def make_scheduled_row(item: ScheduledItem) -> ScheduledRow:
    """A scheduled step as a line."""
    steps = read_items(item.data_set, SCHEDULED_PROCEDURE_STEP_SEQUENCE)
    step = steps[0] if steps else item.data_set
    day, time = (
        read_text(step, tag) for tag in (SCHEDULED_PROCEDURE_STEP_START_DATE, SCHEDULED_PROCEDURE_STEP_START_TIME)
    )
    return ScheduledRow(
        station=read_text(step, SCHEDULED_STATION_AE_TITLE),
        start=f"{day[:4]}-{day[4:6]}-{day[6:]} {format_dicom_time(time)}"[:16],
        name=read_text(item.data_set, PATIENT_NAME),
        patient_id=read_text(item.data_set, PATIENT_ID),
        accession=read_text(item.data_set, ACCESSION_NUMBER),
        procedure=read_text(step, SCHEDULED_PROCEDURE_STEP_DESCRIPTION),
        state=str(item.state.value),
    )


def list_newest_events(hospital: Hospital) -> list[HospitalEvent]:
    """What happened, the newest first."""
    newest = hospital.events[-_MOST_EVENTS:][::-1]
    return [
        HospitalEvent(format_clock(each.time.timestamp()), each.place, each.text, each.kind == "complaint")
        for each in newest
    ]


def make_server(hospital: Hospital, name: str, active: Sequence[str]) -> ServerView:
    """A system with what it can do wrong."""
    rows = [
        PersonalityRow(
            f"{name}:{each}", personality.summary, [text for text in active if _is_of(text, f"{name}:{each}", each)]
        )
        for each, personality in PERSONALITIES.items()
        if name in personality.servers
    ]
    return ServerView(
        name, _TITLES[name], str(hospital.peer(name)), rows, sum(len(row.active) for row in rows)
    )  # fmt: skip


def _is_of(text: str, whole: str, name: str) -> bool:
    """Whether a personality that is switched on, ``pacs:a700@5``, is this one."""
    bare = text
    for sign in "=@/":
        bare = bare.partition(sign)[0]
    return bare in (whole, name)
