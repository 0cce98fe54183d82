"""``openmodality exam``: from a worklist item to images, step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openmodality.activities.worklist import ItemCheck
from openmodality.cli.commands.exam_listing import Details, exam_as_json, line, print_exams, reasons
from openmodality.cli.commands.exam_sources import acquire_from, watch
from openmodality.cli.terminal.arguments import Command, Group, Parser
from openmodality.cli.terminal.confirmation import add_yes, is_yes
from openmodality.cli.terminal.options import add_json, add_keys, split_key
from openmodality.cli.terminal.output import clean, counted, print_json, say
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.values import existing_folder, existing_path, integer
from openmodality.errors import NotFound, UsageError
from openmodality.standard.discontinuation_reasons import UNSPECIFIED
from openmodality.store.states import ExamState

if TYPE_CHECKING:
    from openmodality.app import Modality
    from openmodality.exam.session import Exam

ALL_PROTOCOLS: Final = "*"


def _add_exam(parser: Parser) -> None:
    parser.add_argument("exam", metavar="EXAM")


def _add_attributes(parser: Parser) -> None:
    add_keys(parser, "What the operator adds, such as OperatorsName=ROE^RICHARD. May be repeated.")


def _add_modality(parser: Parser, default: str) -> None:
    parser.add_argument("--modality", metavar="TEXT", help=f"Modality of the step.  [default: {default}]")


def _declare_start(parser: Parser) -> None:
    parser.add_argument("items", metavar="ITEM", nargs="+")
    _add_attributes(parser)
    _add_modality(parser, "the worklist's, else the device's first")
    add_yes(parser)
    add_site(parser)
    add_json(parser)


def start(
    items: tuple[str, ...], keys: tuple[str, ...], modality: str | None, yes: bool, site_file: str, as_json: bool
) -> None:
    """Start an exam for one or several worklist items: a performed step is IN PROGRESS from now on.

    ITEM is a number of "openmodality worklist", an accession number or a scheduled step ID. Where the device checks
    items, the RIS is asked again: an item that has changed or is gone must be confirmed.
    """
    with device(site_file) as device_:
        numbers = [_item(device_, item) for item in items]
        exam = device_.start_exam(
            numbers, modality=modality or "", confirm=lambda check: _confirm(check, yes=yes), **_attributes(keys)
        )
        _print_started(exam, as_json=as_json)


def _declare_unscheduled(parser: Parser) -> None:
    parser.add_argument("--patient-id", metavar="ID", required=True, help="Patient ID.")
    parser.add_argument("--patient-name", metavar="NAME", required=True, help="Patient's Name, such as DOE^JANE.")
    parser.add_argument("--birth-date", metavar="YYYYMMDD", default="", help="Patient's Birth Date.")
    parser.add_argument("--sex", choices=["M", "F", "O"], help="Patient's Sex.")
    _add_attributes(parser)
    _add_modality(parser, "the device's first")
    add_site(parser)
    add_json(parser)


def unscheduled(
    patient_id: str,
    patient_name: str,
    birth_date: str,
    sex: str | None,
    keys: tuple[str, ...],
    modality: str | None,
    site_file: str,
    as_json: bool,
) -> None:
    """Start an exam that nobody scheduled; study UID and accession number are made here."""
    said = {"PatientID": patient_id, "PatientName": patient_name, "PatientBirthDate": birth_date, "PatientSex": sex}
    patient = {keyword: value for keyword, value in said.items() if value}
    with device(site_file) as device_:
        exam = device_.start_exam(patient=patient, modality=modality or "", **_attributes(keys))
        _print_started(exam, as_json=as_json)


def _declare_acquire(parser: Parser) -> None:
    _add_exam(parser)
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
        "--seed", metavar="INTEGER", type=integer(), help="Of the simulator's noise.  [default: the exam's number]"
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
        chosen = find_exam(device_, exam)
        if append and not chosen.state.is_open:
            chosen.begin()
        names = [name for name in protocols if name != ALL_PROTOCOLS]
        simulated = None if not protocols else names
        made = acquire_from(device_.site, chosen, simulated, files, chosen.id if seed is None else seed)
        if folder is not None:
            made += watch(chosen, folder)
        if as_json:
            print_json(Details.of(device_, chosen).as_json())
        else:
            print(f"exam {chosen.id}: {counted(made, 'image')} made")


def _declare_exam(parser: Parser) -> None:
    _add_exam(parser)
    add_site(parser)
    add_json(parser)


def complete(exam: str, site_file: str, as_json: bool) -> None:
    """End an exam as COMPLETED: the RIS is told what was made, and what is not sent yet goes to the archives."""
    with device(site_file) as device_:
        _print_ended(device_, find_exam(device_, exam).complete(), as_json=as_json)


def _declare_discontinue(parser: Parser) -> None:
    _add_exam(parser)
    parser.add_argument(
        "--reason",
        metavar="CODE",
        default=UNSPECIFIED,
        help="Why, as a code of the list above (CID 9300).",
    )
    add_site(parser)
    add_json(parser)


def discontinue(exam: str, reason: str, site_file: str, as_json: bool) -> None:
    """End an exam as DISCONTINUED."""
    with device(site_file) as device_:
        _print_ended(device_, find_exam(device_, exam).discontinue(reason), as_json=as_json)


def _declare_list(parser: Parser) -> None:
    parser.add_argument(
        "--state",
        dest="states",
        type=str.upper,
        choices=list(ExamState),
        action="append",
        default=[],
        help="Only this state. May be repeated.",
    )
    add_site(parser)
    add_json(parser)


def list_(states: tuple[str, ...], site_file: str, as_json: bool) -> None:
    """Exams, newest first."""
    with device(site_file) as device_:
        print_exams(device_.exams(*states), json=as_json)


def show(exam: str, site_file: str, as_json: bool) -> None:
    """One exam: its steps and what the RIS has been told, its series and what has been sent and committed."""
    with device(site_file) as device_:
        details = Details.of(device_, find_exam(device_, exam))
    if as_json:
        print_json(details.as_json())
    else:
        details.print()


command = Group(
    """Exams: start one for a worklist item, acquire images, end it.

    Everything is kept at once and told to RIS and archive by "openmodality serve". EXAM is a number of "exam list",
    an accession number, or the beginning of a Study Instance UID.
    """,
    {
        "acquire": Command(acquire, _declare_acquire),
        "complete": Command(complete, _declare_exam),
        "discontinue": Command(
            discontinue,
            _declare_discontinue,
            text=f"End an exam as DISCONTINUED.\n\nCodes of --reason: {reasons()}.",
        ),
        "list": Command(list_, _declare_list),
        "show": Command(show, _declare_exam),
        "start": Command(start, _declare_start),
        "unscheduled": Command(unscheduled, _declare_unscheduled),
    },
)


def find_exam(modality: Modality, text: str) -> Exam:
    """The exam that is meant; raises :class:`UsageError` where it is none or several."""
    if text.isdecimal() and int(text) in {exam.id for exam in modality.exams()}:
        return modality.find_exam(int(text))
    fitting = [
        exam.id
        for exam in modality.exams()
        if text == exam.accession_number or exam.study_instance_uid.startswith(text)
    ]
    if len(fitting) == 1:
        return modality.find_exam(fitting[0])
    if fitting:
        raise UsageError(f"{text} fits the exams {_listed(fitting)}", advice="give the number of one")
    raise NotFound(f"there is no exam {text}", advice="openmodality exam list shows all")


def _item(modality: Modality, text: str) -> int:
    """The number of the worklist item that is meant."""
    items = modality.worklist_items()
    if text.isdecimal() and int(text) in {item.id for item in items}:
        return int(text)
    fitting = [item.id for item in items if text in (item["AccessionNumber"], item["ScheduledProcedureStepID"])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text} fits the worklist items {_listed(fitting)}", advice="give their numbers")
    raise NotFound(f"there is no worklist item {text}", advice="openmodality worklist shows them")


def _listed(numbers: Iterable[int]) -> str:
    return " and ".join(map(str, sorted(numbers)))


def _attributes(keys: Sequence[str]) -> dict[str, Any]:
    return dict(split_key(key) for key in keys)


def _confirm(check: ItemCheck, *, yes: bool) -> bool:
    """A person decides on an item that changed; without one it is taken as it is now, but not when it is gone."""
    if yes:
        return True
    if not sys.stdin.isatty():
        return check.is_changed
    return is_yes(f"{check.notice}. Start the exam with it as it is now?")


def _print_started(exam: Exam, *, as_json: bool) -> None:
    record = exam.record
    _print_exam(exam, as_json=as_json)
    for notice in record.notices:
        say(notice)


def _print_exam(exam: Exam, *, as_json: bool) -> None:
    if as_json:
        print_json(exam_as_json(exam.record))
    else:
        print(clean(line(exam.record)))


def _print_ended(modality: Modality, exam: Exam, *, as_json: bool) -> None:
    _print_exam(exam, as_json=as_json)
    if not is_served(modality):
        open_jobs = sum(not job.state.finished for job in modality.jobs.list())
        say(f"{counted(open_jobs, 'job')} queued; 'openmodality serve' does them")


def is_served(modality: Modality) -> bool:
    """Whether some process works the queue of this device."""
    from openmodality.jobs.worker_lock import WorkerLock  # noqa: PLC0415 - start-up time

    lock = WorkerLock(modality.site.data_folder)
    is_free = lock.acquire()
    lock.release()
    return not is_free
