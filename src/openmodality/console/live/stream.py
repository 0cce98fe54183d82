"""``GET /api/v1/events``: server-sent events of what changes. They name things by their numbers, and no patient."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from openmodality.console.api.answers import tell_problems
from openmodality.console.live.feed import END, FeedItem, Signal
from openmodality.console.security.access import At, Viewer

ALIVE_S: Final = 2.0
"""How often a stream says that it is alive; a page is stale where it has heard nothing for 5 s."""
LOOK_EVERY_S: Final = 10.0
"""How often it is looked whether who listens may still do so, however much there is to tell."""

router = APIRouter()


@router.get("/api/v1/events", tags=["device"], response_class=EventSourceResponse, responses=tell_problems())
async def _stream(
    request: Request,
    viewer: Viewer,
    context: At,
    last_event_id: Annotated[str, Header()] = "",
    after: str = "",
) -> AsyncIterator[ServerSentEvent]:
    """What changes from now on, or after an event: the one that was seen last, or was the last when a page was made."""
    begin = last_event_id or after
    subscription = await run_in_threadpool(context.feed.subscribe, asyncio.get_running_loop())
    try:
        seen = begin if begin.isdecimal() else str(subscription.position)
        yield ServerSentEvent(event="hello", data={"boot": context.boot}, id=seen, retry=1000)
        if begin.isdecimal():
            for item in await run_in_threadpool(context.feed.read_missed, int(begin), subscription):
                yield _describe(item)
        looked = monotonic()
        while not await request.is_disconnected():
            if monotonic() - looked > LOOK_EVERY_S:
                looked = monotonic()
                if not await run_in_threadpool(context.accounts.is_still_in, viewer):
                    return
            try:
                item = await asyncio.wait_for(subscription.queue.get(), ALIVE_S)
            except TimeoutError:
                yield ServerSentEvent(event="alive", data={})
                continue
            if item is END:
                return
            yield _describe(item)
    finally:
        context.feed.unsubscribe(subscription)


def _describe(item: FeedItem) -> ServerSentEvent:
    if isinstance(item, Signal):
        return ServerSentEvent(event=item.name, data={})
    data = {"subject": item.subject, "subject_id": item.subject_id, "name": item.name}
    return ServerSentEvent(event="change", data=data, id=str(item.id))
