"""``/peers``: who is on the network, whether each is there, what an archive has, and letting it send that."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from openmodality.activities.arrivals import Arrivals
from openmodality.activities.echo import describe_echo
from openmodality.activities.query import describe_match_limits
from openmodality.activities.retrieve import Wanted
from openmodality.app.records.data_sets import data_set_as_json
from openmodality.app.records.peers import echo_as_json, peer_as_json, retrieval_as_json
from openmodality.console.api.access import CheckCall, OperateCall
from openmodality.console.api.answers import (
    NDJSON,
    RequestBody,
    answer_page,
    answer_record,
    refer_to,
    tell_one,
    tell_page,
    tell_problems,
)
from openmodality.console.api.match_stream import MatchResponse, MatchStream
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import MatchingKeys, OptionalUid, PathName, Uid, WireName, name_peer
from openmodality.console.context import ConsoleContext
from openmodality.console.dicomweb.accept import JSON, read_accepted
from openmodality.console.memory import Contact
from openmodality.console.security.access import At, Viewer
from openmodality.errors import OpenModalityError, UsageError
from openmodality.query.finding import FindAnswer, HandOver
from openmodality.query.moving import MoveResult

router = APIRouter(prefix="/api/v1", tags=["peers"])

_MOST_MATCHES: Final = 100_000


class Question(RequestBody):
    """What an archive is asked for."""

    level: Literal["PATIENT", "STUDY", "SERIES", "IMAGE"] = Field("STUDY", description="What to look for.")
    keys: MatchingKeys = Field(default_factory=dict, max_length=100, description="Matching keys by keyword.")
    model: Literal["study", "patient"] | None = Field(None, description="The information model; the site's by default.")
    limit: int | None = Field(None, ge=1, le=_MOST_MATCHES, description="Stop after so many matches.")


class Retrieve(RequestBody):
    """What an archive is to send, and to whom."""

    study: Uid = Field(description="Study Instance UID.")
    series: OptionalUid = Field("", description="Only this series.")
    instance: OptionalUid = Field("", description="Only this instance, of the series.")
    patient_id: WireName = Field("", description="Patient ID, which the patient root model needs.")
    destination: WireName = Field("", max_length=16, description="AE title that gets it; this device by default.")
    get: bool = Field(False, description="Let it come on our own association (C-GET).")
    resume: bool = Field(False, description="Ask for what is missing here only.")
    model: Literal["study", "patient"] | None = Field(None, description="The information model.")


@router.get("/peers", summary="List peers", responses=tell_page("peer"))
def _list_peers(_: Viewer, context: At) -> Response:
    """All peers of the site, with what each said last to this console."""
    return answer_page(_describe_peer(context, name) for name in context.modality.site.peers)


@router.get("/peers/{name}", summary="Show a peer", responses=tell_one("peer", 404))
def _show_peer(request: Request, _: Viewer, context: At, name: PathName) -> Response:
    """One peer of the site."""
    return answer_record(_describe_peer(context, name_peer(context, request, name)))


def _describe_peer(context: ConsoleContext, name: str) -> dict[str, Any]:
    contact = context.memory.find_contact(name)
    return {
        **peer_as_json(context.modality.site.peers[name]),
        "reached": contact.is_success if contact else None,
        "said": contact.said if contact else None,
    }


@router.post("/peers/{name}/echo", summary="Ask a peer whether it is there", responses=tell_one("echo", 404, peer=True))
def _echo_peer(request: Request, _: CheckCall, context: At, once: OnceOnly, name: PathName) -> Response:
    """Ask a peer whether it is there and speaks DICOM (C-ECHO). Where it is, jobs that are to be tried again there run
    now.
    """
    name_peer(context, request, name)

    def echo() -> JSONResponse:
        at = context.modality.clock()
        try:
            answer = context.modality.verify(name)
        except OpenModalityError as error:
            context.memory.note_contact(name, Contact(at, is_success=False, said=error.message, advice=error.advice))
            raise
        context.memory.note_contact(name, Contact(at, answer.is_success, describe_echo(answer)))
        return answer_record(echo_as_json(name, answer))

    return once.do(echo)


@router.post(
    "/peers/{name}/query",
    summary="Ask an archive what it has",
    responses=tell_problems(404, peer=True)
    | {
        200: {
            "description": "What matches: a document, or a line for each match and one for the end.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["peer", "level", "more_available", "notices", "items"],
                        "properties": {
                            "peer": {"type": "string"},
                            "level": {"type": "string"},
                            "more_available": {"type": "boolean"},
                            "notices": {"type": "array", "items": {"type": "string"}},
                            "items": {"type": "array", "items": refer_to("attributes")},
                        },
                    }
                },
                NDJSON: {"schema": {"type": "string"}},
            },
        }
    },
)
def _query_peer(request: Request, _: OperateCall, context: At, name: PathName, question: Question) -> Response:
    """Ask an archive for patients, studies, series or images (C-FIND).

    With ``Accept: application/x-ndjson`` each match is a line as soon as it has come, ``{"event": "match",
    "attributes": ...}``, and the last one is ``{"event": "end", ...}``, or ``{"event": "error", "problem": ...}``. Who
    goes away before lets the archive stop (C-CANCEL).
    """
    name_peer(context, request, name)

    def ask(hand_over: HandOver | None = None) -> FindAnswer:
        return context.modality.query(
            question.level, name, model=question.model, limit=question.limit, hand_over=hand_over, **question.keys
        )

    def tell(answer: FindAnswer) -> dict[str, Any]:
        return {"more_available": answer.more_available, "notices": describe_match_limits(answer, name, "limit")}

    if _takes_lines(request):
        return MatchResponse(MatchStream(name, ask, tell))
    answer = ask()
    items = [data_set_as_json(item) for item in answer.items]
    return answer_record({"peer": name, "level": question.level, **tell(answer), "items": items})


def _takes_lines(request: Request) -> bool:
    """Whether the client takes lines rather than a document, which goes to whoever takes anything."""
    known = (each for each in read_accepted(request) if each.name == NDJSON or each.covers(JSON))
    return any(each.name == NDJSON for each in islice(known, 1))


@router.post("/peers/{name}/retrieve", summary="Let an archive send", responses=tell_one("retrieval", 404, peer=True))
def _retrieve_from(
    request: Request, _: OperateCall, context: At, once: OnceOnly, name: PathName, order: Retrieve
) -> Response:
    """Let an archive send a study, a series or an instance (C-MOVE, C-GET); the answer comes when it has."""
    name_peer(context, request, name)
    if order.instance and not order.series:
        raise UsageError("instance needs series", advice="a query at level SERIES shows the series of a study")
    if order.get and order.destination:
        raise UsageError("what comes by C-GET comes here", advice="leave destination out")
    wanted = Wanted(order.study, order.series, order.instance, order.patient_id)

    def retrieve() -> JSONResponse:
        modality = context.modality
        found: tuple[MoveResult, Arrivals | None]
        if order.get:
            found = modality.get(wanted, name, model=order.model, resume=order.resume)
        else:
            found = modality.move(wanted, name, destination=order.destination, model=order.model, resume=order.resume)
        result, arrivals = found
        came = arrivals.stored if arrivals else []
        is_whole = result.verdict.is_done and not result.counts.failed
        refused = arrivals.describe_refusals(is_whole=is_whole) if arrivals else ""
        title = order.destination or context.modality.site.calling_ae("retrieve").ae_title
        return answer_record(retrieval_as_json(name, title, result, came, refused))

    return once.do(retrieve)
