"""``openmodality present``: how images are to be shown, as presentation states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.choice import add_choice
from openmodality.cli.terminal.exam import add_exam, find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.site import add_site, device, open_view
from openmodality.cli.terminal.values import any_folder, not_empty
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from openmodality.objects.state.marks import Mark
    from openmodality.objects.state.presentation_state import Look


def _declare_make(parser: Parser) -> None:
    add_exam(parser)
    add_choice(parser, "what is to be shown so", studies=False)
    parser.add_argument("--window", metavar="C,W", default="", help="Window center and width.  [default: none]")
    parser.add_argument("--inverse", action="store_true", help="Black and white turned.")
    parser.add_argument("--rotate", choices=("0", "90", "180", "270"), default="0", help="Degrees, clockwise.")
    parser.add_argument("--flip", action="store_true", help="Left and right turned, after the rotation.")
    parser.add_argument("--area", metavar="L,T,R,B", default="", help="Columns and rows shown, from 1.  [default: all]")
    parser.add_argument("--true-size", action="store_true", help="As large as in the patient.")
    parser.add_argument("--magnify", metavar="FACTOR", default="", help="Display pixels by image pixel.")
    parser.add_argument(
        "--text", metavar="X,Y,WORDS", action="append", default=[], help="Words at a column and a row. May be repeated."
    )
    parser.add_argument(
        "--circle", metavar="X,Y,R", action="append", default=[], help="A circle, in pixels. May be repeated."
    )
    parser.add_argument(
        "--line", metavar="X,Y,X,Y", action="append", default=[], help="A line through points. May be repeated."
    )
    parser.add_argument("--label", metavar="LABEL", default="LOOK", help="1 to 16 of A-Z, 0-9, space and _.")
    parser.add_argument("--description", metavar="TEXT", default="", help="What the state is for.")
    parser.add_argument("--creator", metavar="NAME", default="", help="Who made it, as Doe^Jane.")
    add_site(parser)
    add_json(parser)


def run_present_make(
    exam: str,
    series: Sequence[str],
    instances: Sequence[str],
    window: str,
    inverse: bool,
    rotate: str,
    flip: bool,
    area: str,
    true_size: bool,
    magnify: str,
    text: Sequence[str],
    circle: Sequence[str],
    line: Sequence[str],
    label: str,
    description: str,
    creator: str,
    site_file: str,
    as_json: bool,
) -> None:
    """Say how images of an exam in progress are to be shown: a Grayscale Softcopy Presentation State.

    It goes to the RIS and the archives with the images, which stay as they are. Places in an image are columns and rows
    in pixels, from 0,0 at its top left corner. "openmodality present show" draws what comes out.
    """
    if true_size and magnify:
        raise UsageError("--true-size and --magnify exclude each other")
    marks = _read_marks(text, circle, line)
    said = {"label": label, "description": description, "creator": creator, "marks": marks}
    turned = {"inverse": inverse, "rotation": int(rotate), "flip": flip}
    chosen = _make_look(window, area, magnify, true_size=true_size, **turned, **said)
    with device(site_file) as modality:
        found = modality.find_exam(find_exam_number(modality.view, exam))
        uid = found.present(instances, chosen, series=series)
        if as_json:
            print_document([{"exam": found.id, "sop_instance_uid": uid}])
        else:
            print(uid)


def _make_look(window: str, area: str, magnify: str, *, true_size: bool, **said: Any) -> Look:
    from openmodality.objects.state.presentation_state import (  # noqa: PLC0415 - start-up time
        MAGNIFY,
        SCALE_TO_FIT,
        TRUE_SIZE,
        Look,
    )

    center_width = _read_numbers(window, "--window", 2)
    corners = [int(each) for each in _read_numbers(area, "--area", 4)]
    factor = _read_numbers(magnify, "--magnify", 1)
    return Look(
        window=(center_width[0], center_width[1]) if center_width else None,
        area=(corners[0], corners[1], corners[2], corners[3]) if corners else None,
        size=TRUE_SIZE if true_size else MAGNIFY if factor else SCALE_TO_FIT,
        magnification=factor[0] if factor else None,
        **said,
    )


def _read_marks(texts: Sequence[str], circles: Sequence[str], lines: Sequence[str]) -> list[Mark]:
    from openmodality.objects.state.marks import Graphic, Words  # noqa: PLC0415 - start-up time

    marks: list[Mark] = []
    for given in texts:
        across, down, words = (*given.split(",", 2), "", "", "")[:3]
        column, row = _read_numbers(f"{across},{down}", "--text", 2)
        marks.append(Words(words, (column, row)))
    for given in circles:
        column, row, radius = _read_numbers(given, "--circle", 3)
        marks.append(Graphic("CIRCLE", [(column, row), (column + radius, row)]))
    for given in lines:
        numbers = _read_numbers(given, "--line")
        if len(numbers) < 4 or len(numbers) % 2:
            raise UsageError(f"{given!r} is no line", advice="write --line X,Y,X,Y: two points or more")
        marks.append(Graphic("POLYLINE", list(zip(numbers[::2], numbers[1::2], strict=True))))
    return marks


def _read_numbers(given: str, option: str, count: int | None = None) -> list[float]:
    """The numbers of an option, none where it is not given. Raises :class:`UsageError` for anything else."""
    try:
        numbers = [float(each) for each in given.split(",")] if given else []
    except ValueError:
        numbers = []
    if given and (not numbers or (count is not None and len(numbers) != count)):
        takes = f"{count} numbers" if count else "numbers"
        raise UsageError(f"{given!r} is no value for {option}", advice=f"it takes {takes}, with commas between")
    return numbers


def _declare_show(parser: Parser) -> None:
    parser.add_argument("state", metavar="UID", type=not_empty)
    parser.add_argument(
        "--output", metavar="DIR", type=any_folder, default=Path(), help="Folder of the pictures.  [default: here]"
    )
    add_site(parser)
    add_json(parser)


def run_present_show(state: str, output: Path, site_file: str, as_json: bool) -> None:
    """Draw the images of a presentation state as it shows them, as PNG.

    A file is named after its image. Exit status 1 where an image is not in the local database.
    """
    from openmodality.activities.presented_images import draw_state  # noqa: PLC0415 - start-up time

    with open_view(site_file) as view:
        written = draw_state(view.instance_path, state, output)
    if as_json:
        print_document([{"sop_instance_uid": uid, "file": str(path)} for uid, path in written])
    else:
        print("\n".join(str(path) for _, path in written))


command = Group(
    "Presentation states: how images are to be shown.",
    {"make": CliCommand(run_present_make, _declare_make), "show": CliCommand(run_present_show, _declare_show)},
)
