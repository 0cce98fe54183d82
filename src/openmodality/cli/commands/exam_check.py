"""``openmodality exam check``: looks over the images of an exam."""

from __future__ import annotations

from openmodality.app.records.exams import check_as_json
from openmodality.cli.display.exam_checks import print_check
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.exam import add_exam, find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.site import add_site, device


def _declare(parser: Parser) -> None:
    add_exam(parser)
    add_site(parser)
    add_json(parser)


def check_exam(exam: str, site_file: str, as_json: bool) -> int:
    """Look over the images of an exam: geometry, pixels, mandatory attributes, and what is odd.

    The exit status is 1 where a mandatory attribute of an image has no value, or something is odd. A series without
    images, such as one that was interrupted, shows what its images would lack.
    """
    with device(site_file) as device_:
        checks = device_.find_exam(find_exam_number(device_.view, exam)).check()
    if as_json:
        print_document(map(check_as_json, checks))
    else:
        for number, each in enumerate(checks):
            if number:
                print()
            print_check(each)
        if not checks:
            print("the exam has no series of images")
    return 1 if any(each.images and (each.missing or each.warnings or each.duplicates) for each in checks) else 0


command = CliCommand(check_exam, _declare)
