"""The viewer: one series at a time, drawn by the browser from stored values as the server would render it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydicom import Dataset

from openmodality.console.context import ConsoleContext
from openmodality.console.pages.exam import SeriesRow, make_series_row
from openmodality.console.pages.shell import Banner, Page, describe_age, make_exam_banner, render_page
from openmodality.console.security.access import At, Viewer
from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.exam.producers.key_objects import KEY_OBJECT
from openmodality.exam.producers.presentation_states import PRESENTATION_STATE
from openmodality.imaging.display_facts import Facts, encode_samples, find_plain_samples, make_display_facts
from openmodality.imaging.quality_pattern import make_test_pattern
from openmodality.imaging.stored_pixels import StoredPixels
from openmodality.standard.key_object_titles import OF_INTEREST, TAKES_REASON, TITLES
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import is_image
from openmodality.store.listing.entities import Found
from openmodality.store.listing.search import Search
from openmodality.store.states import OPEN_EXAMS
from openmodality.value_class import dataclass

_YEAR_S: Final = 31_536_000
_MOST_IMAGES: Final = 100_000
_STORED: Final = "STORED IMAGES"
_PATTERN: Final = (768, 1024)
PAINTERS: Final = ("webgl", "webgl-always", "canvas")
"""How a browser draws; by itself it takes WebGL2 where a graphics processor helps, else canvas 2D."""


@dataclass(frozen=True, slots=True)
class ViewerView:
    """A series to look at. ``first`` and ``frame`` name the image that is shown at once, ``facts`` describe it.

    ``exam`` is the number of the study's exam that is in progress, 0 where none is: states and key images are of one.
    """

    study_uid: str
    patient: str
    row: SeriesRow
    series: Sequence[SeriesRow]
    first: str
    frame: int
    facts: str
    display: str
    corner: Sequence[str]
    makes_states: bool
    makes_keys: bool
    exam: int
    painter: str
    titles: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Start:
    """What is shown first, and how it is drawn: the query of the address."""

    instance: str = ""
    frame: int = 1
    painter: str = ""


_SINGLE_KEYS: Final = (
    ("w", "Window"),
    ("p", "Move"),
    ("z", "Zoom"),
    ("d", "Distance"),
    ("a", "Angle"),
    ("e", "Ellipse"),
    ("i", "Invert"),
    ("r", "Rotate"),
    ("h", "Flip left and right"),
    ("f", "Full screen"),
    ("[", "Cine slower"),
    ("]", "Cine faster"),
    ("+", "Larger"),
    ("-", "Smaller"),
    ("0", "Reset"),
    *((str(number), f"Preset {number}") for number in range(1, 10)),
)
"""Those of ``static/viewer.js``; Space is no single character to be another one."""

router = APIRouter(prefix="/viewer")


@router.get("/series/{uid}")
def _show_series(
    request: Request, viewer: Viewer, context: At, uid: str, start: Annotated[Start, Depends()]
) -> Response:
    series = find_series(context, uid)
    view = make_viewer_view(context, series, start)
    context.modality.audit.tell_viewed(series["StudyInstanceUID"])
    banner = make_study_banner(context, series)
    page = Page("viewer.html", "Viewer", "images", banner, single_keys=_SINGLE_KEYS)
    return render_page(request, context, viewer, page, view=view)


@router.get("/series/{uid}/images")
def _list_images(_: Viewer, context: At, uid: str) -> Response:
    images = [
        {"uid": each["SOPInstanceUID"], "number": each["InstanceNumber"], "frames": read_count(each["NumberOfFrames"])}
        for each in list_images(context, find_series(context, uid)["SeriesInstanceUID"])
    ]
    return JSONResponse({"images": images})


@router.get("/pattern")
def _show_pattern(request: Request, viewer: Viewer, context: At) -> Response:
    rows, columns = _PATTERN
    display = context.display
    return render_page(
        request,
        context,
        viewer,
        Page("viewer_pattern.html", "Test pattern", "images"),
        facts=json.dumps(describe_pattern()),
        display=json.dumps(display.levels),
        described=display.described,
        size=f"{columns} x {rows}",
    )


@router.get("/instance/pattern/frames/1", include_in_schema=False)
def _send_pattern(_: Viewer) -> Response:
    return Response(
        make_test_pattern(*_PATTERN).tobytes(),
        media_type="application/octet-stream",
        headers={"x-samples": "u8 8 unsigned"},
    )


@router.get("/instance/{uid}/facts")
def _send_facts(_: Viewer, context: At, uid: str, frame: int = 1, state: str = "") -> Response:
    stored = open_listed_pixels(context, uid)
    stored.check_number(frame)
    return JSONResponse(make_display_facts(stored.header, frame, open_state(context, state) if state else None))


@router.get("/instance/{uid}/frames/{number}")
def _send_frame(request: Request, _: Viewer, context: At, uid: str, number: int) -> Response:
    """The samples alone: a range of the bytes of the file, or decoded. They never change, so a browser keeps them."""
    stored = open_listed_pixels(context, uid)
    tag = f'"{uid}/{number}"'
    headers = {"etag": tag, "cache-control": f"private, max-age={_YEAR_S}, immutable", "vary": "cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    try:
        plain = find_plain_samples(stored, number)
        if plain is not None:
            content, said = stored.read_range(plain[0]), plain[1]
        else:
            content, said = encode_samples(stored.read_frame(number))
    except ObjectInvalid as error:
        raise UsageError(error.message, advice="the file is damaged or compressed in a way that is not known") from None
    return Response(content, media_type="application/octet-stream", headers={**headers, "x-samples": said})


def describe_pattern() -> Facts:
    """The test pattern as an image: P-values of eight bits, shown as they are."""
    pattern = Dataset()
    pattern.Rows, pattern.Columns = _PATTERN
    pattern.WindowCenter, pattern.WindowWidth = 128, 256
    return make_display_facts(pattern)


def find_series(context: ConsoleContext, uid: str) -> Found:
    """A series. Raises :class:`NotFound` where this device has none of this UID."""
    keys = {"SeriesInstanceUID": uid}
    found = context.modality.view.find(Level.SERIES, keys, limit=1) if is_plain_uid(uid) else []
    if not found:
        raise NotFound("this device has no such series", advice="it may have been deleted; Images shows what is here")
    return found[0]


def list_images(context: ConsoleContext, series_uid: str) -> list[Found]:
    """The images of a series, by their numbers."""
    search = Search(Level.IMAGE, {"SeriesInstanceUID": series_uid}, states=False)
    found, _ = context.modality.view.search(search, limit=_MOST_IMAGES)
    images = [each for each in found if is_image(each["SOPClassUID"])]
    return sorted(images, key=lambda each: (read_count(each["InstanceNumber"], 0), each.id))


def open_listed_pixels(context: ConsoleContext, uid: str) -> StoredPixels:
    """The pixels of an instance that is listed here: to look at it is on record. Raises :class:`NotFound`."""
    found = context.modality.view.find(Level.IMAGE, {"SOPInstanceUID": uid}, limit=1) if is_plain_uid(uid) else []
    if not found:
        raise NotFound("there is no such instance", advice="it may have been deleted; Images shows what is here")
    context.modality.audit.tell_viewed(found[0]["StudyInstanceUID"])
    try:
        return context.pixels.open(context.modality.instance_path(uid))
    except (ObjectInvalid, OSError) as error:
        raise NotFound("this instance has no picture") from error


def open_state(context: ConsoleContext, uid: str) -> Dataset:
    """A presentation state that is listed here. Raises :class:`NotFound` for any other."""
    found = context.modality.view.find(Level.IMAGE, {"SOPInstanceUID": uid}, limit=1) if is_plain_uid(uid) else []
    if not found:
        raise NotFound("there is no such presentation state")
    try:
        return read_bounded_file(context.modality.instance_path(uid), stop_before_pixels=True)
    except (ObjectInvalid, OSError) as error:
        raise NotFound("this presentation state cannot be read") from error


def is_plain_uid(uid: str) -> bool:
    """Whether a text is a UID, and not what matches several."""
    return bool(uid) and set(uid) <= set("0123456789.")


def read_count(text: str, least: int = 1) -> int:
    """A number of the index; ``least`` where it is none."""
    return max(int(text), least) if text.strip().isdecimal() else least


def make_viewer_view(context: ConsoleContext, series: Found, start: Start) -> ViewerView:
    """A series and the image that is shown first. Raises :class:`NotFound` where it has no images."""
    uid, study_uid = series["SeriesInstanceUID"], series["StudyInstanceUID"]
    images = list_images(context, uid)
    if not images:
        raise NotFound("this series has no images", advice="documents are listed under Images")
    first = next((each for each in images if each["SOPInstanceUID"] == start.instance), images[0])["SOPInstanceUID"]
    stored = open_listed_pixels(context, first)
    frame = min(max(start.frame, 1), stored.frames)
    siblings = context.modality.view.find(Level.SERIES, {"StudyInstanceUID": study_uid})
    rows = [row for row in (make_series_row(context, each) for each in siblings) if row.pictures]
    profile = context.modality.site.profile
    exams = [each for each in context.modality.exams(*OPEN_EXAMS) if each.study_instance_uid == study_uid]
    return ViewerView(
        study_uid=study_uid,
        patient=series["PatientName"],
        row=make_series_row(context, series),
        series=sorted(rows, key=lambda row: (len(row.number), row.number)),
        first=first,
        frame=frame,
        facts=json.dumps(make_display_facts(stored.header, frame)),
        display=json.dumps(context.display.levels),
        corner=_describe_corner(series),
        makes_states=profile.makes(PRESENTATION_STATE),
        makes_keys=profile.makes(KEY_OBJECT),
        exam=exams[0].id if exams else 0,
        painter=start.painter if start.painter in PAINTERS else "",
        titles=_list_titles(),
    )


def _describe_corner(series: Found) -> list[str]:
    return [series["SeriesDescription"] or series["Modality"], f"series {series['SeriesNumber']}"]


def _list_titles() -> list[tuple[str, str]]:
    """Titles of key images, the usual one first, without those that take a reason."""
    usual = [(OF_INTEREST, TITLES[OF_INTEREST])]
    return usual + [each for each in TITLES.items() if each[0] not in TAKES_REASON and each[0] != OF_INTEREST]


def make_study_banner(context: ConsoleContext, series: Found) -> Banner:
    """The patient of the images: not always the patient of the exam that is open."""
    open_exams = context.modality.exams(*OPEN_EXAMS)
    own = [each for each in open_exams if each.study_instance_uid == series["StudyInstanceUID"]]
    if own:
        return make_exam_banner(own[0], len(open_exams) - 1)
    birth_date = series["PatientBirthDate"]
    return Banner(
        name=series["PatientName"],
        patient_id=series["PatientID"],
        birth_date=birth_date,
        age=describe_age(birth_date, date.today()),
        sex=series["PatientSex"],
        accession=series["AccessionNumber"],
        procedure=series["StudyDescription"],
        state=_STORED,
        others=len(open_exams),
    )
