"""Pictures of instances (PS3.18 10.4.1.1.3, 10.4.1.1.4): rendered ones and thumbnails, by the renderer of the device.

``window=CENTER,WIDTH,FUNCTION``, ``viewport=WIDTH,HEIGHT[,X,Y,W,H]`` and ``quality`` are done; ``annotation`` and
``iccprofile`` are passed over, which the answer says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.console.context import ConsoleContext
from openmodality.console.dicomweb.accept import choose
from openmodality.console.dicomweb.answers import REVALIDATE, answer_unchanged, is_unchanged, make_entity_tag
from openmodality.console.dicomweb.frames import open_pixels, parse_numbers
from openmodality.console.dicomweb.retrieve import INSTANCE_PATH, SERIES_PATH, STUDY_PATH
from openmodality.console.dicomweb.routing import SERVICE_PATH, WebRoute
from openmodality.console.security.access import At, Viewer
from openmodality.errors import NotFound, UsageError
from openmodality.imaging.web_picture import FUNCTIONS, PictureOrder, PictureRegion, draw_picture
from openmodality.standard.sop_classes import is_image
from openmodality.store.listing.entities import InstanceReference

_READ: Final = ["GET", "HEAD"]
_JPEG, _PNG = "image/jpeg", "image/png"
_PASSED_OVER: Final = ("annotation", "iccprofile", "charset")
_THUMBNAIL: Final = 128
_MOST_PIXELS: Final = 8192
_QUALITY: Final = 90

router = APIRouter(prefix=SERVICE_PATH, route_class=WebRoute)


@router.api_route(INSTANCE_PATH + "/rendered", methods=_READ)
def _render_instance(request: Request, _: Viewer, context: At, study: str, series: str, instance: str) -> Response:
    (reference,) = context.modality.web.instances.find(study, series, instance)
    return _answer(request, context, reference, 1, read_picture_order(request))


@router.api_route(INSTANCE_PATH + "/frames/{numbers}/rendered", methods=_READ)
def _render_frame(
    request: Request, _: Viewer, context: At, study: str, series: str, instance: str, numbers: str
) -> Response:
    (reference,) = context.modality.web.instances.find(study, series, instance)
    return _answer(request, context, reference, _parse_one(numbers), read_picture_order(request))


@router.api_route(INSTANCE_PATH + "/frames/{numbers}/thumbnail", methods=_READ)
def _show_frame_small(
    request: Request, _: Viewer, context: At, study: str, series: str, instance: str, numbers: str
) -> Response:
    (reference,) = context.modality.web.instances.find(study, series, instance)
    return _answer(request, context, reference, _parse_one(numbers), read_picture_order(request, _THUMBNAIL))


@router.api_route(INSTANCE_PATH + "/thumbnail", methods=_READ)
def _show_instance_small(request: Request, _: Viewer, context: At, study: str, series: str, instance: str) -> Response:
    (reference,) = context.modality.web.instances.find(study, series, instance)
    return _answer(request, context, reference, 1, read_picture_order(request, _THUMBNAIL))


@router.api_route(SERIES_PATH + "/thumbnail", methods=_READ)
def _show_series_small(request: Request, _: Viewer, context: At, study: str, series: str) -> Response:
    reference = _choose_middle(context.modality.web.instances.find(study, series))
    return _answer(request, context, reference, 1, read_picture_order(request, _THUMBNAIL))


@router.api_route(STUDY_PATH + "/thumbnail", methods=_READ)
def _show_study_small(request: Request, _: Viewer, context: At, study: str) -> Response:
    reference = _choose_middle(context.modality.web.instances.find(study))
    return _answer(request, context, reference, 1, read_picture_order(request, _THUMBNAIL))


def _choose_middle(found: Sequence[InstanceReference]) -> InstanceReference:
    """The image that stands for many: one in the middle."""
    images = [each for each in found if is_image(each.SOPClassUID)]
    if not images:
        raise NotFound("there are no images here", advice="documents and presentation states are not drawn")
    return images[len(images) // 2]


def _answer(
    request: Request, context: ConsoleContext, reference: InstanceReference, number: int, order: PictureOrder
) -> Response:
    media_type = choose(request, (_JPEG, _PNG))
    tag = make_entity_tag(reference.SOPInstanceUID, number, media_type, order)
    if is_unchanged(request, tag):
        return answer_unchanged(tag)
    kind = "PNG" if media_type == _PNG else "JPEG"
    content = draw_picture(open_pixels(context, reference), number, order, kind)
    headers = {"etag": tag, "cache-control": REVALIDATE, "vary": "accept"}
    if ignored := [name for name in _PASSED_OVER if name in request.query_params]:
        headers["warning"] = f'299 {request.headers["host"]} "not done, and passed over: {", ".join(ignored)}"'
    return Response(content, headers=headers, media_type=media_type)


_EXAMPLES: Final = {"window": "window=40,400", "viewport": "viewport=512,512"}


def _parse_one(text: str) -> int:
    numbers = parse_numbers(text)
    if len(numbers) != 1:
        raise UsageError("one frame is drawn at a time", advice="ask for /frames/1/rendered, then for the next one")
    return numbers[0]


def read_picture_order(request: Request, longest_side: int = 0) -> PictureOrder:
    """How a picture is to be drawn, by the parameters of a request. Raises :class:`UsageError`."""
    parameters = request.query_params
    quality = parameters.get("quality", str(_QUALITY))
    if not (quality.isascii() and quality.isdecimal() and 1 <= int(quality[:4]) <= 100):
        raise UsageError("quality is a number from 1 to 100", advice="as in quality=90")
    viewport = _read_numbers("viewport", parameters.get("viewport", ""), (2, 6))
    size = tuple(int(side) for side in viewport[:2]) or (longest_side, longest_side)
    if viewport and not all(1 <= side <= _MOST_PIXELS for side in size):
        raise UsageError(f"the sides of a viewport are 1 to {_MOST_PIXELS} pixels", advice="as in viewport=512,512")
    region = PictureRegion(*viewport[2:]) if len(viewport) > 2 else None
    return PictureOrder(_read_window(parameters.get("window", "")), (size[0], size[1]), region, int(quality))


def _read_window(text: str) -> tuple[float, float, str] | None:
    if not text:
        return None
    parts = text.split(",")
    function = FUNCTIONS.get(parts[2].lower() if len(parts) == 3 else "linear")
    numbers = _read_numbers("window", ",".join(parts[:2]), (2,))
    if function is None or len(parts) > 3 or numbers[1] <= 0:
        raise UsageError("window is center,width,function", advice=f"functions are {', '.join(FUNCTIONS)}")
    return numbers[0], numbers[1], function


def _read_numbers(name: str, text: str, counts: tuple[int, ...]) -> list[float]:
    """Numbers with commas between them, as many as one of ``counts``; none where there is no text."""
    if not text:
        return []
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in counts or not all(map(math.isfinite, numbers)):
        raise UsageError(
            f"{name} is numbers with commas between them: {' or '.join(map(str, counts))} of them",
            advice=f"as in {_EXAMPLES[name]}",
        )
    return numbers
