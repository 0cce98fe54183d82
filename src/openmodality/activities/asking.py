"""One query over an association, which then ends as what came back requires."""

from __future__ import annotations

from collections.abc import Callable

from openmodality.network.association import Association
from openmodality.query.finding import FindAnswer
from openmodality.services.query_retrieve import QueryFailed
from openmodality.services.worklist import WorklistFailed


def put_query(association: Association, query: Callable[[], FindAnswer]) -> FindAnswer:
    """Put a query; what leads to an abort by the statement aborts the association, any other answer leaves it.

    Raises what ``query`` raises. After a failure that needs no abort the association is released, since an error that
    leaves its block aborts it.
    """
    try:
        answer = query()
    except (QueryFailed, WorklistFailed) as error:
        if not error.must_abort:
            association.release()
        raise
    if answer.must_abort:
        association.abort()
    return answer
