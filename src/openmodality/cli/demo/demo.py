"""``openmodality demo``: a scheduled exam goes through a hospital."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from openmodality.app.modality import Modality
from openmodality.cli.demo.display import display
from openmodality.cli.demo.exam_story import DemoExam, Result
from openmodality.cli.demo.place import alone, hospital_options, prepare
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.console import say_console, serve_console
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean, say
from openmodality.cli.terminal.stopping import stop_on_signals
from openmodality.cli.terminal.table import Column, print_rows
from openmodality.cli.terminal.values import any_folder
from openmodality.console.address import make_url
from openmodality.counted import format_count
from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError
from openmodality.hospital.hospital import Habits, Hospital
from openmodality.standard.performed_step import StepStatus

PROFILES: Final = ("mr", "rf")
COMMITMENT_DELAY_S: Final = 0.5
_COLUMNS: Final[Sequence[Column[Result]]] = (
    Column("device", lambda result: result.profile),
    Column("item", lambda result: result.item, words=True),
    Column("step", lambda result: result.step_state),
    Column("images", lambda result: result.images),
    Column("others", lambda result: result.others),
    Column("stored", lambda result: result.stored),
    Column("committed", lambda result: result.committed),
)


def _declare(parser: Parser) -> None:
    parser.add_argument(
        "--profile",
        choices=[*PROFILES, "all"],
        default="all",
        help="Which device: MR, R/F, or one after the other.",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=any_folder,
        help="Where everything is kept; used again it goes on with the next item.  [default: a new temporary folder]",
    )
    parser.add_argument("--no-console", action="store_true", help="End when everything is done, on a terminal too.")
    add_json(parser)


def run(profile: str, data: Path | None, no_console: bool, as_json: bool) -> None:
    """Watch a scheduled exam go through a hospital, for the MR and for the R/F device.

    Starts a virtual RIS, PACS and printer, asks for the worklist, starts an exam for its first item, simulates images,
    prints a film, ends the exam, waits until the PACS has stored and committed everything, and makes a disc of the
    study. Nothing is asked, and nothing outside this machine is used. Files, databases, pictures and images of discs
    are kept.

    On a terminal the hospital and the devices then go on until Ctrl-C, each device with its console: its address is
    printed, and a link at which its first user is made.

    Exit status 0 when everything was made, printed, told, stored, committed and written to the disc.
    """
    folder = data if data is not None else Path(tempfile.mkdtemp(prefix="openmodality-demo-"))
    with _open_place(folder, PROFILES if profile == "all" else (profile,)) as (hospital, sites):
        results = _run(hospital, sites, quiet=as_json)
        _show(folder, results, sites, as_json=as_json)
        if not no_console and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
            _go_on(hospital, sites)


command = CliCommand(run, _declare)


@contextmanager
def _open_place(folder: Path, profiles: Sequence[str]) -> Iterator[tuple[Hospital, Mapping[str, Site]]]:
    with ExitStack() as stack:
        with alone():
            hospital, sites = prepare(folder, profiles, Habits(commitment_delay_s=COMMITMENT_DELAY_S))
            stack.enter_context(hospital)
        yield hospital, sites


def _run(hospital: Hospital, sites: Mapping[str, Site], *, quiet: bool) -> list[Result]:
    with display(quiet=quiet) as shown:
        shown.say(f"virtual hospital: RIS {hospital.ris_peer}, PACS {hospital.pacs_peer}")
        return [DemoExam(site, hospital, shown).run() for site in sites.values()]


def _show(folder: Path, results: Sequence[Result], sites: Mapping[str, Site], *, as_json: bool) -> None:
    """What was made. Raises :class:`OpenModalityError` where not all is as it should be."""
    if as_json:
        print_document(map(_as_json, results), folder=str(folder))
    else:
        print()
        print_rows(_COLUMNS, results)
        _say_where(folder, results, sites)
    faults = [f"{result.profile}: {fault}" for result in results for fault in find_faults(result)]
    for fault in faults[1:]:
        say(fault)
    if faults:
        raise OpenModalityError(faults[0], advice=f"everything is kept in {folder}")


def _go_on(hospital: Hospital, sites: Mapping[str, Site]) -> None:
    """Let the devices serve, with their consoles, until Ctrl-C."""
    stop = stop_on_signals()
    with ExitStack() as stack:
        print()
        for site in sites.values():
            modality = stack.enter_context(Modality(site))
            modality.serve()
            console = stack.enter_context(serve_console(modality, hospital))
            if console:
                say(site.profile.title)
                say_console(console)
        say("hospital and devices go on; Ctrl-C stops")
        stop.wait()


def find_faults(result: Result) -> list[str]:
    """What is not as it should be at the end; empty where all is well."""
    faults = []
    if result.step_state != StepStatus.COMPLETED:
        faults.append(f"the performed step is {result.step_state} at the RIS")
    if result.stored < result.made:
        faults.append(f"{result.stored} of {format_count(result.made, 'instance')} are stored in the PACS")
    if result.committed < result.made:
        faults.append(f"{result.committed} of {format_count(result.made, 'instance')} are committed by the PACS")
    if result.film is None:
        faults.append("no film came out of the printer")
    return [*faults, *result.problems]


def _say_where(folder: Path, results: Sequence[Result], sites: Mapping[str, Site]) -> None:
    print(f"\neverything is in {clean(str(folder))}")
    for result in results:
        print(clean(f"pictures: {result.pictures}"))
        print(clean(f"film: {result.film}"))
        print(clean(f"disc: {result.disc}"))
    print("\nto go on by hand, each in a shell of its own:")
    print(clean(f"  openmodality hospital {' '.join(hospital_options(folder))}"))
    console = make_url(sites[results[0].profile].settings.console)
    print(clean(f"  openmodality serve -c {folder / results[0].profile}  # and its console, {console}"))
    print(clean(f"  openmodality studies list -c {folder / results[0].profile}"))


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "profile": result.profile,
        "item": result.item,
        "step": result.step_state,
        "images": result.images,
        "others": result.others,
        "stored": result.stored,
        "committed": result.committed,
        "pictures": str(result.pictures),
        "film": str(result.film) if result.film else None,
        "disc": str(result.disc),
        "faults": find_faults(result),
    }
