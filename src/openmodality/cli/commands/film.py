"""``openmodality print`` and ``openmodality printer``: images on film."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openmodality.app.records.films import list_printer_settings, name_printer_peer, printer_as_json
from openmodality.app.records.jobs import describe_reason, job_as_json
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.choice import add_choice, add_repeatable, follow_job
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import print_fields, say
from openmodality.cli.terminal.site import DEFAULT, SITE_VARIABLE, add_site, device, load
from openmodality.cli.terminal.values import not_empty, parse_integer
from openmodality.counted import format_count
from openmodality.errors import ConfigurationError, OpenModalityError, UsageError
from openmodality.standard.film import MOST_COPIES, MOST_DENSITY, PRINT_PRIORITIES
from openmodality.standard.sop_classes import is_image
from openmodality.store.states import JobState

if TYPE_CHECKING:
    from openmodality.activities.film_order import FilmOrder
    from openmodality.app.local_data import Chosen
    from openmodality.app.modality import Modality


def _declare_print(parser: Parser) -> None:
    parser.add_argument("printer", metavar="PRINTER", nargs="?", default="")
    parser.add_argument(
        "--printer", dest="named", metavar="NAME", default="", help="The printer, where no PRINTER is given."
    )
    add_choice(parser, "what is printed")
    add_repeatable(
        parser, "key-object", "key_objects", "SOP Instance UID of a key object document, whose images are printed."
    )
    scout = "SOP Instance UID of an image that is printed first, with lines where the others cut it."
    add_repeatable(parser, "scout", "scouts", scout)
    state = "Presentation state (GSPS) that says how its images are shown."
    add_repeatable(parser, "presentation", "presentations", state, "FILE|UID")
    _declare_film(parser)
    parser.add_argument(
        "--preview", metavar="FILE", default="", help="Write the sheets to FILE (.pdf or .png), and print nothing."
    )
    add_site(parser)
    add_json(parser)


def _declare_film(parser: Parser) -> None:
    """The options of a film; the values that a printer has are in the site file, ``printer show`` lists them."""
    parser.add_argument(
        "--layout", metavar="CxR", default="", help=r"Columns and rows, 3x4, or a format such as ROW\2,3."
    )
    copies = parse_integer(1, MOST_COPIES)
    parser.add_argument("--copies", metavar="N", type=copies, default=0, help="Copies of each sheet.")
    parser.add_argument("--priority", choices=PRINT_PRIORITIES, default="", help="Print priority.")
    for name, metavar, what in (
        ("medium", "TYPE", "Medium, such as 'BLUE FILM'."),
        ("destination", "NAME", "Where the film goes, such as PROCESSOR."),
        ("size", "SIZE", "Film size, such as 14INX17IN."),
        ("magnification", "TYPE", "How images are made larger, such as CUBIC."),
        ("smoothing", "TYPE", "Smoothing, by the printer's conformance statement."),
        ("configuration", "TEXT", "Configuration, by the printer's conformance statement."),
        ("label", "TEXT", "Label of the film session."),
    ):
        parser.add_argument(f"--{name}", metavar=metavar, default="", help=what)
    for name, what in (("border", "Density of the border"), ("empty-image", "Density of places without an image")):
        words = f"{what}: BLACK, WHITE, or hundredths of optical density."
        parser.add_argument(f"--{name}-density", metavar="D", default="", help=words)
    density = parse_integer(0, MOST_DENSITY)
    for name, what in (("min", "Least"), ("max", "Greatest")):
        words = f"{what} density, in hundredths of optical density."
        parser.add_argument(f"--{name}-density", metavar="N", type=density, default=None, help=words)
    parser.add_argument("--trim", choices=("YES", "NO"), default="", help="A line around each image.")
    parser.add_argument("--orientation", choices=("PORTRAIT", "LANDSCAPE"), default="", help="Film orientation.")
    parser.add_argument(
        "--window", metavar="C,W", default="", help="Window center and width, in place of the images' own."
    )
    parser.add_argument("--true-size", action="store_true", help="As large on the film as in the patient.")
    parser.add_argument("--no-annotation", action="store_true", help="Write no text into the images.")
    parser.add_argument("--mixed", action="store_true", help="Allow images of several patients on one sheet.")


def run_print(
    printer: str,
    named: str,
    studies: Sequence[str],
    series: Sequence[str],
    instances: Sequence[str],
    preview: str,
    site_file: str,
    as_json: bool,
    **film: Any,
) -> int:
    """Print images of the local database on PRINTER, a printer of the site file, by default its first one.

    The request is a job, which this command follows to its end; Ctrl-C cancels it after the sheet that is being sent.
    What is not chosen is as usual for the printer: "openmodality printer show PRINTER" lists what it has. Where no
    layout is named, the smallest grid is taken that holds all images. Without images of their own choice, those of the
    key object documents and of the presentation states are printed; a state in a file goes into the local database.

    Exit status 0 when all sheets are printed, 1 when not.
    """
    from openmodality.app.local_data import Chosen  # noqa: PLC0415 - start-up time

    chosen, order = Chosen(studies, series, instances), _make_order(**film)
    if printer and named and printer != named:
        raise UsageError(f"two printers are named: {printer} and {named}", advice="name one")
    printer = printer or named
    with device(site_file, works=not preview) as modality:
        if preview:
            return _preview(modality, modality.site.printer(printer).name, chosen, order, preview, as_json=as_json)
        job = modality.films.order(chosen, printer, order)
        follow_job(modality, job.id, "printed")
        return _tell(modality, job.id, as_json=as_json)


def _make_order(
    *,
    window: str,
    no_annotation: bool,
    presentations: Sequence[str],
    scouts: Sequence[str],
    key_objects: Sequence[str],
    **choices: Any,
) -> FilmOrder:
    """The order of the options of a film; those that need no look have the names of its fields."""
    from openmodality.activities.film_order import FilmOrder  # noqa: PLC0415 - start-up time

    documents: dict[str, Any] = {
        "states": tuple(presentations),
        "scouts": tuple(scouts),
        "key_objects": tuple(key_objects),
    }
    return FilmOrder(window=_read_window(window), annotation=not no_annotation, **documents, **choices)


def _read_window(text: str) -> tuple[float, float] | tuple[()]:
    if not text:
        return ()
    try:
        center, width = map(float, text.split(","))
    except ValueError:
        center, width = 0.0, 0.0
    if not (isfinite(center) and 1 <= width < inf):
        raise UsageError(f"{text!r} is no window", advice="write center and width, such as 40,400")
    return center, width


def _preview(
    modality: Modality, printer: str, chosen: Chosen, order: FilmOrder, file: str, *, as_json: bool
) -> int:  # fmt: skip
    path = Path(file)
    if path.suffix.lower() not in (".pdf", ".png"):
        raise UsageError(f"{file!r} is neither a .pdf nor a .png", advice="name the file so")
    written = modality.films.preview(chosen, printer, order, path)
    if as_json:
        print_document([{"printer": printer, "files": [str(each) for each in written], "job": None}])
    else:
        print("\n".join(map(str, written)))
    return 0


def _tell(modality: Modality, job_id: int, *, as_json: bool) -> int:
    details = modality.jobs.show(job_id)
    job, results = details.job, modality.jobs.results([details.job])[job_id]
    images = sum(is_image(each.SOPClassUID) for each in details.instances)
    if as_json:
        print_document([{"printer": job.destination, "files": [], "job": job_as_json(job, results)}])
    if job.state is not JobState.DONE:
        raise OpenModalityError(f"job {job.id} is {job.state}: {describe_reason(job) or 'it did not print'}")
    if not as_json:
        print(f"{format_count(images, 'image')} printed on {job.destination}")
        if job.reason:
            say(job.reason)
    return 0


def _declare_show(parser: Parser) -> None:
    parser.add_argument("printer", metavar="PRINTER", type=not_empty)
    add_site(parser)
    add_json(parser)


def show(printer: str, site_file: str, as_json: bool) -> None:
    """What the site file says of a printer, and what the printer says of itself.

    Exit status 1 where it does not answer or refuses.
    """
    with device(site_file) as modality:
        configured, answer = modality.films.ask_printer(printer)
    if as_json:
        print_document([printer_as_json(configured, answer.attributes)])
        return
    known = list_printer_settings(configured)
    print_fields([("printer", configured.name), ("peer", name_printer_peer(configured)), *answer.attributes.items()])
    print()
    print_fields([(name, ", ".join(values)) for name, values in known.items() if values])


def _list_configured() -> str:
    """The values that the printers of the usual site file have for the options, the usual one first."""
    from openmodality.cli.terminal.help_page import make_section  # noqa: PLC0415 - start-up time
    from openmodality.device.site.printers import list_printer_values  # noqa: PLC0415 - start-up time

    site_file = os.environ.get(SITE_VARIABLE) or DEFAULT
    try:
        printers = load(site_file).printers
    except ConfigurationError:
        return ""  # the page holds without a site file
    rows = [
        (f"{name} {option}", ", ".join(values))
        for name, printer in printers.items()
        for option, setting in _CONFIGURED.items()
        if (values := list_printer_values(printer, setting))
    ]
    return make_section(f"Printers of {site_file}", rows) if rows else ""


_CONFIGURED: Final = {
    "--layout": "layouts",
    "--size": "film_sizes",
    "--medium": "medium_types",
    "--destination": "film_destinations",
    "--orientation": "film_orientations",
    "--magnification": "magnification_types",
    "--smoothing": "smoothing_types",
    "--configuration": "configuration_information",
}
"""The options whose values a printer has, and its settings."""

print_command = CliCommand(run_print, _declare_print, more=_list_configured)
command = Group("Film printers: what they have and how they are.", {"show": CliCommand(show, _declare_show)})
