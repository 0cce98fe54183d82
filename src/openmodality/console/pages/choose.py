"""Chooses what goes onto a film or a disc, of what this device has: patients, studies, series, instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from openmodality.console.context import ConsoleContext
from openmodality.console.pages.images import StudyList, list_studies
from openmodality.console.pages.shell import Page, do_and_return, render_page
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Operator, SentForm, Viewer
from openmodality.console.trays import TrayItem, add_items
from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.imaging.frames import count_frames
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import is_image
from openmodality.store.listing.entities import Found
from openmodality.store.listing.search import Search
from openmodality.value_class import dataclass

Purpose = Literal["film", "media"]
MOST_INSTANCES: Final[Mapping[str, int]] = {"film": 500, "media": 20_000}
"""How many instances are put together at once."""
_TITLES: Final = {"film": "Images for the film", "media": "Instances for the disc"}
_KEYS: Final = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID",
                "instance": "SOPInstanceUID"}  # fmt: skip
_PICTURES: Final = 60
_SHORT_RUN: Final = 12


class Opened(BaseModel):
    """What is looked for, or the study that is opened, and the series of it."""

    find: str = ""
    study: str = ""
    series: str = ""


@dataclass(frozen=True, slots=True)
class SeriesChoice:
    """A series that can be chosen."""

    uid: str
    number: str
    description: str
    modality: str
    instances: int


@dataclass(frozen=True, slots=True)
class InstanceChoice:
    """An instance that can be chosen; one that is no image has no picture."""

    uid: str
    number: str
    has_picture: bool


@dataclass(frozen=True, slots=True)
class Choosing:
    """What is to be chosen from: studies, or the series of one, or the instances of one of those."""

    purpose: str
    title: str
    studies: StudyList
    study: str
    whose: str
    series: Sequence[SeriesChoice]
    opened: str
    instances: Sequence[InstanceChoice]
    more: int
    inside: int


router = APIRouter()


@router.get("/{purpose}/add")
def _show_choices(
    request: Request, viewer: Viewer, context: At, purpose: Purpose, opened: Annotated[Opened, Query()]
) -> Response:
    inside = len(context.memory.trays.look(viewer.session, purpose).items)
    view = make_choosing(context, purpose, opened, inside)
    return render_page(request, context, viewer, Page("choose.html", view.title, purpose), choosing=view)


@router.post("/{purpose}/add")
def _add(who: Operator, form: SentForm, context: At, purpose: Purpose) -> Response:
    def add() -> str:
        items = find_items(context, purpose, {name: form.list_all(name) for name in _KEYS})
        before = len(context.memory.trays.look(who.session, purpose).items)
        tray = context.memory.trays.change(
            who.session, purpose, lambda tray: add_items(tray, items, MOST_INSTANCES[purpose])
        )  # fmt: skip
        return f"Added {describe_count(len(tray.items) - before, 'instance')}."

    return do_and_return(context, who, f"/{purpose}", add)


def make_choosing(context: ConsoleContext, purpose: Purpose, opened: Opened, inside: int) -> Choosing:
    """What can be chosen: studies, or what is below the study and the series that are opened."""
    study, series, find = opened.study, opened.series, opened.find
    below = context.modality.view.find(Level.SERIES, {"StudyInstanceUID": study}) if study else []
    images: Sequence[Found] = ()
    has_more = False
    if series:
        search = Search(Level.IMAGE, {"SeriesInstanceUID": series}, states=False)
        images, has_more = context.modality.view.search(search, limit=_PICTURES)
    total = next((each.instances for each in below if each["SeriesInstanceUID"] == series), 0)
    return Choosing(
        purpose=purpose,
        title=_TITLES[purpose],
        studies=list_studies(context, find, 0) if not study else StudyList((), find, 0, None),
        study=study,
        whose=below[0]["PatientName"] if below else "",
        series=[
            SeriesChoice(
                each["SeriesInstanceUID"],
                each["SeriesNumber"],
                each["SeriesDescription"],
                each["Modality"],
                each.instances,
            )
            for each in below
        ],
        opened=series,
        instances=[
            InstanceChoice(each["SOPInstanceUID"], each["InstanceNumber"], is_image(each["SOPClassUID"]))
            for each in images
        ],
        more=total - len(images) if has_more else 0,
        inside=inside,
    )


def find_items(context: ConsoleContext, purpose: Purpose, chosen: Mapping[str, Sequence[str]]) -> list[TrayItem]:
    """The instances of what was chosen, by level; onto a film go images only.

    Raises :class:`UsageError` where nothing was chosen or there is no image in it, :class:`NotFound` for what is gone.
    """
    found: list[Found] = []
    for level, keyword in _KEYS.items():
        for uid in chosen[level]:
            found += _find(context, keyword, uid)
    if not found:
        raise UsageError("nothing is chosen")
    if purpose == "film":
        found = [each for each in found if is_image(each["SOPClassUID"])]
        if not found:
            raise UsageError("there is no image in what is chosen", advice="documents cannot be printed")
    return [_make_item(context, purpose, each) for each in found]


def _find(context: ConsoleContext, keyword: str, uid: str) -> Sequence[Found]:
    is_exact = uid and not set(uid) & {"*", "?", "\\"}
    search = Search(Level.IMAGE, {keyword: uid}, states=False)
    found, _ = context.modality.view.search(search, limit=MOST_INSTANCES["media"] + 1) if is_exact else ([], False)
    if not found:
        raise NotFound("what was chosen is not on this device any more", advice="choose from the list as it is now")
    return found


def _make_item(context: ConsoleContext, purpose: Purpose, found: Found) -> TrayItem:
    uid = found["SOPInstanceUID"]
    frames = choose_frames(context.modality.instance_path(uid)) if purpose == "film" else ()
    return TrayItem(
        uid=uid,
        sop_class_uid=found["SOPClassUID"],
        study=found["StudyInstanceUID"],
        series=found["SeriesInstanceUID"],
        name=found["PatientName"],
        patient_id=found["PatientID"],
        title=f"series {found['SeriesNumber'] or '?'}, image {found['InstanceNumber'] or '?'}",
        frames=frames,
    )


def choose_frames(path: Path) -> tuple[int, ...]:
    """The frames of a run that are printed where nobody says which: all of a short one, else the one in the middle."""
    try:
        count = count_frames(read_bounded_file(path, stop_before_pixels=True))
    except (ObjectInvalid, OSError):
        return ()  # the sheet says what is wrong with it
    if count == 1:
        return ()
    return tuple(range(1, count + 1)) if count <= _SHORT_RUN else ((count + 1) // 2,)
