"""Options that choose from the local database for a job, and a display of the job until it has ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.values import not_empty
from openmodality.store.states import InstanceResult

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.cli.terminal.arguments import Parser

_LOOK_S: Final = 0.1
_LEVELS: Final = (("study", "studies", "Study"), ("series", "series", "Series"), ("instance", "instances", "SOP"))


def add_choice(parser: Parser, what: str, *, studies: bool = True) -> None:
    """Declare the options that choose studies, series and instances; ``what`` says what becomes of them.

    Without ``studies``, only series and instances can be chosen.
    """
    for option, destination, entity in _LEVELS if studies else _LEVELS[1:]:
        add_repeatable(parser, option, destination, f"{entity} Instance UID of {what}.")


def add_repeatable(parser: Parser, option: str, destination: str, described: str, metavar: str = "UID") -> None:
    """Declare an option that names one thing and may be repeated."""
    parser.add_argument(
        f"--{option}",
        dest=destination,
        metavar=metavar,
        action="append",
        type=not_empty,
        default=[],
        help=f"{described} May be repeated.",
    )


def follow_job(modality: Modality, job_id: int, done: str) -> None:
    """Show how far a job is until it has ended, whichever process of the device does it; Ctrl-C cancels it.

    ``done`` says what has become of an instance that is dealt with, such as "printed".
    """
    try:
        _follow(modality, job_id, done)
    except KeyboardInterrupt:
        modality.jobs.cancel(job_id)
        say(f"job {job_id} is being cancelled")
        _follow(modality, job_id, done)
        say(f"job {job_id} is {modality.jobs.show(job_id).job.state}")
        raise


def _follow(modality: Modality, job_id: int, done: str) -> None:
    line, pause = StatusLine(), threading.Event()
    while not (job := modality.jobs.show(job_id).job).state.finished:
        counts = modality.jobs.results([job])[job_id]
        total = sum(counts.values())
        line.show(f"job {job_id} {job.state}: {total - counts.get(InstanceResult.PENDING, 0)} of {total} {done}")
        pause.wait(_LOOK_S)
    line.clear()
