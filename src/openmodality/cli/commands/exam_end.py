"""``openmodality exam complete`` and ``discontinue``: an exam ends, and the RIS is told what was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openmodality.app.records.exams import exam_as_json
from openmodality.cli.display.exams import format_exam_line
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.exam import add_exam, declare_exam, find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean, say
from openmodality.cli.terminal.site import add_site, device
from openmodality.counted import format_count
from openmodality.jobs.worker_lock import is_worker_running
from openmodality.standard.discontinuation_reasons import DISCONTINUATION_REASONS, UNSPECIFIED
from openmodality.store.states import JobState

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.exam.session import Exam


def complete(exam: str, site_file: str, as_json: bool) -> None:
    """End an exam as COMPLETED: the RIS is told what was made, and what is not sent yet goes to the archives."""
    with device(site_file) as device_:
        _print_ended(device_, _find_exam(device_, exam).complete(), as_json=as_json)


def _declare_discontinue(parser: Parser) -> None:
    add_exam(parser)
    parser.add_argument(
        "--reason",
        metavar="CODE",
        default=UNSPECIFIED,
        help="Why, as a code of the list above (CID 9300).",
    )
    add_site(parser)
    add_json(parser)


def discontinue(exam: str, reason: str, site_file: str, as_json: bool) -> None:
    """End an exam as DISCONTINUED."""
    with device(site_file) as device_:
        _print_ended(device_, _find_exam(device_, exam).discontinue(reason), as_json=as_json)


def _find_exam(modality: Modality, text: str) -> Exam:
    return modality.find_exam(find_exam_number(modality.view, text))


def _print_ended(modality: Modality, exam: Exam, *, as_json: bool) -> None:
    if as_json:
        print_document([exam_as_json(exam.record)])
    else:
        print(clean(format_exam_line(exam.record)))
    if not is_worker_running(modality.site.data_folder):
        open_jobs = modality.jobs.list(states=[state for state in JobState if not state.finished])
        say(f"{format_count(len(open_jobs), 'job')} queued; 'openmodality serve' does them")


_REASONS = ", ".join(f"{reason.code_value} {reason.meaning}" for reason in DISCONTINUATION_REASONS.values())
complete_command = CliCommand(complete, declare_exam)
discontinue_command = CliCommand(
    discontinue, _declare_discontinue, text=f"End an exam as DISCONTINUED.\n\nCodes of --reason: {_REASONS}."
)
