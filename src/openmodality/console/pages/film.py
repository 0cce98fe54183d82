"""Film: images put onto sheets, seen as they will be printed, and printed (MR-2.2, MR-4.2, RF-4.1.1-11, RF-4.2.7).

A sheet is drawn from the very pixels that are sent to the printer, through the Presentation LUT. The page warns of
images of a second patient, and prints them only where a person confirms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.memory import Contact
from openmodality.console.pages.film_fields import FIELD_NAMES, TICKS, find_errors, make_order
from openmodality.console.pages.film_view import (
    FILM,
    choose_printer,
    format_frames,
    list_film_jobs,
    make_film,
    make_plan,
    name_images,
    read_frames,
)
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.tray_acts import cancel_order, check_version, describe_patients
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.trays import Tray, move_item, remove_items
from openmodality.errors import OpenModalityError, UsageError
from openmodality.store.states import JobKind

_SCREEN_DPI: Final = 60
_LIGHT_BOX_DPI: Final = 150

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
    plan = make_plan(context, context.memory.trays.look(viewer.session, FILM))
    picture = context.modality.films.draw_sheet(plan, number, _LIGHT_BOX_DPI if large else _SCREEN_DPI)
    return Response(picture, media_type="image/png")


@router.post("/film/choices")
def _choose(request: Request, who: Operator, form: SentForm, context: At) -> Response:
    tray = context.memory.trays.change(who.session, FILM, lambda tray: replace(tray, choices=read_choices(form)))
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
        context.memory.trays.change(who.session, FILM, lambda tray: move_item(tray, form["uid"], int(form["to"]) - 1))
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

        context.memory.trays.change(who.session, FILM, set_frames)
        return f"Frames {format_frames(frames)} are on the film."

    return do_and_return(context, who, "/film", choose)


@router.post("/film/remove")
def _remove(who: Operator, form: SentForm, context: At) -> Response:
    def remove() -> str:
        tray = context.memory.trays.look(who.session, FILM)
        uids = [item.uid for item in tray.items] if form["all"] else form.list_all("uid")
        context.memory.trays.change(who.session, FILM, lambda tray: remove_items(tray, uids))
        return f"Taken off the film: {describe_count(len(uids), 'image')}."

    return do_and_return(context, who, "/film", remove)


@router.post("/film/print")
def _print(who: Operator, form: SentForm, context: At) -> Response:
    def order() -> str:
        tray = context.memory.trays.look(who.session, FILM)
        check_version(tray, form["version"], "film")
        tray = context.memory.trays.change(who.session, FILM, lambda tray: replace(tray, choices=read_choices(form)))
        check_patients(tray, accepts=form["several"] == "yes")
        printer = choose_printer(context, tray)
        job = context.modality.films.order(name_images(tray), printer.name, make_order(printer, tray))
        uids = [item.uid for item in tray.items]
        context.memory.trays.change(who.session, FILM, lambda tray: remove_items(tray, uids))
        return f"Queued as job {job.id}: {printer.name} prints {describe_count(len(uids), 'image')}."

    return do_and_return(context, who, "/film", order)


@router.post("/film/jobs/{job_id}/cancel")
def _cancel_print(who: Operator, _: SentForm, context: At, job_id: int) -> Response:
    """A print job is cancelled by whoever printed (RF-4.1.2.7-03); other jobs are the senior's."""

    def cancel() -> str:
        return cancel_order(context, job_id, JobKind.PRINT, mismatch="prints nothing", ending=" after this sheet")

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
