"""How a query ends its association: by an abort where the statement says so, by a release otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from openmodality.activities.asking import put_query
from openmodality.dimse.status import StatusCategory
from openmodality.dimse.verdict import Verdict
from openmodality.query.finding import FindAnswer
from openmodality.services.query_retrieve import QueryFailed
from openmodality.services.worklist import WorklistFailed

SUCCESS = Verdict(0, StatusCategory.SUCCESS, "success", "succeed")


class _Ended:
    """Stands for an association; keeps how it was ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def release(self) -> None:
        self.ends.append("release")

    def abort(self) -> None:
        self.ends.append("abort")


def raising(error: Exception) -> Any:
    def query() -> FindAnswer:
        raise error

    return query


@pytest.mark.parametrize("failed", [QueryFailed, WorklistFailed])
@pytest.mark.parametrize(("must_abort", "ends"), [(True, []), (False, ["release"])])
def test_a_failure_that_needs_no_abort_releases(failed: Any, must_abort: bool, ends: list[str]) -> None:
    association = _Ended()
    with pytest.raises(failed):
        put_query(association, raising(failed(0xA700, must_abort=must_abort)))  # type: ignore[arg-type]
    assert association.ends == ends, "an error that leaves the block of the association aborts it"


@pytest.mark.parametrize(("must_abort", "ends"), [(True, ["abort"]), (False, [])])
def test_an_answer_may_have_to_abort(must_abort: bool, ends: list[str]) -> None:
    association, answer = _Ended(), FindAnswer((), SUCCESS, must_abort=must_abort)
    assert put_query(association, lambda: answer) is answer  # type: ignore[arg-type]
    assert association.ends == ends
