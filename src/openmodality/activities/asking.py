"""Runs one query over an association, and aborts or releases it afterwards, as the answer requires."""

from __future__ import annotations

from collections.abc import Callable

from openmodality.network.association import Association
from openmodality.query.finding import FindAnswer
from openmodality.services.query_retrieve import QueryFailed
from openmodality.services.worklist import WorklistFailed


def put_query(association: Association, query: Callable[[], FindAnswer]) -> FindAnswer:
    """Run a query, and abort the association where the statement asks for that after this answer.

    Raises what ``query`` raises. Where that needs no abort, the association is released first: an error that leaves its
    block would abort it.
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
