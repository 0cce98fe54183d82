"""``openmodality media list``, ``retrieve``, ``iso`` and ``verify``: what is done with a file-set that is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from openmodality.app.records.entities import attributes_as_json
from openmodality.app.records.local_data import media_retrieval_as_json
from openmodality.cli.display.media import RECORD_COLUMNS
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.attributes import say_odd_keys
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.options import add_keys, split_key
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.table import add_wide, print_rows
from openmodality.cli.terminal.values import existing_path, not_empty, volume_label
from openmodality.counted import format_count
from openmodality.errors import UsageError
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.standard.query_retrieve import Level

_MEGABYTE: Final = 1_000_000
_KEY_HELP: Final = (
    "A matching key, such as PatientID=123 or PatientName=DOE*. A tag (0010,0020) does as well. May be repeated."
)


def _declare_list(parser: Parser) -> None:
    parser.add_argument("root", metavar="DIR", type=existing_path)
    parser.add_argument(
        "--level", choices=tuple(RECORD_COLUMNS), default=Level.STUDY, help="What is listed.  [default: STUDY]"
    )
    add_keys(parser, _KEY_HELP)
    add_wide(parser)
    add_site(parser)
    add_json(parser)


def run_list(root: Path, level: str, keys: Sequence[str], wide: bool, site_file: str, as_json: bool) -> int:
    """List what the DICOMDIR in the folder or image DIR has, by keys such as PatientID=123 or PatientName=DOE*.

    What is wrong with the directory is said; all that can be read of it is listed. Exit status 1 where nothing matches.
    """
    say_odd_keys(keys)
    with device(site_file) as modality:
        found, faults = modality.media.query(root, level, dict(map(split_key, keys)))
    columns = RECORD_COLUMNS[level]
    records = [{keyword: str(each.get(keyword) or "") for keyword in columns} for each in found]
    if as_json:
        print_document(map(attributes_as_json, records), problems=faults)
    else:
        print_rows(list(columns.values()), records, empty=f"{root} has no such records", wide=wide)
    _say_faults(faults)
    return 0 if found else 1


def _declare_retrieve(parser: Parser) -> None:
    parser.add_argument("root", metavar="DIR", type=existing_path)
    add_keys(parser, _KEY_HELP)
    add_site(parser)
    add_json(parser)


def run_retrieve(root: Path, keys: Sequence[str], site_file: str, as_json: bool) -> int:
    """Copy the instances of the file-set in the folder or image DIR that match keys into the local database."""
    say_odd_keys(keys)
    line = StatusLine()
    with device(site_file) as modality:
        imported, faults = modality.media.retrieve(
            root,
            dict(map(split_key, keys)),
            lambda done, total: line.show(f"{done} of {format_count(total, 'instance')} copied"),
        )
    line.clear()
    faults += [f"{path.name}: {why}" for path, why in imported.refused]
    if as_json:
        print_document([media_retrieval_as_json(imported, faults)])
    else:
        print(f"{format_count(imported.new, 'instance')} copied, {imported.same} already there")
    _say_faults(faults)
    return 0 if not faults and not imported.different else 1


def _declare_iso(parser: Parser) -> None:
    parser.add_argument("root", metavar="DIR", type=existing_path)
    parser.add_argument("image", metavar="FILE", type=not_empty)
    parser.add_argument(
        "--label", metavar="TEXT", type=volume_label, default="OPENMODALITY", help="Name of the volume."
    )
    parser.add_argument("--joliet", action="store_true", help="Add long names; some old readers take only these.")
    add_json(parser)


def run_iso(root: Path, image: str, label: str, joliet: bool, as_json: bool) -> None:
    """Make an ISO 9660 image of the file-set in the folder DIR."""
    from openmodality.media.iso_image import write_iso_image  # noqa: PLC0415 - start-up time

    if Path(image).exists():
        raise UsageError(f"{image} exists already", advice="name another file for the image")
    if not (root / DIRECTORY_NAME).exists():
        raise UsageError(f"{root} has no DICOMDIR", advice="openmodality media create makes one")
    line = StatusLine()
    length = write_iso_image(
        root,
        Path(image),
        label,
        joliet=joliet,
        progress=lambda done, total: line.show(f"{done // _MEGABYTE} of {total // _MEGABYTE} MB written"),
    )
    line.clear()
    if as_json:
        print_document([{"image": image, "length_bytes": length}])
    else:
        print(f"{image}: {length / _MEGABYTE:.1f} MB")


def _declare_verify(parser: Parser) -> None:
    parser.add_argument("root", metavar="DIR", type=existing_path)
    add_json(parser)


def run_verify(root: Path, as_json: bool) -> int:
    """Check the file-set in the folder or image DIR: its directory, and that each file is what its record says.

    An ISO 9660 image is unpacked into a temporary folder for that. Exit status 1 where something is wrong.
    """
    from openmodality.activities.media_reading import verify_medium  # noqa: PLC0415 - start-up time
    from openmodality.media.iso_reader import open_medium  # noqa: PLC0415 - start-up time

    with open_medium(root) as folder:
        faults = verify_medium(folder)
    if as_json:
        print_document([{"path": str(root), "whole": not faults, "problems": faults}])
    elif not faults:
        print(f"{root} is whole")
    _say_faults(faults)
    return 1 if faults else 0


def _say_faults(faults: Sequence[str]) -> None:
    for fault in faults:
        say(fault)


list_records_command = CliCommand(run_list, _declare_list)
retrieve_command = CliCommand(run_retrieve, _declare_retrieve)
iso_command = CliCommand(run_iso, _declare_iso)
verify_command = CliCommand(run_verify, _declare_verify)
