"""WADO-RS (PS3.18 10.4): instances as they are stored or in Explicit VR Little Endian, metadata, and long values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.activities.web_retrieve import ANY_SYNTAX, PixelsInFragments, can_give
from openmodality.console.context import ConsoleContext
from openmodality.console.dicomweb.accept import (
    DICOM,
    DICOM_JSON,
    JSON,
    MULTIPART,
    OCTETS,
    MediaRange,
    NotAcceptable,
    choose,
    read_accepted,
)
from openmodality.console.dicomweb.answers import (
    answer_parts,
    answer_stream,
    answer_unchanged,
    answer_value,
    cut,
    is_unchanged,
    make_entity_tag,
)
from openmodality.console.dicomweb.frames import answer_frames, open_pixels
from openmodality.console.dicomweb.routing import SERVICE_PATH, WebRoute, find_service_url
from openmodality.console.security.access import At, Viewer
from openmodality.encoding.json_model import MakeUri
from openmodality.encoding.multipart import MessagePart
from openmodality.errors import NotFound
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.listing.entities import InstanceReference

_READ: Final = ["GET", "HEAD"]
_AS_PARTS: Final = f'{MULTIPART}; type="{DICOM}"'
_POSSIBLE: Final = (_AS_PARTS, f"{_AS_PARTS}; transfer-syntax=*")

router = APIRouter(prefix=SERVICE_PATH, route_class=WebRoute)

STUDY_PATH: Final = "/studies/{study}"
SERIES_PATH: Final = STUDY_PATH + "/series/{series}"
INSTANCE_PATH: Final = SERIES_PATH + "/instances/{instance}"


@router.api_route(STUDY_PATH, methods=_READ)
def _send_study(request: Request, _: Viewer, context: At, study: str) -> Response:
    return _send_instances(request, context, context.modality.web.instances.find(study))


@router.api_route(SERIES_PATH, methods=_READ)
def _send_series(request: Request, _: Viewer, context: At, study: str, series: str) -> Response:
    return _send_instances(request, context, context.modality.web.instances.find(study, series))


@router.api_route(INSTANCE_PATH, methods=_READ)
def _send_instance(request: Request, _: Viewer, context: At, study: str, series: str, instance: str) -> Response:
    return _send_instances(request, context, context.modality.web.instances.find(study, series, instance))


@router.api_route(STUDY_PATH + "/metadata", methods=_READ)
def _describe_study(request: Request, _: Viewer, context: At, study: str) -> Response:
    return _describe(request, context, context.modality.web.instances.find(study))


@router.api_route(SERIES_PATH + "/metadata", methods=_READ)
def _describe_series(request: Request, _: Viewer, context: At, study: str, series: str) -> Response:
    return _describe(request, context, context.modality.web.instances.find(study, series))


@router.api_route(INSTANCE_PATH + "/metadata", methods=_READ)
def _describe_instance(request: Request, _: Viewer, context: At, study: str, series: str, instance: str) -> Response:
    return _describe(request, context, context.modality.web.instances.find(study, series, instance))


@router.api_route(INSTANCE_PATH + "/bulkdata/{path:path}", methods=_READ)
def _send_value(
    request: Request, _: Viewer, context: At, study: str, series: str, instance: str, path: str
) -> Response:
    (reference,) = context.modality.web.instances.find(study, series, instance)
    accepted = _choose_octets(request)
    tag = make_entity_tag(reference.SOPInstanceUID, path.upper(), accepted.is_multipart)
    if is_unchanged(request, tag):
        return answer_unchanged(tag)
    web = context.modality.web.instances
    try:
        value = web.read_value(reference, path)
    except PixelsInFragments:
        pixels = open_pixels(context, reference)
        return answer_frames(request, reference, pixels, range(1, pixels.frames + 1))
    location = f"{make_instance_url(request, reference)}/bulkdata/{path}"
    if accepted.is_multipart:
        part = MessagePart({"Content-Type": OCTETS, "Content-Location": location}, value.pieces)
        return answer_parts([part], OCTETS, tag)
    return answer_value(request, value.length, lambda offset, count: cut(value.pieces, offset, count), OCTETS, tag)


def _choose_octets(request: Request) -> MediaRange:
    """How bytes are taken. Raises :class:`NotAcceptable` where they are not."""
    for each in read_accepted(request):
        if each.covers(OCTETS):
            return each
    raise NotAcceptable((OCTETS, f'{MULTIPART}; type="{OCTETS}"'))


# Whole instances


def _send_instances(request: Request, context: ConsoleContext, found: Sequence[InstanceReference]) -> Response:
    chosen = _choose_form(request, found)
    syntax = chosen.transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN
    given = [each for each in found if can_give(each.TransferSyntaxUID, syntax)]
    tag = make_entity_tag(syntax, chosen.is_multipart, *(each.SOPInstanceUID for each in found))
    if is_unchanged(request, tag):
        return answer_unchanged(tag)
    kind = f"{DICOM}; transfer-syntax={{}}"
    web = context.modality.web.instances
    if not chosen.is_multipart:
        return answer_stream(_begin(web.open_file(given[0], syntax)), kind.format(_name(given[0], syntax)), tag)
    parts = (
        MessagePart({"Content-Type": kind.format(_name(each, syntax))}, web.open_file(each, syntax)) for each in given
    )
    headers, status = {}, 200
    if missing := len(found) - len(given):
        status = 206
        headers["warning"] = (
            f'299 {request.headers["host"]} "{missing} of {len(found)} instances cannot be had in this transfer syntax"'
        )
    return answer_parts(parts, DICOM, tag, status=status, headers=headers)


def _begin(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, the first of them read already: what is wrong at the beginning is an error and no broken answer."""
    first = next(pieces)

    def go_on() -> Iterator[bytes]:
        yield first
        yield from pieces

    return go_on()


