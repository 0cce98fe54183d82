"""The running parts of a device: store, queue, worker, acceptors; who starts what, and in which order.

At the start the process tries to take the worker's lock. If it gets the lock, it recovers store and exams and works the
queue; else it only queues. Acceptors listen only where the lock is held: from ``serve`` on, which listens before it
works, or from the first request for storage commitment, so that its report can be taken. At the end all stops in the
opposite order.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from openmodality.activities.arrivals import Arrivals, watch_contexts, watch_storage
from openmodality.activities.audit import AuditTrail
from openmodality.activities.audit_delivery import AuditExecutor
from openmodality.activities.audit_exports import ExportTrail, find_printing_media, find_written_media
from openmodality.activities.audit_transfers import ArrivalTrail
from openmodality.activities.commit import CommitExecutor
from openmodality.activities.commit_jobs import ask_anew
from openmodality.activities.commit_record import StoredCommitments
from openmodality.activities.connection import Connector
from openmodality.activities.enhanced_fallback import EnhancedFallback
from openmodality.activities.failures import JudgedExecutor
from openmodality.activities.media_job import MediaExecutor
from openmodality.activities.performed_step import StepExecutor
from openmodality.activities.print import PrintExecutor
from openmodality.activities.printer_associations import PrinterAssociations
from openmodality.activities.query_answers import StoredEntities
from openmodality.activities.retrieve_answers import StoredInstances
from openmodality.activities.retrieve_job import RetrieveExecutor
from openmodality.activities.send import SendExecutor
from openmodality.activities.stow import SendByPeer, StowExecutor
from openmodality.activities.tls import (
    calls_under_tls,
    list_secret_files,
    renew_client_context,
    warn_of_suites,
)
from openmodality.activities.worklist import Worklist
from openmodality.app.acceptors import Watching, build_acceptors
from openmodality.app.ending_watch import EndingWatch
from openmodality.app.figures import AssociationTally
from openmodality.app.housekeeping import Housekeeping
from openmodality.app.jobs import SERVICES_OF_KINDS
from openmodality.app.receiving import StoreSink
from openmodality.app.recovery import Recovery, log_notice, recover_device
from openmodality.audit.events import tell_application
from openmodality.device.site.association_limits import count_turns, find_identity
from openmodality.device.site.permissions import warn_readable_by_all
from openmodality.device.site.site import Site
from openmodality.dimse.service import Service
from openmodality.errors import StoreError
from openmodality.exam.producers.registry import make_producers
from openmodality.exam.workflow import Workflow
from openmodality.imaging.decompress import decompress_file
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import Executor
from openmodality.jobs.worker import Worker
from openmodality.jobs.worker_lock import WorkerLock
from openmodality.network.acceptor import Acceptor, Decide
from openmodality.objects.filter.private_sets import list_imported_sets
from openmodality.objects.private_names import register_with_pydicom
from openmodality.objects.site_objects import find_uid_maker
from openmodality.services.commitment import commitment_result_service
from openmodality.services.query_retrieve import get_service, move_service, query_service
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.store.local import open_store
from openmodality.store.notices import JobNotices
from openmodality.store.ownership import Ownership
from openmodality.store.retrieve_window import RetrieveWindow
from openmodality.store.states import JobKind
from openmodality.store.transaction import Clock
from openmodality.store.validated import ValidatedSink
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ


class Runtime:
    """Everything of one device that lives while the device does."""

    def __init__(self, site: Site, clock: Clock, tell: Callable[[str], None] = log_notice) -> None:
        self.site = site
        self._clock = clock
        register_with_pydicom(site.profile.private_attributes)
        self._stack = ExitStack()
        url = site.settings.data.database or None
        name = site.equipment.station_name or next(iter(site.application_entities.values())).ae_title
        durability = site.settings.data.durability
        self.store = self._stack.enter_context(
            open_store(
                site.data_folder,
                url=url,
                durability=durability,
                clock=clock,
                known_private=list_imported_sets(site),
                device_name=name,
            )
        )
        self.lock = WorkerLock(site.data_folder)
        self._stack.callback(self.lock.release)
        self.queue = Queue(self.store.database, {JobKind.COMMIT: ask_anew})
        self.trail = AuditTrail(site, self.queue)
        self.connections = Connector(site, renew_client_context(site), self.trail)
        self.printer_associations = PrinterAssociations(self.connections)
        self._stack.callback(self.printer_associations.close)
        self.workflow = Workflow(site, self.store, self.queue, make_producers(site), self.trail)
        self._arrival_trail = ArrivalTrail(self.trail, self.store)
        self.worklist = Worklist(self.store, self.connections)
        after_s = site.parameters.number("behaviour.receive_after_retrieve_s")
        self.window = RetrieveWindow(site.data_folder, clock, after_s)
        self.acceptors: dict[str, Acceptor] = {}
        self.tally = AssociationTally()
        self._arrivals = self._arrivals_elsewhere = Arrivals(tell=self.window.note_refusal)
        self._may_listen = True
        self._acceptors_change = threading.Lock()
        self.ownership = Ownership(self.store.database, site.data_folder, site.profile.name, name)
        self.recovery = Recovery()
        self._tell = tell
        self._worker: Worker | None = None

    @property
    def works(self) -> bool:
        """Whether this process works the queue."""
        return self._worker is not None

    def start_worker(self) -> bool:
        """Recover what a dead process left and work the queue; ``False`` where another process does already."""
        if self._worker is not None:
            return True
        if not self._take_device():
            return False
        self._start_worker()
        return True

    def _take_device(self) -> bool:
        """Take the worker's lock and recover what a dead process left; ``False`` where another process has it."""
        if not self.lock.acquire():
            return False
        for notice in self.recover().notices:
            self._tell(notice)
        return True

    def _start_worker(self) -> None:
        self.trail.note_settings()
        self.trail.tell(tell_application(self.trail.who, starts=True))
        self.trail.queue_backlog()
        self._stack.callback(self._tell_stop)
        destinations = max(len({*self.site.peers, *self.site.printers}), 1) + self.site.settings.audit.enabled
        entities = group_kinds(self.site)
        name = f"{platform.node()}:{self.site.data_folder}"  # who starts again in this place takes its jobs back
        self._worker = Worker(self.queue, self._executors(), threads=destinations, name=name, entities=entities)
        self._worker.start()
        self._stack.enter_context(JobNotices(self.store.database))
        self._stack.callback(self._worker.stop)
        self._stack.callback(self.ownership.remember)
        self._stack.enter_context(EndingWatch(self.workflow, self.ownership.remember))
        housekeeping = Housekeeping(self.store, self.site, self.trail)
        if housekeeping.is_needed:
            self._stack.enter_context(housekeeping)
        self._watch_tls()

    def _watch_tls(self) -> None:
        """Warn of cipher suites that cannot be used, and watch the certificates as long as the device runs."""
        warn_of_suites(self.site)
        if self.site.settings.tls.certificate or self.site.settings.console.certificate:
            from openmodality.app.certificate_watch import CertificateWatch  # noqa: PLC0415 - start-up time: cryptography

            self._stack.enter_context(CertificateWatch(self.site, self._clock))

    def _tell_stop(self) -> None:
        """Put the stop on record. The queue does not run any more, so the next start delivers this row."""
        self.trail.tell_afterwards(tell_application(self.trail.who, starts=False))

    def recover(self, *, adopt: bool = False) -> Recovery:
        """Bring database and files together; whoever calls it holds the lock. Raises :class:`OtherDevice`."""
        self.recovery = recover_device(self.store, self.workflow, self.ownership, adopt=adopt)
        return self.recovery

    def recover_alone(self, *, adopt: bool = False) -> Recovery:
        """As :meth:`recover`, without working the queue. Raises :class:`StoreError` where another process works it."""
        if not self.lock.acquire():
            raise StoreError(
                f"another process serves the data folder {self.site.data_folder}",
                advice="it has recovered at its start; stop it first to recover again",
            )
        return self.recover(adopt=adopt)

    def serve(self) -> dict[str, int]:
        """Listen, and work the queue; the ports by role. Raises :class:`StoreError` where another process does.

        Nothing is worked where a port is taken: :class:`TransportError`.
        """
        if self._worker is None and not self._take_device():
            raise StoreError(
                f"another process serves the data folder {self.site.data_folder}",
                advice="stop it first, or give this device another data folder",
            )
        self._may_listen = True
        self.listen()
        if self._worker is None:
            self._start_worker()
        return {role: acceptor.port for role, acceptor in self.acceptors.items()}

    def listen(self) -> None:
        """Listen, so that reports can be taken, if this process works the queue and listening was not stopped.

        Raises :class:`TransportError` where a port is taken.
        """
        with self._acceptors_change:
            if self.acceptors or not self._may_listen:
                return
            # Of the key of a device that calls under TLS there was a warning when that context was made.
            unseen = [] if calls_under_tls(self.site) else list_secret_files(self.site)
            warn_readable_by_all([self.site.path, *unseen])
            watching = Watching(self._note_rejected, self.trail.tell_untrusted, self._watch_decisions)
            acceptors = build_acceptors(self.site, self._services(), self.window, watching)
            with ExitStack() as started:
                for acceptor in acceptors.values():
                    started.enter_context(acceptor)
                self._stack.push(started.pop_all())
            self.acceptors = acceptors

    @contextmanager
    def watch_arrivals(self) -> Iterator[Arrivals]:
        """The instances that come or are refused in this block; only the refused if another process listens."""
        self._arrivals = arrivals = Arrivals()
        try:
            with self.window.watching_refusals() as refusals:
                yield arrivals
            arrivals.refused += refusals
        finally:
            self._arrivals = self._arrivals_elsewhere

    def _watch_decisions(self, decide: Decide) -> Decide:
        """Make the same decisions, count them, and tell the arrivals that are watched."""
        watched = watch_contexts(decide, find_arrivals=lambda: self._arrivals)

        def decide_and_count(request: A_ASSOCIATE_RQ, load: Load) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
            answer = watched(request, load)
            if isinstance(answer, A_ASSOCIATE_AC):
                self.tally.add(self._name_caller(request.calling_ae_title))
            return answer

        return decide_and_count

    def _name_caller(self, calling: str) -> str:
        """The peer that has this AE title; anybody else is ``unknown``, since there may be any number of them."""
        return next((peer.name for peer in self.site.find_titled_peers(calling)), "unknown")

    def _note_rejected(self, calling: str, answer: A_ASSOCIATE_RJ) -> None:
        situations = self.site.profile.rejections.items()
        reason = next((situation for situation, rejection in situations if rejection == answer), "other")
        self.tally.add(self._name_caller(calling), reason)
        self._arrivals.note_rejected(calling, answer)
        if answer == self.site.profile.rejections["limit_reached"]:
            StoredCommitments(self.queue, self.site).note_refused(calling)

    def stop_serving(self) -> None:
        """Listen no longer; the queue is worked on."""
        with self._acceptors_change:
            self._may_listen = False
            acceptors, self.acceptors = self.acceptors, {}
        for acceptor in acceptors.values():
            acceptor.stop()

    def close(self) -> None:
        """Stop everything, what was started last first, and end all waits for a turn."""
        self.connections.close()
        self._stack.close()

    def _executors(self) -> dict[JobKind, Executor]:
        step = JudgedExecutor(StepExecutor(self.store.database, self.connections), self.site, "mpps")
        commit = CommitExecutor(self.queue, self.connections, find_uid_maker(self.site), self.listen)
        fallback = EnhancedFallback(self.store.database, find_uid_maker(self.site))
        retrieving = RetrieveExecutor(self.connections, self.store, self.window, self.watch_arrivals, self.listen)
        printing = PrintExecutor(self.store.files, self.connections, self.printer_associations)
        return {
            JobKind.SEND: SendByPeer(
                self.site,
                SendExecutor(self.store.files, self.connections, decompress_file, fallback),
                StowExecutor(self.store.files, self.connections, decompress_file),
            ),
            JobKind.COMMIT: JudgedExecutor(commit, self.site, "storage_commitment"),
            JobKind.MPPS_CREATE: step,
            JobKind.MPPS_SET: step,
            JobKind.PRINT: JudgedExecutor(
                ExportTrail(printing, self.trail, find_printing_media(self.site)), self.site, "print"
            ),
            JobKind.MEDIA: ExportTrail(
                MediaExecutor(self.store.files, self.site, decompress_file), self.trail, find_written_media
            ),
            JobKind.RETRIEVE: JudgedExecutor(retrieving, self.site, "retrieve"),
            JobKind.AUDIT: AuditExecutor(self.site, self.trail),
        }

    def make_storage_service(self) -> Service:
        """The service that stores instances of peers in the local database, and tells the arrivals that are watched."""
        storage = frozenset(
            str(entry.sop_class_uid)
            for entry in self.site.profile.presentation_contexts
            if entry.accepted and entry.service == "storage"
        )
        only_asked_for = self.site.parameters.boolean("behaviour.receive_only_while_retrieving")
        is_listed = self.window.asked_for if only_asked_for else lambda uid: True
        own = StoreSink(self.store, find_identity(self.site), is_listed, self._arrival_trail.note)
        requires_type_1 = self.site.parameters.boolean("behaviour.require_mandatory")
        sink = ValidatedSink(own, list_imported_sets(self.site), requires_type_1=requires_type_1)
        stored = self._arrival_trail.watch(storage_service(sink, storage))
        return watch_storage(stored, lambda: self._arrivals)

    def _services(self) -> tuple[Service, ...]:
        record = StoredCommitments(self.queue, self.site)
        return (
            VERIFICATION_SERVICE,
            self.make_storage_service(),
            commitment_result_service(record),
            *self._query_services(),
        )

    def _query_services(self) -> tuple[Service, ...]:
        """Query and retrieve, where the profile has them as SCP."""
        accepted = [entry for entry in self.site.profile.presentation_contexts if entry.accepted]
        roles = {entry.ae for entry in accepted if entry.service in ("query", "retrieve")}
        if not roles:
            return ()
        title = self.site.application_entities[min(roles)].ae_title
        instances = StoredInstances(self.store, self.connections, decompress_file)
        get = (get_service(instances),) if "c_get" in self.site.settings.extensions else ()
        return (query_service(StoredEntities(self.store, self.site, self.trail), title), move_service(instances), *get)


def group_kinds(site: Site) -> list[list[JobKind]]:
    """The kinds of job that one local AE does, for each that opens one association at a time.

    They wait for one another in the queue.
    """
    roles: dict[str, list[JobKind]] = {}
    for kind, service in SERVICES_OF_KINDS.items():
        if any(entry.service == service and not entry.accepted for entry in site.profile.presentation_contexts):
            roles.setdefault(site.calling_ae(service).role, []).append(kind)
    return [kinds for role, kinds in roles.items() if count_turns(site, role) == 1]
