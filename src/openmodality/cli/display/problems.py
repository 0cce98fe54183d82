"""How problems of instance files are shown as a list."""

from __future__ import annotations

from typing import Final

from openmodality.app.records.values import format_time
from openmodality.cli.terminal.table import Column
from openmodality.store.listing.problems import Problem

PROBLEM_COLUMNS: Final = (
    Column[Problem]("problem", lambda each: each.id),
    Column[Problem]("kind", lambda each: each.kind.value),
    Column[Problem]("since", lambda each: format_time(each.at), leave_out=2),
    Column[Problem]("from", lambda each: each.source or each.origin.value, leave_out=1),
    Column[Problem]("reason", lambda each: each.reason, words=True),
    Column[Problem]("file", lambda each: each.file, leave_out=3),
    Column[Problem]("SOP Instance UID", lambda each: each.sop_instance_uid),
)


def format_problem_line(problem: Problem, outcome: str) -> str:
    """What has become of a problem, in a line."""
    return f"problem {problem.id} {outcome}: {problem.sop_instance_uid}, {problem.file}"
