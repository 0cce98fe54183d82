"""QIDO-RS (PS3.18 10.6): search for studies, series and instances.

Keys are query parameters, by keyword or tag, in sequences behind dots; ``includefield``, ``limit``, ``offset``, and
``fuzzymatching``, which is not done and said so. Matches stream; with a limit it is said whether there are more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.activities.web_retrieve import UID_ADVICE
from openmodality.activities.web_search import WebQuery, parse_attribute
from openmodality.console.dicomweb.accept import DICOM_JSON, JSON, choose
from openmodality.console.dicomweb.answers import answer_stream, answer_unchanged, is_unchanged, make_entity_tag
from openmodality.console.dicomweb.routing import SERVICE_PATH, WebRoute, find_service_url
from openmodality.console.security.access import At, Viewer
from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import UsageError
from openmodality.query.identifier import Path
from openmodality.standard.query_retrieve import STUDY_ROOT_LEVELS, UNIQUE_KEYS, Level

_NO_KEYS: Final = frozenset(("accept", "charset", "includefield", "limit", "offset", "fuzzymatching", "live"))
_READ: Final = ["GET", "HEAD"]
_MOST: Final = 100_000
"""The largest limit and offset that mean anything here."""

router = APIRouter(prefix=SERVICE_PATH, route_class=WebRoute)


@router.api_route("/studies", methods=_READ)
def _search_studies(request: Request, _: Viewer, context: At) -> Response:
    return _answer(request, context, Level.STUDY, {})


@router.api_route("/series", methods=_READ)
def _search_series(request: Request, _: Viewer, context: At) -> Response:
    return _answer(request, context, Level.SERIES, {})


@router.api_route("/studies/{study}/series", methods=_READ)
def _search_series_of_study(request: Request, _: Viewer, context: At, study: str) -> Response:
    return _answer(request, context, Level.SERIES, {Level.STUDY: study})


@router.api_route("/instances", methods=_READ)
def _search_instances(request: Request, _: Viewer, context: At) -> Response:
    return _answer(request, context, Level.IMAGE, {})


@router.api_route("/studies/{study}/instances", methods=_READ)
def _search_instances_of_study(request: Request, _: Viewer, context: At, study: str) -> Response:
    return _answer(request, context, Level.IMAGE, {Level.STUDY: study})


@router.api_route("/studies/{study}/series/{series}/instances", methods=_READ)
def _search_instances_of_series(request: Request, _: Viewer, context: At, study: str, series: str) -> Response:
    return _answer(request, context, Level.IMAGE, {Level.STUDY: study, Level.SERIES: series})


def _answer(request: Request, context: At, level: Level, named: dict[Level, str]) -> Response:
    media_type = choose(request, (DICOM_JSON, JSON))
    query, limit = read_query(request, level, named), _read_number(request, "limit")
    service_url = find_service_url(request)
    matches = (json.dumps(each) for each in context.modality.web.search.find(query, service_url))
    headers, warnings = {}, []
    if request.query_params.get("fuzzymatching", "").lower() == "true":
        warnings.append("The fuzzymatching parameter is not supported. Only literal matching has been performed.")
    first = list(islice(matches, 1 if limit is None else limit + 1))
    if limit is not None and len(first) > limit:
        warnings.append("There are additional results that can be requested.")
        del first[limit:]
    if warnings:
        headers["warning"] = ", ".join(f'299 {request.headers["host"]} "{text}"' for text in warnings)
    if not first:
        return Response(status_code=204, headers=headers)
    if limit is None:
        return answer_stream(_write_array(chain(first, matches)), media_type, "", headers=headers)
    tag = make_entity_tag(service_url, media_type, *first)
    if is_unchanged(request, tag):
        return answer_unchanged(tag)
    return answer_stream(_write_array(first), media_type, tag, headers=headers)


def _write_array(texts: Iterator[str] | list[str]) -> Iterator[bytes]:
    yield b"["
    for number, text in enumerate(texts):
        yield (f",{text}" if number else text).encode()
    yield b"]"


def read_query(request: Request, level: Level, named: dict[Level, str]) -> WebQuery:
    """What a request searches for; ``named`` are the UIDs of its path. Raises :class:`UsageError`."""
    matched: dict[Path, str] = {}
    for name, value in request.query_params.multi_items():
        if name.lower() in _NO_KEYS:
            continue
        path = parse_attribute(name)
        if path in matched:
            raise UsageError(f"{name[:64]} is asked for twice", advice="give several UIDs with commas between them")
        matched[path] = value
    for upper, uid in named.items():
        if not is_valid_uid(uid, strict=False):
            raise UsageError("the address has a UID that is not valid", advice=UID_ADVICE)
        matched[(UNIQUE_KEYS[upper],)] = uid
    above = STUDY_ROOT_LEVELS[: STUDY_ROOT_LEVELS.index(level)]
    unnamed = [upper for upper in above if upper not in named]
    return WebQuery(level, matched, _read_included(request), unnamed, _read_number(request, "offset") or 0)


def _read_included(request: Request) -> list[str]:
    """The attributes to be returned besides, from commas or from repeated parameters."""
    texts = request.query_params.getlist("includefield")
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _read_number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f"{name} is no number", advice=f"give {name}=100")
    return min(int(text[:12]), _MOST)
