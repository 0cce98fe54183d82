"""Exam: makes images from this page, by the simulator, from a folder of the site, or from files that are uploaded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from openmodality.console.pages.exam import render_exam
from openmodality.console.pages.shell import do_and_return
from openmodality.console.pixel_choices import read_pixel_choices
from openmodality.console.pixel_sources import FilePart, keep_part, make_upload_work, make_work, remove_upload
from openmodality.console.security.access import At, Operator, SentForm, SentPart
from openmodality.errors import WrongState

router = APIRouter()


async def read_part(request: Request, name: str, offset: int, last: bool = False) -> FilePart:
    """A part of a file, as a browser sends it."""
    return FilePart(name, offset, last, await request.body())


@router.post("/exam/{exam_id}/acquire")
def _acquire(request: Request, who: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    choices = read_pixel_choices(context.modality.site.profile, form)
    if choices.errors:
        if form["upload"]:
            remove_upload(context.modality, exam_id, form["upload"])  # files are chosen and come once more
        return render_exam(request, context, who, exam_id, choices)

    def acquire() -> str:
        exam = context.modality.find_exam(exam_id)
        if not exam.state.is_open:
            raise WrongState(f"exam {exam_id} has ended", advice="go on with it first")
        if upload := form["upload"]:
            label, work = "Upload", make_upload_work(context.modality, exam, upload, choices)
        else:
            source = form["source"]
            label, work = source.capitalize(), make_work(context.modality, exam, source, choices)
        context.acquisitions.start(exam_id, label, work)
        return f"{label}: images are made for exam {exam_id} as they come."

    return do_and_return(context, who, f"/exam/{exam_id}", acquire)


@router.post("/exam/{exam_id}/acquire/stop")
def _stop_acquiring(who: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    def stop() -> str:
        context.acquisitions.stop(exam_id)
        return "No more images are made after the one that is being made."

    return do_and_return(context, who, f"/exam/{exam_id}", stop)


@router.post("/exam/{exam_id}/upload/{upload}")
async def _take_part(
    who: SentPart, part: Annotated[FilePart, Depends(read_part)], context: At, exam_id: int, upload: str
) -> Response:
    size = await run_in_threadpool(keep_part, context.modality, exam_id, upload, part)
    return JSONResponse({"size": size})
