"""Refuses requests before any page sees them, and adds the headers that every answer has.

- A Host that is not of the list: a page elsewhere whose name was pointed at this machine (DNS rebinding).
- A request that changes something and comes from another site, by Origin or Sec-Fetch-Site. A program that shows a
  token is exempt, since a browser would not show it by itself.
- A body of more than 1 MiB, but where a program uploads pixels: those are held to the free disk (``console.uploads``).

A program is told as problem+json, a person as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openmodality.audit.acting import Actor, set_actor

LARGEST_BODY: Final = 1 << 20
_API: Final = "/api/v1/"
_UPLOAD: Final = re.compile(
    r"/api/v1/(exams/\d+/(series/\d+/frames|volumes)|instances|media/(records|verify|retrieve))"
)
_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
SCRIPT_POLICY: Final = "openmodality"
"""The one Trusted Types policy; ``static/policy.js`` makes it."""
CONTENT_SECURITY_POLICY: Final = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    f"trusted-types {SCRIPT_POLICY}",
))  # fmt: skip
_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all a browser hides the Origin of our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_SAME: Final = frozenset(("same-origin", "none"))


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        set_actor(Actor())  # who it is shows later; what the device does for it is then on record under that name

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)  # a viewer of others and DICOMweb say some of them themselves
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refused = self._refuse(scope, Headers(scope=scope))
        if refused is not None:
            await refused(scope, receive, send_with_headers)
            return
        await self._app(_ask_for_head(scope), receive if _is_upload(scope) else _limit(receive), send_with_headers)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        name = _parse_name(hosts[0]) if len(hosts) == 1 else ""
        if name not in self._hosts:
            return _make_refusal(
                scope,
                421,
                "This console is not called by this name.",
                "Names that it may be called by are console.allowed_hosts in the site file.",
            )
        if int(headers.get("content-length") or 0) > LARGEST_BODY and not _is_upload(scope):
            return _make_refusal(scope, 413, "The request is too large.", "Send less at once.")
        if scope["method"] in _SAFE or _is_own(headers, hosts[0]):
            return None
        return _make_refusal(
            scope, 403, "The request comes from another site.", "Open the console's own page and repeat."
        )


def _ask_for_head(scope: Scope) -> Scope:
    """A HEAD of the API asks what its GET does; the server leaves the body out. Events have no end, and no HEAD."""
    path: str = scope["path"]
    if scope["method"] != "HEAD" or not path.startswith(_API) or path == f"{_API}events":
        return scope
    return {**scope, "method": "GET"}


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"]) is not None


def _make_refusal(scope: Scope, status: int, said: str, advice: str) -> Response:
    if not scope["path"].startswith("/api/"):
        return PlainTextResponse(f"{said} {advice}\n", status)
    kind = f"urn:openmodality:problem:refused-{status}"
    problem = {"type": kind, "title": said, "status": status, "detail": said, "advice": advice}
    return JSONResponse(problem, status, media_type="application/problem+json")


def _parse_name(host: str) -> str:
    """The name in Host, which has nothing else but a port: addresses of answers are made with it."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower().rstrip(".") if found else ""


def _is_own(headers: Headers, host: str) -> bool:
    """Whether a request that changes something comes from the console's own page, or from a program."""
    if headers.get("authorization", "").startswith("Bearer "):
        return True
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
        return False
    if site is not None and site not in _SAME:
        return False
    return origin is not None or site is not None


class BodyTooLarge(Exception):
    """More came than was announced."""


def _limit(receive: Receive) -> Receive:
    left = LARGEST_BODY

    async def receive_limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise BodyTooLarge
        return message

    return receive_limited
