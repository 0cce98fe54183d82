"""Films, as an operator uses them: ordered, looked at before they are printed, and the printer asked how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydicom import Dataset

from openmodality.activities.film_making import FindPath, SheetPlan, plan_sheets, read_document, read_state
from openmodality.activities.film_order import FilmOrder
from openmodality.activities.print import ask_printer, make_print_job
from openmodality.activities.print_dialogue import PrinterAnswer
from openmodality.app.local_data import Chosen, LocalData
from openmodality.app.runtime import Runtime
from openmodality.device.site.site import Printer, Site
from openmodality.errors import NotFound, StoreError, UsageError
from openmodality.imaging.film.draw import encode_film, save_films
from openmodality.jobs.job import Job
from openmodality.objects.selection import SelectedImage, read_key_objects, read_state_images
from openmodality.standard.sop_classes import (
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
    is_image,
)
from openmodality.store.private_files import open_private

Pairs = list[tuple[str, str]]
"""SOP Class UIDs and SOP Instance UIDs."""


class Films:
    """The film printers of this device and what is printed on them."""

    def __init__(self, site: Site, runtime: Runtime, data: LocalData) -> None:
        self._site = site
        self._data = data
        self._queue = runtime.queue
        self._files = runtime.store.files
        self._connections = runtime.connections
        self._associations = runtime.printer_associations

    def order(self, chosen: Chosen, printer: str, order: FilmOrder) -> Job:
        """Queue a job that prints the images that are chosen; presentation states in files go into the local database.

        Raises :class:`UsageError` for what can be known before: a value that the printer does not have, no image, and
        what a sheet cannot hold; :class:`NotFound` for what is not in the local database, and
        :class:`ConfigurationError` where there is no such printer.
        """
        named = self._site.printer(printer)
        order = replace(order, states=tuple(self._take_state(each) for each in order.states))
        choice = _Choice(self._data, self._files.path, order)
        images = choice.list_images(chosen)
        plan = self._plan(named, choice, images)
        plan.check_sheet()  # what is wrong is said before it queues
        pairs = [*images, *choice.list_documents()]
        with self._queue.database.write() as transaction:
            return self._queue.enqueue(transaction, make_print_job(named, choice.order, pairs))

    def preview(self, chosen: Chosen, printer: str, order: FilmOrder, path: Path) -> tuple[Path, ...]:
        """Write the sheets as a picture, pixel for pixel what is sent: PDF, or PNG; the files that were written.

        Presentation states may be in files, which stay where they are. Raises as :meth:`order` does, and
        :class:`StoreError` where the picture cannot be written.
        """
        named, given = self._site.printer(printer), _GivenStates(self._files.path)
        choice = _Choice(self._data, given.find_path, replace(order, states=tuple(map(given.take, order.states))))
        plan = self._plan(named, choice, choice.list_images(chosen))
        try:
            return save_films(plan.make_sheets(), path, dots_per_inch=named.settings.dots_per_inch, opener=open_private)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from error

    def plan(self, chosen: Chosen, printer: str, order: FilmOrder) -> SheetPlan:
        """The sheets as they would be printed, none of them composed; raises as :meth:`order` does."""
        named = self._site.printer(printer)
        choice = _Choice(self._data, self._files.path, order)
        return self._plan(named, choice, choice.list_images(chosen))

    def draw_sheet(self, plan: SheetPlan, number: int, dots_per_inch: float) -> bytes:
        """A sheet, the first is 1, as PNG: what the printer makes of what is sent.

        Raises :class:`NotFound` where there is no such sheet, and as :meth:`order` does.
        """
        if not 1 <= number <= plan.total:
            raise NotFound(f"there is no sheet {number}, only {plan.total}")
        return encode_film(next(plan.make_sheets(number - 1)), dots_per_inch=dots_per_inch)

    def ask_printer(self, name: str) -> tuple[Printer, PrinterAnswer]:
        """A printer of the site, and what it says of itself.

        Raises :class:`PrintStopped` where it refuses, and the errors of an association.
        """
        printer = self._site.printer(name)
        return printer, ask_printer(self._connections, self._associations, printer)

    def _plan(self, printer: Printer, choice: _Choice, images: Pairs) -> SheetPlan:
        return plan_sheets(self._site, printer, choice.order, [uid for _, uid in images], choice.find_path)

    def _take_state(self, given: str) -> str:
        """The UID of a presentation state; one in a file is imported."""
        if not Path(given).is_file():
            return given
        uid = str(read_state(given, Path(given)).SOPInstanceUID)
        imported = self._data.import_files([given])
        if imported.refused or imported.different:
            why = imported.refused[0][1] if imported.refused else "the local database has another one of this UID"
            raise UsageError(f"{given} cannot be used: {why}")
        return uid


class _GivenStates:
    """Presentation states in files beside those of the local database."""

    def __init__(self, find_path: FindPath) -> None:
        self._find_path = find_path
        self._paths: dict[str, Path] = {}

    def take(self, given: str) -> str:
        """The UID of a presentation state that is given by its UID or its file."""
        path = Path(given)
        if not path.is_file():
            return given
        uid = str(read_state(given, path).SOPInstanceUID)
        self._paths[uid] = path
        return uid

    def find_path(self, uid: str) -> Path:
        return self._paths.get(uid) or self._find_path(uid)


class _Choice:
    """Finds out from documents and states which images an order prints; ``order`` is whole once images are listed."""

    def __init__(self, data: LocalData, find_path: FindPath, order: FilmOrder) -> None:
        self.order = order
        self.find_path = find_path
        self._data = data

    def list_images(self, chosen: Chosen) -> Pairs:
        """The images that are printed, each once: scouts, then what is chosen, then those of key object documents.

        Without any of these the images of the presentation states. Raises :class:`UsageError` where there is no image.
        """
        named = [*self._list_scouts(), *self._list_chosen(chosen)]
        selected = [image for uid in self.order.key_objects for image in self._read_key_objects(uid)]
        whole = {uid for _, uid in named}
        if not named and not selected:
            selected = [image for uid in self.order.states for image in self._read_state_images(uid)]
        self._keep_selection([image for image in selected if image.sop_instance_uid not in whole])
        pairs = list(dict.fromkeys([*named, *((each.sop_class_uid, each.sop_instance_uid) for each in selected)]))
        if not pairs:
            raise UsageError("there is no image to print among what is chosen")
        return pairs

    def list_documents(self) -> Pairs:
        """Presentation states and key object documents, which the job needs beside the images."""
        return [
            *((GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE, uid) for uid in self.order.states),
            *((KEY_OBJECT_SELECTION_DOCUMENT_STORAGE, uid) for uid in self.order.key_objects),
        ]

    def _list_scouts(self) -> Pairs:
        pairs = [pair for uid in self.order.scouts for pair in self._list_references(uid)]
        if no_image := [uid for sop_class_uid, uid in pairs if not is_image(sop_class_uid)]:
            raise UsageError(f"{no_image[0]} is no image, and cannot be a scout")
        return pairs

    def _list_chosen(self, chosen: Chosen) -> Pairs:
        order = self.order
        if not (chosen.studies or chosen.series or chosen.instances) and (order.key_objects or order.states):
            return []
        return [pair for pair in self._data.list_chosen(chosen) if is_image(pair[0])]

    def _list_references(self, uid: str) -> Pairs:
        return [(each.SOPClassUID, each.SOPInstanceUID) for each in self._data.references(instance=uid)]

    def _read_key_objects(self, uid: str) -> list[SelectedImage]:
        name, sop_class_uid = "Key Object Selection document", KEY_OBJECT_SELECTION_DOCUMENT_STORAGE
        self._list_references(uid)
        document = read_document(uid, self.find_path(uid), sop_class_uid, name)
        return self._find_selected(f"key object document {uid}", read_key_objects(document))

    def _read_state_images(self, uid: str) -> list[SelectedImage]:
        state: Dataset = read_state(uid, self.find_path(uid))
        return self._find_selected(f"presentation state {uid}", read_state_images(state))

    def _find_selected(self, what: str, images: Sequence[SelectedImage]) -> list[SelectedImage]:
        """The images as the local database has them; all must be there."""
        found: list[SelectedImage] = []
        for image in filter(lambda each: is_image(each.sop_class_uid), images):
            try:
                ((sop_class_uid, _),) = self._list_references(image.sop_instance_uid)
            except NotFound:
                continue
            found.append(replace(image, sop_class_uid=sop_class_uid))
        missing = sum(is_image(each.sop_class_uid) for each in images) - len(found)
        if missing:
            raise NotFound(
                f"{missing} of {missing + len(found)} images of {what} are not in the local database",
                advice="retrieve them, or name with --instance those that are to be printed",
            )
        return found

    def _keep_selection(self, selected: Sequence[SelectedImage]) -> None:
        """Put the frames and the states that documents name into the order."""
        frames: dict[str, list[int]] = {}
        for image in selected:
            frames.setdefault(image.sop_instance_uid, []).extend(image.frames)
        all_frames = {image.sop_instance_uid for image in selected if not image.frames}
        states = [image.presentation_state_uid for image in selected if self._has_state(image)]
        self.order = replace(
            self.order,
            frames={uid: sorted(set(numbers)) for uid, numbers in frames.items() if uid not in all_frames},
            states=tuple(dict.fromkeys((*self.order.states, *states))),
        )

    def _has_state(self, image: SelectedImage) -> bool:
        """Whether the state that a document names for an image is here and for it; it can be shown without."""
        if not image.presentation_state_uid:
            return False
        try:
            ((sop_class_uid, _),) = self._list_references(image.presentation_state_uid)
        except NotFound:
            return False
        if sop_class_uid != GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE:
            return False
        state = read_state(image.presentation_state_uid, self.find_path(image.presentation_state_uid))
        return any(each.sop_instance_uid == image.sop_instance_uid for each in read_state_images(state))
