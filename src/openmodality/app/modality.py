"""The device: everything that a program, the command line and the console do goes through :class:`Modality`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from openmodality.activities.arrivals import Arrivals
from openmodality.activities.echo import EchoAnswer, echo_peer
from openmodality.activities.query import Model
from openmodality.activities.retrieve import GoOn, Wanted
from openmodality.activities.web_peer import echo_web_peer
from openmodality.activities.worklist import ItemCheck, WorklistAnswer
from openmodality.app.archives import Archives, RetrieveOptions
from openmodality.app.audit import AuditLog
from openmodality.app.by_hand import ByHand
from openmodality.app.films import Films
from openmodality.app.jobs import Jobs
from openmodality.app.local_data import Imported, LocalData
from openmodality.app.media import Media
from openmodality.app.problems import Problems
from openmodality.app.recovery import Recovery, log_notice
from openmodality.app.runtime import Runtime
from openmodality.app.supervision import Supervision
from openmodality.app.view import LocalView
from openmodality.app.waiting import Idle, Waiting
from openmodality.app.web import WebAccess
from openmodality.device.body_parts import list_offered_terms
from openmodality.device.site.association_limits import find_identity
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.service import Service
from openmodality.errors import OpenModalityError, StoreError
from openmodality.exam.given import find_given
from openmodality.exam.session import Exam
from openmodality.exam.starting import Confirm, check_items
from openmodality.jobs.job import Job
from openmodality.query.finding import FindAnswer, HandOver
from openmodality.query.moving import Counts, MoveResult
from openmodality.standard.query_retrieve import Level
from openmodality.store.database import Database
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.entities import Found
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.rows.deletion import Deleted
from openmodality.store.rows.served import Serving, list_exams_serving
from openmodality.store.rows.worklist import NO_LINES, Lines, WorklistItem, WorklistLine, read_lines, read_worklist
from openmodality.store.transaction import Clock

Items = WorklistItem | int | Sequence[WorklistItem | int]


class Modality:
    """A device at a site, from its site file. Use it as a context manager.

    ``works``: this process may work the queue in the background; it does where no other process of the same data
    folder does already (``jobs.worker_lock``). Leaving the block stops the work after the instance that is being sent;
    what is queued is on disk and goes on with the next start, or with ``openmodality serve``.
    ``tell`` gets what an operator must know of a start after a crash; by default it goes to the log as a warning.
    """

    def __init__(
        self,
        site: Site | str | Path,
        *,
        works: bool = True,
        clock: Clock = time.time,
        tell: Callable[[str], None] = log_notice,
    ) -> None:
        self.site = site if isinstance(site, Site) else load_site(site)
        self._works = works
        self._runtime = Runtime(self.site, clock, tell)
        self._store = self._runtime.store
        self._workflow = self._runtime.workflow
        self.audit = AuditLog(self._runtime.trail)
        self._data = LocalData(self._store, find_identity(self.site), self._runtime.trail)
        self.view = LocalView(self._store, self.site.data_folder)
        self.jobs = Jobs(self._runtime.queue, self.site)
        self.problems = Problems(self._store)
        self._waiting = Waiting(self._runtime, self.jobs)
        self._archives = Archives(self._runtime, self.view, self._waiting)
        self._by_hand = ByHand(self.site, self._store, self._data, self._workflow.delivery, self._runtime.queue)
        self.media = Media(self.site, self._runtime.queue, self._data, self._store.files.path, self._runtime.trail)
        self.films = Films(self.site, self._runtime, self._data)
        self.web = WebAccess(self._store, self.site, self.audit)
        self.supervision = Supervision(self._store, self._runtime)

    def __repr__(self) -> str:
        titles = ", ".join(entity.ae_title for entity in self.site.application_entities.values())
        return f"<Modality {titles}: profile {self.site.profile.name}, {self.site.path}>"

    def __enter__(self) -> Self:
        try:
            if self._works:
                self._runtime.start_worker()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def database(self) -> Database:
        """The local database, for a front that keeps rows of its own (``store.rows``) or watches for changes."""
        return self._store.database

    @property
    def clock(self) -> Clock:
        """The device's clock: seconds since the epoch."""
        return self._store.database.clock

    def close(self) -> None:
        """Stop listening and working, let go of the database."""
        self._runtime.close()

    # The device on the network

    def serve(self) -> dict[str, int]:
        """Listen for peers and work the queue until the block ends or :meth:`stop_serving`; the ports by role."""
        return self._runtime.serve()

    def stop_serving(self) -> None:
        """Listen no longer."""
        self._runtime.stop_serving()

    def retrieving(self, study_instance_uid: str) -> AbstractContextManager[None]:
        """Take the instances of a study until the block ends: an R/F device takes none at other times."""
        return self._runtime.window.retrieving(study_instance_uid)

    def receiving(self, study_instance_uid: str) -> AbstractContextManager[Arrivals]:
        """Take the instances of a study that an archive is asked to send, until the block ends; what has come.

        This process listens, unless another one serves the device: then that one takes them, and only what it refuses
        is known here, once the block has ended.
        """
        return self._archives.receiving(study_instance_uid)

    def storing(self, study_instance_uid: str) -> AbstractContextManager[tuple[Arrivals, Service]]:
        """As :meth:`receiving`, on an association of our own: what has come, and the service that takes it (C-GET)."""
        return self._archives.storing(study_instance_uid)

    def wait_until_listed(self, wanted: Wanted, counts: Counts) -> None:
        """Wait until what an archive has sent of ``wanted`` is listed here, for some seconds at most."""
        self._archives.wait_until_listed(wanted, counts)

    @property
    def works_queue(self) -> bool:
        """Whether this process works the queue, and not another one."""
        return self._runtime.works

    def echo(self, peer: str) -> int:
        """Verification: the Status of a C-ECHO to a peer. Raises the errors of an association."""
        return self.verify(peer).status

    def verify(self, peer: str) -> EchoAnswer:
        """As :meth:`echo`, with how long it took and which implementation answered.

        Where it answers Success, jobs that are to be tried again at this peer run now.
        """
        found = self.site.peer(peer)
        if found.is_web:
            answer = echo_web_peer(self.site, found)
        else:
            answer = echo_peer(self._runtime.connections.make_ends("verification", found))
        if answer.is_success:
            self.jobs.wake_for(peer)
        return answer

    def query(
        self,
        level: str = Level.STUDY,
        peer: str | None = None,
        *,
        model: Model | None = None,
        limit: int | None = None,
        hand_over: HandOver | None = None,
        **keys: str,
    ) -> FindAnswer:
        """Ask an archive, by default the first of the site, for a PATIENT, STUDY, SERIES or IMAGE.

        ``keys`` are matching keys by keyword, such as ``PatientID="0000001"``; those of the levels above are needed.
        ``hand_over`` is given each match as it comes, in place of the answer, and says whether more are wanted.
        Raises :class:`QueryFailed` where the archive refuses, :class:`UsageError` for what is no keyword or level, and
        the errors of an association.
        """
        return self._archives.query(level, peer, keys, model=model, limit=limit, hand_over=hand_over)

    def retrieve(
        self,
        wanted: Wanted | str,
        peer: str | None = None,
        *,
        destination: str = "",
        model: Model | None = None,
        go_on: GoOn | None = None,
        resume: bool = False,
    ) -> MoveResult:
        """Let an archive, by default the first of the site, send a study to this device or to the AE ``destination``.

        ``wanted`` is a Study Instance UID, or names a series or an instance. This device listens meanwhile, as in
        :meth:`receiving`, and keeps what comes. With ``resume`` only what is missing here is asked for. ``go_on`` is
        told the progress; when it says no, the archive is told to stop. A failure status is a result; raises
        :class:`NothingToRetrieve` where the archive has no such images, ``UsageError`` and the errors of an
        association.
        """
        return self._archives.move(wanted, peer, destination=destination, model=model, go_on=go_on, resume=resume)[0]

    def move(
        self, wanted: Wanted | str, peer: str | None = None, *, destination: str = "", **how: Unpack[RetrieveOptions]
    ) -> tuple[MoveResult, Arrivals | None]:
        """As :meth:`retrieve`, also what has come, where it is this device that gets it."""
        return self._archives.move(wanted, peer, destination=destination, **how)

    def get(
        self, wanted: Wanted | str, peer: str | None = None, **how: Unpack[RetrieveOptions]
    ) -> tuple[MoveResult, Arrivals]:
        """As :meth:`retrieve`, by C-GET: what comes does so on our own association. Also what has come.

        Raises :class:`ConfigurationError` unless the site has the extension ``c_get``.
        """
        return self._archives.get(wanted, peer, **how)

    def wait_until_idle(self, timeout_s: float = 60.0) -> Idle:
        """Wait until no job is to be done or waited for; the result is true where that was so in time.

        Else it says which jobs are left and what they wait for. Jobs behind a failed one do not count: they wait for a
        person. While an archive is to report on a storage commitment, this device listens for that; raises
        :class:`TransportError` where it cannot.
        """
        return self._waiting.wait_until_idle(timeout_s)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> bool:
        """Wait until a condition on the database holds, checking it after each change; returns whether it holds."""
        return self._waiting.wait_until(condition, timeout_s)

    # Worklist

    def worklist(self, **keys: str) -> list[WorklistItem]:
        """Ask the RIS now and keep what it says; ``keys`` are matching keys, such as ``PatientID="0000001"``.

        Without keys: what is scheduled for this device today. Raises :class:`WorklistFailed` and the errors of an
        association.
        """
        return list(self.query_worklist(keys).items)

    def query_worklist(self, keys: Mapping[str, str] | None = None, peer: str | None = None) -> WorklistAnswer:
        """As :meth:`worklist`, with what the operator is to know of the answer."""
        return self._runtime.worklist.query(keys, peer)

    def worklist_items(self) -> list[WorklistItem]:
        """The items that are stored and current, by their scheduled time."""
        with self._store.database.read() as snapshot:
            return read_worklist(snapshot)

    def find_items(self, numbers: Sequence[int]) -> list[WorklistItem]:
        """Stored items by their numbers, in this order. Raises :class:`NotFound` where one is not there."""
        with self._store.database.read() as snapshot:
            return read_worklist(snapshot, numbers) if numbers else []

    def worklist_lines(self, numbers: Sequence[int] | None = None, known: Lines = NO_LINES) -> list[WorklistLine]:
        """As :meth:`find_items` or :meth:`worklist_items`, by what a list is searched by; ``known`` spares reading."""
        with self._store.database.read() as snapshot:
            return read_lines(snapshot, numbers, known)

    def find_serving(self, items: Sequence[WorklistItem]) -> dict[int, list[Serving]]:
        """The exams that serve each of the items, newest first, by the numbers of the items."""
        with self._store.database.read() as snapshot:
            return list_exams_serving(snapshot, items)

    def check(self, item: WorklistItem) -> ItemCheck:
        """Whether the RIS still has an item, unchanged."""
        return self._runtime.worklist.check(item)

    # Exams

    def start_exam(
        self,
        items: Items | None = None,
        *,
        patient: Mapping[str, object] | None = None,
        modality: str = "",
        confirm: Confirm | None = None,
        **attributes: object,
    ) -> Exam:
        """Start an exam for one or several worklist items, or an unscheduled one for a ``patient`` given by keyword.

        The performed procedure step is IN PROGRESS from now on; as a context manager the exam is COMPLETED at the end
        of the block, DISCONTINUED on an exception. ``attributes`` are what the operator typed, such as
        ``OperatorsName``. Raises :class:`UsageError` where ``confirm`` says no.
        """
        chosen, notices = check_items(self._store, self._runtime.worklist, self._read_items(items), confirm)
        exam = self._register(chosen, patient, attributes, notices)
        self._workflow.begin(exam.id, modality)
        return exam

    exam = start_exam
    """The same, as it reads in a block: ``with modality.exam(item) as exam``."""

    def register(self, patient: Mapping[str, object], **attributes: object) -> Exam:
        """Register a patient by hand: an exam that begins with its first image, or with ``begin``."""
        notices = []
        if self.site.parameters.boolean("worklist.update_at_registration") and self.site.peers_for("worklist"):
            try:
                self.query_worklist()
            except OpenModalityError as error:
                notices.append(f"the worklist could not be updated: {error.message}")
        return self._register([], patient, attributes, notices)

    @property
    def body_parts(self) -> tuple[str, ...]:
        """The terms of Body Part Examined (0018,0015) to choose from; empty where the device has no list."""
        return list_offered_terms(self.site.profile)

    def find_exam(self, exam_id: int) -> Exam:
        """An exam by its number. Raises :class:`UsageError` where there is none."""
        self.view.exam(exam_id)
        return Exam(self._workflow, exam_id)

    def exams(self, *states: str) -> list[ExamRecord]:
        """Exams in these states, or all, newest first."""
        return self.view.exams(*states)

    # Local data

    def studies(self, **keys: str) -> list[Found]:
        """Studies in the local database; ``keys`` match as in a query."""
        return self.view.find(Level.STUDY, keys)

    def series(self, **keys: str) -> list[Found]:
        """Series in the local database."""
        return self.view.find(Level.SERIES, keys)

    def instances(self, **keys: str) -> list[Found]:
        """Instances in the local database."""
        return self.view.find(Level.IMAGE, keys)

    def instance_path(self, sop_instance_uid: str) -> Path:
        """The PS3.10 file of an instance."""
        return self.view.instance_path(sop_instance_uid)

    def import_files(self, paths: Iterable[str | Path], progress: Progress = lambda done, total: None) -> Imported:
        """Copy DICOM files, and those of folders, into the local database."""
        return self._data.import_files(paths, progress)

    def recover(self, *, adopt: bool = False) -> Recovery:
        """Rebuild what the instance files tell, where the database is lost or old; ``serve`` does so at its start.

        ``adopt``: take over a database that says it is another device's. Raises :class:`StoreError` while another
        process serves the data folder.
        """
        return self._runtime.recover_alone(adopt=adopt)

    @property
    def recovery(self) -> Recovery:
        """The result of the recovery when this process brought database and files together."""
        return self._runtime.recovery

    def count_without_exam(self) -> int:
        """How many instances are known by their files alone, and are in no exam and in no send job."""
        return self._by_hand.count_without_exam()

    def send_without_exam(self, peer: str | None = None) -> list[Job]:
        """Queue those instances for a peer, study by study; by default for the first archive of the site."""
        return self._by_hand.send_without_exam(peer)

    def delete(self, level: Level | str, uid: str, *, issuer: str = "", force: bool = False) -> Deleted:
        """Delete a PATIENT (by Patient ID), STUDY, SERIES or IMAGE; refused while an exam or a job needs it."""
        return self._data.delete(Level(level), uid, issuer=issuer, force=force)

    def find_hindrance(self, level: Level | str, uid: str) -> StoreError | None:
        """The reason why a STUDY, SERIES or IMAGE may not be deleted now; ``None`` where it may."""
        return self._data.find_hindrance(Level(level), uid)

    # By hand

    def send(self, study: str = "", peer: str | None = None, *, series: str = "", instance: str = "") -> list[Job]:
        """Queue a study, series or instance, by its UID, for a peer; by default the first archive of the site."""
        return self._by_hand.send(peer, study, series, instance)

    def queue_retrieve(self, wanted: Wanted | str, peer: str | None = None, *, destination: str = "") -> Job:
        """As :meth:`retrieve`, as a job: it goes on when nobody waits for it, and resumes where it is run again."""
        chosen = Wanted(wanted) if isinstance(wanted, str) else wanted
        return self._by_hand.retrieve(peer, chosen, destination)

    def commit(self, study: str = "", peer: str | None = None, *, series: str = "", instance: str = "") -> Job:
        """Queue a request for storage commitment of a study, series or instance, sent before or not (MR-2.1.3-02)."""
        return self._by_hand.commit(peer, study, series, instance)

    def _read_items(self, items: Items | None) -> list[WorklistItem]:
        """Items given by number as they are stored, others as the caller has seen them."""
        given = [items] if isinstance(items, WorklistItem | int) else list(items or ())
        with self._store.database.read() as snapshot:
            return [each if isinstance(each, WorklistItem) else read_worklist(snapshot, [each])[0] for each in given]

    def _register(
        self,
        items: Sequence[WorklistItem],
        patient: Mapping[str, object] | None,
        attributes: Mapping[str, object],
        notices: Sequence[str],
    ) -> Exam:
        user = find_given(self.site.profile).read({**(patient or {}), **attributes}, "exam")
        record = self._workflow.register(items, user, notices)
        return Exam(self._workflow, record.id)
