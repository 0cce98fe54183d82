"""Describes the service (PS3.18 8.9): as WADL, which OPTIONS returns; and in words where it does not do something."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from openmodality.console.context import find_context
from openmodality.console.dicomweb.accept import DICOM, DICOM_JSON, MULTIPART, OCTETS
from openmodality.console.dicomweb.routing import METHODS, SERVICE_PATH, WebRoute, find_service_url

WADL: Final = "application/vnd.sun.wadl+xml"
_NAMESPACE: Final = "http://wadl.dev.java.net/2009/02"
_PARTS: Final = f'{MULTIPART}; type="{DICOM}"'
_PICTURES: Final = "image/jpeg, image/png"
_INSTANCE: Final = "studies/{study}/series/{series}/instances/{instance}"

RESOURCES: Final = (
    ("studies", DICOM_JSON),
    ("series", DICOM_JSON),
    ("instances", DICOM_JSON),
    ("studies/{study}", _PARTS),
    ("studies/{study}/metadata", DICOM_JSON),
    ("studies/{study}/thumbnail", _PICTURES),
    ("studies/{study}/series", DICOM_JSON),
    ("studies/{study}/instances", DICOM_JSON),
    ("studies/{study}/series/{series}", _PARTS),
    ("studies/{study}/series/{series}/metadata", DICOM_JSON),
    ("studies/{study}/series/{series}/thumbnail", _PICTURES),
    ("studies/{study}/series/{series}/instances", DICOM_JSON),
    (_INSTANCE, _PARTS),
    (f"{_INSTANCE}/metadata", DICOM_JSON),
    (f"{_INSTANCE}/bulkdata/{{path}}", OCTETS),
    (f"{_INSTANCE}/rendered", _PICTURES),
    (f"{_INSTANCE}/thumbnail", _PICTURES),
    (f"{_INSTANCE}/frames/{{numbers}}", f'{MULTIPART}; type="{OCTETS}"'),
    (f"{_INSTANCE}/frames/{{number}}/rendered", _PICTURES),
    (f"{_INSTANCE}/frames/{{number}}/thumbnail", _PICTURES),
)
"""Each resource, and what it is given as."""

router = APIRouter(prefix=SERVICE_PATH, route_class=WebRoute)


def _send_capabilities(request: Request) -> Response:
    """Also what a browser asks before a page of another origin may call."""
    headers = {"allow": METHODS}
    allowed = find_context(request).modality.site.settings.console.cors_origins
    if request.headers.get("origin", "") in allowed and "access-control-request-method" in request.headers:
        headers |= {
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": "accept, authorization, if-none-match, if-range, range",
            "access-control-max-age": "600",
        }
        return Response(status_code=204, headers=headers)
    return Response(write_wadl(find_service_url(request)), headers=headers, media_type=WADL)


for _path in ("", "/", *(f"/{path.replace('{path}', '{path:path}')}" for path, _ in RESOURCES)):
    router.add_api_route(_path, _send_capabilities, methods=["OPTIONS"])


@router.post("/studies")
@router.post("/studies/{study}")
def _refuse_store(study: str = "") -> Response:
    """Nobody stores into a modality over HTTP."""
    problem = {
        "title": "this device takes no instances over DICOMweb (STOW-RS)",
        "status": 405,
        "advice": "import files with openmodality import, or store them by C-STORE where the site allows it",
    }
    return JSONResponse(problem, 405, {"allow": METHODS}, media_type="application/problem+json")


def write_wadl(service_url: str) -> bytes:
    """The description of the service."""
    ET.register_namespace("", _NAMESPACE)
    root = ET.Element(f"{{{_NAMESPACE}}}application")
    resources = ET.SubElement(root, f"{{{_NAMESPACE}}}resources", base=service_url)
    for path, media_types in RESOURCES:
        resource = ET.SubElement(resources, f"{{{_NAMESPACE}}}resource", path=path)
        method = ET.SubElement(resource, f"{{{_NAMESPACE}}}method", name="GET")
        response = ET.SubElement(method, f"{{{_NAMESPACE}}}response", status="200")
        for media_type in media_types.split(", "):
            ET.SubElement(response, f"{{{_NAMESPACE}}}representation", mediaType=media_type)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
