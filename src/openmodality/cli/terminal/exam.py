"""``EXAM`` on the command line: a number, an accession number, or the beginning of a Study Instance UID."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openmodality.cli.terminal.json_output import add_json
from openmodality.cli.terminal.site import add_site
from openmodality.errors import NotFound, UsageError

if TYPE_CHECKING:
    from openmodality.app.view import LocalView
    from openmodality.cli.terminal.arguments import Parser


def add_exam(parser: Parser) -> None:
    """Declare ``EXAM``: the exam that is meant."""
    parser.add_argument("exam", metavar="EXAM")


def declare_exam(parser: Parser) -> None:
    """What a command takes that does one thing to one exam."""
    add_exam(parser)
    add_site(parser)
    add_json(parser)


def find_exam_number(view: LocalView, text: str) -> int:
    """The number of the exam that is meant. A number without a point is no beginning of a UID: it would be of any.

    Raises :class:`NotFound` where there is none, :class:`UsageError` where several fit.
    """
    exams = view.exams()
    if text.isdecimal() and int(text) in {exam.id for exam in exams}:
        return int(text)
    uid = text if "." in text else " "
    fitting = [exam.id for exam in exams if text == exam.accession_number or exam.study_instance_uid.startswith(uid)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text} fits the exams {join_numbers(fitting)}", advice="give the number of one")
    raise NotFound(f"there is no exam {text}", advice="openmodality exam list shows all")


def join_numbers(numbers: Iterable[int]) -> str:
    """``2 and 5``, the lowest first."""
    return " and ".join(map(str, sorted(numbers)))
