"""Counts requests by their routes, not by their addresses, which have UIDs in them."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FAULT: Final = 500


class HttpCounts:
    """How many requests of which route had which answer."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def add(self, route: str, code: int) -> None:
        """Count a request."""
        with self._lock:
            self._counts[route, code] += 1

    def read(self) -> dict[tuple[str, int], int]:
        """The counts so far, by route and status."""
        with self._lock:
            return dict(self._counts)


class CountedRequests:
    """A layer of the application that counts."""

    def __init__(self, app: ASGIApp, counts: HttpCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count the answer."""
        code = _FAULT

        async def send_noted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            route = scope.get("route")
            self._counts.add(getattr(route, "path", "none"), code)
