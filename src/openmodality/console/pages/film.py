"""Film: images put onto sheets, seen as they will be printed, and printed (MR-2.2, MR-4.2, RF-4.1.1-11, RF-4.2.7).

A sheet is drawn from what is sent to the printer, through the Presentation LUT. Images of a second patient are told
before they are printed, and printed only where a person says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.activities.film_making import FilmFrame, SheetPlan
from openmodality.app.local_data import Chosen
from openmodality.console.context import ConsoleContext
from openmodality.console.memory import Contact
from openmodality.console.pages.film_fields import (
    FIELD_NAMES,
    TICKS,
    FilmField,
    find_errors,
    list_fields,
    make_order,
)
from openmodality.console.pages.jobs import JobRow, make_rows
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.template_files import format_person
from openmodality.console.trays import Tray, TrayItem, move_item, remove_items
from openmodality.device.site.site import Printer
from openmodality.errors import OpenModalityError, UsageError, WrongState
from openmodality.imaging.film.layout import measure_film, place_boxes
from openmodality.store.states import JobKind

_FILM: Final = "film"
_MOST_SHEETS: Final = 40
_MOST_JOBS: Final = 10
_SCREEN_DPI: Final = 60
_LIGHT_BOX_DPI: Final = 150
_RANGE: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class SheetBox:
    """A box of a sheet in mm; ``place`` is that of its image in the list, and empty boxes have no image."""

    left: float
    top: float
    width: float
    height: float
    uid: str
    place: int
    said: str


@dataclass(frozen=True, slots=True)
class SheetView:
    """A sheet in its true proportions."""

    number: int
    width: float
    height: float
    boxes: Sequence[SheetBox]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image in the order of the film; ``place`` counts from 1."""

    place: int
    uid: str
    name: str
    patient_id: str
    title: str
    frames: str


@dataclass(frozen=True, slots=True)
class FilmView:
    """A film that is put together. ``failed`` says why it cannot be printed as it is."""

    version: int
    printer: str
    printers: Sequence[tuple[str, str]]
    fields: Sequence[FilmField]
    ticks: Sequence[tuple[str, str, bool]]
    rows: Sequence[ImageRow]
    sheets: Sequence[SheetView]
    total: int
    said: str
    patients: Sequence[str]
    failed: str
    advice: str
    contact: Contact | None


router = APIRouter()


@router.get("/film")
def _show_film(request: Request, viewer: Viewer, context: At) -> Response:
    page = Page("film.html", "Film", "film")
    return render_page(
        request, context, viewer, page, film=make_film(context, viewer), groups=list_film_jobs(context)
    )  # fmt: skip


