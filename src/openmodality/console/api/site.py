"""``/site`` and ``/profile``: what this device is, and how it is set."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from openmodality.app.records.site import profile_as_json, site_as_json
from openmodality.console.api.answers import answer_record, tell_one
from openmodality.console.security.access import At, Viewer

router = APIRouter(prefix="/api/v1", tags=["device"])


@router.get("/site", summary="Show the site", responses=tell_one("device at its site"))
def _show_site(_: Viewer, context: At) -> Response:
    """Where this device is, who it is on the network, and each parameter with its value and what may be set."""
    return answer_record(site_as_json(context.modality.site))


@router.get("/profile", summary="Show the profile", responses=tell_one("profile of a device"))
def _show_profile(_: Viewer, context: At) -> Response:
    """Which device this is, and what it makes."""
    return answer_record(profile_as_json(context.modality.site.profile))
