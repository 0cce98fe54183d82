"""``/instance-problems``: instance files that could not be indexed or were set aside, and what to do about them."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from openmodality.app.records.problems import problem_as_json
from openmodality.console.api.access import OperateCall
from openmodality.console.api.answers import answer_page, answer_record, tell_one, tell_page
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import ProblemNumber
from openmodality.console.security.access import At, Viewer

router = APIRouter(prefix="/api/v1", tags=["images"])


@router.get("/instance-problems", summary="List problems of instance files", responses=tell_page("problem"))
def _list_problems(_: Viewer, context: At) -> Response:
    """Files that are not among the instances, with the reason, newest first."""
    return answer_page(map(problem_as_json, context.modality.problems.list()))


@router.post("/instance-problems/{problem}/retry", summary="Try a file again", responses=tell_one("problem", 404, 507))
def _retry_problem(_: OperateCall, context: At, once: OnceOnly, problem: ProblemNumber) -> Response:
    """Index a file that could not be indexed, or store one that was set aside; the problem that it was."""
    return once.do(lambda: answer_record(problem_as_json(context.modality.problems.retry(problem))))


@router.post(
    "/instance-problems/{problem}/dismiss", summary="Show a problem no more", responses=tell_one("problem", 404)
)
def _dismiss_problem(_: OperateCall, context: At, once: OnceOnly, problem: ProblemNumber) -> Response:
    """List a problem no more. Its file stays where it is."""
    return once.do(lambda: answer_record(problem_as_json(context.modality.problems.dismiss(problem))))
