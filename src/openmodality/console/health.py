"""``/healthz`` and ``/readyz`` for supervisors: whether the process answers, and whether the device can work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from openmodality.app.health import check_health
from openmodality.console.api.answers import refer_to
from openmodality.console.security.access import At

router = APIRouter(tags=["operation"])

_TOLD = {"content": {"application/json": {"schema": refer_to("readiness")}}}


@router.get("/healthz", summary="Ask whether the process answers", responses={200: _TOLD})
def _answer_alive() -> Response:
    """It answers."""
    return JSONResponse({"ready": True, "checks": []})


@router.get("/readyz", summary="Ask whether the device can work", responses={200: _TOLD, 503: _TOLD})
def _answer_ready(context: At) -> Response:
    """Each part that the device needs, with the reason where it does not work; 503 where one does not."""
    checks = check_health(context.modality)
    is_ready = all(check.is_well for check in checks)
    said = [{"name": check.name, "well": check.is_well, "reason": check.reason} for check in checks]
    return JSONResponse({"ready": is_ready, "checks": said}, 200 if is_ready else 503)
