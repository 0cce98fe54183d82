"""One scheduled exam of a demonstration, from the worklist to the archive's commitment, told step by step."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

from openmodality.activities.film_order import FilmOrder
from openmodality.activities.media_job import MediumOrder
from openmodality.app.local_data import Chosen
from openmodality.app.modality import Modality
from openmodality.app.simulation import make_simulator
from openmodality.cli.display.exam_checks import summarize_check
from openmodality.cli.terminal.output import date_and_time
from openmodality.cli.terminal.previews import write_previews
from openmodality.counted import format_count
from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError
from openmodality.exam.session import Exam
from openmodality.hospital.hospital import Hospital
from openmodality.standard.sop_classes import X_RAY_RADIATION_DOSE_SR_STORAGE, is_image
from openmodality.store.rows.worklist import WorklistItem
from openmodality.store.states import InstanceResult, JobState
from openmodality.value_class import dataclass

DELIVERY_TIMEOUT_S: Final = 60.0
FILM_COLUMNS: Final = 4
FILM_ROWS: Final = 5
"""The largest grid that both devices print."""
_LOOK_S: Final = 0.1


class Display(Protocol):
    """Shows what happens."""

    def say(self, text: str) -> None:
        """Something has been done."""
        ...

    def progress(self, what: str, done: int, total: int) -> None:
        """Something counts up; it has been done when ``done`` is ``total``."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an exam: what the device made, and what the hospital has of it."""

    profile: str
    item: str
    step_state: str
    images: int
    others: int
    stored: int
    committed: int
    pictures: Path
    film: Path | None
    disc: Path
    problems: tuple[str, ...]

    @property
    def made(self) -> int:
        """Instances that were made."""
        return self.images + self.others


@dataclass(frozen=True, slots=True)
class _Made:
    """Files that an exam leaves for people."""

    pictures: Path
    film: Path | None
    disc: Path


