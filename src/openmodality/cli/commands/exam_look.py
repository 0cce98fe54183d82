"""``openmodality exam list`` and ``show``: the exams of this device, and what became of them."""

from __future__ import annotations

from openmodality.app.records.exams import ExamDetails, exam_as_json
from openmodality.cli.display.exams import EXAM_COLUMNS, print_exam
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.exam import add_exam, find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.site import add_site, open_view
from openmodality.cli.terminal.table import add_wide, print_rows
from openmodality.store.states import ExamState


def _declare_list(parser: Parser) -> None:
    parser.add_argument(
        "--state",
        dest="states",
        type=str.upper,
        choices=list(ExamState),
        action="append",
        default=[],
        help="Only this state. May be repeated.",
    )
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def _declare_show(parser: Parser) -> None:
    add_exam(parser)
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def list_(states: tuple[str, ...], site_file: str, wide: bool, as_json: bool) -> None:
    """Exams, newest first."""
    with open_view(site_file) as view:
        exams = view.exams(*states)
    if as_json:
        print_document(map(exam_as_json, exams))
    else:
        print_rows(EXAM_COLUMNS, exams, empty="there are no such exams", wide=wide)


def show(exam: str, site_file: str, wide: bool, as_json: bool) -> None:
    """One exam: its steps and what the RIS has been told, its series and what has been sent and committed."""
    with open_view(site_file) as view:
        details = ExamDetails.of(view, find_exam_number(view, exam))
    if as_json:
        print_document([details.as_json()])
    else:
        print_exam(details, wide=wide)


list_command = CliCommand(list_, _declare_list)
show_command = CliCommand(show, _declare_show)
