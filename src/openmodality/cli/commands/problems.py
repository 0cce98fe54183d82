"""``openmodality instances retry`` and ``instances dismiss``: what to do about the problem of an instance file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from openmodality.app.records.problems import problem_as_json
from openmodality.cli.display.problems import format_problem_line
from openmodality.cli.terminal.arguments import CliCommand, Parser, see_help
from openmodality.cli.terminal.bulk import Changing, change_each
from openmodality.cli.terminal.json_output import add_json
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.values import parse_integer
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.store.listing.problems import Problem

_LARGEST = 2**63 - 1


def _declare(parser: Parser) -> None:
    parser.add_argument("problems", metavar="PROBLEM", nargs="*", type=parse_integer(1, _LARGEST))
    parser.add_argument("--all", dest="every", action="store_true", help="All that 'list --problems' shows.")
    add_site(parser)
    add_json(parser)


def retry_problems(problems: tuple[int, ...], every: bool, site_file: str, as_json: bool) -> int:
    """Index files that could not be indexed, and store those that were set aside where their UID is free now.

    With --all a problem that stays is named, and the others go on.
    """
    with device(site_file) as modality:
        chosen = _choose_problems(modality, problems, every=every, verb="retry")
        return change_each(chosen, _make_changing(modality.problems.retry, "is solved"), goes_on=every, as_json=as_json)


def dismiss_problems(problems: tuple[int, ...], every: bool, site_file: str, as_json: bool) -> int:
    """List problems no more. Their files stay where they are, and are yours to remove."""
    with device(site_file) as modality:
        chosen = _choose_problems(modality, problems, every=every, verb="dismiss")
        return change_each(
            chosen, _make_changing(modality.problems.dismiss, "is dismissed"), goes_on=every, as_json=as_json
        )


def _choose_problems(modality: Modality, given: tuple[int, ...], *, every: bool, verb: str) -> tuple[int, ...]:
    if bool(given) == every:
        raise UsageError("name problems, or --all", advice=see_help(f"instances {verb}"))
    return tuple(problem.id for problem in reversed(modality.problems.list())) if every else given


def _make_changing(change: Callable[[int], Problem], outcome: str) -> Changing[Problem]:
    def format_line(problem: Problem) -> str:
        return format_problem_line(problem, outcome)

    return Changing("problem", change, format_line, lambda changed: map(problem_as_json, changed))


retry_command = CliCommand(retry_problems, _declare)
dismiss_command = CliCommand(dismiss_problems, _declare)
