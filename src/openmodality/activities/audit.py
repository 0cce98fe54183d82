"""The audit trail of a device: what it does is put on record here, and nowhere else (PS3.15 A.5).

A row is written in the transaction of what it tells of, so that there is neither the one without the other. What
leaves the device is on record before it does. Where a site names an audit repository, a job that delivers the rows is
queued in the same transaction.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Final

from openmodality.audit.acting import find_person
from openmodality.audit.chain import AuditEntry
from openmodality.audit.codes import EventType, Outcome
from openmodality.audit.events import (
    SETTINGS_URI,
    DeviceNode,
    Partner,
    Who,
    tell_accessed,
    tell_alert,
    tell_study_deleted,
    tell_transfer_begun,
    tell_transferred,
)
from openmodality.audit.message import AuditMessage, AuditSource, encode_audit
from openmodality.audit.subjects import StudySubject
from openmodality.device.site.site import Site
from openmodality.errors import StoreError
from openmodality.jobs.job import NewJob, RetryParameters
from openmodality.jobs.queue import Queue
from openmodality.store.database import Database
from openmodality.store.listing.audit import read_audit_state, read_settings_digest
from openmodality.store.listing.subjects import read_subjects
from openmodality.store.rows.audit import note_settings
from openmodality.store.states import JobKind, JobState
from openmodality.store.transaction import Transaction

log = logging.getLogger(__name__)

REPOSITORY: Final = "audit repository"
"""The destination of delivery jobs; no peer can have this name."""
GATHER_S: Final = 2.0
"""How long rows are gathered before they are delivered together."""
ALERT_AGAIN_S: Final = 60.0
"""How long failures of TLS with the same address are one event."""
_MOST_ADDRESSES: Final = 1000


class AuditTrail:
    """Puts events on record for one device."""

    def __init__(self, site: Site, queue: Queue) -> None:
        self._site = site
        self._queue = queue
        self._source = AuditSource(
            site.equipment.station_name or next(iter(site.application_entities.values())).ae_title,
            site.equipment.institution_name or "",
        )
        self._untrusted: dict[str, float] = {}
        titles = tuple(dict.fromkeys(each.ae_title for each in site.application_entities.values()))
        self.node = DeviceNode(str(os.getpid()), titles, site.settings.network.host_name or platform.node())

    @property
    def database(self) -> Database:
        """Where the trail is."""
        return self._queue.database

    @property
    def who(self) -> Who:
        """This device, and the person for whom it acts just now."""
        return Who(self.node, find_person())

    def note(self, transaction: Transaction, *messages: AuditMessage) -> None:
        """Put messages on record with the changes of a transaction."""
        for message in messages:
            self._add(self._make_entry(message, transaction.now), transaction)

    def prepare(self, message: AuditMessage) -> Callable[[Transaction], None]:
        """A function that puts a message of this moment on record with a later transaction."""
        return partial(self._add, self._make_entry(message, self.database.clock()))

    def _add(self, entry: AuditEntry, transaction: Transaction) -> None:
        transaction.add_audit(entry, self.queue_delivery if self._site.settings.audit.enabled else None)

    def _make_entry(self, message: AuditMessage, at: float) -> AuditEntry:
        return AuditEntry(
            at,
            message.kind.value,
            message.outcome.value,
            "\n".join(message.users),
            "\n".join(message.patients),
            encode_audit(message, at, self._source),
        )

    def tell(self, *messages: AuditMessage) -> None:
        """Put messages on record now. Raises :class:`StoreError` where that cannot be."""
        if messages:
            with self.database.write() as transaction:
                self.note(transaction, *messages)

    def tell_afterwards(self, *messages: AuditMessage) -> None:
        """Put on record what has happened already; where that cannot be, the log says so."""
        try:
            self.tell(*messages)
        except StoreError as error:
            kinds = ",".join(dict.fromkeys(message.kind.value for message in messages))
            log.error("audit.not_written", extra={"kind": kinds, "reason": error.message})

    # What several activities tell of in the same way

    def begin_sending(self, partner: Partner, sop_instance_uids: Sequence[str]) -> None:
        """Instances are about to leave; one message for each study."""
        self.tell(*(tell_transfer_begun(self.who, partner, each, sends=True) for each in self._find(sop_instance_uids)))

    def end_sending(self, partner: Partner, sent: Sequence[str], failed: Sequence[str]) -> None:
        """Instances have left, or have not; one message for each study."""
        done = {each.study_instance_uid: each for each in self._find(sent)}
        lost = {each.study_instance_uid: each for each in self._find(failed)}
        messages = []
        for uid in dict.fromkeys((*done, *lost)):
            subject = done.get(uid) or _empty(lost[uid])
            count = lost[uid].instances if uid in lost else 0
            messages.append(tell_transferred(self.who, partner, subject, sends=True, failed=count))
        self.tell_afterwards(*messages)

    def tell_untrusted(self, address: str, reason: str) -> None:
        """A node did not prove who it is, or would not let this one: TLS failed.

        Once in a while for each address: whoever tries again and again is not to fill the database.
        """
        now = self.database.clock()
        if 0 <= now - self._untrusted.get(address, -ALERT_AGAIN_S) < ALERT_AGAIN_S:
            return
        if len(self._untrusted) >= _MOST_ADDRESSES:
            self._untrusted.clear()
        self._untrusted[address] = now
        self.tell_afterwards(
            tell_alert(self.who, EventType.NODE_AUTHENTICATION, address, reason, outcome=Outcome.SERIOUS_FAILURE)
        )

    def note_deleted(self, transaction: Transaction, subjects: Sequence[StudySubject], whole: frozenset[str]) -> None:
        """Instances of studies are deleted; ``whole`` are the studies of which nothing is left."""
        for subject in subjects:
            is_whole = subject.study_instance_uid in whole
            tale = tell_study_deleted(self.who, subject) if is_whole else tell_accessed(self.who, "D", subject)
            self.note(transaction, tale)

    def find_subjects(self, sop_instance_uids: Sequence[str]) -> list[StudySubject]:
        """The studies of instances."""
        return self._find(sop_instance_uids)

    def _find(self, sop_instance_uids: Sequence[str]) -> list[StudySubject]:
        if not sop_instance_uids:
            return []
        with self.database.read() as snapshot:
            return read_subjects(snapshot, sop_instance_uids)

    # The start of a device

    def note_settings(self, said: str = "the site file is another than at the last start") -> None:
        """Put on record that the site file has changed since the last start; ``said`` is what is known of it."""
        try:
            digest = sha256(self._site.path.read_bytes()).hexdigest()
        except OSError:
            return  # it was read a moment ago; the next start tells
        with self.database.write() as transaction:
            before = read_settings_digest(transaction)
            if before == digest:
                return
            note_settings(transaction, digest)
            if before:
                self.note(transaction, tell_alert(self.who, EventType.SOFTWARE_CONFIGURATION, SETTINGS_URI, said))

    # Delivery

    def queue_backlog(self) -> None:
        """Queue the delivery of rows that were put on record while no repository was named."""
        if not self._site.settings.audit.enabled:
            return
        with self.database.write() as transaction:
            if read_audit_state(transaction).backlog:
                self.queue_delivery(transaction)

    def queue_delivery(self, transaction: Transaction) -> None:
        """Queue a delivery, unless one is queued that will deliver the rows of this transaction too.

        A delivery that runs may have read its rows already: then another one follows it.
        """
        for key in ("audit", "audit, again"):
            if self._queue.enqueue(transaction, self._make_job(key)).state is not JobState.DOING:
                return

    def _make_job(self, key: str) -> NewJob:
        settings = self._site.settings.audit
        retry = RetryParameters(max_retries=0, delay_s=float(settings.retry_s), permanent=True)
        due_at = self.database.clock() + GATHER_S
        return NewJob(JobKind.AUDIT, REPOSITORY, retry=retry, unique_key=key, due_at=due_at)


def _empty(subject: StudySubject) -> StudySubject:
    return StudySubject(subject.study_instance_uid, subject.patient_id, subject.patient_name, subject.accession_number)
