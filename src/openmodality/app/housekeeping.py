"""Deletes what an archive has committed to keep, where the site says so (RF-4.4.2-19); off by default."""

from __future__ import annotations

import logging
from typing import Final

from openmodality.activities.audit import AuditTrail
from openmodality.app.background import BackgroundThread
from openmodality.device.site.site import Site
from openmodality.errors import StoreError, describe_fault
from openmodality.standard.query_retrieve import Level
from openmodality.store.local import LocalStore
from openmodality.store.rows.deletion import TellDeleted, delete_entity, read_unneeded

log = logging.getLogger(__name__)

_RETRY_S: Final = 60.0


class Housekeeping(BackgroundThread):
    """A thread that waits for changes; needed only where a peer's ``storage_commitment.on_success`` is ``delete``."""

    def __init__(self, store: LocalStore, site: Site, trail: AuditTrail) -> None:
        super().__init__("housekeeping")
        self._trail = trail
        self._store = store
        self._site = site

    @property
    def is_needed(self) -> bool:
        """Whether the site deletes anything by itself."""
        archives = self._site.peers_for("storage_commitment")
        return bool(archives) and all(
            peer.parameters.text("storage_commitment.on_success") == "delete" for peer in archives
        )

    def wake(self) -> None:
        """End the wait for a change."""
        self._store.database.changed.notify()

    def run(self) -> None:
        """Delete, then wait for changes, after which more may be deleted."""
        changed = self._store.database.changed
        while not self.stopping.is_set():
            seen = changed.count
            try:
                deleted = delete_committed(self._store, self._trail.note_deleted)
            except StoreError as error:
                log.warning("housekeeping.failed", extra={"reason": error.message})
                deleted = 0
            except Exception as error:  # noqa: BLE001 - the thread's boundary: reported, and tried again
                log.error("housekeeping.crashed", extra=describe_fault(error))
                deleted = 0
            if not deleted:
                changed.wait(seen, _RETRY_S)


def delete_committed(store: LocalStore, tell: TellDeleted = lambda transaction, subjects, whole: None) -> int:
    """Delete the instances that are committed and that no job needs any more; returns how many. ``tell`` is told."""
    with store.read() as snapshot:
        uids = read_unneeded(snapshot)
    deleted = 0
    for uid in uids:
        try:
            deleted += delete_entity(store, Level.IMAGE, uid, tell=tell).instances
        except StoreError as error:
            log.info("housekeeping.kept", extra={"reason": error.message})  # its exam is still in progress
        except Exception as error:  # noqa: BLE001 - the boundary of one instance: the next one is deleted all the same
            log.error("housekeeping.not_deleted", extra={"sop_instance_uid": uid, **describe_fault(error)})
    return deleted
