"""``/worklist``: what is scheduled, as it was kept, and asking the RIS now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from openmodality.app.records.peers import item_as_json
from openmodality.console.api.access import OperateCall
from openmodality.console.api.answers import (
    NOTICES,
    PageQuery,
    RequestBody,
    answer_page,
    answer_record,
    make_cursor,
    tell_one,
    tell_page,
)
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import ItemNumber, MatchingKeys, WireText, choose_named_peer
from openmodality.console.memory import Asked
from openmodality.console.security.access import At, Viewer
from openmodality.errors import OpenModalityError

router = APIRouter(prefix="/api/v1", tags=["worklist"])


class WorklistQuestion(RequestBody):
    """What the RIS is asked for; without keys what is scheduled for this device today."""

    keys: MatchingKeys = Field(default_factory=dict, max_length=50, description="Matching keys by keyword.")
    peer: WireText = Field("", description="A peer of the site; the first with a worklist where it is empty.")


@router.get("/worklist", summary="List the items that are kept", responses=tell_page("worklist item"))
def _list_items(_: Viewer, context: At, page: Annotated[PageQuery, Query()]) -> Response:
    """The stored items that are current, by their scheduled time; nobody is asked."""
    (skipped,) = page.read_cursor("after")
    items = context.modality.worklist_items()
    start = next((place for place, item in enumerate(items, 1) if item.id == skipped), 0)
    part = items[start : start + page.limit]
    has_more = len(items) > start + page.limit
    return answer_page(
        [item_as_json(item.id, item.attributes, item.defects) for item in part],
        make_cursor(after=part[-1].id) if has_more else None,
    )


@router.post(
    "/worklist",
    summary="Ask the RIS now",
    responses=tell_page("worklist item", 404, peer=True, notices=NOTICES),
)
def _ask_ris(request: Request, _: OperateCall, context: At, once: OnceOnly, question: WorklistQuestion) -> Response:
    """Ask a RIS what is scheduled, and keep the answer."""
    peer = choose_named_peer(context, request, "worklist", question.peer)

    def ask() -> JSONResponse:
        at, keys = context.modality.clock(), question.keys
        try:
            answer = context.modality.query_worklist(keys, peer)
        except OpenModalityError as error:
            context.memory.note_asked(Asked(at, peer, keys, failed=error.message, advice=error.advice))
            raise
        numbers = [item.id for item in answer.items]
        context.memory.note_asked(Asked(at, peer, keys, numbers, answer.notices))
        items = [item_as_json(item.id, item.attributes, item.defects) for item in answer.items]
        return answer_page(items, notices=list(answer.notices))

    return once.do(ask)


@router.get("/worklist/{item}", summary="Show an item", responses=tell_one("worklist item", 404))
def _show_item(_: Viewer, context: At, item: ItemNumber) -> Response:
    """One stored item, with what is wrong with it."""
    (found,) = context.modality.find_items([item])
    return answer_record(item_as_json(found.id, found.attributes, found.defects))
