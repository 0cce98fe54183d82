"""``openmodality man``: manual pages for whoever packages it."""

from __future__ import annotations

from pathlib import Path

import openmodality
from openmodality.cli.shell.man_pages import make_manual_pages
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean
from openmodality.cli.terminal.result_file import write_result
from openmodality.cli.terminal.values import any_folder
from openmodality.counted import format_count


def _declare(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", type=any_folder)
    add_json(parser)


def run(folder: Path, as_json: bool) -> None:
    """Write manual pages into DIR: openmodality.1, and one for each command.

    They say what the help pages say. Read one with man DIR/openmodality-exam-acquire.1, or let DIR be
    share/man/man1 of a prefix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = make_manual_pages(openmodality.__version__)
    for name, page in pages.items():
        write_result(folder / name, page)
    if as_json:
        print_document({"path": str(folder / name)} for name in pages)
    else:
        print(clean(f"{format_count(len(pages), 'page')} in {folder}"))


command = CliCommand(run, _declare)
