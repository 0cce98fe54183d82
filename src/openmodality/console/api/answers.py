"""What the API answers: records, pages of a list, and how OpenAPI tells of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from openmodality.app.records.values import clean_values
from openmodality.console.problem import MEDIA_TYPE
from openmodality.errors import UsageError

LONGEST_PAGE: Final = 1000
USUAL: Final = 100
NDJSON: Final = "application/x-ndjson"
_LARGEST: Final = 2**53
_PROBLEM: Final = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_MEANINGS: Final = {
    400: "The request makes no sense.",
    401: "Nobody is logged in, or the token is not good.",
    403: "The roles or scopes do not allow it.",
    404: "There is no such thing.",
    406: "It cannot be had as any of the media types that were asked for.",
    409: "Its state, or the configuration, does not allow it.",
    413: "The body is too large.",
    415: "The body is of a type that this does not take.",
    421: "The server is not called by this name.",
    422: "A value is not what the API takes, or the data break a definition of DICOM.",
    429: "Too much at once.",
    502: "The peer cannot be reached, or refused.",
    503: "The database does not answer.",
    504: "The peer did not answer in time.",
    507: "The disk is full.",
}
_ALWAYS: Final = (400, 401, 403, 409, 413, 421, 422, 503)
_OF_PEERS: Final = (502, 504)


class RequestBody(BaseModel):
    """The JSON object of a request; members that it does not have are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(BaseModel):
    """Which part of a list is asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(USUAL, ge=1, le=LONGEST_PAGE, description="How many at most.")
    cursor: str = Field("", max_length=400, description="`next` of the answer before, for what follows.")

    def read_cursor(self, *members: str) -> list[int]:
        """The numbers in the cursor, zeros without one. Raises :class:`UsageError` for one that we did not give out."""
        if not self.cursor:
            return [0] * len(members)
        try:
            values = json.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii")))
            numbers = [values[member] for member in members]
        except (ValueError, KeyError, TypeError) as error:
            raise _explain_cursor() from error
        if not all(type(number) is int and 0 <= number < _LARGEST for number in numbers):
            raise _explain_cursor()
        return numbers


def _explain_cursor() -> UsageError:
    return UsageError("the cursor is not of this list", advice="take next of the answer before, or begin without one")


def make_cursor(**members: int) -> str:
    """Where a list goes on, for a program that need not understand it."""
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode()


def answer_record(record: Mapping[str, Any], status: int = 200, **headers: str) -> JSONResponse:
    """One object."""
    return JSONResponse(clean_values(record), status, {name.replace("_", "-"): text for name, text in headers.items()})


def answer_page(
    items: Iterable[Mapping[str, Any]], next_cursor: str | None = None, *, status: int = 200, **whole: Any
) -> JSONResponse:
    """A part of a list; ``next`` is ``null`` at its end. ``whole`` is what holds of all items together."""
    return JSONResponse(clean_values({"next": next_cursor, **whole, "items": list(items)}), status)


def refer_to(record: str) -> dict[str, Any]:
    """The schema of a record of docs/json.md, by its name there."""
    return {"$ref": f"#/components/schemas/{name_schema(record)}"}


def name_schema(record: str) -> str:
    """``job in detail`` as ``JobInDetail``."""
    return "".join(word.capitalize() for word in record.replace("/", " ").split())


def _tell_json(status: int, meaning: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": meaning, "content": {"application/json": {"schema": schema}}}}


def tell_problems(*statuses: int, peer: bool = False) -> dict[int | str, dict[str, Any]]:
    """The ways in which a request can fail."""
    chosen = sorted({*_ALWAYS, *statuses, *(_OF_PEERS if peer else ())})
    return {status: {"description": _MEANINGS[status], **_PROBLEM} for status in chosen}


def tell_one(
    record: str, *statuses: int, status: int = 200, meaning: str = "", peer: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The answers of a request for one record, which may fail with ``statuses`` besides the usual ones."""
    usual = {200: "So it is.", 201: "It was made.", 202: "It is queued."}
    told = tell_problems(*statuses, peer=peer)
    return told | _tell_json(status, meaning or usual[status], refer_to(record))


def tell_page(
    record: str, *statuses: int, status: int = 200, peer: bool = False, **whole: dict[str, Any]
) -> dict[int | str, dict[str, Any]]:
    """The answers of a request for a list of records; ``whole`` are the schemas of what holds of all items."""
    schema = {
        "type": "object",
        "required": ["items", "next", *whole],
        "additionalProperties": False,
        "properties": {
            "items": {"type": "array", "items": refer_to(record)},
            "next": {"type": ["string", "null"], "description": "The cursor of what follows; null at the end."},
            **whole,
        },
    }
    return tell_problems(*statuses, peer=peer) | _tell_json(status, "A part of the list.", schema)


def tell_content(meaning: str, *types: str) -> dict[int | str, dict[str, Any]]:
    """The answer of a request whose body is no JSON."""
    binary = {"type": "string", "format": "binary"}
    return tell_problems(404) | {200: {"description": meaning, "content": {each: {"schema": binary} for each in types}}}


def tell_body(*types: str) -> dict[str, Any]:
    """What OpenAPI says of a request whose body is no JSON."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(types, binary)}}


NOTICES: Final = {"type": "array", "items": {"type": "string"}}
"""The schema of what a person is to know."""
