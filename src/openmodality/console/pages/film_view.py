"""The film of a session as a page shows it: its images in their order, its sheets with their boxes, its jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from openmodality.activities.film_making import FilmFrame, SheetPlan
from openmodality.app.local_data import Chosen
from openmodality.console.context import ConsoleContext
from openmodality.console.memory import Contact
from openmodality.console.pages.film_fields import TICKS, FilmField, find_errors, list_fields, make_order
from openmodality.console.pages.jobs import JobRow, make_rows
from openmodality.console.pages.tray_acts import describe_patients
from openmodality.console.security.accounts import Principal
from openmodality.console.template_files import format_person
from openmodality.console.trays import Tray, TrayItem
from openmodality.device.site.site import Printer
from openmodality.errors import OpenModalityError, UsageError
from openmodality.imaging.film.layout import measure_film, place_boxes
from openmodality.store.states import JobKind
from openmodality.value_class import dataclass

FILM: Final = "film"
"""The purpose of its tray."""
_MOST_SHEETS: Final = 40
_MOST_JOBS: Final = 10
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
    return context.modality.films.plan(name_images(tray), printer.name, make_order(printer, tray))


def name_images(tray: Tray) -> Chosen:
    """The instances of a film, in its order."""
    return Chosen(instances=[item.uid for item in tray.items])


def make_film(context: ConsoleContext, who: Principal) -> FilmView:
    """The film of this session."""
    tray = context.memory.trays.look(who.session, FILM)
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
        plan.check_sheet()
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
