"""``openmodality exam acquire``: makes images in an exam."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from openmodality.acquisition.drop_folder import MAY_GROW_S, DropFolder, DroppedFile
from openmodality.acquisition.geometry import Vector
from openmodality.acquisition.mrd_listener import LOCAL, MrdListener, listen
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.mrd_header import MrdHeader
from openmodality.acquisition.source import Source
from openmodality.app.records.exams import ExamDetails
from openmodality.app.simulation import ScanChanges, make_simulator
from openmodality.cli.terminal.arguments import CliCommand, Parser, WordValues
from openmodality.cli.terminal.exam import add_exam, find_exam_number
from openmodality.cli.terminal.ingest import add_ingest
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.stopping import stop_on_signals
from openmodality.cli.terminal.values import existing_folder, parse_integer
from openmodality.counted import format_count
from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError, OtherIdentity, PartlyTaken, UsageError
from openmodality.exam.ingest import IngestOptions
from openmodality.exam.series import Series
from openmodality.exam.session import Exam
from openmodality.standard.sop_classes import is_image

ALL_PROTOCOLS: Final = "*"
_LOOK_S: Final = 0.5
_MOST_NOISE: Final = 100


class AwaitedPixels(NamedTuple):
    """What pixels are waited for from: a watched folder, and where MRD is listened for."""

    folder: Path | None
    mrd: tuple[str, int] | None

    def __bool__(self) -> bool:
        return self.folder is not None or self.mrd is not None


class Scanning(NamedTuple):
    """How the simulator scans: the seed of its noise, how much of it, and which slices; None for what is usual."""

    seed: int | None
    noise: float | None
    orientation: str | Vector | None


def _declare_acquire(parser: Parser) -> None:
    add_exam(parser)
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="A file or folder of pixels: DICOM, NIfTI, MRD (.h5), NumPy, MATLAB, PNG, TIFF, or "
        "raw:ROWSxCOLS:uint16:le:OFFSET:FILE.",
    )
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
        action="append",
        default=[],
        help="The same as PATH. May be repeated.",
    )
    _declare_awaited(parser)
    add_ingest(parser)
    parser.add_argument(
        "--append", action="store_true", help="Go on with an exam that has ended: a further performed step begins."
    )
    _declare_scanning(parser)
    add_site(parser)
    add_json(parser)
    parser.change_after(_gather)


def _declare_scanning(parser: Parser) -> None:
    """How the simulator scans."""
    parser.add_argument(
        "--noise",
        dest="scan_noise",
        metavar="FACTOR",
        type=_parse_factor,
        help="Of simulated MR images: 0 is none, 1 as much as bandwidth, averages and voxels give.  [default: 1]",
    )
    parser.add_argument(
        "--orientation",
        dest="scan_orientation",
        metavar="NAME|X,Y,Z",
        type=_parse_orientation,
        help="Of simulated MR slices: axial, sagittal or coronal, or the normal of the slices in the patient."
        "  [default: the protocol's]",
    )
    parser.add_argument(
        "--seed",
        dest="scan_seed",
        metavar="INTEGER",
        type=parse_integer(),
        help="Of the simulator's noise.  [default: the exam's number]",
    )


def _declare_awaited(parser: Parser) -> None:
    """What pixels are waited for from."""
    parser.add_argument(
        "--watch",
        dest="watched",
        metavar="DIR",
        type=existing_folder,
        help="Make images of the files that appear in a folder, until Ctrl-C or SIGTERM.",
    )
    parser.add_argument(
        "--mrd-listen",
        dest="mrd",
        metavar="[HOST:]PORT",
        type=_parse_port,
        help="Make images of what reconstructions send as a stream of MRD v1, until Ctrl-C or SIGTERM."
        "  [default of HOST: 127.0.0.1]",
    )


def acquire(
    exam: str,
    paths: tuple[str, ...],
    protocols: tuple[str, ...],
    listening: AwaitedPixels,
    append: bool,
    scanning: Scanning,
    options: IngestOptions,
    site_file: str,
    as_json: bool,
) -> int:
    """Make images in an exam, from files, from a watched folder, from a reconstruction, or from a simulator.

    Each image is safe on disk when it is counted; series go to the archives as they are finished. A PATH that cannot be
    taken is named, and those after it are taken all the same; the exit status is 1 then.
    """
    if not (paths or protocols or listening):
        raise UsageError(
            "nothing says where the pixels come from", advice="give a PATH, --watch, --mrd-listen or --simulate"
        )
    if options.irradiation is not None and not (paths or listening):
        raise UsageError("--exposure is for pixels of yours; the simulator states its own")
    with device(site_file) as device_:
        chosen = device_.find_exam(find_exam_number(device_.view, exam))
        if append and not chosen.state.is_open:
            chosen.begin()
        made, status, before = set[str](), 0, _list_images(chosen)
        if protocols:
            named = "" if paths else options.object_name  # where there are files it is theirs
            made |= acquire_source(chosen, _make_simulator(device_.site, chosen, protocols, scanning, named), options)
        if paths:
            of_paths, status = _acquire_paths(chosen, paths, options)
            made |= of_paths
        if listening.folder is not None:
            made |= watch(chosen, listening.folder, options)
        if listening.mrd is not None:
            made |= listen_to_mrd(chosen, listening.mrd, options)
        if as_json:
            print_document([ExamDetails.of(device_.view, chosen.id).as_json()])
        else:
            print(f"exam {chosen.id}: {format_count(len(made - before), 'image')} made")
    return status


command = CliCommand(acquire, _declare_acquire)


def _make_simulator(site: Site, exam: Exam, protocols: Sequence[str], scanning: Scanning, object_name: str) -> Source:
    names = [name for name in protocols if name != ALL_PROTOCOLS]
    seed = exam.id if scanning.seed is None else scanning.seed
    return make_simulator(
        site, names, seed=seed, changes=ScanChanges(scanning.noise, scanning.orientation, object_name)
    )


def _parse_factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= _MOST_NOISE:
        raise ArgumentTypeError(f"a number from 0 to {_MOST_NOISE}, not {text!r}")
    return factor


def _parse_orientation(text: str) -> str | Vector:
    if "," not in text:
        return text
    try:
        x, y, z = (float(each) for each in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError("a name, or three numbers such as 0,-0.4,0.9") from error
    return x, y, z


def _gather(values: WordValues) -> None:
    """One parameter of all paths, one of what is listened to, and one of the simulator's."""
    values["scanning"] = Scanning(*(values.pop(f"scan_{each}") for each in Scanning._fields))
    values["paths"] = (*values["paths"], *values.pop("files"))
    values["listening"] = AwaitedPixels(values.pop("watched"), values.pop("mrd"))


