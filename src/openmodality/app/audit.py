"""The audit trail as an auditor uses it. Reading it is an event of its own (PS3.15 A.5.3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from openmodality.activities.audit import AuditTrail
from openmodality.activities.connection import Connector
from openmodality.audit.chain import FIRST_DIGEST
from openmodality.audit.codes import EventType
from openmodality.audit.events import (
    ActingPerson,
    Who,
    tell_accessed,
    tell_alert,
    tell_log_used,
)
from openmodality.device.site.site import Site
from openmodality.errors import NotFound, OpenModalityError
from openmodality.jobs.queue import Queue
from openmodality.standard.statuses import ServiceName
from openmodality.store.listing.audit import (
    AuditRow,
    AuditSearch,
    AuditState,
    ChainState,
    count_audit_rows,
    find_audit_rows,
    read_audit_row,
    read_audit_state,
    read_digest,
    verify_chain,
)
from openmodality.store.listing.subjects import read_study_subject
from openmodality.store.local import open_store
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    from pydicom import Dataset


VIEWED_AGAIN_S: Final = 300.0
"""How long looks of one person at one study are one event: a viewer asks for each image."""
_MOST_VIEWED: Final = 1000


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of rows that match, newest first, how many there are in all, and how far the trail is delivered."""

    rows: tuple[AuditRow, ...]
    total: int
    state: AuditState


class AuditLog:
    """The rows of the audit trail to read, and the events that only the fronts of the device know."""

    def __init__(self, trail: AuditTrail) -> None:
        self.trail = trail
        self._viewed: dict[tuple[ActingPerson | None, str], float] = {}

    # To read

    def find(self, search: AuditSearch, limit: int | None = None) -> AuditPage:
        """Rows that are looked for."""
        self._tell_use("rows were listed")
        with self.trail.database.read() as snapshot:
            rows = find_audit_rows(snapshot, search, limit)
            return AuditPage(tuple(rows), count_audit_rows(snapshot, search), read_audit_state(snapshot))

    def show(self, number: int) -> AuditRow:
        """One row. Raises :class:`NotFound` where there is none with this number."""
        self._tell_use(f"row {number} was looked at")
        with self.trail.database.read() as snapshot:
            row = read_audit_row(snapshot, number)
        if row is None:
            raise NotFound(f"the audit trail has no row {number}", advice="openmodality audit list shows the last ones")
        return row

    def verify(self, head: tuple[int, str] | None = None) -> tuple[ChainState, AuditState]:
        """How far the chain of the trail is whole, and up to where it has been delivered.

        ``head`` is a row's number and digest as they were written down earlier: that row must still be there as it was.
        """
        self._tell_use("the chain was verified")
        with self.trail.database.read() as snapshot:
            chain = verify_chain(snapshot)
            if head is not None and not chain.broken_at:
                chain = _compare_with_head(chain, head, read_digest(snapshot, head[0]))
            return chain, read_audit_state(snapshot)

    def export(self, search: AuditSearch) -> tuple[AuditRow, ...]:
        """Rows that are looked for, oldest first."""
        self._tell_use("rows were exported")
        with self.trail.database.read() as snapshot:
            return tuple(reversed(find_audit_rows(snapshot, search)))

    def read_state(self) -> AuditState:
        """How far the trail is delivered, without reading its rows."""
        with self.trail.database.read() as snapshot:
            return read_audit_state(snapshot)

    def _tell_use(self, purpose: str) -> None:
        """Before anything is read."""
        self.trail.tell(tell_log_used(self.trail.who, purpose))

    # What fronts tell of

    def tell_viewed(self, study_instance_uid: str) -> None:
        """Somebody looks at images of a study; once in a while for each person and study, however many images."""
        viewed, now = (self.trail.who.person, study_instance_uid), self.trail.database.clock()
        if 0 <= now - self._viewed.get(viewed, -VIEWED_AGAIN_S) < VIEWED_AGAIN_S:
            return
        if len(self._viewed) >= _MOST_VIEWED:
            self._viewed.clear()
        self._viewed[viewed] = now
        with self.trail.database.read() as snapshot:
            subject = read_study_subject(snapshot, study_instance_uid)
        self.trail.tell(tell_accessed(self.trail.who, "R", subject))

    def tell_settings(self, keys: Sequence[str]) -> None:
        """Somebody has changed settings of the site file: which, not to what."""
        said = f"settings changed: {', '.join(keys)}" if keys else "the site file was written, with the same settings"
        self.trail.note_settings(said)

    def tell_emergency(self, person: ActingPerson, description: str) -> None:
        """An exam was started without a login, from this address."""
        who = Who(self.trail.node, person)
        subject = "openmodality:emergency-start"
        self.trail.tell(tell_alert(who, EventType.EMERGENCY_OVERRIDE, subject, description))


def _compare_with_head(chain: ChainState, head: tuple[int, str], digest: str) -> ChainState:
    number, wanted = head
    if number == 0 and wanted == FIRST_DIGEST:
        return chain
    if not digest:
        reason = f"row {number} is not here any more"
        return ChainState(chain.rows, chain.last, chain.head, min(number, chain.last + 1), reason)
    if digest != wanted:
        return ChainState(chain.rows, chain.last, chain.head, number, "the row is not the one that was written down")
    return chain


@contextmanager
def open_trail(site: Site) -> Iterator[AuditTrail]:
    """The audit trail of a site for a command without its device, until the block ends."""
    name = site.equipment.station_name or next(iter(site.application_entities.values())).ae_title
    data = site.settings.data
    with open_store(site.data_folder, url=data.database or None, durability=data.durability, device_name=name) as store:
        yield AuditTrail(site, Queue(store.database))


def note_query_alone(site: Site, service: ServiceName, name: str, sop_class_uid: str, asked: Dataset) -> None:
    """Put on record a query of a command that asks a peer without building the device."""
    with open_trail(site) as trail:
        Connector(site, trail=trail).note_query(service, site.peer(name), sop_class_uid, asked)


def note_untrusted_alone(site: Site, name: str, error: OpenModalityError) -> None:
    """Put on record that a command and a peer do not trust each other."""
    with open_trail(site) as trail:
        Connector(site, trail=trail).note_failure(site.peer(name), error)
