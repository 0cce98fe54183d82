"""Prints films: one film session on one association, sheet by sheet. RF-4.2.7, MR-4.

Rules. The printer is asked how it is before anything is created: FAILURE stops the job, WARNING is told. What it
reports in between is told and stops nothing. A sheet is printed once: the order to print it is on record before it goes
out, and its answer after it. Where the answer is missing, because it never came or the program died, the sheet may be
printed or not: the job then fails and asks a person, who retries it as printed or to be printed again. So it does where
the answer is a warning that counts as a failure (RF-4.2.7.3.1.6.2-04), since the sheet is printed by PS3.4 then. A
print job is never tried again by itself: a printer that is not normal is a person's business (RF-4.1.2.7-03).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from openmodality.activities.connection import Connector
from openmodality.activities.film_making import SheetPlan, plan_sheets
from openmodality.activities.film_order import FilmOrder, read_order, write_order
from openmodality.activities.paper import describe_paper, print_on_paper
from openmodality.activities.print_dialogue import PrintDialogue, PrinterAnswer
from openmodality.activities.print_record import (
    PRINTED,
    PrintRecord,
    PrintStopped,
    describe_uncertainty,
    find_uncertain_sheet,
)
from openmodality.activities.printer_associations import PrinterAssociations
from openmodality.counted import format_count
from openmodality.device.site.site import Peer, Printer
from openmodality.errors import OpenModalityError
from openmodality.jobs.job import NEVER_AGAIN, Job, NewJob
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome
from openmodality.jobs.report import JobReport
from openmodality.network.association import Association
from openmodality.objects.film import Film
from openmodality.objects.film_attributes import FilmAttributes
from openmodality.services.print_management import list_image_boxes
from openmodality.standard.sop_classes import PRESENTATION_LUT, is_image
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.states import JobKind
from openmodality.value_class import dataclass


def make_print_job(printer: Printer, order: FilmOrder, instances: Sequence[tuple[str, str]]) -> NewJob:
    """A job that prints these instances (SOP Class UID, SOP Instance UID) in their order; what is no image is kept."""
    return NewJob(JobKind.PRINT, printer.name, write_order(order), instances=instances, retry=NEVER_AGAIN)


def ask_printer(connections: Connector, associations: PrinterAssociations, printer: Printer) -> PrinterAnswer:
    """What the printer says of itself; raises :class:`PrintStopped` where it refuses, or an error of association."""
    if printer.peer is None:
        return PrinterAnswer("", "", describe_paper(connections.site, printer))
    dialogue = _make_dialogue(connections, printer.peer, printer)
    answers: list[PrinterAnswer] = []
    with associations.use(printer.peer, dialogue.take_event, lambda each: answers.append(dialogue.ask_printer(each))):
        return answers[-1]


def _make_dialogue(connections: Connector, peer: Peer, printer: Printer) -> PrintDialogue:
    return PrintDialogue(connections, peer, FilmAttributes(connections.site, printer.settings.left_out))


def _advise(record: PrintRecord) -> str:
    """What can be done about a job that the printer has stopped; a sheet that is printed is not printed again."""
    if record.is_over:
        return "all sheets are printed: cancel the job, or retry it, which prints none of them again"
    if record.printed:
        done = f"{record.printed} of {format_count(record.plan.total, 'sheet')} are printed"
        return f"{done}: cancel the job, or retry it, which prints the others"
    return "cancel the job or retry it"


class PrintExecutor:
    """Does the print jobs."""

    def __init__(self, files: InstanceFiles, connections: Connector, associations: PrinterAssociations) -> None:
        self._files = files
        self._connections = connections
        self._associations = associations

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Print the sheets that are not printed yet."""
        uncertain = find_uncertain_sheet(job)
        if uncertain:
            return Fail(describe_uncertainty(job, uncertain, "the program ended before the answer came"))
        record = PrintRecord(self._plan(job, report), report, printed=int(job.parameters.get(PRINTED, 0)))
        if record.is_over:
            return Done()
        try:
            return self._print(job, record)
        except PrintStopped as error:
            return Fail(f"{error}; {_advise(record)}")
        except OpenModalityError as error:
            if record.uncertain:
                return Fail(describe_uncertainty(job, record.uncertain, str(error)))
            raise

    def _plan(self, job: Job, report: JobReport) -> SheetPlan:
        site = self._connections.site
        images = [each.SOPInstanceUID for each in report.list_instances() if is_image(each.SOPClassUID)]
        return plan_sheets(
            site, site.printer(job.destination), read_order(job.parameters), images, self._files.path
        )  # fmt: skip

    def _print(self, job: Job, record: PrintRecord) -> JobOutcome:
        peer = record.plan.printer.peer
        if peer is None:
            return print_on_paper(job, record)
        dialogue = _make_dialogue(self._connections, peer, record.plan.printer)
        with self._associations.use(peer, dialogue.take_event, dialogue.check_printer) as association:
            return _FilmSessionRun(dialogue, peer, record).print_all(association)


@dataclass(frozen=True, slots=True)
class _FilmSessionRun:
    """The sheets of a job that are left, printed in one film session."""

    dialogue: PrintDialogue
    peer: Peer
    record: PrintRecord

    def print_all(self, association: Association) -> JobOutcome:
        """Print the sheets that are left in one film session, and delete it."""
        dialogue, plan = self.dialogue, self.record.plan
        self.record.note_films()
        attributes = dialogue.attributes.build_session(plan.session)
        session_uid = dialogue.create(association, "session", attributes).sop_instance_uid
        if plan.printer.settings.print_by == "session":
            self._print_together(association, session_uid)
        else:
            self._print_one_by_one(association, session_uid)
        dialogue.delete(association, "session", session_uid)
        if not self.record.is_over:
            return Continue()
        return Done("; ".join(dialogue.said))

    def _print_one_by_one(self, association: Association, session_uid: str) -> None:
        deletes = self.peer.parameters.boolean("print.delete_film_boxes")
        lut_uid = self._create_lut(association)
        for film in self.record.plan.make_sheets(self.record.printed):
            if self.record.report.stop_requested:
                return
            film_uid = self._send_film(association, film, session_uid, lut_uid)
            self._order(association, "film", film_uid, self.record.printed + 1)
            if deletes and not self.record.is_over:
                self.dialogue.delete(association, "film", film_uid)

    def _print_together(self, association: Association, session_uid: str) -> None:
        lut_uid = self._create_lut(association)
        for film in self.record.plan.make_sheets(self.record.printed):
            if self.record.report.stop_requested:
                return
            self._send_film(association, film, session_uid, lut_uid)
        self._order(association, "session", session_uid, self.record.plan.total)

    def _create_lut(self, association: Association) -> str:
        """The Presentation LUT of all sheets; none where the printer does not take any (INTEROP trap 13)."""
        film = self.record.plan.session.films[0]
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
            raise PrintStopped(f"{self.peer.name} made {said}, which needs {len(film.images)}")
        for image in film.images:
            image_attributes = dialogue.attributes.build_image_box(film, image)
            dialogue.set_image_box(association, boxes[image.position - 1], image_attributes)
        return answer.sop_instance_uid

    def _order(self, association: Association, thing: Literal["session", "film"], uid: str, sheet: int) -> None:
        """Order to print up to ``sheet``."""
        with self.record.ordering(sheet):
            self.dialogue.order_print(association, thing, uid)
