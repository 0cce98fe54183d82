"""Prints without DICOM: into a folder as PDF, or on a printer of this computer by ``lp``. Not for diagnosis.

Rules. A PDF gets its name when it is whole, and the same job writes the same file, so that doing it again changes
nothing. What ``lp`` was given is printed by another program, so it is an order like that to a film printer: on record
before, and asked about where its answer did not come.
"""

from __future__ import annotations

import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

from openmodality.activities.print_record import PrintRecord, PrintStopped
from openmodality.device.site.site import Printer, Site
from openmodality.errors import StoreError, TransportError
from openmodality.imaging.film.draw import save_films
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import Done, JobOutcome
from openmodality.objects.film import FilmSession
from openmodality.standard.film import FILM_SIZES_MM
from openmodality.store.private_files import make_private_folder, open_private

_TIMEOUT_S: Final = 120.0
_WORDS: Final = 200
_PRIORITIES: Final = {"LOW": 10, "MED": 50, "HIGH": 90}
"""The priority of a job of lp, 1 to 100, for each Print Priority."""
_MEDIA: Final = {"8_5INX11IN": "Letter", "11INX17IN": "Tabloid", "A4": "A4", "A3": "A3"}
"""The names of lp for sizes that paper has; others go by their measures."""


def print_on_paper(job: Job, record: PrintRecord) -> JobOutcome:
    """Print all sheets of a job at once. Raises :class:`PrintStopped` where the printer refuses."""
    plan = record.plan
    if plan.printer.settings.kind == "pdf":
        path = make_pdf_path(plan.site, plan.printer, job)
        _save(record, path)
        record.finish(plan.total)
        return Done(f"written to {path}")
    record.note_films()
    with tempfile.TemporaryDirectory(prefix="openmodality-print-") as folder:
        path = Path(folder) / f"job-{job.id}.pdf"
        _save(record, path)
        with record.ordering(plan.total):
            said = _run(make_lp_command(plan.printer, plan.session, path))
    return Done(said)


def make_pdf_path(site: Site, printer: Printer, job: Job) -> Path:
    """The file of a job: named by its number and moment, without a word on patients."""
    moment = datetime.fromtimestamp(job.created_at)
    return site.folder / printer.settings.folder / f"{printer.name}-{moment:%Y%m%d-%H%M%S}-job-{job.id}.pdf"


def make_lp_command(printer: Printer, session: FilmSession, path: Path) -> list[str]:
    """The words of the command that prints a file."""
    size = session.films[0].film_size_id or "A4"
    width, height = FILM_SIZES_MM[size]
    queue = ["-d", printer.settings.queue] if printer.settings.queue else []
    copies, priority = session.number_of_copies or 1, _PRIORITIES[session.print_priority or "MED"]
    medium = _MEDIA.get(size, f"Custom.{width:g}x{height:g}mm")
    options = ["-o", f"media={medium}", "-o", "print-scaling=none"]
    return ["lp", *queue, "-n", str(copies), "-q", str(priority), "-t", path.stem, *options, "--", str(path)]


def describe_paper(site: Site, printer: Printer) -> dict[str, str]:
    """The state of a paper printer in words. Raises :class:`PrintStopped` where its queue is not known."""
    if printer.settings.kind == "pdf":
        folder = site.folder / printer.settings.folder
        return {"Folder": str(folder), "Files": str(len(list(folder.glob("*.pdf"))))}
    queue = ["-p", printer.settings.queue] if printer.settings.queue else ["-d"]
    return {"Queue": _run(["lpstat", *queue])}


def _save(record: PrintRecord, path: Path) -> None:
    try:
        make_private_folder(path.parent, ())
        save_films(record.plan.make_sheets(), path, opener=open_private)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def _run(command: list[str]) -> str:
    """Run the program; returns its output. Raises :class:`PrintStopped` where it refuses."""
    program = command[0]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise PrintStopped(f"{program} is not installed", advice="install the client of CUPS") from error
    except subprocess.TimeoutExpired as error:
        raise TransportError(f"{program} did not answer within {_TIMEOUT_S:g} s") from error
    except OSError as error:
        raise PrintStopped(f"{program} cannot be started: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PrintStopped(f"{program} ended with status {done.returncode}: {(said or ['no word'])[-1][:_WORDS]}")
    return done.stdout.decode("utf-8", "replace").strip()[:_WORDS]
