"""Which job runs next: the rules of the queue's order as one query.

:func:`openmodality.store.listing.jobs.read_blocking_rows` tells people what holds up one job, without SQLAlchemy;
``tests/property/test_queue.py`` holds that both say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, or_, select

from openmodality.store.schema import job_dependencies, jobs
from openmodality.store.states import JobKind, JobState
from openmodality.store.transaction import Snapshot

_OPEN = (JobState.TODO, JobState.WAITING)
_other = jobs.alias("other")


def find_runnable(
    snapshot: Snapshot,
    kinds: Collection[JobKind],
    now: float,
    *,
    entities: Sequence[Collection[JobKind]] = (),
    served_last: str = "",
    takes: bool = False,
) -> int | None:
    """The number of the next job: due, its destination free, all before it in its order ended, all it comes after done.

    Whoever was due first goes first; among those, the older one; the destination ``served_last`` only where no other
    has work, so that one that does not answer holds up nobody for longer than one job. ``entities``: the kinds of job
    of each application entity, none of which has two associations at once (RF-4.4.2-11, -15, -28, -31). ``takes``: the
    caller changes the job in its transaction; what another one is changing is passed over.
    """
    statement = _select_runnable(tuple(kinds), tuple(map(tuple, entities)), takes)
    values = {"own_device": snapshot.device_id, "now": now, "served_last": served_last}
    return snapshot.execute(statement, values).scalar()


def find_next_due(snapshot: Snapshot, kinds: Collection[JobKind], now: float) -> float | None:
    """When the clock alone makes another job due; one that is due already waits for another job, not for the clock."""
    values = {"own_device": snapshot.device_id, "now": now}
    return snapshot.execute(_select_next_due(tuple(kinds)), values).scalar()


_Kinds = tuple[JobKind, ...]


@cache  # every thread of a worker asks whenever a job has changed, and to put this together takes longer than to run it
def _select_runnable(kinds: _Kinds, entities: tuple[_Kinds, ...], takes: bool) -> Select[Any]:
    is_served_last = jobs.c.destination == bindparam("served_last")
    statement = (
        select(jobs.c.id)
        .where(*_list_own(kinds), jobs.c.due_at <= bindparam("now"))
        .where(~_is_destination_busy(), ~_has_earlier_in_order(), ~_has_open_dependency())
        .order_by(case((is_served_last, 1), else_=0), jobs.c.due_at, jobs.c.id)
        .limit(1)
    )
    if entities:
        statement = statement.where(~_is_entity_busy(entities))
    if takes:
        statement = statement.with_for_update(skip_locked=True, of=jobs)  # SQLite has one writer and needs none
    return statement


@cache  # likewise
def _select_next_due(kinds: _Kinds) -> Select[Any]:
    return select(func.min(jobs.c.due_at)).where(*_list_own(kinds), jobs.c.due_at > bindparam("now"))


def _list_own(kinds: _Kinds) -> tuple[ColumnElement[bool], ...]:
    """What holds of the jobs of the device that are of these kinds, and neither done nor being done."""
    return jobs.c.device_id == bindparam("own_device"), jobs.c.state.in_(_OPEN), jobs.c.kind.in_(kinds)


def _is_destination_busy() -> ColumnElement[bool]:
    return exists().where(_is_doing(), _other.c.destination == jobs.c.destination)


def _is_doing() -> ColumnElement[bool]:
    """Whether the other job is being done, by the same device: an entity and a destination are each device's own."""
    return (_other.c.device_id == jobs.c.device_id) & (_other.c.state == JobState.DOING)


def _is_entity_busy(entities: Sequence[Collection[JobKind]]) -> ColumnElement[bool]:
    return or_(
        *(
            jobs.c.kind.in_(list(kinds)) & exists().where(_is_doing(), _other.c.kind.in_(list(kinds)))
            for kinds in entities
        )
    )


def _has_earlier_in_order() -> ColumnElement[bool]:
    return exists().where(
        _other.c.order_key == jobs.c.order_key,
        _other.c.id < jobs.c.id,
        _other.c.state.not_in((JobState.DONE, JobState.CANCELLED)),
    )


def _has_open_dependency() -> ColumnElement[bool]:
    return exists().where(
        job_dependencies.c.job_id == jobs.c.id,
        _other.c.id == job_dependencies.c.after_id,
        _other.c.state != JobState.DONE,
    )
