"""What becomes of an error: its kind, its words, and whom it is about."""

from __future__ import annotations

import pytest

from openmodality import errors
from openmodality.console.problem import PROBLEM_KINDS, answer_problem, describe_problem, find_kind
from openmodality.console.request_errors import FieldFault, RequestInvalid, TooManyRequests
from openmodality.console.security.access import NotLoggedIn
from openmodality.errors import NotFound, OpenModalityError, StoreAway, UsageError, WrongState
from openmodality.services.query_retrieve import QueryFailed


def list_all(cls: type[OpenModalityError]) -> list[type[OpenModalityError]]:
    return [cls, *(each for below in cls.__subclasses__() for each in list_all(below))]


def test_every_error_of_ours_has_a_kind() -> None:
    own = {cls for cls in list_all(OpenModalityError) if cls.__module__ == errors.__name__} - {OpenModalityError}
    unknown = {cls for cls in own if not any(parent in PROBLEM_KINDS for parent in cls.__mro__)}
    assert unknown == set()


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (UsageError("x"), 400, "makes-no-sense"),
        (NotFound("x"), 404, "not-found"),
        (WrongState("x"), 409, "wrong-state"),
        (StoreAway("x"), 503, "store-away"),
        (OpenModalityError("x"), 500, "failed"),
    ],
)
def test_the_nearest_kind_holds(error: OpenModalityError, status: int, name: str) -> None:
    kind = find_kind(error)
    assert (kind.status, kind.name) == (status, name)


def test_a_peer_is_named_with_its_status_in_words() -> None:
    said = describe_problem(QueryFailed(0xA700, "no\x1b memory", peer="PACS"), peer="pacs")
    assert (said["peer"], said["dimse_status"], said["status"]) == ("pacs", "A700", 502)
    assert said["dimse_meaning"].startswith("A700 ")
    assert "no\ufffd memory" in said["detail"], "what a peer says does nothing to a terminal"


def test_each_value_that_is_wrong_is_named() -> None:
    said = describe_problem(RequestInvalid([FieldFault("body.a", "missing"), FieldFault("body.b", "no number")]))
    assert said["errors"] == [{"where": "body.a", "detail": "missing"}, {"where": "body.b", "detail": "no number"}]
    assert "body.a, body.b" in said["detail"]


def test_headers_say_what_to_do_next() -> None:
    assert answer_problem(NotLoggedIn("x")).headers["www-authenticate"].startswith("Bearer")
    assert answer_problem(TooManyRequests("x")).headers["retry-after"]
    other = answer_problem(OpenModalityError("gone"), status=410)
    assert (other.status_code, b"urn:openmodality:problem:gone" in bytes(other.body)) == (410, True)
