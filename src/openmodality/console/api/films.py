"""``/printers`` and ``/films``: how printers are, what comes out before it is printed, and printing it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from openmodality.activities.film_order import FilmOrder
from openmodality.app.records.films import printer_as_json
from openmodality.console.api.access import CheckCall, OperateCall, ViewCall
from openmodality.console.api.answers import (
    answer_page,
    answer_record,
    tell_content,
    tell_one,
    tell_page,
)
from openmodality.console.api.choice import Choice, UidList
from openmodality.console.api.jobs import describe_job
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import PathName, WireName, find_printer
from openmodality.console.security.access import At, Viewer
from openmodality.standard.film import MOST_COPIES

router = APIRouter(prefix="/api/v1", tags=["films"])


class FilmRequest(Choice):
    """What is printed on what; what is not said is as usual for the printer."""

    printer: WireName = Field("", description="A printer of the site; its first one where it is empty.")
    layout: WireName = Field("", description="Columns and rows, 3x4, or an image display format.")
    copies: int = Field(0, ge=0, le=MOST_COPIES, description="Copies of each sheet.")
    priority: Literal["", "LOW", "MED", "HIGH"] = Field("", description="Print priority.")
    medium: WireName = Field("", description="Medium, such as BLUE FILM.")
    destination: WireName = Field("", description="Where the film goes, such as PROCESSOR.")
    size: WireName = Field("", description="Film size, such as 14INX17IN.")
    orientation: Literal["", "PORTRAIT", "LANDSCAPE"] = Field("", description="Film orientation.")
    magnification: WireName = Field("", description="How images are made larger, such as CUBIC.")
    smoothing: WireName = Field("", description="Smoothing, by the printer's conformance statement.")
    configuration: WireName = Field("", description="Configuration, by the printer's conformance statement.")
    label: WireName = Field("", description="Label of the film session.")
    window: tuple[float, Annotated[float, Field(ge=1)]] | None = Field(None, description="Window center and width.")
    annotation: bool = Field(True, description="Write text into the images.")
    true_size: bool = Field(False, description="As large on the film as in the patient.")
    mixed: bool = Field(False, description="Allow images of several patients on one sheet.")
    states: UidList = Field(default_factory=list, description="Presentation states, by SOP Instance UID.")
    scouts: UidList = Field(default_factory=list, description="Images printed first, with lines of the others.")
    key_objects: UidList = Field(default_factory=list, description="Key object documents whose images are printed.")

    def make_order(self) -> FilmOrder:
        """The value that the device takes."""
        said: dict[str, Any] = self.model_dump(exclude={"printer", "studies", "series", "instances"})
        lists = {name: tuple(said.pop(name)) for name in ("states", "scouts", "key_objects")}
        return FilmOrder(**{**said, **lists, "window": said["window"] or ()})


@router.get("/printers", summary="List printers", responses=tell_page("film printer"))
def _list_printers(_: Viewer, context: At) -> Response:
    """The printers of the site as they are configured; none is asked."""
    return answer_page(printer_as_json(each, {}) for each in context.modality.site.printers.values())


@router.post(
    "/printers/{name}/ask", summary="Ask a printer how it is", responses=tell_one("film printer", 404, peer=True)
)
def _ask_printer(request: Request, _: CheckCall, context: At, name: PathName) -> Response:
    """What the site file says of a printer, and what the printer says of itself."""
    find_printer(context, request, name)
    configured, answer = context.modality.films.ask_printer(name)
    return answer_record(printer_as_json(configured, answer.attributes))


@router.post("/films", status_code=202, summary="Print", responses=tell_one("job", 404, status=202))
def _print_film(request: Request, _: OperateCall, context: At, once: OnceOnly, film: FilmRequest) -> Response:
    """Queue a job that prints images of the local database."""
    printer = find_printer(context, request, film.printer).name

    def order() -> JSONResponse:
        job = context.modality.films.order(film.make_chosen(), printer, film.make_order())
        return answer_record(describe_job(context, job), 202, location=f"/api/v1/jobs/{job.id}")

    return once.do(order)


@router.post(
    "/films/preview",
    response_class=Response,
    summary="Look at a film before it is printed",
    responses=tell_content("The sheets, pixel for pixel what is sent.", "application/pdf"),
)
def _preview_film(request: Request, _: ViewCall, context: At, film: FilmRequest) -> Response:
    """The sheets as a PDF; nothing is printed."""
    printer = find_printer(context, request, film.printer).name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.pdf"
        context.modality.films.preview(film.make_chosen(), printer, film.make_order(), path)
        return Response(path.read_bytes(), media_type="application/pdf")
