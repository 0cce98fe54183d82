"""A program that uses the REST API, and holds each answer to what the API says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx
import jsonschema_rs

from tests import plain_http
from tests.console_site import ConsolePlace

DOCUMENT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "docs" / "openapi.json").read_text(encoding="utf-8")
)
ALL_SCOPES: Final = ("view", "operate", "control", "delete", "check", "manage")


@dataclass(frozen=True, slots=True)
class RestProgram:
    """Shows a token with each request."""

    url: str
    token: str
    client: httpx.Client

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; ``path`` is behind ``/api/v1``. Its answer is one of those that the document has."""
        headers = {**({"authorization": f"Bearer {self.token}"} if self.token else {}), **options.pop("headers", {})}
        answer = self.client.request(method, f"{self.url}/api/v1{path}", headers=headers, **options)
        check_answer(method, answer)
        return answer

    def get(self, path: str, **options: Any) -> Any:
        """The JSON of an answer that is no problem."""
        answer = self.call("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, json: object = None, **options: Any) -> Any:
        """The same of a request that does something."""
        answer = self.call("POST", path, **({} if json is None else {"json": json}), **options)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def fail(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The problem of an answer that is one."""
        answer = self.call(method, path, **options)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem: dict[str, Any] = answer.json()
        assert problem["status"] == answer.status_code
        return problem


def add_program(place: ConsolePlace, name: str, scopes: Sequence[str] = ALL_SCOPES) -> RestProgram:
    """A program that has a token of these scopes."""
    return use_token(place, place.accounts.add_token(name, scopes))


def use_token(place: ConsolePlace, token: str) -> RestProgram:
    """A program that shows this token."""
    return RestProgram(place.url, token, place.clients.enter_context(plain_http.open_client(timeout=60)))


def check_answer(method: str, answer: httpx.Response) -> None:
    """Fail where the document does not have such an answer."""
    operation = _find_operation(method, answer.request.url.path)
    if operation is None:
        assert answer.status_code in (404, 405)
        return
    told = operation["responses"].get(str(answer.status_code))
    assert told is not None, f"{method} {answer.request.url.path} answers {answer.status_code}: {answer.text[:500]}"
    content = _resolve(told).get("content", {})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    assert kind in content or not content, f"{answer.request.url.path} answers {kind}"
    if kind.endswith("json") and "ndjson" not in kind:
        _make_validator(json.dumps(content[kind]["schema"])).validate(answer.json())


def _find_operation(method: str, path: str) -> Mapping[str, Any] | None:
    parts = path.split("/")
    for template, operations in DOCUMENT["paths"].items():
        wanted = template.split("/")
        fits = len(wanted) == len(parts) and all(
            each == part or each.startswith("{") for each, part in zip(wanted, parts, strict=True)
        )
        if fits and method.lower() in operations:
            found: Mapping[str, Any] = operations[method.lower()]
            return found
    return None


def _resolve(told: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in told:
        return told
    found: Any = DOCUMENT
    for name in told["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    resolved: Mapping[str, Any] = found
    return resolved


@cache
def _make_validator(schema: str) -> Any:
    whole = {**json.loads(schema), "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