def _parse_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host or LOCAL, int(parse_integer(0, 65535)(port))


def _acquire_paths(exam: Exam, paths: Sequence[str], options: IngestOptions) -> tuple[set[str], int]:
    """Take all paths that can be taken and name the others; the UIDs of the images, and the exit status."""
    try:
        return acquire_source(exam, paths, options), 0
    except PartlyTaken as error:
        StatusLine().clear()
        _say_series(error.made)
        for name, problem in error.problems.items():
            where = "" if problem.message.startswith(name) else f"{name}: "
            say(f"openmodality: {where}{problem}")
        return _list_made(error.made), 1


def acquire_source(exam: Exam, source: Source | Sequence[str], options: IngestOptions) -> set[str]:
    """Make images and name their series; the SOP Instance UIDs. Ctrl-C says what is kept."""
    line, before = StatusLine(), _list_images(exam)

    def show(done: int, total: int) -> None:
        line.show(f"{exam.record.series[-1].description}: image {done} of {total}")

    try:
        series = exam.acquire(source, show, **options.as_keywords())
    except KeyboardInterrupt:
        line.clear()
        kept = format_count(len(_list_images(exam) - before), "image")
        say(f"interrupted; exam {exam.id} keeps the {kept} made so far")
        raise
    line.clear()
    _say_series(series)
    return _list_made(series)


