"""Dose: shows what a dose report of this device says, its totals and each irradiation event."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.app.dose_reports import read_dose_report
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.security.access import At, Viewer
from openmodality.errors import NotFound, UsageError
from openmodality.objects.report.dose_overview import DoseLine, DoseSums
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import Found
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class DoseView:
    """A dose report; ``sums`` are those of fluoroscopy, of acquisitions and of both, in dGy.cm2, mGy and s."""

    instance: Found
    completion: str
    reference_point: str
    sums: Sequence[tuple[str, DoseSums]]
    events: Sequence[DoseLine]


router = APIRouter()


@router.get("/images/instance/{uid}/dose")
def _show_dose_report(request: Request, viewer: Viewer, context: At, uid: str) -> Response:
    view = make_dose_view(context, uid)
    context.modality.audit.tell_viewed(view.instance["StudyInstanceUID"])
    return render_page(request, context, viewer, Page("dose.html", "Dose report", "images"), dose=view)


def make_dose_view(context: ConsoleContext, uid: str) -> DoseView:
    """A dose report. Raises :class:`NotFound` where this device has none of this UID, or none that can be read."""
    found = context.modality.view.find(Level.IMAGE, {"SOPInstanceUID": uid}, limit=1)
    if not found or set(uid) & {"*", "?"}:
        raise NotFound("there is no such instance", advice="it may have been deleted; Images shows what is here")
    try:
        overview = read_dose_report(context.modality.instance_path(uid))
    except UsageError as error:
        raise NotFound("this instance is no dose report that can be shown") from error
    return DoseView(
        instance=found[0],
        completion=overview.completion,
        reference_point=overview.reference_point,
        sums=[
            ("Fluoroscopy", overview.fluoroscopy), ("Acquisition", overview.acquisition), ("Total", overview.total)
        ],
        events=overview.events,
    )  # fmt: skip
