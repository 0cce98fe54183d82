"""Errors as problem+json (RFC 9457): what kind, what happened, with whom, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi.responses import JSONResponse

from openmodality.activities.print_record import PrintStopped
from openmodality.activities.retrieve_plan import NothingToRetrieve
from openmodality.app.records.values import clean_values
from openmodality.console.dicomweb.accept import NotAcceptable
from openmodality.console.place_words import tell_place
from openmodality.console.request_errors import KeyReused, RequestInvalid, TooManyRequests
from openmodality.console.security.access import NotAllowed, NotLoggedIn
from openmodality.dimse.status import describe
from openmodality.errors import (
    AssociationAborted,
    AssociationRejected,
    AssociationReleased,
    ConfigurationError,
    NoPresentationContext,
    NotFound,
    ObjectInvalid,
    OpenModalityError,
    OtherIdentity,
    PeerTimeout,
    ProtocolError,
    StoreAway,
    StoreError,
    TransportError,
    UsageError,
    WrongState,
)
from openmodality.services.query_retrieve import QueryFailed
from openmodality.services.worklist import WorklistFailed
from openmodality.store.database_errors import DatabaseFailed
from openmodality.store.files.instance_file import StorageFull
from openmodality.store.rows.deletion import NotCommitted
from openmodality.value_class import dataclass

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:openmodality:problem:"
_RETRY_S: Final = 5


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of problem; ``name`` is the end of its ``type``, ``title`` is always the same for it."""

    name: str
    status: int
    title: str


PROBLEM_KINDS: Final[Mapping[type[OpenModalityError], FaultKind]] = {
    NotLoggedIn: FaultKind("not-logged-in", 401, "Nobody is logged in"),
    NotAllowed: FaultKind("not-allowed", 403, "Not allowed"),
    RequestInvalid: FaultKind("request-invalid", 422, "The request is not valid"),
    KeyReused: FaultKind("key-reused", 422, "The Idempotency-Key is of another request"),
    TooManyRequests: FaultKind("too-many-requests", 429, "Too much at once"),
    NotFound: FaultKind("not-found", 404, "There is no such thing"),
    NothingToRetrieve: FaultKind("not-found", 404, "There is no such thing"),
    NotAcceptable: FaultKind("not-acceptable", 406, "Not Acceptable"),
    WrongState: FaultKind("wrong-state", 409, "Not in its state"),
    UsageError: FaultKind("makes-no-sense", 400, "The request makes no sense"),
    OtherIdentity: FaultKind("other-identity", 409, "The pixels name another patient"),
    ObjectInvalid: FaultKind("object-invalid", 422, "The data break a definition of DICOM"),
    NotCommitted: FaultKind("not-committed", 409, "No archive has committed to keep it"),
    StorageFull: FaultKind("storage-full", 507, "The disk is full"),
    StoreAway: FaultKind("store-away", 503, "The database does not answer"),
    DatabaseFailed: FaultKind("store-away", 503, "The database does not answer"),
    StoreError: FaultKind("not-now", 409, "The local data do not allow it now"),
    ConfigurationError: FaultKind("configuration", 409, "The configuration does not allow it"),
    QueryFailed: FaultKind("peer-refused", 502, "The peer refused"),
    WorklistFailed: FaultKind("peer-refused", 502, "The peer refused"),
    PrintStopped: FaultKind("peer-refused", 502, "The peer refused"),
    AssociationRejected: FaultKind("association-rejected", 502, "The peer rejected the association"),
    AssociationAborted: FaultKind("association-aborted", 502, "The association was aborted"),
    AssociationReleased: FaultKind("association-aborted", 502, "The association was aborted"),
    NoPresentationContext: FaultKind("peer-refused", 502, "The peer refused"),
    ProtocolError: FaultKind("protocol-error", 502, "The peer broke the protocol"),
    PeerTimeout: FaultKind("peer-timeout", 504, "The peer did not answer in time"),
    TransportError: FaultKind("peer-unreachable", 502, "The peer cannot be reached"),
}
"""By the error; the kind of the nearest class above it holds for one that has none of its own."""
_OTHER: Final = FaultKind("failed", 500, "It failed")


def find_kind(error: OpenModalityError) -> FaultKind:
    """The kind of problem that an error of ours is."""
    return next((PROBLEM_KINDS[cls] for cls in type(error).__mro__ if cls in PROBLEM_KINDS), _OTHER)


def describe_problem(error: OpenModalityError, *, status: int = 0, peer: str = "") -> dict[str, Any]:
    """An error for a program. ``status`` is of HTTP where it is not that of its kind; ``peer`` whom it is about."""
    kind = find_kind(error)
    if status and status != kind.status:
        kind = FaultKind(HTTPStatus(status).name.lower().replace("_", "-"), status, HTTPStatus(status).phrase)
    said: dict[str, Any] = {
        "type": _TYPE + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": tell_place(error.message, "api"),
        "advice": tell_place(error.advice, "api"),
    }
    if peer:
        said["peer"] = peer
    if isinstance(answered := getattr(error, "status", None), int):
        said |= {"dimse_status": f"{answered:04X}", "dimse_meaning": describe(answered)}
    if isinstance(error, RequestInvalid):
        said["errors"] = [{"where": fault.where, "detail": fault.detail} for fault in error.faults]
    return clean_values(said)  # type: ignore[no-any-return]


def answer_problem(error: OpenModalityError, *, status: int = 0, peer: str = "") -> JSONResponse:
    """The answer that says what is wrong."""
    said = describe_problem(error, status=status, peer=peer)
    headers = {}
    if said["status"] == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="openmodality"'
    if said["status"] in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["retry-after"] = str(_RETRY_S)
    return JSONResponse(said, said["status"], headers, MEDIA_TYPE)
