"""Prints films: one film session on one association, sheet by sheet. RF-4.2.7, MR-4.

Rules. The printer is asked how it is before anything is created: FAILURE stops the job, WARNING is told. What it
reports in between is told and stops nothing. A sheet is printed once: the order to print it is on record before it goes
out, and its answer after. Where the answer is missing, because it never came or the program died, nobody knows whether
the sheet was printed: the job then fails and asks a person, who retries it as printed or to be printed again. A print
job is never tried again by itself: a printer that is not normal is a person's business (RF-4.1.2.7-03).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal

from openmodality.activities.connection import Connector
from openmodality.activities.film_making import FrameReference, count_sheet_boxes, list_frames, make_sheets
from openmodality.activities.film_order import FilmOrder, make_session
from openmodality.activities.print_dialogue import PrintDialogue, PrinterAnswer, PrintStopped
from openmodality.device.site.site import Printer
from openmodality.errors import OpenModalityError
from openmodality.jobs.job import Job, NewJob, RetryParameters
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome
from openmodality.jobs.report import JobReport
from openmodality.network.association import Association
from openmodality.objects.film import Film, FilmSession
from openmodality.objects.film_attributes import FilmAttributes
from openmodality.services.print_management import list_image_boxes
from openmodality.standard.sop_classes import PRESENTATION_LUT
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.states import InstanceResult, JobKind

PRINTED: Final = "printed"
UNCERTAIN: Final = "uncertain"
"""Parameters of a job: how many sheets are printed, and the last sheet of those whose order to print has no answer."""

_NEVER: Final = RetryParameters(delay_s=0.0)


def make_print_job(printer: Printer, order: FilmOrder, instances: Sequence[tuple[str, str]]) -> NewJob:
    """A job that prints these instances (SOP Class UID, SOP Instance UID) in their order."""
    return NewJob(JobKind.PRINT, printer.name, asdict(order), instances=instances, retry=_NEVER)


def find_uncertain_sheet(job: Job) -> int:
    """The last sheet of a print job of which nobody knows whether it was printed; 0 where there is none."""
    return int(job.parameters.get(UNCERTAIN, 0)) if job.kind is JobKind.PRINT else 0


def settle_sheet(sheet: int, *, is_printed: bool) -> dict[str, int]:
    """The parameters of a job once a person has said what became of its uncertain sheet."""
    return {UNCERTAIN: 0, PRINTED: sheet} if is_printed else {UNCERTAIN: 0}


def ask_printer(connections: Connector, printer: Printer) -> PrinterAnswer:
    """What the printer says of itself; raises :class:`PrintStopped` where it refuses, or an error of association."""
    dialogue = PrintDialogue(connections, printer.peer, FilmAttributes(connections.site))
    with connections.take_turn("print"), dialogue.open() as association:
        return dialogue.ask_printer(association)


class PrintExecutor:
    """Does the print jobs."""

    def __init__(self, files: InstanceFiles, connections: Connector) -> None:
        self._files = files
        self._connections = connections

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Print the sheets that are not printed yet."""
        uncertain = find_uncertain_sheet(job)
        if uncertain:
            return Fail(_describe_uncertainty(job, uncertain, "the program ended before the answer came"))
        run = self._prepare(job, report)
        if run.is_over:
            return Done()
        try:
            with self._connections.take_turn("print"), run.dialogue.open() as association:
                try:
                    return run.print_all(association)
                except PrintStopped as error:  # aborted where the status asks for that, else released
                    return Fail(f"{error}; cancel the job or retry it")
        except OpenModalityError as error:
            if run.uncertain:
                return Fail(_describe_uncertainty(job, run.uncertain, str(error)))
            raise

    def _prepare(self, job: Job, report: JobReport) -> _PrintRun:
        site = self._connections.site
        printer = site.printer(job.destination)
        values = {each.name: job.parameters[each.name] for each in fields(FilmOrder)}
        order = FilmOrder(**{**values, "window": tuple(values["window"])})
        uids = {self._files.path(each.SOPInstanceUID): each.SOPInstanceUID for each in report.list_instances()}
        frames = list_frames(list(uids))
        session = make_session(site, printer, order, len(frames))
        return _PrintRun(
            dialogue=PrintDialogue(self._connections, printer.peer, FilmAttributes(site)),
            printer=printer,
            order=order,
            session=session,
            frames=frames,
            box_count=count_sheet_boxes(session.films[0]),
            uids=uids,
            report=report,
            printed=int(job.parameters.get(PRINTED, 0)),
        )


