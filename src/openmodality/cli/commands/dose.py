"""``openmodality dose``: a dose report for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.exam import find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.result_file import write_result
from openmodality.cli.terminal.site import add_site, open_view, site_path
from openmodality.cli.terminal.values import any_path
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from openmodality.objects.report.dose_overview import DoseOverview


def _declare(parser: Parser) -> None:
    parser.add_argument("source", metavar="EXAM|FILE")
    parser.add_argument("--html", metavar="FILE", type=any_path, help="Write a page with plots to this file.")
    add_site(parser)
    add_json(parser)


def run_dose(source: str, html: Path | None, site_file: str, as_json: bool) -> int:
    """Show the dose of an exam, or what a dose report says: totals, and each irradiation event.

    FILE is an X-Ray Radiation Dose SR of projection radiography, of whichever maker. EXAM is a number, an accession
    number, or the beginning of a Study Instance UID; its events are shown as they are on record, also while it goes on.
    With --html a page shows dose over time and by target region.
    """
    from openmodality.app.records.dose import describe_dose_document, list_irradiation  # noqa: PLC0415 - start-up time
    from openmodality.cli.display.dose import make_page, print_overview  # noqa: PLC0415 - start-up time

    file = Path(source)
    title, overview = _read_file(file) if file.is_file() else _read_exam(source, site_file)
    if html is not None:
        write_result(html, make_page(overview, title))
    if as_json:
        print_document(list_irradiation(overview), **describe_dose_document(overview))
    else:
        print_overview(overview)
        if html is not None:
            say(f"page written to {html}")
    return 0


def _read_file(file: Path) -> tuple[str, DoseOverview]:
    """Raises :class:`UsageError` where the file is no dose report that can be read."""
    from openmodality.app.dose_reports import read_dose_report  # noqa: PLC0415 - start-up time

    return f"Dose report {file.name}", read_dose_report(file)


def _read_exam(source: str, site_file: str) -> tuple[str, DoseOverview]:
    """The events on record, and the reference point that the reports of the site name."""
    from openmodality.device.site.site_loader import load_site  # noqa: PLC0415 - start-up time
    from openmodality.exam.dose_settings import read_dose_settings  # noqa: PLC0415 - start-up time
    from openmodality.objects.report.dose_overview import overlook_events  # noqa: PLC0415 - start-up time

    with open_view(site_file) as view:
        number = find_exam_number(view, source)
        events = view.irradiation(number)
    if not events:
        raise UsageError(f"exam {number} has irradiated nothing", advice="openmodality exam list shows all exams")
    settings = read_dose_settings(load_site(site_path(site_file)))
    return f"Dose of exam {number}", overlook_events(events, settings.reference_point.definition)


command = CliCommand(run_dose, _declare)
