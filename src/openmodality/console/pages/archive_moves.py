"""The retrieves that Archive shows as they go: each is a job, and the archive says how far it is (MR-3.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openmodality.activities.retrieve_job import DESTINATION, read_counts, read_wanted
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.jobs import JobRow, make_rows
from openmodality.jobs.job import Job
from openmodality.store.states import UNFINISHED_JOBS, JobKind
from openmodality.value_class import dataclass

_MOVES: Final = 10


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A retrieve as it goes: what the archive said last."""

    row: JobRow
    study: str
    destination: str
    remaining: int
    completed: int
    failed: int
    warning: int


@dataclass(frozen=True, slots=True)
class MoveList:
    """The newest retrieves; ``is_running``: one of them goes on, so that the page looks again."""

    moves: Sequence[MoveRow]
    is_running: bool


def list_moves(context: ConsoleContext) -> MoveList:
    """The newest retrieves, each with what the archive said last."""
    jobs = context.modality.jobs.list(kinds=[JobKind.RETRIEVE], limit=_MOVES)
    moves = [make_move(context, job, row) for job, row in zip(jobs, make_rows(context, jobs), strict=True)]
    return MoveList(moves, any(job.state in UNFINISHED_JOBS for job in jobs))


def make_move(context: ConsoleContext, job: Job, row: JobRow) -> MoveRow:
    """A retrieve as a line."""
    counts, wanted = read_counts(job), read_wanted(job)
    return MoveRow(
        row=row,
        study="one series" if wanted.series else "a study",
        destination=str(job.parameters[DESTINATION]) or "this device",
        remaining=counts.remaining,
        completed=counts.completed,
        failed=counts.failed,
        warning=counts.warning,
    )