def _say_series(series: Sequence[Series]) -> None:
    for each in series:
        say(f"series {each.record.number} {each.record.description}")
        say_lost(each)


def _list_images(exam: Exam) -> set[str]:
    """The SOP Instance UIDs of the images of an exam; dose reports are none."""
    return {each.SOPInstanceUID for each in exam.instances() if is_image(each.SOPClassUID)}


def _list_made(taken: Sequence[Series]) -> set[str]:
    """The SOP Instance UIDs of the images of series: another process may make others in the same exam meanwhile."""
    handles = [*taken, *(each.phase for each in taken if each.phase is not None)]
    return {uid for each in handles for uid in each.made}


def say_lost(series: Series) -> None:
    """Name what was given for images, by a companion file, say, and is not in them."""
    start = f"series {series.record.number}: {series.object_name}"
    for notice in series.notices:
        say(f"series {series.record.number}: {notice}")
    for reason, names in _group(series.unused).items():
        say(f"series {series.record.number}: not used: {', '.join(names)}: {reason}")
    if series.left_out:
        say(f"{start} has no place for {', '.join(series.left_out)}: left out")
    if series.unstated:
        say(f"{start} says 0 for {', '.join(series.unstated)}, which it requires and nobody stated: give them with -k")
    if series.overridden:
        names_taken = ", ".join(series.overridden)
        say(f"{start} takes {names_taken} from the exam, the device or the pixels: what was given is left out")


def _group(unused: Mapping[str, str]) -> dict[str, list[str]]:
    """Names by the reason why they are not used."""
    groups: dict[str, list[str]] = {}
    for name, reason in sorted(unused.items()):
        groups.setdefault(reason, []).append(name)
    return groups


def watch(exam: Exam, folder: Path, options: IngestOptions) -> set[str]:
    """Take files out of a folder until the process is told to stop; the UIDs of the images that were made."""
    stop, made = stop_on_signals(), set[str]()

    def deliver(arrival: DroppedFile) -> None:
        try:
            taken = exam.take(arrival, **options.as_keywords())
        except OtherIdentity as error:
            say(f"{arrival.path.name}: held: {error}")
            raise
        except (OpenModalityError, OSError) as error:
            later = f"; it is tried again when it has changed, or after {MAY_GROW_S:.0f} s" if arrival.may_grow else ""
            say(f"{arrival.path.name}: not taken: {error}{later}")
            raise
        say(f"{arrival.path.name}: taken into exam {exam.id}")
        made.update(_list_made(taken))
        for series in taken:
            say_lost(series)

    say(f"watching {folder} for exam {exam.id}; Ctrl-C stops")
    DropFolder(folder, deliver).watch(stop.wait, monotonic, _LOOK_S)
    return made


def listen_to_mrd(exam: Exam, address: tuple[str, int], options: IngestOptions) -> set[str]:
    """Take what reconstructions send until the process is told to stop; the UIDs of the images that were made."""
    stop, made = stop_on_signals(), set[str]()
    keywords = options.as_keywords()

    def deliver(found: Sequence[FoundSeries]) -> None:
        for series in exam.acquire(exam.make_source(found, **keywords), **keywords):
            made.update(_list_made([series]))
            say(f"series {series.record.number} {series.record.description}")
            say_lost(series)

    def check(header: MrdHeader) -> None:
        if not options.accept_identity:
            exam.check_identity(header.identity, "MRD stream")

    listener = MrdListener(deliver, check, say, options.mrd_position)
    with listen(*address) as sock:
        host, port = sock.getsockname()[:2]
        say(f"listening for MRD on {host}:{port} for exam {exam.id}; Ctrl-C stops")
        listener.serve(sock, stop.wait)
    return made
