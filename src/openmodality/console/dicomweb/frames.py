"""Frames (PS3.18 10.4.1.1.6): uncompressed in Little Endian, or as they are stored, each a part of its own.

Only the pixels of the frame leave, never a byte of the header around them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.activities.web_retrieve import ANY_SYNTAX
from openmodality.console.context import ConsoleContext
from openmodality.console.dicomweb.accept import MULTIPART, OCTETS, MediaRange, NotAcceptable, read_accepted
from openmodality.console.dicomweb.answers import (
    answer_parts,
    answer_unchanged,
    answer_value,
    is_unchanged,
    make_entity_tag,
)
from openmodality.console.dicomweb.routing import SERVICE_PATH, WebRoute, find_service_url
from openmodality.console.security.access import At, Viewer
from openmodality.encoding.multipart import MessagePart
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.imaging.stored_pixels import StoredPixels
from openmodality.standard.media_types import find_media_type
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.listing.entities import InstanceReference

_READ: Final = ["GET", "HEAD"]
_MOST: Final = 10_000

router = APIRouter(prefix=SERVICE_PATH, route_class=WebRoute)


@router.api_route("/studies/{study}/series/{series}/instances/{instance}/frames/{numbers}", methods=_READ)
def _send_frames(
    request: Request, _: Viewer, context: At, study: str, series: str, instance: str, numbers: str
) -> Response:
    (reference,) = context.modality.web.instances.find(study, series, instance)
    wanted = parse_numbers(numbers)
    return answer_frames(request, reference, open_pixels(context, reference), wanted)


def open_pixels(context: ConsoleContext, reference: InstanceReference) -> StoredPixels:
    """The pixels of an instance. Raises :class:`NotFound` where it has none that can be read."""
    try:
        return context.pixels.open(context.modality.instance_path(reference.SOPInstanceUID))
    except (ObjectInvalid, OSError) as error:
        raise NotFound(
            "this instance has no pixels that can be read",
            advice="its metadata say what it is; only images have frames",
        ) from error


def parse_numbers(text: str) -> list[int]:
    """The numbers of frames, with commas between them. Raises :class:`UsageError`."""
    parts = text.split(",")
    if len(parts) > _MOST or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise UsageError("frames are named by their numbers, from 1, with commas between them", advice="as in 1,2")
    return [int(part) for part in parts]


def answer_frames(
    request: Request, reference: InstanceReference, pixels: StoredPixels, numbers: Sequence[int]
) -> Response:
    """The frames as the client takes them. Raises :class:`NotFound` where one is not there."""
    if missing := [number for number in numbers if not 1 <= number <= pixels.frames]:
        raise NotFound(
            f"there is no frame {missing[0]}; the instance has {pixels.frames}",
            advice=f"ask for frames from 1 to {pixels.frames}",
        )
    chosen, as_stored = _choose_form(request, pixels, len(numbers))
    name = find_media_type(pixels.transfer_syntax_uid) if as_stored and not chosen.covers(OCTETS) else OCTETS
    tag = make_entity_tag(reference.SOPInstanceUID, name, as_stored, chosen.is_multipart, *numbers)
    if is_unchanged(request, tag):
        return answer_unchanged(tag)
    syntax = pixels.transfer_syntax_uid if as_stored else EXPLICIT_VR_LITTLE_ENDIAN
    kind = f"{name}; transfer-syntax={syntax}"

    def read(number: int) -> bytes:
        return pixels.read_encapsulated(number) if as_stored else _pack_bits(pixels, number)

    if not chosen.is_multipart:
        content = read(numbers[0])
        return answer_value(request, len(content), lambda at, count: [content[at : at + count]], kind, tag)
    first = read(numbers[0])  # an error at the beginning is one, and no answer that breaks off

    def list_parts() -> Iterator[MessagePart]:
        for place, number in enumerate(numbers):
            location = f"{find_service_url(request)}/studies/{reference.StudyInstanceUID}/series"
            location += f"/{reference.SeriesInstanceUID}/instances/{reference.SOPInstanceUID}/frames/{number}"
            content = read(number) if place else first
            headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Content-Location": location}
            yield MessagePart(headers, [content])

    return answer_parts(list_parts(), name, tag)


def _choose_form(request: Request, pixels: StoredPixels, count: int) -> tuple[MediaRange, bool]:
    """What the client takes of what there is, and whether that is the frames as they are stored.

    Raises :class:`NotAcceptable`.
    """
    stored, is_compressed = find_media_type(pixels.transfer_syntax_uid), pixels.is_encapsulated
    for each in read_accepted(request):
        is_any = each.name == "*/*"
        if not (each.is_multipart or is_any or count == 1):
            continue
        chosen = each._replace(is_multipart=True) if is_any else each
        if each.covers(OCTETS) and each.transfer_syntax in ("", EXPLICIT_VR_LITTLE_ENDIAN):
            return chosen, False
        if each.covers(OCTETS) and each.transfer_syntax in (ANY_SYNTAX, pixels.transfer_syntax_uid):
            return chosen, is_compressed
        if (
            is_compressed
            and each.covers(stored)
            and each.transfer_syntax in ("", ANY_SYNTAX, pixels.transfer_syntax_uid)
        ):
            return chosen, True
    parts = [f'{MULTIPART}; type="{OCTETS}"', f'{MULTIPART}; type="{OCTETS}"; transfer-syntax=*']
    more = [f'{MULTIPART}; type="{stored}"; transfer-syntax={pixels.transfer_syntax_uid}'] if is_compressed else []
    raise NotAcceptable([*parts, *more, *([OCTETS] if count == 1 else [])])


def _pack_bits(pixels: StoredPixels, number: int) -> bytes:
    """A frame in Little Endian; one of single bits is packed again (PS3.5 8.1.1)."""
    content = pixels.read_native(number).content
    if pixels.header.get("BitsAllocated") != 1 or pixels.find_range(number) is not None:
        return content
    return np.packbits(np.frombuffer(content, np.uint8), bitorder="little").tobytes()
