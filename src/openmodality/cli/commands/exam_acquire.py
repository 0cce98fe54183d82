"""``openmodality exam acquire``: makes images in an exam."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from openmodality.acquisition.drop_folder import DropFolder, DroppedFile
from openmodality.acquisition.source import Source
from openmodality.cli.demo.simulation import simulator
from openmodality.cli.display.exams import ExamDetails
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.exam import add_exam, find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import format_count, say
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.stopping import stop_on_signals
from openmodality.cli.terminal.values import existing_folder, existing_path, parse_integer
from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError, UsageError
from openmodality.exam.producers.images import make_file_source
from openmodality.exam.session import Exam, Series

ALL_PROTOCOLS: Final = "*"
_LOOK_S: Final = 0.5


def _declare_acquire(parser: Parser) -> None:
    add_exam(parser)
    parser.add_argument(
        "--simulate",
        dest="protocols",
        metavar="PROTOCOL",
        nargs="?",
        const=ALL_PROTOCOLS,
        action="append",
        default=[],
        help="Scan a phantom; with a name only this protocol. May be repeated.",
    )
    parser.add_argument(
        "--from",
        dest="files",
        metavar="PATH",
        type=existing_path,
        action="append",
        default=[],
        help="A file or folder of DICOM, PNG, TIFF or .npy pixels: one series each. May be repeated.",
    )
    parser.add_argument(
        "--watch",
        dest="folder",
        metavar="DIR",
        type=existing_folder,
        help="Make images of the files that appear in a folder, until Ctrl-C or SIGTERM.",
    )
    parser.add_argument(
        "--append", action="store_true", help="Go on with an exam that has ended: a further performed step begins."
    )
    parser.add_argument(
        "--seed",
        metavar="INTEGER",
        type=parse_integer(),
        help="Of the simulator's noise.  [default: the exam's number]",
    )
    add_site(parser)
    add_json(parser)


def acquire(
    exam: str,
    protocols: tuple[str, ...],
    files: tuple[Path, ...],
    folder: Path | None,
    append: bool,
    seed: int | None,
    site_file: str,
    as_json: bool,
) -> None:
    """Make images in an exam, from a simulator, from files, or from a watched folder.

    Each image is safe on disk when it is counted; series go to the archives as they are finished.
    """
    if not (protocols or files or folder):
        raise UsageError("nothing says where the pixels come from", advice="use --simulate, --from or --watch")
    with device(site_file) as device_:
        chosen = device_.find_exam(find_exam_number(device_.view, exam))
        if append and not chosen.state.is_open:
            chosen.begin()
        names = [name for name in protocols if name != ALL_PROTOCOLS]
        simulated = None if not protocols else names
        made = acquire_from(device_.site, chosen, simulated, files, chosen.id if seed is None else seed)
        if folder is not None:
            made += watch(chosen, folder)
        if as_json:
            print_document([ExamDetails.of(device_.view, chosen.id).as_json()])
        else:
            print(f"exam {chosen.id}: {format_count(made, 'image')} made")


command = CliCommand(acquire, _declare_acquire)


def acquire_from(site: Site, exam: Exam, protocols: Sequence[str] | None, files: Sequence[Path], seed: int) -> int:
    """Images of a simulator, ``None`` for no simulation, and of files; how many were made."""
    sources: list[Source] = [] if protocols is None else [simulator(site, protocols, seed=seed)]
    if files:
        sources.append(make_file_source(site, files))
    return sum(_acquire(exam, source) for source in sources)


def _acquire(exam: Exam, source: Source) -> int:
    line, before = StatusLine(), len(exam.instances())

    def show(done: int, total: int) -> None:
        line.show(f"{exam.record.series[-1].description}: image {done} of {total}")

    series = exam.acquire(source, show)
    line.clear()
    for each in series:
        say(f"series {each.record.number} {each.record.description}")
        say_lost(each)
    return len(exam.instances()) - before


def say_lost(series: Series) -> None:
    """Name what was given for images, by a companion file, say, and is not in them."""
    start = f"series {series.record.number}: {series.object_name}"
    if series.left_out:
        say(f"{start} has no place for {', '.join(series.left_out)}: left out")
    if series.overridden:
        names = ", ".join(series.overridden)
        say(f"{start} takes {names} from the exam, the device or the pixels: what was given is left out")


def watch(exam: Exam, folder: Path) -> int:
    """Take files out of a folder until the process is told to stop; how many images were made."""
    stop, before = stop_on_signals(), len(exam.instances())

    def deliver(arrival: DroppedFile) -> None:
        try:
            taken = exam.take(arrival)
        except (OpenModalityError, OSError) as error:
            say(f"{arrival.path.name}: not taken: {error}")
            raise
        say(f"{arrival.path.name}: taken into exam {exam.id}")
        if taken is not None:
            say_lost(taken)

    say(f"watching {folder} for exam {exam.id}; Ctrl-C stops")
    DropFolder(folder, deliver).watch(stop.wait, monotonic, _LOOK_S)
    return len(exam.instances()) - before
