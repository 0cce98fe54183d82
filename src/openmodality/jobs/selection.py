"""Which job runs next: the rules of order as one query."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select

from openmodality.jobs.job import Kind, State
from openmodality.store.schema import job_dependencies, jobs

_OPEN = (State.TODO, State.WAITING)
_other = jobs.alias("other")


def runnable(
    kinds: Collection[Kind], now: float, *, entities: Sequence[Collection[Kind]] = (), served_last: str = ""
) -> Select[int]:
    """The id of the next job: due, its destination free, all before it in its order ended, all it comes after done.

    Whoever was due first goes first; among those, the older one; the destination ``served_last`` only where no other
    has work, so that one that does not answer holds up nobody for longer than one job. ``entities``: the kinds of job
    of each application entity, none of which has two associations at once (RF-4.4.2-11, -15, -28, -31).
    """
    statement = (
        select(jobs.c.id)
        .where(jobs.c.state.in_(_OPEN), jobs.c.due_at <= now, jobs.c.kind.in_(list(kinds)))
        .where(~_destination_busy(), ~_earlier_in_order(), ~_dependency_open())
        .order_by(case((jobs.c.destination == served_last, 1), else_=0), jobs.c.due_at, jobs.c.id)
        .limit(1)
    )
    return statement.where(~_entity_busy(entities)) if entities else statement


def next_due(kinds: Collection[Kind], now: float) -> Select[float]:
    """When the clock alone makes another job due; one that is due already waits for another job, not for the clock."""
    return select(func.min(jobs.c.due_at)).where(
        jobs.c.state.in_(_OPEN), jobs.c.due_at > now, jobs.c.kind.in_(list(kinds))
    )


def _destination_busy() -> ColumnElement[bool]:
    return exists().where(_other.c.destination == jobs.c.destination, _other.c.state == State.DOING)


def _entity_busy(entities: Sequence[Collection[Kind]]) -> ColumnElement[bool]:
    return or_(
        *(
            jobs.c.kind.in_(list(kinds)) & exists().where(_other.c.kind.in_(list(kinds)), _other.c.state == State.DOING)
            for kinds in entities
        )
    )


def _earlier_in_order() -> ColumnElement[bool]:
    return exists().where(
        _other.c.order_key == jobs.c.order_key,
        _other.c.id < jobs.c.id,
        _other.c.state.not_in((State.DONE, State.CANCELLED)),
    )


def _dependency_open() -> ColumnElement[bool]:
    return exists().where(
        job_dependencies.c.job_id == jobs.c.id,
        _other.c.id == job_dependencies.c.after_id,
        _other.c.state != State.DONE,
    )