def _choose_form(request: Request, found: Sequence[InstanceReference]) -> MediaRange:
    """How instances are taken: the first of what the client takes that some of them can be had as."""
    said = ""
    for each in read_accepted(request):
        is_any = each.name == "*/*"
        if not each.covers(DICOM) or not (each.is_multipart or is_any or len(found) == 1):
            continue
        if any(can_give(one.TransferSyntaxUID, each.transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN) for one in found):
            return each._replace(is_multipart=True) if is_any else each
        said = "no instance can be had in the transfer syntax that was asked for: nothing is compressed here"
    single = (DICOM, f"{DICOM}; transfer-syntax=*") if len(found) == 1 else ()
    raise NotAcceptable((*_POSSIBLE, *single), said)


def _name(reference: InstanceReference, syntax: str) -> str:
    return reference.TransferSyntaxUID if syntax == ANY_SYNTAX else syntax


# Metadata


def _describe(request: Request, context: ConsoleContext, found: Sequence[InstanceReference]) -> Response:
    media_type = choose(request, (DICOM_JSON, JSON))
    tag = make_entity_tag(media_type, find_service_url(request), *(each.SOPInstanceUID for each in found))
    if is_unchanged(request, tag):
        return answer_unchanged(tag)
    return answer_stream(_begin(_write_models(request, context, found)), media_type, tag)


def _write_models(request: Request, context: ConsoleContext, found: Sequence[InstanceReference]) -> Iterator[bytes]:
    """The array of what describes each instance; one that was deleted meanwhile is left out."""
    web, before = context.modality.web.instances, b"["
    for reference in found:
        try:
            model = web.read_model(reference, _make_uri(make_instance_url(request, reference)))
        except NotFound:
            continue
        yield before + json.dumps(model).encode()
        before = b","
    yield b"]" if before == b"," else b"[]"


def _make_uri(instance_url: str) -> MakeUri:
    def make(path: str) -> str:
        return f"{instance_url}/bulkdata/{path}"

    return make


def make_instance_url(request: Request, reference: InstanceReference) -> str:
    """The absolute URL of an instance."""
    return "/".join(
        (
            find_service_url(request),
            "studies", reference.StudyInstanceUID,
            "series", reference.SeriesInstanceUID,
            "instances", reference.SOPInstanceUID,
        )
    )  # fmt: skip
