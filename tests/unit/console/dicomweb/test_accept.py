"""What a client takes, in the forms in which clients write it (RFC 9110 12.5.1, PS3.18 8.7)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from openmodality.console.dicomweb.accept import NotAcceptable, choose, parse_accepted, read_accepted


def _ask(accept: str = "", query: str = "") -> Request:
    headers = [(b"accept", accept.encode())] if accept else []
    return Request({"type": "http", "method": "GET", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize(
    "text",
    [
        'multipart/related; type="application/dicom"; transfer-syntax="1.2.3"',
        "multipart/related; type=application/dicom; transfer-syntax=1.2.3",
        'multipart/related; type="application/dicom; transfer-syntax=1.2.3"',
        'Multipart/Related;TYPE="application/dicom";Transfer-Syntax=1.2.3',
    ],
)
def test_parts_are_asked_for_with_and_without_quotes(text: str) -> None:
    (found,) = parse_accepted([text])
    assert (found.name, found.is_multipart, found.transfer_syntax) == ("application/dicom", True, "1.2.3")


def test_the_best_comes_first_and_what_is_refused_not_at_all() -> None:
    found = parse_accepted(["text/html;q=0.5, image/png, image/jpeg;q=0, nonsense, image/*;q=x, */*;q=0.1"])
    assert [each.name for each in found] == ["image/png", "text/html", "*/*"]


def test_the_query_parameter_goes_before_the_header() -> None:
    request = _ask("image/jpeg", "accept=image/png")
    assert [each.name for each in read_accepted(request)] == ["image/png"]


def test_who_says_nothing_takes_anything() -> None:
    assert choose(_ask(), ("image/jpeg", "image/png")) == "image/jpeg"


def test_what_cannot_be_had_is_refused_with_what_can() -> None:
    with pytest.raises(NotAcceptable) as caught:
        choose(_ask("application/dicom+xml"), ("application/dicom+json",))
    assert "application/dicom+json" in str(caught.value)
