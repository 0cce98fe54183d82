"""``openmodality gsdf``: the grey scale of displays and films after PS3.14."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.values import any_path, existing_file, parse_integer, parse_number

_MOST_LEVELS: Final = 65536


def _add_levels(parser: Parser) -> None:
    parser.add_argument(
        "--levels", metavar="N", type=parse_integer(2, _MOST_LEVELS), default=256, help="P-values.  [default: 256]"
    )


def _declare_pattern(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", type=any_path)
    side = parse_integer(128, 16384)
    parser.add_argument("--rows", metavar="N", type=side, default=1024, help="Height of the picture.  [default: 1024]")
    parser.add_argument("--columns", metavar="N", type=side, default=1280, help="Width of it.  [default: 1280]")
    add_json(parser)


def run_pattern(file: Path, rows: int, columns: int, as_json: bool) -> int:
    """Write a picture to judge a display by, as PNG.

    Show it at its own size. On a display that follows the Grayscale Standard Display Function the two squares in each
    of the 18 patches are seen equally well, the ramp above has no steps, and the lines below are black and white.
    """
    from openmodality.imaging.exchange import encode_png  # noqa: PLC0415 - start-up time
    from openmodality.imaging.quality_pattern import make_test_pattern  # noqa: PLC0415 - start-up time

    file.write_bytes(encode_png(make_test_pattern(rows, columns)))
    if as_json:
        print_document([{"file": str(file), "rows": rows, "columns": columns}])
    else:
        print(f"{file}: {columns} x {rows} pixels")
    return 0


def _declare_table(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", type=existing_file)
    parser.add_argument(
        "--ambient",
        metavar="CD/M2",
        type=parse_number(0, 4000),
        default=0.0,
        help="Light of the room that the display reflects, added to each measured luminance.  [default: 0]",
    )
    _add_levels(parser)
    add_json(parser)


def run_table(file: Path, ambient: float, levels: int, as_json: bool) -> int:
    """Print which level of a measured display shows each P-value, a line each: P-value, level, luminance in cd/m2.

    FILE has the luminance in cd/m2 of each level of the display, from the darkest on, a number a line; of lines with
    commas the last number counts, and a first line of words is passed over.
    """
    import numpy as np  # noqa: PLC0415 - start-up time

    from openmodality.imaging.display_lut import read_luminances  # noqa: PLC0415 - start-up time
    from openmodality.imaging.gsdf import find_deviation, make_display_table  # noqa: PLC0415 - start-up time

    measured = np.array(read_luminances(file)) + ambient
    table = make_display_table(measured, levels)
    deviation = find_deviation(measured, levels)
    if as_json:
        print_document(
            [{"p_value": number, "level": int(level)} for number, level in enumerate(table)],
            greatest_deviation_in_jnd=round(deviation, 2),
        )
        return 0
    for number, level in enumerate(table):
        print(f"{number},{level},{measured[level]:.4f}")
    say(f"with this table the display is off by {deviation:.1f} just-noticeable differences at most")
    return 0


def _declare_film(parser: Parser) -> None:
    density = parse_number(0, 5)
    parser.add_argument("--least", metavar="OD", type=density, default=0.2, help="Brightest density.  [default: 0.2]")
    parser.add_argument("--greatest", metavar="OD", type=density, default=3.0, help="Darkest density.  [default: 3.0]")
    parser.add_argument(
        "--illumination",
        metavar="CD/M2",
        type=parse_number(1, 4000),
        default=2000.0,
        help="Luminance of the light box.  [default: 2000]",
    )
    parser.add_argument(
        "--ambient",
        metavar="CD/M2",
        type=parse_number(0, 4000),
        default=10.0,
        help="Light of the room that the film reflects.  [default: 10]",
    )
    _add_levels(parser)
    add_json(parser)


def run_film(least: float, greatest: float, illumination: float, ambient: float, levels: int, as_json: bool) -> int:
    """Print the optical density that a film has for each P-value, a line each."""
    from openmodality.imaging.gsdf import make_density_table  # noqa: PLC0415 - start-up time

    densities = make_density_table(least, greatest, illumination, ambient, levels)
    if as_json:
        print_document([{"p_value": number, "density": round(float(each), 4)} for number, each in enumerate(densities)])
        return 0
    for number, density in enumerate(densities):
        print(f"{number},{density:.4f}")
    return 0


command = Group(
    "The grey scale of displays and films (Grayscale Standard Display Function, PS3.14).",
    {
        "pattern": CliCommand(run_pattern, _declare_pattern),
        "table": CliCommand(run_table, _declare_table),
        "film": CliCommand(run_film, _declare_film),
    },
)
