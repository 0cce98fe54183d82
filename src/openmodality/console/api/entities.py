"""``/studies``, ``/series`` and ``/instances``: listed, shown, sent, committed, deleted."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field

from openmodality.app.records.entities import entity_as_json
from openmodality.app.records.problems import problem_as_json
from openmodality.console.api.access import DeleteCall, OperateCall
from openmodality.console.api.answers import (
    PageQuery,
    RequestBody,
    answer_page,
    answer_record,
    make_cursor,
    tell_one,
    tell_page,
)
from openmodality.console.api.jobs import describe_job
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import PathUid, WireText, choose_named_peer
from openmodality.console.context import ConsoleContext
from openmodality.console.security.access import At, Viewer
from openmodality.errors import NotFound
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import Found
from openmodality.store.listing.search import Search

router = APIRouter(prefix="/api/v1", tags=["images"])

_LEVELS: Final = {"studies": Level.STUDY, "series": Level.SERIES, "instances": Level.IMAGE}
_UNIQUE: Final = {
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}
_BELOW: Final = {Level.STUDY: ("series_below", Level.SERIES), Level.SERIES: ("instances_below", Level.IMAGE)}
_NOUNS: Final = {Level.STUDY: "study", Level.SERIES: "series", Level.IMAGE: "instance"}
_OF_PAGES: Final = ("limit", "cursor", "all_devices")


class EntityFilter(PageQuery):
    """Which entities are listed: any other parameter is a matching key by its keyword, such as ``PatientName=DOE*``."""

    model_config = ConfigDict(extra="ignore")

    all_devices: bool = Field(False, description="Also what the other devices have that share the database.")


class SendTarget(RequestBody):
    """Who is to get something."""

    peer: WireText = Field("", description="A peer of the site; the first that offers it where it is empty.")


def _find_entity(context: ConsoleContext, level: Level, uid: str) -> Found:
    found = context.modality.view.find(level, {_UNIQUE[level]: uid}, limit=1)
    if not found:
        raise NotFound(f"this device has no such {_NOUNS[level]}", advice="it may have been deleted")
    return found[0]


def _list_entities(
    level: Level, request: Request, _: Viewer, context: At, wanted: Annotated[EntityFilter, Query()]
) -> Response:
    """Studies, series or instances of the local database that match the keys, newest study first."""
    keys = {name: value for name, value in request.query_params.items() if name not in _OF_PAGES}
    search = Search(level, keys, all_devices=wanted.all_devices)
    offset, last = wanted.read_cursor("offset", "last")
    found, (following, shown) = context.modality.view.page(search, wanted.limit, (offset, last))
    cursor = make_cursor(offset=following, last=shown) if following else None
    return answer_page(map(entity_as_json, found), cursor)


def _show_entity(level: Level, _: Viewer, context: At, uid: PathUid) -> Response:
    """Its attributes, and what is below it. Of an instance that only its file knows, what is wrong with that."""
    view = context.modality.view
    problems = [problem_as_json(each) for each in view.problems.find(uid)] if level is Level.IMAGE else []
    if problems and not view.find(level, {_UNIQUE[level]: uid}, limit=1):
        return answer_record({"SOPInstanceUID": uid, "problems": problems})
    found = _find_entity(context, level, uid)
    if level is Level.IMAGE:
        extra: dict[str, Any] = {"path": str(view.instance_path(uid)), "problems": problems}
    else:
        name, below = _BELOW[level]
        extra = {name: [entity_as_json(each) for each in view.find(below, {_UNIQUE[level]: uid})]}
    return answer_record({**entity_as_json(found), **extra})


def _delete_entity(
    level: Level,
    _: DeleteCall,
    context: At,
    uid: PathUid,
    force: Annotated[bool, Query(description="Also what no archive has committed to keep.")] = False,
) -> Response:
    """Delete it from the local database and from disk, for good. Refused while an exam or a job needs it."""
    _find_entity(context, level, uid)
    deleted = context.modality.delete(level, uid, force=force)
    return answer_record({"studies": deleted.studies, "series": deleted.series, "instances": deleted.instances})


def _send_entity(
    level: Level, request: Request, _: OperateCall, once: OnceOnly, uid: PathUid, to: SendTarget
) -> Response:
    """Queue it for a peer; where that commits automatically, the request for that comes after."""
    context = once.context
    _find_entity(context, level, uid)
    peer = choose_named_peer(context, request, "storage", to.peer)

    def send() -> JSONResponse:
        jobs = context.modality.send(peer=peer, **{_NOUNS[level]: uid})
        return answer_record({"items": [describe_job(context, job) for job in jobs]}, 202)

    return once.do(send)


def _commit_entity(
    level: Level, request: Request, _: OperateCall, once: OnceOnly, uid: PathUid, to: SendTarget
) -> Response:
    """Queue a request that a peer commits itself to keep it, sent before or not."""
    context = once.context
    _find_entity(context, level, uid)
    peer = choose_named_peer(context, request, "storage_commitment", to.peer)

    def commit() -> JSONResponse:
        job = context.modality.commit(peer=peer, **{_NOUNS[level]: uid})
        return answer_record(describe_job(context, job), 202, location=f"/api/v1/jobs/{job.id}")

    return once.do(commit)


def _add_routes(plural: str, level: Level) -> None:
    """The same five calls for each level."""
    noun, place = _NOUNS[level], f"/{plural}/{{uid}}"
    router.add_api_route(
        f"/{plural}", partial(_list_entities, level), summary=f"List {plural}", responses=tell_page("entity")
    )
    router.add_api_route(
        place, partial(_show_entity, level), summary=f"Show a {noun}", responses=tell_one(f"{noun} in detail", 404)
    )
    router.add_api_route(
        place,
        partial(_delete_entity, level),
        methods=["DELETE"],
        summary=f"Delete a {noun}",
        responses=tell_one("deletion", 404),
    )
    router.add_api_route(
        f"{place}/send",
        partial(_send_entity, level),
        methods=["POST"],
        status_code=202,
        summary=f"Send a {noun}",
        responses=tell_one("queued jobs", 404, status=202),
    )
    router.add_api_route(
        f"{place}/commit",
        partial(_commit_entity, level),
        methods=["POST"],
        status_code=202,
        summary=f"Ask for storage commitment of a {noun}",
        responses=tell_one("job", 404, status=202),
    )


for _plural, _level in _LEVELS.items():
    _add_routes(_plural, _level)
