"""Films, as an operator uses them: ordered, looked at before they are printed, and the printer asked how it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openmodality.activities.connection import Connector
from openmodality.activities.film_making import FrameReference, list_frames, make_sheets
from openmodality.activities.film_order import FilmOrder, make_session
from openmodality.activities.print import ask_printer, make_print_job
from openmodality.activities.print_dialogue import PrinterAnswer
from openmodality.app.local_data import Chosen, LocalData
from openmodality.device.site.site import Printer, Site
from openmodality.errors import StoreError, UsageError
from openmodality.imaging.film.draw import save_films
from openmodality.jobs.job import Job
from openmodality.jobs.queue import Queue
from openmodality.objects.film import Film
from openmodality.standard.sop_classes import is_image
from openmodality.store.files.instance_files import InstanceFiles


class Films:
    """The film printers of this device and what is printed on them."""

    def __init__(self, site: Site, queue: Queue, data: LocalData, files: InstanceFiles, connections: Connector) -> None:
        self._site = site
        self._queue = queue
        self._data = data
        self._files = files
        self._connections = connections

    def order(self, chosen: Chosen, printer: str, order: FilmOrder) -> Job:
        """Queue a job that prints the images that are chosen.

        Raises :class:`UsageError` for what can be known before: a value that the printer does not have, no image, and
        what a sheet cannot hold; :class:`ConfigurationError` where there is no such printer.
        """
        named, pairs = self._site.printer(printer), self._list_images(chosen)
        frames = self._list_frames(pairs)
        session = make_session(self._site, named, order, len(frames))
        next(make_sheets(self._site, named, order, session.films[0], frames))  # what is wrong is said before it queues
        with self._queue.database.write() as transaction:
            return self._queue.enqueue(transaction, make_print_job(named, order, pairs))

    def preview(self, chosen: Chosen, printer: str, order: FilmOrder, path: Path) -> tuple[Path, ...]:
        """Write the sheets as a picture, pixel for pixel what is sent: PDF, or PNG; the files that were written."""
        sheets = list(self._make_sheets(chosen, self._site.printer(printer), order))
        try:
            dots = self._site.printer(printer).settings.dots_per_inch
            return save_films(sheets, path, dots_per_inch=dots)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from error

    def ask_printer(self, name: str) -> tuple[Printer, PrinterAnswer]:
        """A printer of the site, and what it says of itself.

        Raises :class:`PrintStopped` where it refuses, and the errors of an association.
        """
        printer = self._site.printer(name)
        return printer, ask_printer(self._connections, printer)

    def _make_sheets(self, chosen: Chosen, printer: Printer, order: FilmOrder) -> Iterator[Film]:
        frames = self._list_frames(self._list_images(chosen))
        session = make_session(self._site, printer, order, len(frames))
        return make_sheets(self._site, printer, order, session.films[0], frames)

    def _list_images(self, chosen: Chosen) -> list[tuple[str, str]]:
        images = [pair for pair in self._data.list_chosen(chosen) if is_image(pair[0])]
        if not images:
            raise UsageError("there is no image to print among what is chosen")
        return images

    def _list_frames(self, pairs: list[tuple[str, str]]) -> list[FrameReference]:
        return list_frames([self._files.path(uid) for _, uid in pairs])