class DemoExam:
    """A device of the demonstration, and the exam it makes."""

    def __init__(self, site: Site, hospital: Hospital, display: Display) -> None:
        self._site = site
        self._hospital = hospital
        self._display = display
        self._begun = datetime.now()

    def run(self) -> Result:
        """Everything, with what is still wrong at the end."""
        say = self._display.say
        with Modality(self._site) as modality:
            ports = modality.serve()
            titles = [f"{self._site.application_entities[role].ae_title} on port {ports[role]}" for role in ports]
            say(f"{self._site.profile.title}: {', '.join(titles)}")
            exam, item = self._start(modality)
            self._acquire(exam)
            for check in exam.check():
                say(f"checked {summarize_check(check)}")
            film = self._print_film(modality, exam)
            exam.complete()
            made = format_count(len(exam.instances()), "instance")
            say(f"exam completed: {made}{self._dose(exam)}; performed step COMPLETED")
            pictures = self._site.folder / "pictures" / f"exam-{exam.id}"
            self._picture(modality, exam, pictures)
            self._deliver(modality, exam)
            disc = self._make_disc(modality, exam)
            return self._result(modality, exam, item, _Made(pictures, film, disc))

    def _start(self, modality: Modality) -> tuple[Exam, WorklistItem]:
        items = modality.worklist()
        self._display.say(f"worklist: {format_count(len(items), 'item')} scheduled for this device today")
        if not items:
            raise OpenModalityError(
                "the virtual hospital has nothing left to do for this device today", advice="use another --data folder"
            )
        item = items[0]
        exam = modality.start_exam(item)
        modality.wait_until_idle(DELIVERY_TIMEOUT_S)  # the RIS knows of the step before the first image
        start = date_and_time(item["ScheduledProcedureStepStartDate"], item["ScheduledProcedureStepStartTime"])
        self._display.say(
            f"exam started: {item['PatientName']}, {item['ScheduledProcedureStepDescription']} of {start};"
            " performed step IN PROGRESS"
        )
        return exam, item

    def _acquire(self, exam: Exam) -> None:
        def show(done: int, total: int) -> None:
            self._display.progress(f"acquiring {exam.record.series[-1].description}", done, total)

        exam.acquire(make_simulator(self._site, seed=exam.id), show)

    def _dose(self, exam: Exam) -> str:
        has_report = any(each.SOPClassUID == X_RAY_RADIATION_DOSE_SR_STORAGE for each in exam.instances())
        return ", a dose report among them" if has_report else ""

    def _picture(self, modality: Modality, exam: Exam, folder: Path) -> None:
        def show(done: int, total: int) -> None:
            self._display.progress("pictures for people", done, total)

        write_previews(modality, exam.study_instance_uid, folder, show)

    def _deliver(self, modality: Modality, exam: Exam) -> None:
        """Until everything is stored and committed, or cannot be."""
        deadline, pause = monotonic() + DELIVERY_TIMEOUT_S, threading.Event()
        total, is_sent = len(exam.instances()), False
        while True:
            is_idle = modality.jobs.idle  # asked first, so that the last counts are shown too
            (study,) = modality.studies(StudyInstanceUID=exam.study_instance_uid)
            if not is_sent:
                self._display.progress("stored in the PACS", study.sent, total)
            is_sent = study.sent == total
            if is_sent:
                self._display.progress("committed by the PACS", study.committed, total)
            if is_idle or monotonic() > deadline:
                return
            pause.wait(_LOOK_S)

    def _make_disc(self, modality: Modality, exam: Exam) -> Path:
        """Make a disc of the study; its ISO 9660 image."""
        folder = self._site.folder / "discs" / f"exam-{exam.id}"
        image = folder.with_suffix(".iso")
        order = MediumOrder("create", str(folder), image=str(image))
        job = modality.media.put(Chosen(studies=[exam.study_instance_uid]), order)
        modality.wait_until_idle(DELIVERY_TIMEOUT_S)
        results = modality.jobs.results([job])[job.id]
        written = format_count(results[InstanceResult.SUCCESS], "instance")
        left_out = results[InstanceResult.FAILURE]
        self._display.say(f"disc made: {written}" + (f", {left_out} left out by its profile" if left_out else ""))
        return image

    def _print_film(self, modality: Modality, exam: Exam) -> Path | None:
        """Print one sheet of the exam, which its performed step counts; the picture of it that the printer makes."""
        uids = [each.SOPInstanceUID for each in exam.instances() if is_image(each.SOPClassUID)]
        count = min(len(uids), FILM_COLUMNS * FILM_ROWS)
        chosen = [uids[place * len(uids) // count] for place in range(count)]
        before = len(self._hospital.printer.films)
        order = FilmOrder(layout=f"{FILM_COLUMNS}x{FILM_ROWS}")
        modality.films.order(Chosen(instances=chosen), next(iter(self._site.printers), ""), order)
        modality.wait_until_idle(DELIVERY_TIMEOUT_S)
        printed = self._hospital.printer.films[before:]
        self._display.say(f"film printed: {format_count(count, 'image')} on {format_count(len(printed), 'sheet')}")
        return printed[-1].picture if printed else None

    def _result(self, modality: Modality, exam: Exam, item: WorklistItem, kept: _Made) -> Result:
        (study,) = modality.studies(StudyInstanceUID=exam.study_instance_uid)
        made = exam.instances()
        others = sum(each.SOPClassUID == X_RAY_RADIATION_DOSE_SR_STORAGE for each in made)
        archived = self._hospital.pacs.instances
        step = self._hospital.ris.step(exam.steps[-1].uid)
        problems = [f"job {job.id} ({job.kind}) {job.state}: {job.reason}" for job in modality.jobs.list(states=_BAD)]
        problems += [event.text for event in self._hospital.complaints if event.time >= self._begun]
        return Result(
            profile=self._site.profile.name,
            item=f"{item['PatientName']}, {item['ScheduledProcedureStepDescription']}",
            step_state=step.status if step else "unknown to the RIS",
            images=len(made) - others,
            others=others,
            stored=sum(each.SOPInstanceUID in archived for each in made),
            committed=study.committed,
            pictures=kept.pictures,
            film=kept.film,
            disc=kept.disc,
            problems=tuple(problems),
        )


_BAD: Final = (JobState.FAILED, JobState.CANCELLED, JobState.TODO, JobState.DOING, JobState.WAITING)