@router.get("/film/jobs")
def _show_jobs(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_film_jobs.html", groups=list_film_jobs(context))


@router.get("/film/sheet/{number}")
def _send_sheet(viewer: Viewer, context: At, number: int, large: bool = False) -> Response:
    plan = make_plan(context, context.memory.trays.look(viewer.session, _FILM))
    picture = context.modality.films.draw_sheet(plan, number, _LIGHT_BOX_DPI if large else _SCREEN_DPI)
    return Response(picture, media_type="image/png")


@router.post("/film/choices")
def _choose(request: Request, who: Operator, form: SentForm, context: At) -> Response:
    tray = context.memory.trays.change(who.session, _FILM, lambda tray: replace(tray, choices=read_choices(form)))
    if find_errors(tray.choices):
        page = Page("film.html", "Film", "film", status=400)
        return render_page(
            request, context, who, page, film=make_film(context, who), groups=list_film_jobs(context)
        )  # fmt: skip
    return RedirectResponse("/film", 303)


@router.post("/film/place")
def _place(who: Operator, form: SentForm, context: At) -> Response:
    def place() -> str:
        if not form["to"].isdecimal():
            raise UsageError("a place is a whole number, from 1", advice="1 is the first image box of the first sheet")
        context.memory.trays.change(who.session, _FILM, lambda tray: move_item(tray, form["uid"], int(form["to"]) - 1))
        return f"Now image {form['to']} of the film."

    return do_and_return(context, who, "/film", place)


@router.post("/film/frames")
def _choose_frames(who: Operator, form: SentForm, context: At) -> Response:
    def choose() -> str:
        frames = read_frames(form["frames"])

        def set_frames(tray: Tray) -> Tray:
            items = (replace(each, frames=frames) if each.uid == form["uid"] else each for each in tray.items)
            changed = replace(tray, items=tuple(items))
            make_plan(context, changed)  # says which frames there are
            return changed

        context.memory.trays.change(who.session, _FILM, set_frames)
        return f"Frames {format_frames(frames)} are on the film."

    return do_and_return(context, who, "/film", choose)


@router.post("/film/remove")
def _remove(who: Operator, form: SentForm, context: At) -> Response:
    def remove() -> str:
        tray = context.memory.trays.look(who.session, _FILM)
        uids = [item.uid for item in tray.items] if form["all"] else form.list_all("uid")
        context.memory.trays.change(who.session, _FILM, lambda tray: remove_items(tray, uids))
        return f"Taken off the film: {describe_count(len(uids), 'image')}."

    return do_and_return(context, who, "/film", remove)


@router.post("/film/print")
def _print(who: Operator, form: SentForm, context: At) -> Response:
    def order() -> str:
        tray = context.memory.trays.look(who.session, _FILM)
        if form["version"] != str(tray.version):
            raise WrongState("the film was changed meanwhile, and is shown as it is now", advice="look at it again")
        tray = context.memory.trays.change(who.session, _FILM, lambda tray: replace(tray, choices=read_choices(form)))
        check_patients(tray, accepts=form["several"] == "yes")
        printer = choose_printer(context, tray)
        job = context.modality.films.order(_name_images(tray), printer.name, make_order(printer, tray))
        uids = [item.uid for item in tray.items]
        context.memory.trays.change(who.session, _FILM, lambda tray: remove_items(tray, uids))
        return f"Queued as job {job.id}: {printer.name} prints {describe_count(len(uids), 'image')}."

    return do_and_return(context, who, "/film", order)


@router.post("/film/jobs/{job_id}/cancel")
def _cancel_print(who: Operator, _: SentForm, context: At, job_id: int) -> Response:
    """A print job is cancelled by who printed (RF-4.1.2.7-03); other jobs are the senior's."""

    def cancel() -> str:
        if context.modality.jobs.show(job_id).job.kind is not JobKind.PRINT:
            raise UsageError(f"job {job_id} prints nothing", advice="cancel it under Jobs")
        job = context.modality.jobs.cancel(job_id)
        return f"Job {job.id} is cancelled." if job.state.finished else f"Job {job.id} ends after this sheet."

    return do_and_return(context, who, "/film", cancel)


@router.post("/film/ask")
def _ask_printer(who: Operator, form: SentForm, context: At) -> Response:
    def ask() -> str:
        name, at = form["printer"], context.modality.clock()
        try:
            _, answer = context.modality.films.ask_printer(name)
        except OpenModalityError as error:
            contact = Contact(at, is_success=False, said=error.message, advice=error.advice)
            context.memory.note_contact(name, contact)
            raise
        said = ": ".join(dict.fromkeys(filter(None, (answer.status or "ready", answer.info))))
        context.memory.note_contact(name, Contact(at, answer.status in ("", "NORMAL"), said))
        return f"{name} says: {said}."

    return do_and_return(context, who, "/film", ask)


def read_choices(form: Form) -> dict[str, str]:
    """The fields of a film as they were typed; a box that is not ticked sends nothing."""
    ticks = {name: "yes" if form[name] else "no" for name, _ in TICKS}
    return {**{name: form[name] for name in FIELD_NAMES}, **ticks}


def check_patients(tray: Tray, *, accepts: bool) -> None:
    """Raises :class:`UsageError` where images of several patients were not asked for."""
    if len(tray.patients) > 1 and not accepts:
        names = " and ".join(describe_patients(tray))
        raise UsageError(
            f"nothing was printed: there are images of {len(tray.patients)} patients on it, {names}",
            advice="take the images off that do not belong there, or tick the box that says that they do",
        )


def describe_patients(tray: Tray) -> list[str]:
    """Whose images there are, with their IDs."""
    return [f"{format_person(name) or 'no name'} ({patient_id or 'no ID'})" for patient_id, name in tray.patients]


def read_frames(text: str) -> tuple[int, ...]:
    """Frames as people write them: ``1-4, 9``. Raises :class:`UsageError` for anything else."""
    frames: list[int] = []
    for part in filter(None, map(str.strip, text.split(","))):
        found = _RANGE.fullmatch(part)
        first = int(found[1]) if found else 0
        last = int(found[2] or first) if found else 0
        if not 1 <= first <= last or last - first >= 500:
            raise UsageError(f"{part!r} is no frame and no range of frames", advice="write them as 1-4, 9")
        frames += range(first, last + 1)
    if not frames:
        raise UsageError("no frame is named", advice="write them as 1-4, 9, or take the image off the film")
    return tuple(dict.fromkeys(frames))


def format_frames(frames: Sequence[int]) -> str:
    """Frames as people write them."""
    if frames and tuple(frames) == tuple(range(frames[0], frames[-1] + 1)):
        return str(frames[0]) if len(frames) == 1 else f"{frames[0]}-{frames[-1]}"
    return ", ".join(map(str, frames))


def choose_printer(context: ConsoleContext, tray: Tray) -> Printer:
    """The printer that was chosen, else the first of the site."""
    printers = context.modality.site.printers
    return printers.get(tray.choices.get("printer", "")) or next(iter(printers.values()))


def make_plan(context: ConsoleContext, tray: Tray) -> SheetPlan:
    """The sheets of a film as they would be printed. Raises what ``Films.plan`` raises."""
    printer = choose_printer(context, tray)
    return context.modality.films.plan(_name_images(tray), printer.name, make_order(printer, tray))


def _name_images(tray: Tray) -> Chosen:
    return Chosen(instances=[item.uid for item in tray.items])


def make_film(context: ConsoleContext, who: Principal) -> FilmView:
    """The film of this session."""
    tray = context.memory.trays.look(who.session, _FILM)
    printer = choose_printer(context, tray)
    sheets, total, said, failed, advice = _lay_out(context, tray)
    return FilmView(
        version=tray.version,
        printer=printer.name,
        printers=[
            (name, f"{name}: {each.settings.description}" if each.settings.description else name)
            for name, each in context.modality.site.printers.items()
        ],
        fields=list_fields(printer, tray.choices, find_errors(tray.choices)),
        ticks=[(name, label, tray.choices.get(name, "yes" if name == "annotation" else "") == "yes")
               for name, label in TICKS],
        rows=[make_image_row(place, item) for place, item in enumerate(tray.items, start=1)],
        sheets=sheets,
        total=total,
        said=said,
        patients=describe_patients(tray),
        failed=failed,
        advice=advice,
        contact=context.memory.find_contact(printer.name),
    )  # fmt: skip


def make_image_row(place: int, item: TrayItem) -> ImageRow:
    """An image of the film as a line."""
    return ImageRow(place, item.uid, item.name, item.patient_id, item.title, format_frames(item.frames))


def _lay_out(context: ConsoleContext, tray: Tray) -> tuple[list[SheetView], int, str, str, str]:
    """The sheets, how many there are and of which kind; or why there are none."""
    if not tray.items:
        return [], 0, "", "", ""
    try:
        plan = make_plan(context, tray)
        next(plan.make_sheets())
    except OpenModalityError as error:
        return [], 0, "", error.message, error.advice
    film = plan.session.films[0]
    words = (film.film_size_id, film.film_orientation, film.image_display_format, plan.session.medium_type)
    shown = range(1, min(plan.total, _MOST_SHEETS) + 1)
    places = {item.uid: place for place, item in enumerate(tray.items, start=1)}
    sheets = [make_sheet(plan, number, places, tray) for number in shown]
    return sheets, plan.total, ", ".join(filter(None, words)), "", ""


def make_sheet(plan: SheetPlan, number: int, places: dict[str, int], tray: Tray) -> SheetView:
    """A sheet with its boxes."""
    film = plan.session.films[0]
    width, height = measure_film(film)
    frames: list[FilmFrame | None] = [*plan.list_frames_of(number - 1, number)]
    boxes = place_boxes(film)
    frames += [None] * (len(boxes) - len(frames))
    placed = []
    for box, frame in zip(boxes, frames, strict=True):
        item = tray.items[places[frame.sop_instance_uid] - 1] if frame else None
        said = f"{places[item.uid]}: {format_person(item.name)}, {item.title}" if item else "empty"
        place = places[item.uid] if item else len(tray.items)
        placed.append(
            SheetBox(
                round(box.left, 2),
                round(box.top, 2),
                round(box.width, 2),
                round(box.height, 2),
                item.uid if item else "",
                place,
                said,
            )
        )
    return SheetView(number, round(width, 2), round(height, 2), placed)


def list_film_jobs(context: ConsoleContext) -> Sequence[JobRow]:
    """The newest films, with what the printer said of them."""
    return make_rows(context, context.modality.jobs.list(kinds=[JobKind.PRINT], limit=_MOST_JOBS))
