"""Where the images of ``openmodality exam acquire`` come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from openmodality.acquisition.drop_folder import DropFolder, DroppedFile
from openmodality.acquisition.files import FileSource
from openmodality.acquisition.source import Source
from openmodality.cli.demo.simulation import simulator
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.stopping import stop_on_signals
from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError
from openmodality.exam.session import Exam

_LOOK_S: Final = 0.5


def acquire_from(site: Site, exam: Exam, protocols: Sequence[str] | None, files: Sequence[Path], seed: int) -> int:
    """Images of a simulator, ``None`` for no simulation, and of files; how many were made."""
    sources: list[Source] = [] if protocols is None else [simulator(site, protocols, seed=seed)]
    if files:
        sources.append(FileSource(files, modality=site.profile.modalities[0]))
    return sum(_acquire(exam, source) for source in sources)


def _acquire(exam: Exam, source: Source) -> int:
    line, before = StatusLine(), len(exam.instances())

    def show(done: int, total: int) -> None:
        line.show(f"{exam.record.series[-1].description}: image {done} of {total}")

    series = exam.acquire(source, show)
    line.clear()
    for each in series:
        say(f"series {each.record.number} {each.record.description}")
    return len(exam.instances()) - before


def watch(exam: Exam, folder: Path) -> int:
    """Take files out of a folder until the process is told to stop; how many images were made."""
    stop, before = stop_on_signals(), len(exam.instances())

    def deliver(arrival: DroppedFile) -> None:
        try:
            exam.take(arrival)
        except (OpenModalityError, OSError) as error:
            say(f"{arrival.path.name}: not taken: {error}")
            raise
        say(f"{arrival.path.name}: taken into exam {exam.id}")

    say(f"watching {folder} for exam {exam.id}; Ctrl-C stops")
    DropFolder(folder, deliver).watch(stop.wait, monotonic, _LOOK_S)
    return len(exam.instances()) - before
