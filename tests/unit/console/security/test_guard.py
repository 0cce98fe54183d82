from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from openmodality.console.security.guard import LARGEST_BODY, BodyTooLarge, Guard

HOST = "127.0.0.1:11180"


def run_at_once(coroutine: Any) -> None:
    """Run a coroutine that waits for nothing, without an event loop and its sockets."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")


def ask(method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b"") -> tuple[int, dict[str, str]]:
    """The status and the headers of an answer; 200 where the application was asked."""
    sent: list[Any] = []

    async def application(_: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": HOST, **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in given.items() if value]
    scope = {"type": "http", "method": method, "path": "/", "headers": raw}
    run_at_once(Guard(application, ["127.0.0.1", "localhost", "::1", "Scanner.Example"])(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (HOST, 200),
        ("localhost", 200),
        ("[::1]:11180", 200),
        ("scanner.example.:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("[", 421),
        ("evil.example@127.0.0.1", 421),
        ("127.0.0.1/evil", 421),
        ("127.0.0.1#evil", 421),
        ("127.0.0.1:x", 421),
        ('127.0.0.1"', 421),
    ],
)
def test_the_host_is_one_of_the_list(host: str, status: int) -> None:
    assert ask(headers={"host": host})[0] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": f"http://{HOST}"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"authorization": "Bearer x"}, 200),
        ({}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": f"http://{HOST}@evil.example"}, 403),
        ({"origin": f"http://evil.example@{HOST}"}, 403),
        ({"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_what_changes_something_comes_from_our_own_page(headers: dict[str, str], status: int) -> None:
    assert ask("POST", headers)[0] == status
    assert ask("GET", headers)[0] == 200


def test_every_answer_has_the_headers() -> None:
    for answer in (ask(), ask("POST"), ask(headers={"host": "evil.example"})):
        policy = answer[1]["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert answer[1]["x-content-type-options"] == "nosniff"
        assert answer[1]["cache-control"] == "no-store"


def test_a_body_that_is_too_large_is_refused_as_announced_and_as_it_comes() -> None:
    own = {"origin": f"http://{HOST}"}
    assert ask("POST", {**own, "content-length": str(LARGEST_BODY + 1)})[0] == 413
    with pytest.raises(BodyTooLarge):
        ask("POST", own, b"x" * (LARGEST_BODY + 1))
