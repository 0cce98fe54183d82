"""The matches of a query as lines, each as soon as the archive has sent it.

A thread asks, since reading an association blocks. It runs a bounded number of matches ahead of the client. When the
answer ends, for whatever reason, the thread says at the next match that no more are wanted: the archive gets C-CANCEL.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import copy_context
from typing import Any, Final

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydicom import Dataset
from starlette.types import Receive, Scope, Send

from openmodality.app.records.data_sets import data_set_as_json
from openmodality.app.records.values import clean_values
from openmodality.console.api.answers import NDJSON
from openmodality.console.problem import describe_problem
from openmodality.errors import OpenModalityError, describe_fault
from openmodality.query.finding import FindAnswer, HandOver

_AHEAD: Final = 200
"""How many matches wait for a client that reads slowly; then the archive has to wait as well."""
_LOOK_S: Final = 0.2
"""How often it is looked whether the client is still there, while nothing comes or nothing is taken."""

_log = logging.getLogger(__name__)

Tell = Callable[[FindAnswer], Mapping[str, Any]]
"""What is said of all matches together, at the end."""


class MatchStream:
    """One query, whose matches are read as they come; ``peer`` is who is asked."""

    def __init__(self, peer: str, ask: Callable[[HandOver], FindAnswer], tell: Tell) -> None:
        self._peer = peer
        self._ask = ask
        self._tell = tell
        self._coming: queue.Queue[Dataset | FindAnswer | OpenModalityError] = queue.Queue(_AHEAD)
        self._is_left = threading.Event()
        context = copy_context()  # who asks is on record
        threading.Thread(target=context.run, args=(self._run,), name="console-query", daemon=True).start()
        self._first = self._coming.get()
        if isinstance(self._first, OpenModalityError):
            raise self._first

    def _run(self) -> None:
        try:
            self._put(self._ask(self._put))
        except OpenModalityError as error:
            self._put(error)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: reported, and told to the client
            _log.error("console.fault", extra=describe_fault(error))
            self._put(OpenModalityError("the device made a mistake", advice="the log says more"))

    def leave(self) -> None:
        """Say that nobody reads any more."""
        self._is_left.set()

    def _put(self, each: Dataset | FindAnswer | OpenModalityError) -> bool:
        """Whether the client is there to take it."""
        while not self._is_left.is_set():
            try:
                self._coming.put(each, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False

    async def read_lines(self) -> AsyncIterator[str]:
        """A line for each match, and one for the end or for what went wrong."""
        count, each = 0, self._first
        while isinstance(each, Dataset):
            count += 1
            yield _make_line("match", attributes=data_set_as_json(each))
            each = await self._take()
        if isinstance(each, FindAnswer):
            yield _make_line("end", matches=count, **self._tell(each))
        else:
            yield _make_line("error", problem=describe_problem(each, peer=self._peer))

    async def _take(self) -> Dataset | FindAnswer | OpenModalityError:
        while True:
            try:
                return self._coming.get_nowait()
            except queue.Empty:
                pass
            try:
                return await run_in_threadpool(self._coming.get, timeout=_LOOK_S)
            except queue.Empty:
                continue


class MatchResponse(StreamingResponse):
    """The lines of a stream as an answer, at whose end the stream is left.

    A client may go away before its first line is read: an iterator that never began has no end that could say so.
    """

    media_type = NDJSON

    def __init__(self, stream: MatchStream) -> None:
        super().__init__(stream.read_lines())
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.leave()


def _make_line(event: str, **members: object) -> str:
    return json.dumps(clean_values({"event": event, **members})) + "\n"