def _describe_uncertainty(job: Job, sheet: int, why: str) -> str:
    return (
        f"sheet {sheet} may have been printed, or not: {why}. Look at the printer, then: "
        f"openmodality jobs retry {job.id} --film printed, or again"
    )


@dataclass(slots=True)
class _PrintRun:
    """One run of a job: what is to be printed, and how far it is."""

    dialogue: PrintDialogue
    printer: Printer
    order: FilmOrder
    session: FilmSession
    frames: Sequence[FrameReference]
    box_count: int
    uids: Mapping[Path, str]
    report: JobReport
    printed: int
    uncertain: int = 0

    @property
    def total(self) -> int:
        """How many sheets the order has."""
        return -(-len(self.frames) // self.box_count)

    @property
    def is_over(self) -> bool:
        """Whether all sheets are printed."""
        return self.printed >= self.total

    def print_all(self, association: Association) -> JobOutcome:
        """Print the sheets that are left in one film session, and delete it."""
        dialogue = self.dialogue
        dialogue.check_printer(association)
        attributes = dialogue.attributes.build_session(self.session)
        session_uid = dialogue.create(association, "session", attributes).sop_instance_uid
        if self.printer.settings.print_by == "session":
            self._print_together(association, session_uid)
        else:
            self._print_one_by_one(association, session_uid)
        dialogue.delete(association, "session", session_uid)
        if not self.is_over:
            return Continue()
        return Done("; ".join(dialogue.said))

    def _print_one_by_one(self, association: Association, session_uid: str) -> None:
        deletes = self.printer.peer.parameters.boolean("print.delete_film_boxes")
        lut_uid = self._create_lut(association)
        for film in self._make_sheets():
            if self.report.stop_requested:
                return
            film_uid = self._send_film(association, film, session_uid, lut_uid)
            self._order(association, "film", film_uid, self.printed + 1)
            if deletes and not self.is_over:
                self.dialogue.delete(association, "film", film_uid)

    def _print_together(self, association: Association, session_uid: str) -> None:
        lut_uid = self._create_lut(association)
        for film in self._make_sheets():
            if self.report.stop_requested:
                return
            self._send_film(association, film, session_uid, lut_uid)
        self._order(association, "session", session_uid, self.total)

    def _make_sheets(self) -> Iterator[Film]:
        """The sheets that are left, composed when they are asked for."""
        left = self.frames[self.printed * self.box_count :]
        return make_sheets(self.dialogue.connections.site, self.printer, self.order, self.session.films[0], left)

    def _create_lut(self, association: Association) -> str:
        """The Presentation LUT of all sheets; none where the printer does not take any (INTEROP trap 13)."""
        film = self.session.films[0]
        accepted = {context.abstract_syntax for context in association.contexts}
        if film.presentation_lut_shape is None or PRESENTATION_LUT not in accepted:
            return ""
        attributes = self.dialogue.attributes.build_presentation_lut(film)
        return self.dialogue.create(association, "lut", attributes).sop_instance_uid

    def _send_film(self, association: Association, film: Film, session_uid: str, lut_uid: str) -> str:
        """Create a film box and set its images; its SOP Instance UID."""
        dialogue = self.dialogue
        attributes = dialogue.attributes.build_film_box(film, session_uid, lut_uid)
        answer = dialogue.create(association, "film", attributes)
        boxes = list_image_boxes(answer)
        if len(boxes) < len(film.images):
            said = f"{len(boxes)} image boxes for {film.image_display_format}"
            raise PrintStopped(f"{self.printer.peer.name} made {said}, which needs {len(film.images)}")
        for image in film.images:
            image_attributes = dialogue.attributes.build_image_box(film, image)
            dialogue.set_image_box(association, boxes[image.position - 1], image_attributes)
        return answer.sop_instance_uid

    def _order(self, association: Association, thing: Literal["session", "film"], uid: str, sheet: int) -> None:
        """Order to print up to ``sheet``: on record before it goes out, and once it is answered."""
        self.uncertain = sheet
        self.report.remember(**{UNCERTAIN: sheet})
        try:
            self.dialogue.order_print(association, thing, uid)
        except PrintStopped:
            self.uncertain = 0
            self.report.remember(**{UNCERTAIN: 0})
            raise
        self.uncertain, self.printed = 0, sheet
        self.report.remember(**{UNCERTAIN: 0, PRINTED: sheet})
        self._report_printed()

    def _report_printed(self) -> None:
        """Report the instances of which all frames are printed."""
        end = self.printed * self.box_count
        left = {path for path, _ in self.frames[end:]}
        for path in dict.fromkeys(path for path, _ in self.frames[:end]):
            if path not in left:
                self.report.note_instance(self.uids[path], InstanceResult.SUCCESS)
        self.report.keep()
