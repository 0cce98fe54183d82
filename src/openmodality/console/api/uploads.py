"""``/exams/{exam}/series``, ``/volumes`` and ``/instances``: pixels and instances that programs upload.

A frame or a file of several goes into a series that was begun; a volume, or any other file of pixels, becomes a series
of its own, or several. Both go the way of a watched folder, so what a file says of its patient is looked at, and the
same request sent again makes the same instances.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from numpy.lib import format as npy
from pydantic import ConfigDict, Field

from openmodality.app.records.exams import ExamDetails
from openmodality.app.records.local_data import import_as_json
from openmodality.console.api.access import OperateCall
from openmodality.console.api.answers import RequestBody, answer_record, refer_to, tell_body, tell_one, tell_problems
from openmodality.console.api.once import IdempotencyKey, OnceOnly
from openmodality.console.api.places import ExamNumber, KeywordValues, SeriesNumber, Uid, WireName
from openmodality.console.api.received import RAW, Claim, ReceivedUpload, take_upload
from openmodality.console.security.access import At
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.exam.series import Series

router = APIRouter(prefix="/api/v1", tags=["pixels"])

FRAME_TYPES: Final = (RAW, "application/x-npy", "image/tiff", "image/png", "application/dicom", "multipart/mixed",
                      "multipart/form-data")  # fmt: skip
VOLUME_TYPES: Final = (RAW, "application/x-nifti", "application/gzip", "application/x-hdf5", "application/x-npz",
                       "application/zip", "application/x-matlab-data", *FRAME_TYPES[1:])  # fmt: skip
_DTYPE: Final = re.compile(r"[<>=|]?(u?int(8|16|32)|float(32|64)|complex(64|128)|[iufc][1248]|c16)")
_SHAPE: Final = re.compile(r"\d{1,6}(,\d{1,6}){1,3}")


class NewSeries(RequestBody):
    """What a series is to be."""

    description: WireName = Field("", description="Series Description.")
    modality: WireName = Field("", description="Modality; the device's first where it is empty.")
    sop_class_uid: Uid | None = Field(None, description="SOP Class of its images.")
    attributes: KeywordValues = Field(default_factory=dict, max_length=200, description="What all its images share.")


class IngestQuery(RequestBody):
    """How a file is to be taken, as the options of ``openmodality exam acquire`` say it."""

    object: WireName = Field("", description="What pixels become that do not say it themselves, such as MR Image.")
    derive: WireName = Field("", description="What all pixels become, DICOM files of other objects too.")
    assume_affine: bool = Field(False, description="Take the axes of NIfTI without a place for those of the patient.")
    mrd_position: WireName = Field("", pattern="^(centre|corner)?$", description="What the position of MRD is.")
    format: WireName = Field("", description="The format of raw pixels: raw:ROWSxCOLS:uint16:le:OFFSET.")
    detector: WireName = Field("", description="The detector of the site whose maps correct raw pixels, or none.")
    accept_identity: bool = Field(False, description="Take pixels that name another patient than the exam's.")


class RawHeaders(RequestBody):
    """What raw samples are: they begin with the first row of the first frame."""

    x_om_shape: str = Field("", max_length=32, description="Rows and columns, or frames, rows, columns: `256,256`.")
    x_om_dtype: str = Field("uint16", max_length=16, description="Of one sample, little endian: `uint16`, `float32`.")
    x_om_attributes: str = Field(
        "", max_length=65536, description="JSON object: values by DICOM keyword, said of all images of the upload."
    )

    def make_head(self) -> bytes:
        """The header of NumPy's format for these samples; empty where no shape is given.

        Raises :class:`UsageError` for a shape or type that there is not.
        """
        if not self.x_om_shape:
            return b""
        if not _SHAPE.fullmatch(self.x_om_shape):
            raise UsageError("X-OM-Shape is no shape", advice="write rows and columns with a comma: 256,256")
        if not _DTYPE.fullmatch(self.x_om_dtype):
            raise UsageError("X-OM-Dtype is no type of samples", advice="write uint16, float32 and so on")
        shape = tuple(map(int, self.x_om_shape.split(",")))
        head = npy.magic(1, 0)
        fields = {"descr": np.dtype(self.x_om_dtype).newbyteorder("<").str, "fortran_order": False, "shape": shape}
        text = (repr(fields) + "\n").encode("latin-1")
        text = text[:-1] + b" " * (-(len(head) + 2 + len(text)) % 64) + b"\n"
        return head + len(text).to_bytes(2, "little") + text

    def read_attributes(self) -> dict[str, Any]:
        """The values by keyword. Raises :class:`UsageError` where the header is no JSON object."""
        try:
            said = json.loads(self.x_om_attributes or "{}")
        except ValueError as error:
            raise UsageError("X-OM-Attributes is no JSON") from error
        if not isinstance(said, dict):
            raise UsageError("X-OM-Attributes is no JSON object", advice='write {"SliceLocation": 12.5}')
        return said


class FrameHeaders(RawHeaders):
    """The headers of an upload; others are of HTTP."""

    model_config = ConfigDict(extra="ignore")


_Headers = Annotated[FrameHeaders, Header()]


async def _receive(
    request: Request, context: At, principal: OperateCall, said: _Headers, idempotency_key: IdempotencyKey = ""
) -> AsyncIterator[ReceivedUpload]:
    """An upload of pixels; what is said of them in headers tells the request from others too."""
    claim = Claim(principal, idempotency_key, said.x_om_attributes)
    async with take_upload(request, context, claim, VOLUME_TYPES, said.make_head) as received:
        yield received


Uploaded = Annotated[ReceivedUpload, Depends(_receive, scope="function")]


_TOLD: Final = tell_problems(404, 415, 429, 507) | {
    201: {"description": "Images were made.", "content": {"application/json": {"schema": refer_to("upload")}}}
}


@router.post(
    "/exams/{exam}/series",
    status_code=201,
    summary="Begin a series",
    responses=tell_one("new series", 404, status=201),
)
def _begin_series(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber, wanted: NewSeries) -> Response:
    """Begin a series of an exam, into which frames are uploaded."""

    def begin() -> JSONResponse:
        found = context.modality.find_exam(exam)
        made = found.series(
            wanted.description,
            modality=wanted.modality,
            sop_class_uid=wanted.sop_class_uid or "",
            **wanted.attributes,
        )
        number = made.record.number
        return answer_record(
            {"exam": exam, **_describe_series(made)}, 201, location=f"/api/v1/exams/{exam}/series/{number}"
        )

    return once.do(begin)


@router.post(
    "/exams/{exam}/series/{number}/frames",
    status_code=201,
    summary="Upload frames into a series",
    responses=_TOLD,
    openapi_extra=tell_body(*FRAME_TYPES),
)
def _upload_frames(received: Uploaded, said: _Headers, context: At, exam: ExamNumber, number: SeriesNumber) -> Response:
    """Make images of samples, an array, a picture or a DICOM file, in a series that was begun."""

    def make() -> dict[str, Any]:
        found = context.modality.find_exam(exam)
        with context.uploads.take_turn(exam):
            series = found.take_into(number, received.arrival, keywords=said.read_attributes())
        return _describe_upload(exam, [series])

    return received.do(make)


@router.post(
    "/exams/{exam}/series/{number}/close",
    summary="Queue a series for the archives",
    responses=tell_one("exam in detail", 404),
)
def _close_series(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber, number: SeriesNumber) -> Response:
    """Queue the images that were made so far for the archives now, without waiting for the end of the exam."""

    def close() -> JSONResponse:
        found = context.modality.find_exam(exam)
        if number not in {each.number for each in found.record.series}:
            raise NotFound(f"exam {exam} has no series {number}")
        found.deliver()
        return answer_record(ExamDetails.of(context.modality.view, exam).as_json())

    return once.do(close)


@router.post(
    "/exams/{exam}/volumes",
    status_code=201,
    summary="Upload a volume",
    responses=_TOLD,
    openapi_extra=tell_body(*VOLUME_TYPES),
)
def _upload_volume(
    received: Uploaded, said: _Headers, context: At, exam: ExamNumber, how: Annotated[IngestQuery, Query()]
) -> Response:
    """Make one series, or several, of a file: NIfTI with its sidecar, MRD, NumPy, MATLAB, a picture, DICOM."""

    def make() -> dict[str, Any]:
        found = context.modality.find_exam(exam)
        with context.uploads.take_turn(exam):
            made = found.take(received.arrival, keywords=said.read_attributes(), **how.model_dump())
        return _describe_upload(exam, made)

    return received.do(make)


@router.post(
    "/instances",
    status_code=201,
    summary="Import an instance",
    responses=tell_problems(415, 429, 507)
    | {201: {"description": "It was taken.", "content": {"application/json": {"schema": refer_to("import")}}}},
    openapi_extra=tell_body("application/dicom"),
)
def _import_instance(received: Uploaded, context: At) -> Response:
    """Copy a DICOM file into the local database, as it is. One that is there already is not replaced."""

    def take() -> dict[str, Any]:
        imported = context.modality.import_files([received.path])
        if imported.refused:
            raise ObjectInvalid(imported.refused[0][1])
        return import_as_json(imported)

    return received.do(take)


def _describe_series(series: Series) -> dict[str, Any]:
    record = series.record
    return {
        "series": record.number,
        "series_instance_uid": record.series_instance_uid,
        "description": record.description,
        "modality": record.modality,
        "object": series.object_name,
    }


def _describe_upload(exam: int, made: list[Series]) -> dict[str, Any]:
    phases = [each.phase for each in made if each.phase is not None]
    return {"exam": exam, "series": [_describe_made(each) for each in (*made, *phases)]}


def _describe_made(series: Series) -> dict[str, Any]:
    """A series, which images it has got, and what of what was said is not in them."""
    return {
        **_describe_series(series),
        "sop_instance_uids": series.made,
        "notices": series.notices,
        "unused": [{"name": name, "reason": reason} for name, reason in sorted(series.unused.items())],
        "left_out": list(series.left_out),
        "overridden": list(series.overridden),
    }
