"""Reads a disc: lists its directory by the user's query, and copies what is chosen (MR-7.2.2-01, MR-7.2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from openmodality.console.context import ConsoleContext
from openmodality.console.inquiries import LIST, Inquiry, InquiryAnswer
from openmodality.console.pages.shell import do_and_return, render_part
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.reading import read_texts
from openmodality.errors import NotFound, UsageError, WrongState
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.standard.query_retrieve import UNIQUE_KEYS, Level
from openmodality.value_class import dataclass

LEVEL_COLUMNS: Final = {
    Level.PATIENT: ("PatientName", "PatientID", "PatientBirthDate"),
    Level.STUDY: ("PatientName", "PatientID", "StudyDate", "StudyDescription"),
    Level.SERIES: ("PatientName", "PatientID", "Modality", "SeriesNumber", "SeriesDescription"),
    Level.IMAGE: ("PatientName", "PatientID", "SeriesNumber", "InstanceNumber"),
}
_UNIQUE: Final = {level: keyword_of(tag) for level, tag in UNIQUE_KEYS.items()}
_HEADINGS: Final = {
    "PatientName": "Patient", "PatientID": "Patient ID", "PatientBirthDate": "Born", "StudyDate": "Date",
    "StudyDescription": "Study", "Modality": "Modality", "SeriesNumber": "Series", "SeriesDescription": "Description",
    "InstanceNumber": "Instance",
}  # fmt: skip
_COPY: Final = "copy"
_MOST_RECORDS: Final = 2000


@dataclass(frozen=True, slots=True)
class DiscRecord:
    """A record of a directory: its unique key, and what is shown of it."""

    unique: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class DiscView:
    """A disc that is looked into; ``copied`` says what became of copying."""

    roots: Sequence[tuple[str, str]]
    number: int
    root: str
    level: Level
    keys: dict[str, str]
    asked: Inquiry | None
    headings: Sequence[str]
    records: Sequence[DiscRecord]
    copied: Inquiry | None
    said: str


router = APIRouter()


@router.post("/media/disc")
def _list_disc(who: Operator, form: SentForm, context: At) -> Response:
    def ask() -> str:
        root, level = find_root(context, form["root"]), Level(form["level"])
        keys = {name: form[name] for name in ("PatientName", "PatientID") if form[name]}
        asked = {**keys, "level": level}
        context.memory.discs.begin(who.session, form["root"], asked, make_question(context, root, level, keys))
        return f"Reading the directory of {root}."

    return do_and_return(context, who, "/media", ask)


@router.get("/media/disc")
def _show_disc(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_disc.html", disc=make_disc_view(context, viewer))


@router.post("/media/copy")
def _copy(who: Operator, form: SentForm, context: At) -> Response:
    def copy() -> str:
        looking = context.memory.discs.look(who.session)
        if not looking.number or form["number"] != str(looking.number):
            raise WrongState("another disc was listed meanwhile", advice="choose again from the list as it is")
        ticked = form.list_all("record")
        listed = looking.inquiries[LIST].found.rows
        known = [each.unique for each in listed if isinstance(each, DiscRecord) and each.unique in ticked]
        if not known:
            raise UsageError("nothing is chosen", advice="tick records of the list")
        root, keyword = find_root(context, looking.source), _UNIQUE[Level(looking.keys["level"])]
        context.memory.discs.open(who.session, _COPY, make_copying(context, root, keyword, known))
        return f"Copying {describe_count(len(known), 'record')} from {root}."

    return do_and_return(context, who, "/media", copy)


def list_roots(context: ConsoleContext) -> list[tuple[str, str]]:
    """The media that may be read: what the site file names, and discs that were made here."""
    site = context.modality.site
    named = [(place, place) for place in site.settings.media.readers]
    made = sorted((site.folder / site.settings.media.folder).absolute().glob(f"*/{DIRECTORY_NAME}"), reverse=True)
    return [*named, *((str(path.parent), f"made here: {path.parent.name}") for path in made[:50])]


def find_root(context: ConsoleContext, chosen: str) -> Path:
    """The folder of a medium. Raises :class:`UsageError` for one that may not be read, and where no disc is there."""
    if chosen not in dict(list_roots(context)):
        raise UsageError(f"{chosen!r} is not read here", advice="media.readers in the site file names what may be")
    root = context.modality.site.folder / chosen
    if not (root / DIRECTORY_NAME).is_file():
        raise NotFound(
            f"{chosen} has no {DIRECTORY_NAME}", advice="insert the disc, wait until it is mounted, and list"
        )
    return root


def make_question(
    context: ConsoleContext, root: Path, level: Level, keys: dict[str, str]
) -> Callable[[], InquiryAnswer]:  # fmt: skip
    """The question for the records of a disc that match keys."""

    def ask() -> InquiryAnswer:
        found, faults = context.modality.media.query(root, level, keys)
        records = [_read_record(each, level) for each in found[:_MOST_RECORDS]]
        return InquiryAnswer(records, len(found) > _MOST_RECORDS, faults)

    return ask


def _read_record(keys: Dataset, level: Level) -> DiscRecord:
    def read(keyword: str) -> str:
        return ", ".join(read_texts(keys, tag_for_keyword(keyword) or 0))

    return DiscRecord(read(_UNIQUE[level]), [read(keyword) for keyword in LEVEL_COLUMNS[level]])


def make_copying(
    context: ConsoleContext, root: Path, keyword: str, chosen: Sequence[str]
) -> Callable[[], InquiryAnswer]:  # fmt: skip
    """Copies what is chosen of a disc into the local database."""

    def copy() -> InquiryAnswer:
        new = same = 0
        faults: list[str] = []
        for unique in chosen:
            imported, wrong = context.modality.media.retrieve(root, {keyword: unique})
            new, same = new + imported.new, same + imported.same
            faults += [*wrong, *(f"{path.name}: {why}" for path, why in imported.refused)]
            faults += [f"{imported.different} are here with other content"] * bool(imported.different)
        return InquiryAnswer((f"{describe_count(new, 'instance')} copied, {same} already here.",), False, faults)

    return copy


def make_disc_view(context: ConsoleContext, who: Principal) -> DiscView | None:
    """The disc that this session looks into; ``None`` where the device reads no media."""
    able = frozenset[str]().union(*(each.activities for each in context.modality.media.profiles.values()))
    if "query" not in able:
        return None
    looking = context.memory.discs.look(who.session)
    asked, copied = looking.inquiries.get(LIST), looking.inquiries.get(_COPY)
    level = Level(looking.keys.get("level", Level.STUDY))
    rows = asked.found.rows if asked else ()
    return DiscView(
        roots=list_roots(context),
        number=looking.number,
        root=looking.source,
        level=level,
        keys=looking.keys,
        asked=asked,
        headings=[_HEADINGS[keyword] for keyword in LEVEL_COLUMNS[level]],
        records=[each for each in rows if isinstance(each, DiscRecord)],
        copied=copied,
        said=str(copied.found.rows[0]) if copied and copied.found.rows else "",
    )
