"""``/media``: discs and other media. Made by a job, looked into, checked, copied from; their images fetched and sent.

A program is not at the machine, so it names no paths. A disc is made where the site file says (``media.folder``) and is
fetched as an image; a drive burns it only where the site file names that drive (``media.drives``), and what is mounted
is read only in the places that it names (``media.readers``). Of a disc that lies before the program itself, it sends
the image (ISO 9660).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import ConfigDict, Field

from openmodality.activities.media_job import MediumOrder
from openmodality.app.media import Medium
from openmodality.app.records.data_sets import data_set_as_json
from openmodality.app.records.local_data import media_retrieval_as_json
from openmodality.console.api.access import OperateCall
from openmodality.console.api.answers import (
    NOTICES,
    PageQuery,
    RequestBody,
    answer_page,
    answer_record,
    make_cursor,
    tell_body,
    tell_content,
    tell_one,
    tell_page,
)
from openmodality.console.api.choice import Choice
from openmodality.console.api.jobs import describe_job
from openmodality.console.api.once import IdempotencyKey, OnceOnly
from openmodality.console.api.places import MatchingKeys, PathName, WireName, WireText
from openmodality.console.api.received import RAW, Claim, ReceivedUpload, take_upload
from openmodality.console.context import ConsoleContext
from openmodality.console.security.access import At, Operator, Viewer
from openmodality.errors import OpenModalityError, WrongState
from openmodality.media.iso_reader import unpack_iso_image

router = APIRouter(prefix="/api/v1", tags=["media"])

ISO_TYPES: Final = ("application/x-iso9660-image", RAW)
_SENT: Final = "image"
"""What an image that was sent is called in answers."""
_OF_PAGES: Final = ("limit", "cursor", "level")
_OF_UPLOADS: Final = (404, 415, 429, 507)


class MediumChoice(Choice):
    """What goes onto a medium."""

    profile: WireName = Field("", description="Application profile, such as STD-GEN-CD; the device's first by default.")
    pages: bool = Field(True, description="Also a page for browsers beside the images.")
    several_patients: bool = Field(False, description="Allow more than one patient on a disc.")

    def change(self, order: MediumOrder) -> MediumOrder:
        """The order with what is said here."""
        return replace(order, pages=self.pages, several_patients=self.several_patients)


class NewMedium(MediumChoice):
    """A medium to be made."""

    label: WireName = Field("OPENMODALITY", min_length=1, description="File-set ID and name of the volume.")
    split: bool = Field(False, description="Use several discs where one is too small.")
    drive: WireText = Field("", description="A drive of the site file (media.drives) that burns it; else none does.")


class MediumAddition(MediumChoice):
    """What is added to a medium that was made here."""

    adopt: bool = Field(False, description="Add to a file-set that another system has made.")


class MediumImage(RequestBody):
    """How an image is made."""

    label: WireName = Field("OPENMODALITY", min_length=1, description="Name of the volume.")
    joliet: bool = Field(False, description="Add long names; some old readers take only these.")


class MediumKeys(RequestBody):
    """Which instances of a medium are meant."""

    keys: MatchingKeys = Field(
        default_factory=dict, max_length=50, description="Matching keys by keyword; everything without any."
    )


class RecordFilter(PageQuery):
    """Which records are listed: any other parameter is a matching key by its keyword, such as ``PatientName=DOE*``."""

    model_config = ConfigDict(extra="ignore")

    level: Literal["PATIENT", "STUDY", "SERIES", "IMAGE"] = Field("STUDY", description="What is listed.")

    def list_page(self, context: ConsoleContext, root: Path, request: Request) -> dict[str, Any]:
        """The records of a medium that match the keys of the request, as a page of a list."""
        keys = {name: value for name, value in request.query_params.items() if name not in _OF_PAGES}
        (offset,) = self.read_cursor("offset")
        found, problems = context.modality.media.query(root, self.level, keys)
        last = offset + self.limit
        return {
            "next": make_cursor(offset=last) if last < len(found) else None,
            "problems": problems,
            "items": list(map(data_set_as_json, found[offset:last])),
        }


async def _receive_image(
    request: Request, context: At, principal: OperateCall, idempotency_key: IdempotencyKey = ""
) -> AsyncIterator[ReceivedUpload]:
    """An image that was sent."""
    async with take_upload(request, context, Claim(principal, idempotency_key), ISO_TYPES) as received:
        yield received


SentImage = Annotated[ReceivedUpload, Depends(_receive_image, scope="function")]


@router.get("/media", summary="List media", responses=tell_page("medium"))
def _list_media(_: Viewer, context: At, page: Annotated[PageQuery, Query()]) -> Response:
    """What may be read: the places of the site file (media.readers), then discs that were made here, newest first."""
    (offset,) = page.read_cursor("offset")
    media, last = context.modality.media.list_media(), offset + page.limit
    following = make_cursor(offset=last) if last < len(media) else None
    return answer_page(map(_describe_medium, media[offset:last]), following)


def _describe_medium(medium: Medium) -> dict[str, Any]:
    return {
        "medium": medium.name,
        "made_here": medium.made_here,
        "is_there": medium.is_there,
        "has_image": medium.has_image,
    }


@router.post(
    "/media", status_code=202, summary="Make a medium", responses=tell_one("medium that is made", 404, status=202)
)
def _make_medium(_: OperateCall, context: At, once: OnceOnly, wanted: NewMedium) -> Response:
    """Queue a job that makes a file-set and its image (ISO 9660), which is fetched when the job is done."""

    def order() -> JSONResponse:
        named = context.modality.media.name_order(wanted.label, wanted.profile, wanted.drive)
        return _queue(context, wanted, replace(wanted.change(named), split=wanted.split))

    return once.do(order)


@router.post(
    "/media/{medium}/update",
    status_code=202,
    summary="Add to a medium",
    responses=tell_one("medium that is made", 404, status=202),
)
def _update_medium(_: OperateCall, context: At, once: OnceOnly, medium: PathName, wanted: MediumAddition) -> Response:
    """Queue a job that adds to a medium that was made here; its image is to be made anew then."""

    def order() -> JSONResponse:
        found = context.modality.media.find_medium(medium)
        if not found.made_here:
            raise WrongState(f"{medium} is only read", advice="add to a disc that was made here")
        named = MediumOrder("update", str(found.root), wanted.profile, adopt=wanted.adopt)
        return _queue(context, wanted, wanted.change(named))

    return once.do(order)


def _queue(context: ConsoleContext, choice: Choice, order: MediumOrder) -> JSONResponse:
    job = context.modality.media.put(choice.make_chosen(), order)
    told = {**describe_job(context, job), "medium": Path(order.target).name}
    return answer_record(told, 202, location=f"/api/v1/jobs/{job.id}")


@router.get(
    "/media/{medium}/records",
    summary="List the records of a medium",
    responses=tell_page("attributes", 404, problems=NOTICES),
)
def _list_records(
    request: Request, _: Operator, context: At, medium: PathName, wanted: Annotated[RecordFilter, Query()]
) -> Response:
    """What the DICOMDIR of a medium has of a level, by matching keys, and what is wrong with it."""
    root = context.modality.media.find_medium(medium).root
    with _hide_root(root, medium):
        return answer_record(wanted.list_page(context, root, request))


@router.post("/media/{medium}/verify", summary="Check a medium", responses=tell_one("verification of a medium", 404))
def _verify_medium(_: OperateCall, context: At, once: OnceOnly, medium: PathName) -> Response:
    """Whether its directory is right, and each file is there, readable and what its record says."""
    root = context.modality.media.find_medium(medium).root
    with _hide_root(root, medium):
        return once.do(lambda: answer_record(_describe_faults(medium, context.modality.media.verify(root))))


@router.post("/media/{medium}/retrieve", summary="Copy from a medium", responses=tell_one("media retrieval", 404, 507))
def _retrieve_from_medium(
    _: OperateCall, context: At, once: OnceOnly, medium: PathName, wanted: MediumKeys
) -> Response:
    """Copy the instances of a medium that match keys into the local database; the answer comes when they are there."""
    root = context.modality.media.find_medium(medium).root
    with _hide_root(root, medium):
        return once.do(lambda: answer_record(_retrieve(context, root, wanted.keys)))


@router.post("/media/{medium}/iso", summary="Make an image of a medium", responses=tell_one("image of a disc", 404))
def _make_image(_: OperateCall, context: At, once: OnceOnly, medium: PathName, how: MediumImage) -> Response:
    """Make the image (ISO 9660) of a medium as it is now; one that was there is replaced."""
    found = context.modality.media.find_medium(medium)

    def make() -> JSONResponse:
        length = context.modality.media.write_image(found, how.label, joliet=how.joliet)
        return answer_record({"image": found.image.name, "length_bytes": length})

    return once.do(make)


@router.get(
    "/media/{medium}/image",
    response_class=Response,
    summary="Fetch the image of a medium",
    responses=tell_content("The image (ISO 9660).", ISO_TYPES[0]),
)
def _send_image(_: Operator, context: At, medium: PathName) -> Response:
    """The image of a medium. That it was fetched is on record, since what is on it leaves the device."""
    media = context.modality.media
    image = media.fetch_image(media.find_medium(medium).image)
    return FileResponse(image, media_type=ISO_TYPES[0], filename=image.name)


# The same of an image that is sent, for whoever has the disc


@router.post(
    "/media/records",
    summary="List the records of an image",
    responses=tell_page("attributes", *_OF_UPLOADS, problems=NOTICES),
    openapi_extra=tell_body(*ISO_TYPES),
)
def _list_sent_records(
    request: Request, received: SentImage, context: At, wanted: Annotated[RecordFilter, Query()]
) -> Response:
    """What the DICOMDIR of an image has of a level; nothing is copied, and the image is not kept."""
    return _look_into(context, received, lambda root: wanted.list_page(context, root, request))


@router.post(
    "/media/verify",
    summary="Check an image",
    responses=tell_one("verification of a medium", *_OF_UPLOADS),
    openapi_extra=tell_body(*ISO_TYPES),
)
def _verify_sent(received: SentImage, context: At) -> Response:
    """Whether the file-set in an image is whole; the image is not kept."""
    return _look_into(context, received, lambda root: _describe_faults(_SENT, context.modality.media.verify(root)))


@router.post(
    "/media/retrieve",
    summary="Copy from an image",
    responses=tell_one("media retrieval", *_OF_UPLOADS),
    openapi_extra=tell_body(*ISO_TYPES),
)
def _retrieve_from_sent(request: Request, received: SentImage, context: At) -> Response:
    """Copy the instances of an image that match the keys among the parameters into the local database."""
    keys = dict(request.query_params)
    return _look_into(context, received, lambda root: _retrieve(context, root, keys))


def _look_into(context: ConsoleContext, received: ReceivedUpload, look: Callable[[Path], dict[str, Any]]) -> Response:
    """Unpack an image that was sent, where there is room for it once more, and answer what is found in it."""

    def make() -> dict[str, Any]:
        context.uploads.check_space(received.path.stat().st_size)
        with unpack_iso_image(received.path, received.path.parent) as root, _hide_root(root, _SENT):
            return look(root)

    return received.do(make, 200)


@contextmanager
def _hide_root(root: Path, name: str) -> Iterator[None]:
    """Errors inside the block name the medium, and not where it lies on this machine."""
    try:
        yield
    except OpenModalityError as error:
        error.message = error.message.replace(str(root), name)
        raise


def _retrieve(context: ConsoleContext, root: Path, keys: dict[str, str]) -> dict[str, Any]:
    imported, faults = context.modality.media.retrieve(root, keys)
    refused = [f"{path.name}: {why.replace(f'{path}: ', '')}" for path, why in imported.refused]
    return media_retrieval_as_json(imported, [*faults, *refused])


def _describe_faults(name: str, faults: list[str]) -> dict[str, Any]:
    return {"path": name, "whole": not faults, "problems": faults}
