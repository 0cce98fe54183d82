"""``openmodality exam start`` and ``unscheduled``: an exam begins, and its performed step is IN PROGRESS."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from openmodality.app.records.exams import exam_as_json
from openmodality.cli.display.exams import format_exam_line
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.confirmation import add_yes, is_yes
from openmodality.cli.terminal.exam import join_numbers
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.options import add_keys, parse_attributes
from openmodality.cli.terminal.output import clean, say
from openmodality.cli.terminal.site import add_site, device
from openmodality.errors import NotFound, UsageError

if TYPE_CHECKING:
    from openmodality.activities.worklist import ItemCheck
    from openmodality.app.modality import Modality
    from openmodality.exam.session import Exam


def _add_attributes(parser: Parser) -> None:
    add_keys(
        parser,
        "What the operator adds, such as OperatorsName=ROE^RICHARD. Items of sequences and lists are JSON."
        " May be repeated.",
    )


def _add_modality(parser: Parser, default: str) -> None:
    parser.add_argument("--modality", metavar="TEXT", help=f"Modality of the step.  [default: {default}]")


def _declare_start(parser: Parser) -> None:
    parser.add_argument("items", metavar="ITEM", nargs="+")
    _add_attributes(parser)
    _add_modality(parser, "the worklist's, else the device's first")
    add_yes(parser)
    add_site(parser)
    add_json(parser)


def start(
    items: tuple[str, ...], keys: tuple[str, ...], modality: str | None, yes: bool, site_file: str, as_json: bool
) -> None:
    """Start an exam for one or several worklist items: a performed step is IN PROGRESS from now on.

    ITEM is a number of "openmodality worklist", an accession number or a scheduled step ID. Where the device checks
    items, the RIS is asked again: an item that has changed or is gone must be confirmed.
    """
    with device(site_file) as device_:
        numbers = [_find_item(device_, item) for item in items]
        exam = device_.start_exam(
            numbers, modality=modality or "", confirm=lambda check: _confirm(check, yes=yes), **parse_attributes(keys)
        )
        _print_started(exam, as_json=as_json)


def _declare_unscheduled(parser: Parser) -> None:
    parser.add_argument("--patient-id", metavar="ID", required=True, help="Patient ID.")
    parser.add_argument("--patient-name", metavar="NAME", required=True, help="Patient's Name, such as DOE^JANE.")
    parser.add_argument("--birth-date", metavar="YYYYMMDD", default="", help="Patient's Birth Date.")
    parser.add_argument("--sex", type=str.upper, choices=["M", "F", "O"], help="Patient's Sex.")
    _add_attributes(parser)
    _add_modality(parser, "the device's first")
    add_site(parser)
    add_json(parser)


def start_unscheduled(
    patient_id: str,
    patient_name: str,
    birth_date: str,
    sex: str | None,
    keys: tuple[str, ...],
    modality: str | None,
    site_file: str,
    as_json: bool,
) -> None:
    """Start an exam that nobody scheduled; study UID and accession number are made here."""
    said = {"PatientID": patient_id, "PatientName": patient_name, "PatientBirthDate": birth_date, "PatientSex": sex}
    patient = {keyword: value for keyword, value in said.items() if value}
    with device(site_file) as device_:
        exam = device_.start_exam(patient=patient, modality=modality or "", **parse_attributes(keys))
        _print_started(exam, as_json=as_json)


def _find_item(modality: Modality, text: str) -> int:
    """The number of the worklist item that is meant."""
    items = modality.worklist_items()
    if text.isdecimal() and int(text) in {item.id for item in items}:
        return int(text)
    fitting = [item.id for item in items if text in (item["AccessionNumber"], item["ScheduledProcedureStepID"])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text} fits the worklist items {join_numbers(fitting)}", advice="give their numbers")
    raise NotFound(f"there is no worklist item {text}", advice="openmodality worklist shows them")


def _confirm(check: ItemCheck, *, yes: bool) -> bool:
    """A person decides on an item that changed; without one it is taken as it is now, but not when it is gone."""
    if yes:
        return True
    if not sys.stdin.isatty():
        return check.is_changed
    return is_yes(f"{check.notice}. Start the exam with it as it is now?")


def _print_started(exam: Exam, *, as_json: bool) -> None:
    record = exam.record
    if as_json:
        print_document([exam_as_json(record)])
    else:
        print(clean(format_exam_line(record)))
    for notice in record.notices:
        say(notice)


start_command = CliCommand(start, _declare_start)
unscheduled_command = CliCommand(start_unscheduled, _declare_unscheduled)
