"""``/instances/{uid}``: file, frames, picture; what key object documents say, what presentation states show."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from numpy.lib import format as npy
from pydantic import Field

from openmodality.activities.key_documents import read_key_document
from openmodality.activities.presented_images import draw_state
from openmodality.app.records.data_sets import data_set_as_json
from openmodality.app.records.documents import key_document_as_json, list_key_titles
from openmodality.console.api.access import OperateCall
from openmodality.console.api.answers import (
    RequestBody,
    answer_page,
    answer_record,
    tell_content,
    tell_one,
    tell_page,
)
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import ExamNumber, FrameNumber, PathUid, Uid, WireName, WireText
from openmodality.console.context import ConsoleContext
from openmodality.console.dicomweb.answers import is_unchanged
from openmodality.console.security.access import At, Viewer
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.imaging.preview import draw_stored_preview
from openmodality.imaging.stored_pixels import StoredPixels
from openmodality.objects.state.presentation_state import MAGNIFY, SCALE_TO_FIT, TRUE_SIZE, Look
from openmodality.standard.query_retrieve import Level

router = APIRouter(prefix="/api/v1", tags=["pictures"])

_KEPT: Final = "private, max-age=86400, immutable"
_ARRAY: Final = "application/x-npy"
_RAW: Final = "application/octet-stream"
_UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "The client has it already."}}


class KeyNote(RequestBody):
    """Which instances are of note, and why."""

    instances: list[Uid] = Field(default_factory=list, max_length=1000, description="SOP Instance UIDs.")
    series: list[Uid] = Field(default_factory=list, max_length=100, description="Series Instance UIDs.")
    title: WireName = Field("Of Interest", description="Code or meaning of CID 7010.")
    reason: WireName = Field("", description="Code or meaning, for titles that take one.")
    description: WireText = Field("", description="What is to be said of them.")
    observer: WireName = Field("", description="Who chose, as Doe^Jane; the device where it is empty.")


class ImageLook(RequestBody):
    """How images are to be shown."""

    instances: list[Uid] = Field(default_factory=list, max_length=1000, description="SOP Instance UIDs.")
    series: list[Uid] = Field(default_factory=list, max_length=100, description="Series Instance UIDs.")
    window: tuple[float, float] | None = Field(None, description="Window center and width.")
    inverse: bool = Field(False, description="Black and white turned.")
    rotation: Literal[0, 90, 180, 270] = Field(0, description="Degrees, clockwise.")
    flip: bool = Field(False, description="Left and right turned, after the rotation.")
    area: tuple[int, int, int, int] | None = Field(None, description="Columns and rows shown, from 1.")
    true_size: bool = Field(False, description="As large as in the patient.")
    magnification: float | None = Field(None, gt=0, le=1000, description="Display pixels by image pixel.")
    label: WireName = Field("LOOK", description="1 to 16 of A-Z, 0-9, space and _.")
    description: WireName = Field("", description="What the state is for.")
    creator: WireName = Field("", description="Who made it, as Doe^Jane.")

    def make_look(self) -> Look:
        """Raises :class:`UsageError` for what excludes each other."""
        if self.true_size and self.magnification:
            raise UsageError("true_size and magnification exclude each other")
        size = TRUE_SIZE if self.true_size else MAGNIFY if self.magnification else SCALE_TO_FIT
        said: dict[str, Any] = self.model_dump(include={"window", "area", "rotation", "flip", "inverse", "label"})
        return Look(
            size=size,
            magnification=self.magnification,
            description=self.description,
            creator=self.creator,
            **said,
        )


def _open(context: ConsoleContext, uid: str) -> StoredPixels:
    _find(context, uid)
    try:
        return context.pixels.open(context.modality.instance_path(uid))
    except (ObjectInvalid, OSError) as error:
        raise NotFound("this instance has no pixels that can be read") from error


def _find(context: ConsoleContext, uid: str) -> None:
    """Raises :class:`NotFound`. What is found here is looked at, which is on record."""
    found = context.modality.view.find(Level.IMAGE, {"SOPInstanceUID": uid}, limit=1)
    if not found:
        raise NotFound("this device has no such instance", advice="it may have been deleted")
    context.modality.audit.tell_viewed(found[0]["StudyInstanceUID"])


def _keep(name: str) -> dict[str, str]:
    """What lets a client keep an answer: it never is another one of this name."""
    return {"etag": f'"{name}"', "cache-control": _KEPT, "vary": "accept"}


def _find_unchanged(request: Request, name: str) -> Response | None:
    """The answer to who has this already; ``None`` for others."""
    kept = _keep(name)
    return Response(status_code=304, headers=kept) if is_unchanged(request, kept["etag"]) else None


@router.get(
    "/instances/{uid}/file",
    response_class=Response,
    summary="Get the file",
    responses=tell_content("A PS3.10 file, or a range of its bytes.", "application/dicom") | _UNCHANGED,
)
def _send_file(request: Request, _: Viewer, context: At, uid: PathUid) -> Response:
    """The file of an instance, as it is stored."""
    _find(context, uid)
    path = context.modality.instance_path(uid)
    if not path.is_file():
        raise NotFound("the file of this instance is missing", advice="openmodality recover says which are")
    return _find_unchanged(request, uid) or FileResponse(
        path, media_type="application/dicom", filename=f"{uid}.dcm", headers=_keep(uid)
    )


@router.get("/instances/{uid}/attributes", summary="Show all attributes", responses=tell_one("attributes", 404))
def _show_attributes(_: Viewer, context: At, uid: PathUid) -> Response:
    """The attributes of an instance without its pixels, by keyword."""
    return answer_record(data_set_as_json(_open(context, uid).header))


@router.get(
    "/instances/{uid}/frames/{frame}",
    response_class=Response,
    summary="Get a frame",
    responses=tell_content("Samples, little endian, row by row; or a NumPy array.", _RAW, _ARRAY) | _UNCHANGED,
)
def _send_frame(request: Request, _: Viewer, context: At, uid: PathUid, frame: FrameNumber) -> Response:
    """The stored values of a frame: as bytes, or with ``Accept: application/x-npy`` as an array with its shape."""
    stored = _open(context, uid)
    if frame > stored.frames:
        raise NotFound(f"there is no frame {frame}; the instance has {stored.frames}")
    is_array = _ARRAY in request.headers.get("accept", "")
    name = f"{uid}/{frame}/{'array' if is_array else 'bytes'}"
    if unchanged := _find_unchanged(request, name):
        return unchanged
    native = stored.read_native(frame)
    header = stored.header
    samples = int(header.get("SamplesPerPixel") or 1)
    kind = "i" if int(header.get("PixelRepresentation") or 0) else "u"
    dtype = np.dtype(f"<{kind}{max(int(header.BitsAllocated) // 8, 1)}")
    planes = native.planar_configuration == 1 and samples > 1
    shape = [int(header.Rows), int(header.Columns)]
    whole = [samples, *shape] if planes else [*shape, samples] if samples > 1 else shape
    headers = {
        **_keep(name),
        "x-om-shape": ",".join(map(str, whole)),
        "x-om-dtype": dtype.name,
        "x-om-photometric-interpretation": native.photometric_interpretation,
    }
    if not is_array:
        return Response(native.content, media_type=_RAW, headers=headers)
    stream = io.BytesIO()
    npy.write_array(stream, np.frombuffer(native.content, dtype).reshape(whole), allow_pickle=False)
    return Response(stream.getvalue(), media_type=_ARRAY, headers=headers)


@router.get(
    "/instances/{uid}/picture",
    response_class=Response,
    summary="Get a picture",
    responses=tell_content("A frame as it is shown.", "image/png") | _UNCHANGED,
)
def _send_picture(
    request: Request,
    _: Viewer,
    context: At,
    uid: PathUid,
    frame: Annotated[int, Query(ge=1, le=2**31)] = 1,
    side: Annotated[int, Query(ge=0, le=4096, description="Longest side in pixels; 0 as it is.")] = 0,
) -> Response:
    """A frame with its window, as previews, film and the console show it."""
    stored = _open(context, uid)
    if frame > stored.frames:
        raise NotFound(f"there is no frame {frame}; the instance has {stored.frames}")
    name = f"{uid}/{frame}/{side}"
    if unchanged := _find_unchanged(request, name):
        return unchanged
    picture = draw_stored_preview(stored, number=frame, longest_side=side or None)
    return Response(picture, media_type="image/png", headers=_keep(name))


@router.post(
    "/exams/{exam}/key-objects",
    status_code=201,
    summary="Note key images",
    responses=tell_page("key object document", 404, status=201),
)
def _note_key_images(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber, note: KeyNote) -> Response:
    """Note which instances are of interest in an exam in progress, as a Key Object Selection Document."""

    def make() -> JSONResponse:
        made = context.modality.find_exam(exam).key_objects(note.instances, **note.model_dump(exclude={"instances"}))
        return answer_page([{"exam": exam, "sop_instance_uid": uid} for uid in made], status=201)

    return once.do(make)


@router.post(
    "/exams/{exam}/presentation-states",
    status_code=201,
    summary="Say how images are to be shown",
    responses=tell_one("presentation state", 404, status=201),
)
def _say_look(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber, look: ImageLook) -> Response:
    """Say how images of an exam in progress are to be shown: a Grayscale Softcopy Presentation State."""

    def make() -> JSONResponse:
        uid = context.modality.find_exam(exam).present(look.instances, look.make_look(), series=look.series)
        return answer_record({"exam": exam, "sop_instance_uid": uid}, 201)

    return once.do(make)


@router.get("/key-titles", summary="List titles", responses=tell_page("title of a key object document"))
def _list_titles(_: Viewer) -> Response:
    """The titles that a key object document can have (CID 7010), with the reasons that some of them take."""
    return answer_page(list_key_titles())


@router.get(
    "/key-objects/{uid}",
    summary="Read a key object document",
    responses=tell_one("content of a key object document", 404),
)
def _read_key_objects(_: Viewer, context: At, uid: PathUid) -> Response:
    """What a key object document of the local database says, whoever made it."""
    _find(context, uid)
    return answer_record(key_document_as_json(read_key_document(context.modality.instance_path(uid))))


@router.get(
    "/presentation-states/{uid}/pictures",
    response_class=Response,
    summary="Draw a presentation state",
    responses=tell_content("A PNG for each image, named after it.", "application/zip"),
)
def _draw_presentation_state(_: Viewer, context: At, uid: PathUid) -> Response:
    """The images of a presentation state as it shows them."""
    _find(context, uid)
    stream = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(stream, "w") as archive:
        for _uid, path in draw_state(context.modality.instance_path, uid, Path(folder)):
            archive.write(path, path.name)
    return Response(stream.getvalue(), media_type="application/zip")
