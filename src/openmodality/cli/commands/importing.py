"""``openmodality import``: DICOM files into the local database."""

from __future__ import annotations

from pathlib import Path

from openmodality.app.records.local_data import import_as_json
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.values import existing_path
from openmodality.counted import format_count
from openmodality.errors import StoreError


def _declare(parser: Parser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="+", type=existing_path)
    add_site(parser)
    add_json(parser)


def run(paths: tuple[Path, ...], site_file: str, as_json: bool) -> int:
    """Copy DICOM files, and those in folders, into the local database.

    An instance that is there already is not replaced. A file that is cut off, damaged, or not in the transfer syntax
    that it claims is not taken, and named. Files in a folder that are not DICOM are passed over and counted; one that
    is named itself and is none is an error.

    Exit status 0 when every DICOM file is in the database, 1 when one is not, or when there is none.
    """
    line = StatusLine()
    dealt_with = [0, 0]

    def show(done: int, total: int) -> None:
        dealt_with[:] = done, total
        line.show(f"{done} of {format_count(total, 'file')} imported")

    with device(site_file) as modality:
        try:
            imported = modality.import_files(paths, show)
        except (KeyboardInterrupt, StoreError):
            line.clear()
            done, total = dealt_with
            if done:
                of = f"{done} of {format_count(total, 'file')}"
                say(f"stopped after {of}; what is imported stays, run it again to go on")
            raise
    line.clear()
    refused, passed_over = imported.refused, imported.passed_over
    if as_json:
        print_document([import_as_json(imported)])
    else:
        print(f"{format_count(imported.new, 'instance')} imported, {imported.same} already there")
    if imported.different:
        different = format_count(imported.different, "instance")
        say(
            f"{different} came with different content than is stored; the first is kept, and the other set aside:"
            " openmodality instances list --problems"
        )
    for path, why in refused:
        say(format_refusal(path, why))
    if passed_over:
        say(f"{format_count(passed_over, 'file')} not DICOM, passed over")
    is_anything = imported.new or imported.same
    return 0 if is_anything and not refused else 1


command = CliCommand(run, _declare)


def format_refusal(path: Path, why: str) -> str:
    """Why a file was not taken, with its path once. A reason may begin with the path, or with the name alone."""
    rest = why.removeprefix(str(path)).removeprefix(path.name)
    return f"{path}: {why}" if rest == why else f"{path}{rest}"
